// exit ends the threads that block, that compute and that make calls; also from a thread that is not the first.
#include "check.h"

static void *blocked(void *unused) {
    int pipes[2];
    CHECK_OK(pipe(pipes));
    char byte;
    if (read(pipes[0], &byte, 1)) {}
    return NULL;
}
static void *calling(void *unused) {
    for (;;) sched_yield();
}
static void *computing(void *unused) {
    for (volatile long i = 0;; i++) {}
}
static void *ending(void *code) {
    sleep_ms(20);
    exit((intptr_t)code);
}

int main(void) {
    pid_t pid;
    CHILD(pid) {
        thread_start(blocked, NULL);
        thread_start(calling, NULL);
        sleep_ms(10);
        _exit(12);
    }
    CHECK_EXIT(pid, 12);
    CHILD(pid) {
        thread_start(blocked, NULL);
        thread_start(calling, NULL);
        thread_join(thread_start(ending, (void *)13));
    }
    CHECK_EXIT(pid, 13);
    CHILD(pid) {
        thread_start(computing, NULL);
        thread_join(thread_start(ending, (void *)14));
    }
    CHECK_EXIT(pid, 14);
    CHILD(pid) {
        thread_start(blocked, NULL);
        thread_start(calling, NULL);
        CHECK_OK(raise(SIGKILL));
    }
    CHECK_KILLED(pid, SIGKILL);
    return 0;
}
