// Two processes and four threads hit each other with signals as fast as they can.
#include "check.h"

static volatile int hits;
static void handler(int sig) { __atomic_add_fetch(&hits, 1, __ATOMIC_SEQ_CST); }
static pthread_t threads[4];
static volatile bool ready;
static void *storm(void *mine) {
    while (!ready) sched_yield();
    for (int i = 0; i < 2000; i++) {
        CHECK_ZERO(pthread_kill(threads[(i + (intptr_t)mine) % 4], SIGUSR1));
        if (i % 100 == 0) {
            char *block = malloc(1000);
            CHECK(block);
            free(block);
        }
    }
    return NULL;
}

int main(void) {
    on_signal(SIGUSR1, handler, SA_RESTART);
    on_signal(SIGUSR2, handler, SA_RESTART);
    pid_t parent = getpid(), pid;
    CHILD(pid) {
        for (int i = 0; i < 3000; i++) CHECK_OK(kill(parent, i % 2 ? SIGUSR1 : SIGUSR2));
    }
    for (int i = 0; i < 3000; i++) kill(pid, SIGUSR2);
    CHECK_EXIT(pid, 0);
    for (intptr_t i = 0; i < 4; i++) threads[i] = thread_start(storm, (void *)i);
    ready = true;
    // Joined ones may still be hit, as long as they are not joined: they wait for each other by a barrier of ends.
    for (int i = 0; i < 4; i++) {
        while (pthread_kill(threads[i], 0) == 0 && pthread_tryjoin_np(threads[i], NULL) == EBUSY) sched_yield();
        break;
    }
    _exit(hits > 100 ? 0 : 1);
}
