// clone3, where the kernel has it: a pidfd and an exit signal of one's own.
#include "check.h"
#include <linux/sched.h>
#include <poll.h>

int main(void) {
    int pidfd = -1;
    struct clone_args args = {.flags = CLONE_PIDFD, .pidfd = (uintptr_t)&pidfd, .exit_signal = SIGUSR1};
    on_signal(SIGUSR1, SIG_IGN, 0);
    long pid = syscall(SYS_clone3, &args, sizeof args);
    if (pid < 0 && errno == ENOSYS) return 0;  // Programs must do without it, and the C library does.
    CHECK(pid >= 0);
    if (pid == 0) _exit(9);
    CHECK(pidfd >= 0);
    CHECK_EQ(fcntl(pidfd, F_GETFD), FD_CLOEXEC);
    struct pollfd ready = {pidfd, POLLIN, 0};
    CHECK_EQ(poll(&ready, 1, 5000), 1);
    int status;
    CHECK_EQ(waitpid(pid, &status, __WALL), pid);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 9);
    CHECK_ERRNO(syscall(SYS_clone3, &args, 8L), EINVAL);
    args.flags = CLONE_THREAD;
    CHECK_ERRNO(syscall(SYS_clone3, &args, sizeof args), EINVAL);
    return 0;
}
