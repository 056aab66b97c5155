// Pipes: order, end of file, flags, what a closed end does.
#include "check.h"

int main(void) {
    int pipes[2];
    CHECK_OK(pipe2(pipes, O_CLOEXEC | O_NONBLOCK));
    CHECK_EQ(fcntl(pipes[0], F_GETFD), FD_CLOEXEC);
    CHECK(fcntl(pipes[1], F_GETFL) & O_NONBLOCK);
    CHECK_EQ(fcntl(pipes[0], F_GETFL) & O_ACCMODE, O_RDONLY);
    CHECK_EQ(fcntl(pipes[1], F_GETFL) & O_ACCMODE, O_WRONLY);
    char text[16];
    CHECK_ERRNO(read(pipes[0], text, 1), EAGAIN);
    CHECK_ERRNO(write(pipes[0], text, 1), EBADF);
    CHECK_ERRNO(read(pipes[1], text, 1), EBADF);
    CHECK_EQ(write(pipes[1], "abc", 3), 3);
    CHECK_EQ(write(pipes[1], "def", 3), 3);
    CHECK_EQ(read(pipes[0], text, 4), 4);
    CHECK(!memcmp(text, "abcd", 4));
    CHECK_EQ(read(pipes[0], text, 16), 2);
    CHECK_EQ(read(pipes[0], text, 0), 0);
    CHECK_EQ(write(pipes[1], "z", 1), 1);
    CHECK_OK(close(pipes[1]));
    CHECK_EQ(read(pipes[0], text, 16), 1);
    CHECK_EQ(read(pipes[0], text, 16), 0);
    CHECK_EQ(read(pipes[0], text, 16), 0);
    CHECK_ERRNO(syscall(SYS_pipe2, 8L, 0), EFAULT);
    CHECK_ERRNO(pipe2(pipes, 0x3), EINVAL);
    return 0;
}
