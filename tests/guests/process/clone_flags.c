// clone with chosen sharing: memory, descriptors, directory, exit signal, tids.
#include "check.h"

static char stack[65536] __attribute__((aligned(16)));
static volatile int shared;
static int pipes[2];
static pid_t parent_tid, child_tid = -1;

static int child(void *argument) {
    shared = 5;
    close(pipes[0]);
    if (chdir("/")) return 1;
    return 3;
}

int main(void) {
    enter_tmp();
    CHECK_OK(pipe(pipes));
    // Nothing shared.
    pid_t pid = CHECK_OK(clone(child, stack + sizeof stack, SIGCHLD, NULL));
    CHECK_EXIT(pid, 3);
    CHECK_EQ(shared, 0);
    CHECK_OK(fcntl(pipes[0], F_GETFD));
    CHECK_OK(access("/tmp", F_OK));
    // Memory, descriptors and the directory shared; no exit signal, so only __WCLONE or __WALL see it.
    pid = CHECK_OK(clone(child, stack + sizeof stack,
                         CLONE_VM | CLONE_FILES | CLONE_FS | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID, NULL,
                         &parent_tid, NULL, &child_tid));
    CHECK_EQ(parent_tid, pid);
    CHECK_ERRNO(waitpid(pid, NULL, 0), ECHILD);
    int status;
    CHECK_EQ(waitpid(pid, &status, __WALL), pid);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 3);
    CHECK_EQ(shared, 5);
    CHECK_EQ(child_tid, 0);
    CHECK_ERRNO(fcntl(pipes[0], F_GETFD), EBADF);
    char cwd[64];
    CHECK(getcwd(cwd, sizeof cwd));
    CHECK_STR(cwd, "/");

    CHECK_ERRNO(clone(child, stack + sizeof stack, CLONE_THREAD, NULL), EINVAL);
    CHECK_ERRNO(clone(child, stack + sizeof stack, CLONE_SIGHAND, NULL), EINVAL);
    CHECK_ERRNO(clone(child, stack + sizeof stack, CLONE_FS | CLONE_NEWNS, NULL), EINVAL);
    return 0;
}
