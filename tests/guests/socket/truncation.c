// MSG_TRUNC, given and told: by datagrams, sequenced packets, streams and netlink; and data that TCP throws away for it.
#include "net.h"
#include <linux/netlink.h>

static void messages(int from, int to) {
    char byte;
    struct iovec vector = {&byte, 1};
    struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1};
    for (int i = 0; i < 4; i++) CHECK_EQ(send(from, "abcde", 5, 0), 5);
    CHECK_EQ(recv(to, &byte, 1, MSG_PEEK | MSG_TRUNC), 5);
    CHECK_EQ(recv(to, &byte, 1, MSG_TRUNC), 5);
    CHECK_EQ(recvmsg(to, &message, 0), 1);
    CHECK_EQ(message.msg_flags & MSG_TRUNC, MSG_TRUNC);
    CHECK_EQ(recv(to, NULL, 0, MSG_TRUNC), 5);
    char all[5];
    vector = (struct iovec){all, 5};
    CHECK_EQ(recvmsg(to, &message, MSG_TRUNC), 5);
    CHECK_EQ(message.msg_flags & MSG_TRUNC, 0);
}

int main(void) {
    int pair[2];
    int to = bound(SOCK_DGRAM), from = connect_to(SOCK_DGRAM, port_of(to));
    messages(from, to);
    CHECK_OK(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair));
    messages(pair[0], pair[1]);
    CHECK_OK(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair));
    messages(pair[0], pair[1]);
    tcp_pair(pair);
    char bytes[10] = "----------";
    CHECK_EQ(send(pair[0], "abcdefgh", 8, 0), 8);
    CHECK_EQ(recv(pair[1], bytes, 3, MSG_TRUNC), 3);  // tcp(7): thrown away.
    CHECK_EQ(bytes[0], '-');
    CHECK_EQ(recv(pair[1], NULL, 2, MSG_TRUNC), 2);
    CHECK_EQ(recv(pair[1], bytes, 10, 0), 3);
    CHECK(!memcmp(bytes, "fgh", 3));
    CHECK_OK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
    CHECK_EQ(send(pair[0], "abcdefgh", 8, 0), 8);
    CHECK_EQ(recv(pair[1], bytes, 3, MSG_TRUNC), 3);
    CHECK_EQ(bytes[0], 'a');
}
