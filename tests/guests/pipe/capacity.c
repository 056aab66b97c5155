// A pipe holds 64 KiB; a full one blocks or says EAGAIN; small writes are all or nothing.
#include "check.h"
#include <sys/ioctl.h>

int main(void) {
    int pipes[2];
    CHECK_OK(pipe2(pipes, O_NONBLOCK));
    CHECK_EQ(fcntl(pipes[0], F_GETPIPE_SZ), 65536);
    static char block[100000];
    CHECK_EQ(write(pipes[1], block, sizeof block), 65536);
    CHECK_ERRNO(write(pipes[1], block, 1), EAGAIN);
    int left;
    CHECK_OK(ioctl(pipes[0], FIONREAD, &left));
    CHECK_EQ(left, 65536);
    CHECK_EQ(read(pipes[0], block, 100), 100);
    CHECK_ERRNO(write(pipes[1], block, 4096), EAGAIN);  // PIPE_BUF or less: never in parts.
    CHECK_EQ(read(pipes[0], block, 3996), 3996);
    CHECK_EQ(write(pipes[1], block, 4096), 4096);
    CHECK_EQ(read(pipes[0], block, sizeof block), 65536);
    CHECK_OK(ioctl(pipes[0], FIONREAD, &left));
    CHECK_EQ(left, 0);

    CHECK_EQ(fcntl(pipes[0], F_SETPIPE_SZ, 4096), 4096);
    CHECK_EQ(write(pipes[1], block, 5000), 4096);
    CHECK_EQ(fcntl(pipes[1], F_SETPIPE_SZ, 5000), 8192);  // Rounded up to a power of two of pages.
    CHECK_EQ(fcntl(pipes[1], F_GETPIPE_SZ), 8192);
    CHECK_EQ(write(pipes[1], block, 4096), 4096);
    CHECK_ERRNO(fcntl(pipes[1], F_SETPIPE_SZ, 4096), EBUSY);  // More is in it.
    CHECK_ERRNO(fcntl(0, F_GETPIPE_SZ), EBADF);
    return 0;
}
