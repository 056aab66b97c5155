// close frees the number; close_range closes or marks a span.
#include "check.h"
#include <linux/close_range.h>

int main(void) {
    int fd = CHECK_OK(open("/dev/null", O_RDONLY));
    CHECK_OK(close(fd));
    CHECK_ERRNO(close(fd), EBADF);
    CHECK_ERRNO(fcntl(fd, F_GETFD), EBADF);
    for (int i = 100; i < 110; i++) CHECK_EQ(dup2(2, i), i);
    CHECK_OK(close_range(100, 104, 0));
    for (int i = 100; i < 105; i++) CHECK_ERRNO(fcntl(i, F_GETFD), EBADF);
    for (int i = 105; i < 110; i++) CHECK_EQ(fcntl(i, F_GETFD), 0);
    CHECK_OK(close_range(105, 107, CLOSE_RANGE_CLOEXEC));
    CHECK_EQ(fcntl(107, F_GETFD), FD_CLOEXEC);
    CHECK_EQ(fcntl(108, F_GETFD), 0);
    CHECK_ERRNO(close_range(5, 4, 0), EINVAL);
    CHECK_ERRNO(close_range(100, 110, 0x1000), EINVAL);
    CHECK_OK(close_range(3, ~0u, 0));
    CHECK_EQ(open("/dev/null", O_RDONLY), 3);
    return 0;
}
