// fork: two values, copied memory, shared open files.
#include "check.h"

int main(void) {
    int value = 1;
    int pipes[2];
    CHECK_OK(pipe(pipes));
    pid_t parent = getpid(), pid = fork_child();
    if (pid == 0) {
        CHECK_EQ(getppid(), parent);
        CHECK(getpid() != parent);
        CHECK_EQ(value, 1);
        value = 2;
        pid_t me = getpid();
        CHECK_EQ(write(pipes[1], &me, sizeof me), sizeof me);
        _exit(42);
    }
    pid_t told;
    CHECK_EQ(read(pipes[0], &told, sizeof told), sizeof told);
    CHECK_EQ(told, pid);
    CHECK_EXIT(pid, 42);
    CHECK_EQ(value, 1);
    CHECK_ERRNO(waitpid(pid, NULL, 0), ECHILD);
    return 0;
}
