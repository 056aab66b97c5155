// sendmmsg and recvmmsg: how many are done, what stops them, and when the time-out is looked at.
#include "net.h"

enum { MANY = 8 };
static char bytes[MANY][16];
static struct iovec vectors[MANY];
static struct mmsghdr messages[MANY];

static void prepare(size_t length) {
    for (int i = 0; i < MANY; i++) {
        vectors[i] = (struct iovec){bytes[i], length};
        messages[i] = (struct mmsghdr){{.msg_iov = &vectors[i], .msg_iovlen = 1}, 77};
    }
}

int main(void) {
    int to = bound(SOCK_DGRAM), from = connect_to(SOCK_DGRAM, port_of(to));
    prepare(3);
    vectors[2].iov_len = 0;
    CHECK_EQ(sendmmsg(from, messages, 5, 0), 5);
    CHECK(messages[0].msg_len == 3 && messages[2].msg_len == 0 && messages[5].msg_len == 77);
    prepare(2);
    CHECK_EQ(recvmmsg(to, messages, 3, 0, NULL), 3);
    CHECK(messages[0].msg_len == 2 && messages[0].msg_hdr.msg_flags & MSG_TRUNC);
    CHECK(messages[2].msg_len == 0 && !(messages[2].msg_hdr.msg_flags & MSG_TRUNC));
    CHECK_EQ(recvmmsg(to, messages, MANY, MSG_WAITFORONE, NULL), 2);
    CHECK_ERRNO(recvmmsg(to, messages, MANY, MSG_DONTWAIT, NULL), EAGAIN);
    // The time-out is looked at after each message: one is enough to end when it has passed.
    prepare(3);
    CHECK_EQ(sendmmsg(from, messages, 4, 0), 4);
    struct timespec none = {0, 0}, wild = {-1, 0}, wilder = {0, 1000000000};
    CHECK_EQ(recvmmsg(to, messages, MANY, 0, &none), 1);
    CHECK_ERRNO(recvmmsg(to, messages, MANY, 0, &wild), EINVAL);
    CHECK_ERRNO(recvmmsg(to, messages, MANY, 0, &wilder), EINVAL);
    CHECK_EQ(recvmmsg(to, messages, MANY, MSG_DONTWAIT, NULL), 3);
    // An error after the first is for the next call.
    prepare(3);
    vectors[1].iov_base = (void *)8;
    CHECK_EQ(sendmmsg(from, messages, 3, 0), 1);
    CHECK_ERRNO(sendmmsg(from, messages + 1, 1, 0), EFAULT);
    CHECK_EQ(sendmmsg(from, messages, 0, 0), 0);
    CHECK_ERRNO(sendmmsg(from, (void *)8, 1, 0), EFAULT);
    CHECK_ERRNO(sendmmsg(-1, messages, 1, 0), EBADF);
}
