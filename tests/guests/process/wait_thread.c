// Any thread may wait for the process's children, many at once.
#include "check.h"

static void *waiter(void *unused) {
    int status;
    pid_t pid = CHECK_OK(wait(&status));
    CHECK(WIFEXITED(status));
    return (void *)(intptr_t)(pid != 0 ? WEXITSTATUS(status) + 1 : 0);
}

static void *own_child(void *unused) {
    pid_t pid;
    CHILD(pid) _exit(3);
    CHECK_EXIT(pid, 3);
    return NULL;
}

int main(void) {
    pid_t pids[4];
    pthread_t threads[4];
    for (int i = 0; i < 4; i++) CHILD(pids[i]) {
        sleep_ms(10 * (i + 1));
        _exit(1 << i);
    }
    int sum = 0;
    for (int i = 0; i < 4; i++) threads[i] = thread_start(waiter, NULL);
    for (int i = 0; i < 4; i++) sum += (intptr_t)thread_join(threads[i]) - 1;
    CHECK_EQ(sum, 15);
    for (int i = 0; i < 4; i++) threads[i] = thread_start(own_child, NULL);
    for (int i = 0; i < 4; i++) thread_join(threads[i]);
    pid_t pid;
    CHILD(pid) _exit(0);
    // __WNOTHREAD: only the caller's own children.
    CHECK_EQ(waitpid(pid, NULL, __WNOTHREAD), pid);
    return 0;
}
