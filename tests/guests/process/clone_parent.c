// CLONE_PARENT: a sibling instead of a child.
#include "check.h"

static char stack[65536] __attribute__((aligned(16)));
static pid_t parent;
static int sibling(void *unused) { return getppid() == parent ? 5 : 6; }

int main(void) {
    parent = getpid();
    int pipes[2];
    CHECK_OK(pipe(pipes));
    pid_t pid;
    CHILD(pid) {
        pid_t made = CHECK_OK(clone(sibling, stack + sizeof stack, CLONE_PARENT | SIGCHLD, NULL));
        CHECK_ERRNO(waitpid(made, NULL, 0), ECHILD);
        CHECK_EQ(write(pipes[1], &made, sizeof made), sizeof made);
    }
    pid_t made;
    CHECK_EQ(read(pipes[0], &made, sizeof made), sizeof made);
    CHECK_EXIT(made, 5);
    CHECK_EXIT(pid, 0);
    return 0;
}
