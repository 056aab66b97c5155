// A pseudo-terminal: names, sizes, canonical lines, raw bytes, hang-up. Its device may be missing.
#include "check.h"
#include <poll.h>
#include <sys/ioctl.h>
#include <termios.h>

int main(void) {
    int master = posix_openpt(O_RDWR | O_NOCTTY);
    if (master < 0 && (errno == ENOENT || errno == ENOSPC || errno == EIO)) return 0;
    CHECK(master >= 0);
    CHECK_OK(grantpt(master));
    CHECK_OK(unlockpt(master));
    char *name = ptsname(master);
    CHECK(name && !strncmp(name, "/dev/pts/", 9));
    int slave = open(name, O_RDWR | O_NOCTTY);
    if (slave < 0 && errno == ENOENT) return 0;  // A private /dev without this one's pts.
    CHECK(slave >= 0);
    CHECK(isatty(slave) && isatty(master));
    struct winsize size = {24, 80, 0, 0}, back;
    CHECK_OK(ioctl(master, TIOCSWINSZ, &size));
    CHECK_OK(ioctl(slave, TIOCGWINSZ, &back));
    CHECK(back.ws_row == 24 && back.ws_col == 80);

    struct termios settings;
    CHECK_OK(tcgetattr(slave, &settings));
    CHECK(settings.c_lflag & ICANON && settings.c_lflag & ECHO);
    char text[64] = {0};
    CHECK_EQ(write(master, "helo\177lo\n", 8), 8);  // One letter taken back.
    ssize_t got = CHECK_OK(read(slave, text, sizeof text));
    CHECK_EQ(got, 6);
    CHECK(!memcmp(text, "hello\n", 6));
    got = CHECK_OK(read(master, text, sizeof text));
    CHECK(!memcmp(text, "helo\b \blo\r\n", got));  // Echoed as it was typed.
    CHECK_EQ(write(slave, "out\n", 4), 4);
    memset(text, 0, sizeof text);
    got = 0;
    while (got < 5) got += CHECK_OK(read(master, text + got, sizeof text - got));
    CHECK_STR(text, "out\r\n");
    CHECK_EQ(write(master, "\004", 1), 1);
    CHECK_EQ(read(slave, text, sizeof text), 0);  // End of file by ^D.

    cfmakeraw(&settings);
    CHECK_OK(tcsetattr(slave, TCSANOW, &settings));
    CHECK_EQ(write(master, "\003r", 2), 2);
    CHECK_EQ(read(slave, text, 2), 2);
    CHECK_EQ(text[0], 3);
    CHECK_EQ(write(slave, "a\nb", 3), 3);
    got = 0;
    while (got < 3) got += CHECK_OK(read(master, text + got, sizeof text - got));
    CHECK(!memcmp(text, "a\nb", 3));
    CHECK_OK(close(slave));
    struct pollfd ready = {master, POLLIN, 0};
    CHECK_EQ(poll(&ready, 1, 1000), 1);
    CHECK(ready.revents & POLLHUP);
    CHECK_ERRNO(read(master, text, sizeof text), EIO);
    return 0;
}
