// The C library changes the ids of all threads together.
#include "check.h"

static void *other(void *pipes) {
    char byte;
    CHECK_EQ(read(*(int *)pipes, &byte, 1), 1);
    CHECK_EQ(getuid(), 4321);
    return NULL;
}

int main(void) {
    pid_t pid;
    CHILD(pid) {
        if (geteuid()) _exit(0);
        int pipes[2];
        CHECK_OK(pipe(pipes));
        pthread_t thread = thread_start(other, &pipes[0]);
        if (setuid(4321)) _exit(0);
        CHECK_EQ(write(pipes[1], "x", 1), 1);
        thread_join(thread);
    }
    CHECK_EXIT(pid, 0);
    return 0;
}
