// Options at their edges: wrong lengths, levels and values, what is refused, and what is told back.
#include "net.h"
#include <netinet/ip_icmp.h>
#include <netinet/udp.h>

static int set(int fd, int level, int option, int value) { return setsockopt(fd, level, option, &value, sizeof value); }

static int get(int fd, int level, int option) {
    int value = -77;
    socklen_t length = sizeof value;
    CHECK_OK(getsockopt(fd, level, option, &value, &length));
    return value;
}

static void lengths(int fd) {
    int one = 1;
    char byte = 9;
    socklen_t length;
    CHECK_ERRNO(setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, 3), EINVAL);
    CHECK_ERRNO(setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, -1), EINVAL);
    CHECK_ERRNO(setsockopt(fd, SOL_SOCKET, 9999, &one, 2), EINVAL);
    CHECK_ERRNO(setsockopt(fd, SOL_SOCKET, 9999, &one, 4), ENOPROTOOPT);
    CHECK_ERRNO(setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, NULL, 4), EFAULT);
    CHECK_ERRNO(setsockopt(fd, SOL_SOCKET, SO_LINGER, &one, 4), EINVAL);
    CHECK_ERRNO(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &one, 4), EINVAL);
    struct timeval wild = {1, 1000000};
    CHECK_ERRNO(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wild, sizeof wild), EDOM);
    CHECK_ERRNO(setsockopt(fd, SOL_SOCKET, SO_TYPE, &one, 4), ENOPROTOOPT);
    CHECK_ERRNO(setsockopt(fd, SOL_SOCKET, SO_ERROR, &one, 4), ENOPROTOOPT);
    CHECK_ERRNO(setsockopt(fd, 12345, 1, &one, 4), ENOPROTOOPT);
    length = -1;
    CHECK_ERRNO(getsockopt(fd, SOL_SOCKET, SO_TYPE, &one, &length), EINVAL);
    length = 4;
    CHECK_ERRNO(getsockopt(fd, SOL_SOCKET, 9999, &one, &length), ENOPROTOOPT);
    CHECK_ERRNO(getsockopt(fd, 12345, 1, &one, &length), EOPNOTSUPP);
    CHECK_ERRNO(getsockopt(fd, SOL_SOCKET, SO_TYPE, &one, NULL), EFAULT);
    length = 0;
    CHECK_OK(getsockopt(fd, SOL_SOCKET, SO_TYPE, NULL, &length));
    CHECK_EQ(length, 0);
    // IP options that fit into a byte are one where there is no room for an int.
    length = 3;
    CHECK_OK(getsockopt(fd, IPPROTO_IP, IP_TTL, &one, &length));
    CHECK_EQ(length, 1);
    CHECK_EQ((char)one, 64);
    byte = 7;
    CHECK_OK(setsockopt(fd, IPPROTO_IP, IP_TTL, &byte, 1));
    CHECK_EQ(get(fd, IPPROTO_IP, IP_TTL), 7);
}

