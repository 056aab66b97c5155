// pidfd_getfd copies a descriptor out of a child.
#include "check.h"
#include <sys/pidfd.h>

int main(void) {
    int ready[2];
    CHECK_OK(pipe(ready));
    pid_t pid;
    CHILD(pid) {
        int inner[2];
        CHECK_OK(pipe(inner));
        CHECK_EQ(write(inner[1], "hidden", 6), 6);
        CHECK_OK(dup2(inner[0], 77));
        CHECK_EQ(write(ready[1], "x", 1), 1);
        for (;;) pause();
    }
    char text[8] = {0};
    CHECK_EQ(read(ready[0], text, 1), 1);
    int pidfd = CHECK_OK(pidfd_open(pid, 0));
    int fd = pidfd_getfd(pidfd, 77, 0);
    if (fd < 0) {
        CHECK(errno == EPERM || errno == ENOSYS);  // Where one process may not look into another.
    } else {
        CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
        CHECK_EQ(read(fd, text, sizeof text), 6);
        CHECK_STR(text, "hidden");
        CHECK_ERRNO(pidfd_getfd(pidfd, 500, 0), EBADF);
    }
    CHECK_OK(kill(pid, SIGKILL));
    CHECK_KILLED(pid, SIGKILL);
    return 0;
}
