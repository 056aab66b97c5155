// FIONREAD and SIOCOUTQ of every kind of socket.
#include "net.h"
#include <linux/sockios.h>

static int ask(int fd, unsigned long number) {
    int value = -1;
    CHECK_OK(ioctl(fd, number, &value));
    return value;
}

int main(void) {
    int pair[2], value;
    tcp_pair(pair);
    CHECK_EQ(ask(pair[1], SIOCINQ), 0);
    CHECK_EQ(send(pair[0], "abcde", 5, 0), 5);
    CHECK_EQ(ask(pair[1], SIOCINQ), 5);
    WAIT_UNTIL(ask(pair[0], SIOCOUTQ) == 0);  // The other end's host has it.
    CHECK_EQ(ask(pair[0], SIOCOUTQNSD), 0);
    static char bytes[65536];
    while (send(pair[0], bytes, sizeof bytes, MSG_DONTWAIT) > 0) {}
    CHECK(ask(pair[0], SIOCOUTQ) > 0);
    CHECK(ask(pair[0], SIOCOUTQNSD) <= ask(pair[0], SIOCOUTQ));
    int listener = listening();
    CHECK_ERRNO(ioctl(listener, SIOCINQ, &value), EINVAL);
    CHECK_ERRNO(ioctl(listener, SIOCOUTQ, &value), EINVAL);
    int to = bound(SOCK_DGRAM), from = connect_to(SOCK_DGRAM, port_of(to));
    CHECK_EQ(send(from, "abc", 3, 0), 3);
    CHECK_EQ(send(from, "abcd", 4, 0), 4);
    CHECK_EQ(ask(to, FIONREAD), 3);  // The next message only.
    CHECK_OK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
    CHECK_EQ(send(pair[0], "abc", 3, 0), 3);
    CHECK_EQ(send(pair[0], "abcd", 4, 0), 4);
    CHECK_EQ(ask(pair[1], FIONREAD), 7);
    CHECK(ask(pair[0], SIOCOUTQ) > 0);
    CHECK_EQ(recv(pair[1], bytes, 100, 0), 7);
    CHECK_EQ(ask(pair[0], SIOCOUTQ), 0);
    CHECK_OK(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair));
    CHECK_EQ(send(pair[0], "abc", 3, 0), 3);
    CHECK_EQ(send(pair[0], "abcd", 4, 0), 4);
    CHECK_EQ(ask(pair[1], FIONREAD), 3);
    CHECK_OK(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair));
    CHECK_EQ(send(pair[0], "abc", 3, 0), 3);
    CHECK_EQ(send(pair[0], "abcd", 4, 0), 4);
    CHECK_EQ(ask(pair[1], FIONREAD), 7);
    CHECK_ERRNO(ioctl(pair[1], FIONREAD, (void *)8), EFAULT);
}
