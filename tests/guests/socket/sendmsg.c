// sendmsg and recvmsg: parts, names, flags; sendmmsg and recvmmsg.
#include "net.h"

int main(void) {
    int a = bound(SOCK_DGRAM), b = bound(SOCK_DGRAM);
    struct sockaddr_in to = loopback(port_of(a)), from;
    struct iovec out[2] = {{"one ", 4}, {"two", 3}};
    struct msghdr message = {.msg_name = &to, .msg_namelen = sizeof to, .msg_iov = out, .msg_iovlen = 2};
    CHECK_EQ(sendmsg(b, &message, 0), 7);
    char first[3], second[10];
    struct iovec in[2] = {{first, 3}, {second, 10}};
    struct msghdr got = {.msg_name = &from, .msg_namelen = sizeof from, .msg_iov = in, .msg_iovlen = 2};
    CHECK_EQ(recvmsg(a, &got, 0), 7);
    CHECK(!memcmp(first, "one", 3) && !memcmp(second, " two", 4));
    CHECK_EQ(got.msg_namelen, sizeof from);
    CHECK_EQ(ntohs(from.sin_port), port_of(b));
    CHECK_EQ(got.msg_flags, 0);
    CHECK_EQ(sendmsg(b, &message, 0), 7);
    got.msg_iovlen = 1;
    CHECK_EQ(recvmsg(a, &got, 0), 3);
    CHECK_EQ(got.msg_flags, MSG_TRUNC);
    message.msg_iovlen = IOV_MAX + 1;
    CHECK_ERRNO(sendmsg(b, &message, 0), EMSGSIZE);
    message.msg_iovlen = 2;

    struct mmsghdr several[3] = {{message, 0}, {message, 0}, {message, 0}};
    CHECK_EQ(sendmmsg(b, several, 3, 0), 3);
    CHECK_EQ(several[2].msg_len, 7);
    char buffers[4][16];
    struct iovec parts[4];
    struct mmsghdr answers[4] = {0};
    for (int i = 0; i < 4; i++) {
        parts[i] = (struct iovec){buffers[i], 16};
        answers[i].msg_hdr = (struct msghdr){.msg_iov = &parts[i], .msg_iovlen = 1};
    }
    CHECK_EQ(recvmmsg(a, answers, 4, MSG_WAITFORONE, NULL), 3);
    CHECK_EQ(answers[1].msg_len, 7);
    CHECK(!memcmp(buffers[2], "one two", 7));
    struct timespec none = {0, 0};
    CHECK_ERRNO(recvmmsg(a, answers, 4, MSG_DONTWAIT, &none), EAGAIN);
    return 0;
}
