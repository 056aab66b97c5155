// Settings of a terminal that are locked stay as they are; a terminal for one only is not opened again, but by root.
#include "check.h"
#include <asm/termbits.h>
#include <fcntl.h>
#include <sys/ioctl.h>

int main(void) {
    int master = CHECK_OK(posix_openpt(O_RDWR | O_NOCTTY));
    CHECK_OK(unlockpt(master));
    int fd = CHECK_OK(open(ptsname(master), O_RDWR | O_NOCTTY));

    struct termios locks, now;
    CHECK_OK(ioctl(fd, TIOCGLCKTRMIOS, &locks));
    CHECK_EQ(locks.c_iflag | locks.c_oflag | locks.c_cflag | locks.c_lflag, 0);
    locks.c_lflag = ECHO;
    locks.c_cc[VINTR] = 1;
    int set = ioctl(fd, TIOCSLCKTRMIOS, &locks);
    if (geteuid() != 0) {
        CHECK_EQ(set, -1);
        CHECK_EQ(errno, EPERM);
    } else {
        CHECK_EQ(set, 0);
        memset(&locks, 0, sizeof locks);
        CHECK_OK(ioctl(master, TIOCGLCKTRMIOS, &locks));
        CHECK_EQ(locks.c_lflag, ECHO);
        CHECK_OK(ioctl(fd, TCGETS, &now));
        unsigned char intr = now.c_cc[VINTR];
        now.c_lflag &= ~(ECHO | ICANON);
        now.c_cc[VINTR] = 9;
        now.c_cc[VEOF] = 8;
        CHECK_OK(ioctl(fd, TCSETS, &now));
        CHECK_OK(ioctl(fd, TCGETS, &now));
        CHECK_EQ(now.c_lflag & (ECHO | ICANON), ECHO);
        CHECK_EQ(now.c_cc[VINTR], intr);
        CHECK_EQ(now.c_cc[VEOF], 8);
    }

    int exclusive = 7;
    CHECK_OK(ioctl(fd, TIOCGEXCL, &exclusive));
    CHECK_EQ(exclusive, 0);
    CHECK_OK(ioctl(fd, TIOCEXCL));
    CHECK_OK(ioctl(fd, TIOCGEXCL, &exclusive));
    CHECK_EQ(exclusive, 1);
    CHECK_OK(ioctl(master, TIOCGEXCL, &exclusive));
    CHECK_EQ(exclusive, 0);
    const char *name = ptsname(master);
    if (geteuid() == 0) {
        CHECK_OK(close(CHECK_OK(open(name, O_RDWR | O_NOCTTY))));
        CHECK_OK(chmod(name, 0666));
        CHECK_OK(seteuid(65534));
    }
    CHECK_ERRNO(open(name, O_RDWR | O_NOCTTY), EBUSY);
    CHECK_OK(ioctl(fd, TIOCNXCL));
    CHECK_OK(close(CHECK_OK(open(name, O_RDWR | O_NOCTTY))));
    return 0;
}
