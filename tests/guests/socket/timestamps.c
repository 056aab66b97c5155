// When a datagram came: SO_TIMESTAMP, SO_TIMESTAMPNS, SO_TIMESTAMPING and SIOCGSTAMP; and when it left.
#include "net.h"
#include <linux/errqueue.h>
#include <linux/net_tstamp.h>
#include <linux/sockios.h>
#include <sys/time.h>

static int from, to;

// The control message of a datagram that has just been sent; its type is returned.
static int receive(void *data, size_t size, int flags) {
    char control[256], byte;
    struct iovec vector = {&byte, 1};
    struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    CHECK_OK(recvmsg(flags ? from : to, &message, flags));
    struct cmsghdr *c = CMSG_FIRSTHDR(&message);
    if (!c) return 0;
    CHECK_EQ(c->cmsg_level, SOL_SOCKET);
    CHECK_EQ(c->cmsg_len, CMSG_LEN(size));
    memcpy(data, CMSG_DATA(c), size);
    return c->cmsg_type;
}

static void set(int fd, int option, int value) { CHECK_OK(setsockopt(fd, SOL_SOCKET, option, &value, sizeof value)); }

static int get(int fd, int option) {
    int value;
    socklen_t length = sizeof value;
    CHECK_OK(getsockopt(fd, SOL_SOCKET, option, &value, &length));
    return value;
}

int main(void) {
    to = bound(SOCK_DGRAM);
    from = connect_to(SOCK_DGRAM, port_of(to));
    struct timeval usual = {0, 0};
    struct timespec fine, three[3];
    CHECK_ERRNO(ioctl(to, SIOCGSTAMP_OLD, &usual), ENOENT);
    CHECK_EQ(send(from, "x", 1, 0), 1);
    CHECK_EQ(receive(&usual, sizeof usual, 0), 0);
    CHECK_OK(ioctl(to, SIOCGSTAMP_OLD, &usual));
    CHECK_OK(ioctl(to, SIOCGSTAMPNS_OLD, &fine));
    CHECK(fine.tv_sec - usual.tv_sec <= 1);
    set(to, SO_TIMESTAMP, 1);
    long long before = clock_ns(CLOCK_REALTIME) / 1000;
    CHECK_EQ(send(from, "x", 1, 0), 1);
    CHECK_EQ(receive(&usual, sizeof usual, 0), SCM_TIMESTAMP);
    long long stamp = usual.tv_sec * 1000000ll + usual.tv_usec;
    CHECK(stamp >= before && stamp <= clock_ns(CLOCK_REALTIME) / 1000);
    set(to, SO_TIMESTAMPNS, 1);
    CHECK(get(to, SO_TIMESTAMP) == 0 && get(to, SO_TIMESTAMPNS) == 1);
    before = clock_ns(CLOCK_REALTIME);
    CHECK_EQ(send(from, "x", 1, 0), 1);
    CHECK_EQ(receive(&fine, sizeof fine, 0), SCM_TIMESTAMPNS);
    stamp = fine.tv_sec * 1000000000ll + fine.tv_nsec;
    CHECK(stamp >= before && stamp <= clock_ns(CLOCK_REALTIME));
    set(to, SO_TIMESTAMPNS, 0);
    set(to, SO_TIMESTAMPING, SOF_TIMESTAMPING_RX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE);
    // Linux begins to stamp what arrives by a work item of its own: the first datagrams may have come before that.
    int type = 0;
    for (int tries = 0; tries < 500 && !type; tries++) {
        if (tries) usleep(10000);
        CHECK_EQ(send(from, "x", 1, 0), 1);
        type = receive(three, sizeof three, 0);
    }
    CHECK_EQ(type, SCM_TIMESTAMPING);
    CHECK(three[0].tv_sec * 1000000000ll + three[0].tv_nsec >= stamp && three[2].tv_sec == 0);
    int unknown = 1 << 30;
    CHECK_ERRNO(setsockopt(to, SOL_SOCKET, SO_TIMESTAMPING, &unknown, sizeof unknown), EINVAL);
    set(from, SO_TIMESTAMPING, SOF_TIMESTAMPING_TX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE | SOF_TIMESTAMPING_OPT_TSONLY);
    CHECK_EQ(send(from, "x", 1, 0), 1);
    CHECK(poll_one(from, 0, 5000) & POLLERR);
    CHECK_EQ(receive(three, sizeof three, MSG_ERRQUEUE), SCM_TIMESTAMPING);
    CHECK(three[0].tv_sec > 0);
}
