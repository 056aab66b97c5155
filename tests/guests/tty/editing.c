// The line discipline: editing keys, echoes, signals by keys, output processing, raw reads with a minimum and a time.
// link: -lutil
#include "check.h"
#include <poll.h>
#include <pty.h>
#include <termios.h>

static int master, slave;

// Types a text; the terminal must show the one and read as the other.
static void type(int line, const char *text, const char *shown, const char *read_as) {
    char buffer[128];
    CHECK_EQ(write(master, text, strlen(text)), strlen(text));
    size_t got = 0;
    while (got < strlen(shown)) got += CHECK_OK(read(master, buffer + got, sizeof buffer - 1 - got));
    buffer[got] = 0;
    if (strcmp(buffer, shown)) FAIL("line %d: shown \"%s\"", line, buffer);
    got = CHECK_OK(read(slave, buffer, sizeof buffer - 1));
    buffer[got] = 0;
    if (strcmp(buffer, read_as)) FAIL("line %d: read \"%s\"", line, buffer);
}
#define TYPE(...) type(__LINE__, __VA_ARGS__)

int main(void) {
    if (openpty(&master, &slave, NULL, NULL, NULL)) return 0;  // A machine without pseudo-terminals.
    struct termios settings, raw;
    CHECK_OK(tcgetattr(slave, &settings));
    TYPE("ab\177c\n", "ab\b \bc\r\n", "ac\n");
    TYPE("one two\027three\n", "one two\b \b\b \b\b \bthree\r\n", "one three\n");
    TYPE("gone\025kept\n", "gone\b \b\b \b\b \b\b \bkept\r\n", "kept\n");
    TYPE("\001\177x\r", "^A\b \b\b \bx\r\n", "x\n");
    TYPE("\026\003\n", "^\b^C\r\n", "\003\n");
    TYPE("to the end\004", "to the end", "to the end");
    settings.c_lflag &= ~ECHO;
    CHECK_OK(tcsetattr(slave, TCSANOW, &settings));
    TYPE("secret\n", "", "secret\n");
    // Two lines typed at once are read one by one.
    TYPE("1\n2\n", "", "1\n");
    char text[16];
    CHECK_EQ(read(slave, text, sizeof text), 2);
    settings.c_oflag |= XTABS;
    CHECK_OK(tcsetattr(slave, TCSANOW, &settings));
    CHECK_EQ(write(slave, "\ra\tb", 4), 4);
    CHECK_EQ(read(master, text, sizeof text), 10);
    CHECK(!memcmp(text, "\ra       b", 10));

    raw = settings;
    cfmakeraw(&raw);
    raw.c_cc[VMIN] = 3;
    CHECK_OK(tcsetattr(slave, TCSANOW, &raw));
    CHECK_EQ(write(master, "ab", 2), 2);
    struct pollfd ready = {slave, POLLIN, 0};
    CHECK_EQ(poll(&ready, 1, 20), 0);
    CHECK_EQ(write(master, "c", 1), 1);
    CHECK_EQ(poll(&ready, 1, 1000), 1);
    CHECK_EQ(read(slave, text, sizeof text), 3);
    raw.c_cc[VMIN] = 0;
    raw.c_cc[VTIME] = 1;
    CHECK_OK(tcsetattr(slave, TCSANOW, &raw));
    long long before = now_ms();
    CHECK_EQ(read(slave, text, sizeof text), 0);
    CHECK(now_ms() - before >= 90);
    raw.c_cc[VMIN] = 5;
    CHECK_OK(tcsetattr(slave, TCSANOW, &raw));
    CHECK_EQ(write(master, "xy", 2), 2);
    CHECK_EQ(read(slave, text, sizeof text), 2);  // The time between two bytes is up.
    return 0;
}
