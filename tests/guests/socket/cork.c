// udp(7): UDP_CORK and MSG_MORE put one datagram together; UDP_SEGMENT makes many of one send.
#include "net.h"
#include <netinet/udp.h>

static int to, from;

static int next(void) {
    char bytes[100];
    return recv(to, bytes, sizeof bytes, MSG_DONTWAIT);
}

int main(void) {
    to = bound(SOCK_DGRAM);
    from = connect_to(SOCK_DGRAM, port_of(to));
    CHECK_EQ(send(from, "abc", 3, MSG_MORE), 3);
    CHECK_EQ(next(), -1);
    CHECK_EQ(send(from, "de", 2, MSG_MORE), 2);
    CHECK_EQ(send(from, "f", 1, 0), 1);
    CHECK_EQ(next(), 6);
    int on = 1, off = 0;
    CHECK_OK(setsockopt(from, IPPROTO_UDP, UDP_CORK, &on, sizeof on));
    for (int i = 0; i < 5; i++) CHECK_EQ(send(from, "abc", 3, 0), 3);
    CHECK_EQ(next(), -1);
    CHECK_OK(setsockopt(from, IPPROTO_UDP, UDP_CORK, &off, sizeof off));
    CHECK_EQ(next(), 15);
    CHECK_EQ(next(), -1);
    // Too much for one datagram.
    static char long_one[60000];
    CHECK_EQ(send(from, long_one, sizeof long_one, MSG_MORE), sizeof long_one);
    CHECK_ERRNO(send(from, long_one, 10000, MSG_MORE), EMSGSIZE);

    to = bound(SOCK_DGRAM);
    from = connect_to(SOCK_DGRAM, port_of(to));
    int segment = 10;
    CHECK_OK(setsockopt(from, IPPROTO_UDP, UDP_SEGMENT, &segment, sizeof segment));
    CHECK_EQ(send(from, long_one, 25, 0), 25);
    CHECK_EQ(next(), 10);
    CHECK_EQ(next(), 10);
    CHECK_EQ(next(), 5);
    CHECK_EQ(next(), -1);
    CHECK_EQ(send(from, long_one, 7, 0), 7);
    CHECK_EQ(next(), 7);
    CHECK_ERRNO(send(from, long_one, 10000, 0), EINVAL);  // More segments than one send may have.
}