static void values(void) {
    int udp = CHECK_OK(socket(AF_INET, SOCK_DGRAM, 0)), tcp = CHECK_OK(socket(AF_INET, SOCK_STREAM, 0));
    int six = CHECK_OK(socket(AF_INET6, SOCK_DGRAM, 0)), local = CHECK_OK(socket(AF_UNIX, SOCK_DGRAM, 0));
    CHECK_ERRNO(set(udp, IPPROTO_IP, IP_TTL, 0), EINVAL);
    CHECK_ERRNO(set(udp, IPPROTO_IP, IP_TTL, 256), EINVAL);
    CHECK_OK(set(udp, IPPROTO_IP, IP_TTL, -1));
    CHECK_EQ(get(udp, IPPROTO_IP, IP_TTL), 64);
    CHECK_OK(set(udp, IPPROTO_IP, IP_TOS, 0x1ff));
    CHECK_EQ(get(udp, IPPROTO_IP, IP_TOS), 0xff);
    CHECK_OK(set(tcp, IPPROTO_IP, IP_TOS, 0xff));
    CHECK_EQ(get(tcp, IPPROTO_IP, IP_TOS), 0xfc);
    CHECK_OK(set(udp, IPPROTO_IP, IP_TOS, 0x10));
    CHECK_EQ(get(udp, SOL_SOCKET, SO_PRIORITY), 6);
    CHECK_ERRNO(set(udp, IPPROTO_IP, IP_MTU_DISCOVER, 6), EINVAL);
    CHECK_ERRNO(set(udp, IPPROTO_IP, IP_HDRINCL, 1), ENOPROTOOPT);
    CHECK_ERRNO(set(udp, IPPROTO_IP, IP_MULTICAST_ALL, 2), EINVAL);
    CHECK_ERRNO(set(udp, IPPROTO_IP, 9999, 2), ENOPROTOOPT);
    CHECK_ERRNO(set(udp, IPPROTO_IPV6, IPV6_V6ONLY, 1), ENOPROTOOPT);
    CHECK_ERRNO(set(udp, IPPROTO_TCP, TCP_NODELAY, 1), ENOPROTOOPT);
    CHECK_ERRNO(set(six, IPPROTO_IPV6, IPV6_UNICAST_HOPS, 256), EINVAL);
    CHECK_ERRNO(set(six, IPPROTO_IPV6, IPV6_TCLASS, 256), EINVAL);
    CHECK_OK(set(six, IPPROTO_IPV6, IPV6_UNICAST_HOPS, -1));
    CHECK_EQ(get(six, IPPROTO_IPV6, IPV6_UNICAST_HOPS), 64);
    CHECK_OK(set(six, IPPROTO_IPV6, IPV6_DONTFRAG, 1));
    CHECK_EQ(get(six, IPPROTO_IPV6, IPV6_DONTFRAG), 1);
    CHECK_ERRNO(set(six, IPPROTO_IPV6, IPV6_MTU, 1279), EINVAL);
    struct sockaddr_in6 any = {.sin6_family = AF_INET6};
    CHECK_OK(bind(six, (void *)&any, sizeof any));
    CHECK_ERRNO(set(six, IPPROTO_IPV6, IPV6_V6ONLY, 1), EINVAL);
    CHECK_ERRNO(set(local, IPPROTO_IP, IP_TTL, 1), EOPNOTSUPP);
    CHECK_ERRNO(set(local, SOL_SOCKET, SO_REUSEPORT, 1), EOPNOTSUPP);
    CHECK_EQ(get(local, SOL_SOCKET, SO_DOMAIN), AF_UNIX);
    CHECK_ERRNO(set(udp, SOL_SOCKET, SO_TIMESTAMPING, 1 << 30), EINVAL);
    CHECK_ERRNO(set(udp, SOL_SOCKET, SO_BUF_LOCK, 4), EINVAL);
    CHECK_OK(set(udp, SOL_SOCKET, SO_RCVBUF, 4096));
    CHECK_EQ(get(udp, SOL_SOCKET, SO_BUF_LOCK), 2);
    CHECK_EQ(get(udp, SOL_SOCKET, SO_RCVBUF), 8192);
    CHECK_OK(set(udp, SOL_SOCKET, SO_RCVBUF, 1));
    CHECK_EQ(get(udp, SOL_SOCKET, SO_RCVBUF), 2304);
    CHECK_OK(set(udp, SOL_SOCKET, SO_SNDBUF, 1));
    CHECK_EQ(get(udp, SOL_SOCKET, SO_SNDBUF), 4608);
    CHECK_OK(set(udp, SOL_SOCKET, SO_RCVLOWAT, -5));
    CHECK_EQ(get(udp, SOL_SOCKET, SO_RCVLOWAT), INT_MAX);
    CHECK_OK(set(udp, SOL_SOCKET, SO_RCVLOWAT, 0));
    CHECK_EQ(get(udp, SOL_SOCKET, SO_RCVLOWAT), 1);
    CHECK_OK(set(udp, SOL_SOCKET, SO_PEEK_OFF, 5));
    CHECK_EQ(get(udp, SOL_SOCKET, SO_PEEK_OFF), 5);
    CHECK_EQ(get(udp, SOL_SOCKET, SO_BPF_EXTENSIONS), 64);
    unsigned rate = 0;
    socklen_t length = sizeof rate;
    CHECK_OK(getsockopt(udp, SOL_SOCKET, SO_MAX_PACING_RATE, &rate, &length));
    CHECK_EQ(rate, ~0u);
    char name[32];
    length = sizeof name;
    CHECK_ERRNO(getsockopt(udp, SOL_SOCKET, SO_PEERNAME, name, &length), ENOTCONN);
    CHECK_ERRNO(getsockopt(udp, SOL_SOCKET, SO_PEERSEC, name, &length), ENOPROTOOPT);
    if (geteuid() == 0) {
        int raw = CHECK_OK(socket(AF_INET, SOCK_RAW, IPPROTO_ICMP));
        struct icmp_filter { unsigned data; } filter = {0xfffffffe}, back = {0};
        CHECK_OK(setsockopt(raw, SOL_RAW, 1, &filter, sizeof filter));
        length = sizeof back;
        CHECK_OK(getsockopt(raw, SOL_RAW, 1, &back, &length));
        CHECK_EQ(back.data, filter.data);
        CHECK_OK(close(raw));
        pid_t pid;
        CHILD(pid) {
            CHECK_OK(setuid(65534));
            CHECK_ERRNO(set(udp, SOL_SOCKET, SO_MARK, 1), EPERM);
            CHECK_ERRNO(set(udp, SOL_SOCKET, SO_PRIORITY, 7), EPERM);
            CHECK_OK(set(udp, SOL_SOCKET, SO_PRIORITY, 5));
            CHECK_ERRNO(set(udp, SOL_SOCKET, SO_DEBUG, 1), EACCES);
            CHECK_ERRNO(set(udp, SOL_SOCKET, SO_RCVBUFFORCE, 1), EPERM);
            CHECK_ERRNO(set(udp, IPPROTO_IP, IP_TRANSPARENT, 1), EPERM);
            CHECK_ERRNO(socket(AF_INET, SOCK_RAW, IPPROTO_ICMP), EPERM);
        }
        CHECK_EXIT(pid, 0);
    }
}

int main(void) {
    lengths(CHECK_OK(socket(AF_INET, SOCK_STREAM, 0)));
    lengths(CHECK_OK(socket(AF_INET, SOCK_DGRAM, 0)));
    values();
}
