// A pidfd stands for one process: signals through it, readiness at its end.
#include "check.h"
#include <poll.h>
#include <sys/pidfd.h>

int main(void) {
    pid_t pid;
    CHILD(pid) {
        for (;;) pause();
    }
    int fd = CHECK_OK(pidfd_open(pid, 0));
    CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
    struct pollfd ready = {fd, POLLIN, 0};
    CHECK_EQ(poll(&ready, 1, 0), 0);
    CHECK_OK(pidfd_send_signal(fd, 0, NULL, 0));
    char path[32];
    snprintf(path, sizeof path, "/proc/%d", pid);
    int directory = CHECK_OK(open(path, O_RDONLY | O_DIRECTORY)), proc = CHECK_OK(open("/proc", O_RDONLY));
    CHECK_OK(pidfd_send_signal(directory, 0, NULL, 0));
    CHECK_ERRNO(pidfd_send_signal(proc, 0, NULL, 0), EBADF);
    CHECK_OK(pidfd_send_signal(fd, SIGTERM, NULL, 0));
    CHECK_EQ(poll(&ready, 1, 5000), 1);
    CHECK(ready.revents & POLLIN);
    CHECK_KILLED(pid, SIGTERM);
    CHECK_ERRNO(pidfd_send_signal(fd, SIGTERM, NULL, 0), ESRCH);
    CHECK_ERRNO(pidfd_send_signal(directory, SIGTERM, NULL, 0), ESRCH);
    CHECK_ERRNO(pidfd_open(pid, 0), ESRCH);
    CHECK_ERRNO(pidfd_open(-1, 0), EINVAL);
    CHECK_ERRNO(pidfd_open(getpid(), 0x1000), EINVAL);
    CHECK_ERRNO(pidfd_send_signal(1000, SIGTERM, NULL, 0), EBADF);
    return 0;
}
