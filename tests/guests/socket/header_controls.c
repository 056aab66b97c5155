// Control messages of IP: what a datagram's header said, and what one message's header shall say.
#include "net.h"

// The data of the control message of a level and type, or NULL.
static void *find(struct msghdr *message, int level, int type, size_t size) {
    for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
        if (c->cmsg_level != level || c->cmsg_type != type) continue;
        CHECK_EQ(c->cmsg_len, CMSG_LEN(size));
        return CMSG_DATA(c);
    }
    return NULL;
}

static char control[512], bytes[64];
static struct sockaddr_storage peer;
static struct iovec vector = {bytes, sizeof bytes};
static struct msghdr message;

static void receive(int fd) {
    message = (struct msghdr){&peer, sizeof peer, &vector, 1, control, sizeof control, 0};
    vector.iov_len = sizeof bytes;
    CHECK_OK(recvmsg(fd, &message, 0));
}

static void send_with(int fd, struct sockaddr *to, socklen_t length, int level, int type, void *data, size_t size) {
    char out[128] = "";
    struct iovec one = {"x", 1};
    struct msghdr m = {to, length, &one, 1, out, CMSG_SPACE(size), 0};
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    *c = (struct cmsghdr){CMSG_LEN(size), level, type};
    memcpy(CMSG_DATA(c), data, size);
    CHECK_EQ(sendmsg(fd, &m, 0), 1);
}

static void on(int fd, int level, int option) {
    int one = 1;
    CHECK_OK(setsockopt(fd, level, option, &one, sizeof one));
}

static void four(void) {
    int to = bound(SOCK_DGRAM), from = CHECK_OK(socket(AF_INET, SOCK_DGRAM, 0)), ttl = 33, tos = 0x10;
    struct sockaddr_in address = loopback(port_of(to));
    on(to, IPPROTO_IP, IP_PKTINFO);
    on(to, IPPROTO_IP, IP_RECVTTL);
    on(to, IPPROTO_IP, IP_RECVTOS);
    on(to, IPPROTO_IP, IP_RECVORIGDSTADDR);
    CHECK_OK(setsockopt(from, IPPROTO_IP, IP_TOS, &tos, sizeof tos));
    send_with(from, (void *)&address, sizeof address, IPPROTO_IP, IP_TTL, &ttl, sizeof ttl);
    receive(to);
    struct in_pktinfo *info = find(&message, IPPROTO_IP, IP_PKTINFO, sizeof *info);
    CHECK(info && info->ipi_ifindex == 1 && info->ipi_addr.s_addr == htonl(INADDR_LOOPBACK));
    int *got = find(&message, IPPROTO_IP, IP_TTL, sizeof *got);
    CHECK(got && *got == 33);
    unsigned char *service = find(&message, IPPROTO_IP, IP_TOS, 1);
    CHECK(service && *service == 0x10);
    struct sockaddr_in *original = find(&message, IPPROTO_IP, IP_ORIGDSTADDR, sizeof *original);
    CHECK(original && original->sin_port == address.sin_port);
    // The source of one message.
    struct in_pktinfo chosen = {.ipi_spec_dst.s_addr = htonl(0x7f000005)};
    send_with(from, (void *)&address, sizeof address, IPPROTO_IP, IP_PKTINFO, &chosen, sizeof chosen);
    receive(to);
    CHECK_EQ(((struct sockaddr_in *)&peer)->sin_addr.s_addr, htonl(0x7f000005));
    // One that is not the host's, and a type that is none.
    char out[128] = "";
    struct iovec one = {"x", 1};
    struct msghdr m = {&address, sizeof address, &one, 1, out, CMSG_SPACE(sizeof chosen), 0};
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    *c = (struct cmsghdr){CMSG_LEN(sizeof chosen), IPPROTO_IP, IP_PKTINFO};
    chosen.ipi_spec_dst.s_addr = htonl(0xcb007105);
    memcpy(CMSG_DATA(c), &chosen, sizeof chosen);
    CHECK_ERRNO(sendmsg(from, &m, 0), ENETUNREACH);
    c->cmsg_type = 99;
    CHECK_ERRNO(sendmsg(from, &m, 0), EINVAL);
    c->cmsg_len = 4;
    CHECK_ERRNO(sendmsg(from, &m, 0), EINVAL);
}

static void six(void) {
    int to = CHECK_OK(socket(AF_INET6, SOCK_DGRAM, 0)), from = CHECK_OK(socket(AF_INET6, SOCK_DGRAM, 0));
    struct sockaddr_in6 address = {.sin6_family = AF_INET6, .sin6_addr = in6addr_any};
    socklen_t length = sizeof address;
    CHECK_OK(bind(to, (void *)&address, sizeof address));
    CHECK_OK(getsockname(to, (void *)&address, &length));
    address.sin6_addr = in6addr_loopback;
    on(to, IPPROTO_IPV6, IPV6_RECVPKTINFO);
    on(to, IPPROTO_IPV6, IPV6_RECVHOPLIMIT);
    on(to, IPPROTO_IPV6, IPV6_RECVTCLASS);
    on(to, IPPROTO_IP, IP_RECVTTL);
    int hops = 44;
    send_with(from, (void *)&address, sizeof address, IPPROTO_IPV6, IPV6_HOPLIMIT, &hops, sizeof hops);
    receive(to);
    struct in6_pktinfo *info = find(&message, IPPROTO_IPV6, IPV6_PKTINFO, sizeof *info);
    CHECK(info && info->ipi6_ifindex == 1 && !memcmp(&info->ipi6_addr, &in6addr_loopback, 16));
    int *got = find(&message, IPPROTO_IPV6, IPV6_HOPLIMIT, sizeof *got);
    CHECK(got && *got == 44);
    got = find(&message, IPPROTO_IPV6, IPV6_TCLASS, sizeof *got);
    CHECK(got && *got == 0);
    CHECK(!find(&message, IPPROTO_IP, IP_TTL, sizeof *got));
    // A datagram of the older version bears its own.
    int old = connect_to(SOCK_DGRAM, ntohs(address.sin6_port));
    CHECK_EQ(send(old, "x", 1, 0), 1);
    receive(to);
    info = find(&message, IPPROTO_IPV6, IPV6_PKTINFO, sizeof *info);
    CHECK(info && IN6_IS_ADDR_V4MAPPED(&info->ipi6_addr));
    CHECK(!find(&message, IPPROTO_IPV6, IPV6_HOPLIMIT, sizeof *got));
    got = find(&message, IPPROTO_IP, IP_TTL, sizeof *got);
    CHECK(got && *got == 64);
}

int main(void) {
    four();
    six();
}
