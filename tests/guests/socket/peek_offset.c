// socket(7), SO_PEEK_OFF: peeks go on where the last one ended; a receive moves the place back.
#include "net.h"

static void set(int fd, int value) { CHECK_OK(setsockopt(fd, SOL_SOCKET, SO_PEEK_OFF, &value, sizeof value)); }

static int get(int fd) {
    int value;
    socklen_t length = sizeof value;
    CHECK_OK(getsockopt(fd, SOL_SOCKET, SO_PEEK_OFF, &value, &length));
    return value;
}

#define RECEIVES(fd, size, flags, expected) \
    do { \
        char text_[32] = ""; \
        CHECK_EQ(recv(fd, text_, size, (flags) | MSG_DONTWAIT), sizeof expected - 1); \
        CHECK_STR(text_, expected); \
    } while (0)

int main(void) {
    int pair[2];
    char byte;
    CHECK_OK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
    CHECK_EQ(get(pair[1]), -1);
    CHECK_EQ(send(pair[0], "abcdefgh", 8, 0), 8);
    RECEIVES(pair[1], 3, MSG_PEEK, "abc");
    RECEIVES(pair[1], 3, MSG_PEEK, "abc");
    set(pair[1], 0);
    RECEIVES(pair[1], 3, MSG_PEEK, "abc");
    RECEIVES(pair[1], 3, MSG_PEEK, "def");
    CHECK_EQ(get(pair[1]), 6);
    RECEIVES(pair[1], 2, 0, "ab");
    CHECK_EQ(get(pair[1]), 4);
    RECEIVES(pair[1], 9, MSG_PEEK, "gh");
    CHECK_ERRNO(recv(pair[1], &byte, 1, MSG_PEEK | MSG_DONTWAIT), EAGAIN);
    RECEIVES(pair[1], 9, 0, "cdefgh");
    CHECK_EQ(get(pair[1]), 0);
    set(pair[1], -1);

    CHECK_OK(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair));
    set(pair[1], 0);
    CHECK_EQ(send(pair[0], "one", 3, 0), 3);
    CHECK_EQ(send(pair[0], "two", 3, 0), 3);
    RECEIVES(pair[1], 2, MSG_PEEK, "on");
    RECEIVES(pair[1], 9, MSG_PEEK, "e");
    RECEIVES(pair[1], 9, MSG_PEEK, "two");
    RECEIVES(pair[1], 9, 0, "one");
    RECEIVES(pair[1], 9, 0, "two");

    int to = bound(SOCK_DGRAM), from = connect_to(SOCK_DGRAM, port_of(to));
    set(to, 1);
    CHECK_EQ(send(from, "datagram", 8, 0), 8);
    RECEIVES(to, 3, MSG_PEEK, "ata");
    RECEIVES(to, 9, 0, "datagram");
}
