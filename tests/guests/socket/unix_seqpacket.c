// Unix sequenced packets: a connection that keeps bounds.
#include "net.h"

int main(void) {
    int pair[2];
    CHECK_OK(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair));
    CHECK_EQ(write(pair[0], "first", 5), 5);
    CHECK_EQ(write(pair[0], "second", 6), 6);
    char text[16];
    CHECK_EQ(read(pair[1], text, 3), 3);  // The rest is lost.
    CHECK_EQ(read(pair[1], text, 16), 6);
    struct iovec part = {text, 2};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    CHECK_EQ(send(pair[1], "abc", 3, MSG_EOR), 3);
    CHECK_EQ(recvmsg(pair[0], &message, 0), 2);
    CHECK(message.msg_flags & MSG_TRUNC);
    CHECK_OK(close(pair[0]));
    CHECK_EQ(read(pair[1], text, 16), 0);
    CHECK_ERRNO(send(pair[1], "x", 1, MSG_NOSIGNAL), EPIPE);
    int type;
    socklen_t length = sizeof type;
    CHECK_OK(getsockopt(pair[1], SOL_SOCKET, SO_TYPE, &type, &length));
    CHECK_EQ(type, SOCK_SEQPACKET);
    return 0;
}
