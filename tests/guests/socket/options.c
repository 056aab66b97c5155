// Socket options: what is set is told back, with Linux's doublings and roundings.
#include "net.h"

static int get(int fd, int level, int option) {
    int value = -1;
    socklen_t length = sizeof value;
    CHECK_OK(getsockopt(fd, level, option, &value, &length));
    CHECK_EQ(length, sizeof value);
    return value;
}
static void set(int fd, int level, int option, int value) { CHECK_OK(setsockopt(fd, level, option, &value, sizeof value)); }

int main(void) {
    int fd = CHECK_OK(socket(AF_INET, SOCK_STREAM, 0));
    CHECK_EQ(get(fd, SOL_SOCKET, SO_TYPE), SOCK_STREAM);
    CHECK_EQ(get(fd, SOL_SOCKET, SO_DOMAIN), AF_INET);
    CHECK_EQ(get(fd, SOL_SOCKET, SO_PROTOCOL), IPPROTO_TCP);
    CHECK_EQ(get(fd, SOL_SOCKET, SO_ACCEPTCONN), 0);
    const int switches[] = {SO_REUSEADDR, SO_KEEPALIVE, SO_BROADCAST, SO_REUSEPORT};
    for (int i = 0; i < 4; i++) {
        CHECK_EQ(get(fd, SOL_SOCKET, switches[i]), 0);
        set(fd, SOL_SOCKET, switches[i], 5);
        CHECK_EQ(get(fd, SOL_SOCKET, switches[i]), 1);
    }
    set(fd, SOL_SOCKET, SO_SNDBUF, 20000);
    CHECK_EQ(get(fd, SOL_SOCKET, SO_SNDBUF), 40000);
    set(fd, SOL_SOCKET, SO_RCVBUF, 30000);
    CHECK_EQ(get(fd, SOL_SOCKET, SO_RCVBUF), 60000);
    CHECK_EQ(get(fd, IPPROTO_TCP, TCP_NODELAY), 0);
    set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    CHECK_EQ(get(fd, IPPROTO_TCP, TCP_NODELAY), 1);
    set(fd, IPPROTO_TCP, TCP_KEEPIDLE, 77);
    CHECK_EQ(get(fd, IPPROTO_TCP, TCP_KEEPIDLE), 77);
    struct linger linger = {1, 3}, back;
    socklen_t length = sizeof back;
    CHECK_OK(setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger));
    CHECK_OK(getsockopt(fd, SOL_SOCKET, SO_LINGER, &back, &length));
    CHECK(back.l_onoff == 1 && back.l_linger == 3);
    struct timeval limit = {0, 30000};
    int pair[2];
    tcp_pair(pair);
    CHECK_OK(setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit));
    long long start = now_ms();
    char byte;
    CHECK_ERRNO(recv(pair[0], &byte, 1, 0), EAGAIN);
    CHECK(now_ms() - start >= 29);
    set(fd, SOL_SOCKET, SO_REUSEADDR, 0);
    char small = 9;
    length = 1;
    CHECK_OK(getsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &small, &length));  // Cut to what there is room for.
    CHECK(length == 1 && small == 1);
    char options[40];
    length = sizeof options;
    CHECK_OK(getsockopt(pair[1], IPPROTO_IP, IP_OPTIONS, options, &length));
    CHECK_EQ(length, 0);  // Who was connected to by an ordinary packet finds no options.
    length = sizeof options;
    CHECK_OK(getsockopt(pair[1], IPPROTO_IP, IP_PKTOPTIONS, options, &length));
    CHECK_EQ(length, 0);
    set(pair[1], IPPROTO_IP, IP_PKTINFO, 1);
    length = sizeof options;
    CHECK_OK(getsockopt(pair[1], IPPROTO_IP, IP_PKTOPTIONS, options, &length));
    struct cmsghdr *header = (struct cmsghdr *)options;
    CHECK(length == CMSG_SPACE(sizeof(struct in_pktinfo)) && header->cmsg_len == CMSG_LEN(sizeof(struct in_pktinfo)));
    CHECK(header->cmsg_level == IPPROTO_IP && header->cmsg_type == IP_PKTINFO);
    struct in_pktinfo *packet = (struct in_pktinfo *)CMSG_DATA(header);
    CHECK_EQ(ntohl(packet->ipi_addr.s_addr), INADDR_LOOPBACK);
    CHECK_EQ(packet->ipi_ifindex, 1);
    struct tcp_info info;
    length = sizeof info;
    CHECK_OK(getsockopt(pair[0], IPPROTO_TCP, TCP_INFO, &info, &length));
    CHECK_EQ(info.tcpi_state, TCP_ESTABLISHED);
    return 0;
}
