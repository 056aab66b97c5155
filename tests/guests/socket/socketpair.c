// Socket pairs: both ways, kinds that exist, partial reads, capacity that is bounded.
#include "net.h"

int main(void) {
    int pair[2];
    CHECK_ERRNO(socketpair(AF_INET, SOCK_STREAM, 0, pair), EOPNOTSUPP);
    CHECK_ERRNO(socketpair(AF_UNIX, SOCK_STREAM, 99, pair), EPROTONOSUPPORT);
    CHECK_OK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair));
    CHECK_EQ(fcntl(pair[1], F_GETFD), FD_CLOEXEC);
    char text[8];
    CHECK_EQ(write(pair[0], "abcdef", 6), 6);
    CHECK_EQ(write(pair[1], "123", 3), 3);
    CHECK_EQ(read(pair[1], text, 4), 4);
    CHECK_EQ(read(pair[1], text, 4), 2);
    CHECK_EQ(read(pair[0], text, 8), 3);
    CHECK_ERRNO(read(pair[0], text, 8), EAGAIN);
    long total = 0;
    static char block[10000];
    ssize_t wrote;
    while ((wrote = write(pair[0], block, sizeof block)) > 0) total += wrote;
    CHECK_EQ(errno, EAGAIN);
    CHECK(total >= 4096);
    while ((wrote = read(pair[1], block, sizeof block)) > 0) total -= wrote;
    CHECK_EQ(total, 0);
    CHECK_OK(shutdown(pair[0], SHUT_RDWR));
    CHECK_EQ(read(pair[1], text, 8), 0);
    CHECK_EQ(poll_one(pair[1], POLLIN | POLLOUT, 0) & POLLHUP, POLLHUP);
    return 0;
}
