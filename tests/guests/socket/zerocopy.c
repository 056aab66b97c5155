// send(2) with MSG_ZEROCOPY: each send is told of in the error queue, and that it was copied after all.
#include "net.h"
#include <linux/errqueue.h>

static struct sock_extended_err report(int fd) {
    char control[128];
    struct msghdr message = {.msg_control = control, .msg_controllen = sizeof control};
    CHECK_EQ(recvmsg(fd, &message, MSG_ERRQUEUE), 0);
    struct cmsghdr *c = CMSG_FIRSTHDR(&message);
    CHECK(c && c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RECVERR);
    return *(struct sock_extended_err *)CMSG_DATA(c);
}

int main(void) {
    int pair[2], on = 1, two = 2;
    tcp_pair(pair);
    char bytes[100] = "";
    CHECK_EQ(send(pair[0], bytes, 100, MSG_ZEROCOPY), 100);  // Without SO_ZEROCOPY the flag says nothing.
    CHECK_ERRNO(setsockopt(pair[0], SOL_SOCKET, SO_ZEROCOPY, &two, sizeof two), EINVAL);
    CHECK_OK(setsockopt(pair[0], SOL_SOCKET, SO_ZEROCOPY, &on, sizeof on));
    for (int i = 0; i < 3; i++) CHECK_EQ(send(pair[0], bytes, 100, MSG_ZEROCOPY), 100);
    for (int n = 0; n < 400;) n += CHECK_OK(recv(pair[1], bytes, 100, 0));
    unsigned next = 0;
    while (next < 3) {
        CHECK(poll_one(pair[0], 0, 5000) & POLLERR);
        struct sock_extended_err error = report(pair[0]);
        CHECK_EQ(error.ee_origin, SO_EE_ORIGIN_ZEROCOPY);
        CHECK_EQ(error.ee_errno, 0);
        CHECK_EQ(error.ee_code, SO_EE_CODE_ZEROCOPY_COPIED);
        CHECK_EQ(error.ee_info, next);
        next = error.ee_data + 1;
    }
    CHECK_EQ(next, 3);
    CHECK_EQ(socket_error(pair[0]), 0);
    CHECK_EQ(poll_one(pair[0], POLLOUT, 0), POLLOUT);
    int unix_pair[2];
    CHECK_OK(socketpair(AF_UNIX, SOCK_STREAM, 0, unix_pair));
    CHECK_ERRNO(setsockopt(unix_pair[0], SOL_SOCKET, SO_ZEROCOPY, &on, sizeof on), EOPNOTSUPP);
}
