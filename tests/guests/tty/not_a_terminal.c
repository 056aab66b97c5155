// What terminal calls say of what is not one.
#include "check.h"
#include <sys/ioctl.h>
#include <termios.h>

int main(void) {
    enter_tmp();
    write_file("f", "");
    int pipes[2], file = CHECK_OK(open("f", O_RDWR)), null = CHECK_OK(open("/dev/null", O_RDWR));
    CHECK_OK(pipe(pipes));
    const int fds[] = {file, null, pipes[0], pipes[1]};
    struct termios settings;
    struct winsize size;
    for (int i = 0; i < 4; i++) {
        CHECK_EQ(isatty(fds[i]), 0);
        CHECK_EQ(errno, ENOTTY);
        CHECK_ERRNO(tcgetattr(fds[i], &settings), ENOTTY);
        CHECK_ERRNO(ioctl(fds[i], TIOCGWINSZ, &size), ENOTTY);
        CHECK_ERRNO(tcgetpgrp(fds[i]), ENOTTY);
        CHECK(!ttyname(fds[i]));
    }
    CHECK_ERRNO(ioctl(9999, TIOCGWINSZ, &size), EBADF);
    CHECK_EQ(isatty(-1), 0);
    return 0;
}
