// dup, dup2, dup3 and F_DUPFD: numbers, flags and errors.
#include "check.h"

int main(void) {
    int fd = CHECK_OK(open("/dev/null", O_RDWR | O_CLOEXEC));
    int copy = CHECK_OK(dup(fd));
    CHECK_EQ(copy, fd + 1);
    CHECK_EQ(fcntl(copy, F_GETFD), 0);
    CHECK_EQ(dup2(fd, 50), 50);
    CHECK_EQ(fcntl(50, F_GETFD), 0);
    CHECK_EQ(dup2(fd, fd), fd);
    CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
    CHECK_EQ(dup3(fd, 51, O_CLOEXEC), 51);
    CHECK_EQ(fcntl(51, F_GETFD), FD_CLOEXEC);
    CHECK_ERRNO(dup3(fd, fd, 0), EINVAL);
    CHECK_ERRNO(dup3(fd, 52, O_APPEND), EINVAL);
    CHECK_ERRNO(dup(9999), EBADF);
    CHECK_ERRNO(dup2(9999, 50), EBADF);
    CHECK_OK(fcntl(50, F_GETFD));  // A failed dup2 does not close its target.
    CHECK_ERRNO(dup2(fd, -1), EBADF);
    CHECK_ERRNO(dup2(fd, INT_MAX), EBADF);
    CHECK_EQ(fcntl(fd, F_DUPFD, 50), 52);
    CHECK_EQ(fcntl(fd, F_DUPFD_CLOEXEC, 100), 100);
    CHECK_EQ(fcntl(100, F_GETFD), FD_CLOEXEC);
    CHECK_ERRNO(fcntl(fd, F_DUPFD, -1), EINVAL);
    CHECK_ERRNO(fcntl(fd, F_DUPFD, INT_MAX), EINVAL);

    // Status flags belong to the open file, which duplicates share.
    CHECK_OK(fcntl(fd, F_SETFL, O_NONBLOCK | O_APPEND));
    CHECK_EQ(fcntl(copy, F_GETFL) & (O_NONBLOCK | O_APPEND), O_NONBLOCK | O_APPEND);
    // The access mode cannot be changed.
    CHECK_OK(fcntl(fd, F_SETFL, O_RDONLY));
    CHECK_EQ(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDWR);
    return 0;
}
