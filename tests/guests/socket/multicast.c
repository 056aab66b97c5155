// Multicast on the loopback interface: joining, leaving, sources, the sender's own copy, and who hears what.
#include "net.h"
#include <net/if.h>

static struct in_addr group, lo;

static int receiver(int port, const char *at) {
    int fd = CHECK_OK(socket(AF_INET, SOCK_DGRAM, 0)), on = 1;
    CHECK_OK(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on));
    struct sockaddr_in address = loopback(port);
    inet_aton(at, &address.sin_addr);
    CHECK_OK(bind(fd, (void *)&address, sizeof address));
    return fd;
}

static int change(int fd, int option) {
    struct ip_mreqn request = {group, lo, 0};
    return setsockopt(fd, IPPROTO_IP, option, &request, sizeof request);
}

static int source(int fd, int option, const char *from) {
    struct ip_mreq_source request = {.imr_multiaddr = group, .imr_interface = lo};
    inet_aton(from, &request.imr_sourceaddr);
    return setsockopt(fd, IPPROTO_IP, option, &request, sizeof request);
}

static bool hears(int fd) {
    char byte;
    return recv(fd, &byte, 1, MSG_DONTWAIT) == 1;
}

int main(void) {
    inet_aton("239.1.2.3", &group);
    lo.s_addr = htonl(INADDR_LOOPBACK);
    int first = receiver(0, "0.0.0.0"), port = port_of(first), second = receiver(port, "0.0.0.0");
    int named = receiver(port, "239.1.2.3");
    int from = bound(SOCK_DGRAM);
    struct sockaddr_in to = loopback(port);
    to.sin_addr = group;
#define SAY CHECK_EQ(sendto(from, "x", 1, 0, (void *)&to, sizeof to), 1)
    CHECK_OK(setsockopt(from, IPPROTO_IP, IP_MULTICAST_IF, &lo, sizeof lo));
    struct in_addr back;
    socklen_t length = sizeof back;
    CHECK_OK(getsockopt(from, IPPROTO_IP, IP_MULTICAST_IF, &back, &length));
    CHECK_EQ(back.s_addr, lo.s_addr);
    SAY;
    CHECK(!hears(first) && !hears(second) && !hears(named));  // Nobody has joined.
    CHECK_OK(change(first, IP_ADD_MEMBERSHIP));
    CHECK_ERRNO(change(first, IP_ADD_MEMBERSHIP), EADDRINUSE);
    SAY;
    CHECK(hears(first) && hears(second) && hears(named));  // IP_MULTICAST_ALL: who has not joined hears it too.
    int off = 0, on = 1;
    CHECK_OK(setsockopt(second, IPPROTO_IP, IP_MULTICAST_ALL, &off, sizeof off));
    SAY;
    CHECK(hears(first) && !hears(second) && hears(named));
    // The loopback interface brings back what is sent by it, with or without IP_MULTICAST_LOOP.
    CHECK_OK(setsockopt(from, IPPROTO_IP, IP_MULTICAST_LOOP, &off, sizeof off));
    SAY;
    CHECK(hears(first) && hears(named));
    CHECK_OK(setsockopt(from, IPPROTO_IP, IP_MULTICAST_LOOP, &on, sizeof on));
    CHECK_OK(change(first, IP_DROP_MEMBERSHIP));
    CHECK_ERRNO(change(first, IP_DROP_MEMBERSHIP), EADDRNOTAVAIL);
    SAY;
    CHECK(!hears(first) && !hears(named));
    // Sources.
    CHECK_OK(source(first, IP_ADD_SOURCE_MEMBERSHIP, "127.0.0.1"));
    CHECK_ERRNO(source(first, IP_ADD_SOURCE_MEMBERSHIP, "127.0.0.1"), EADDRNOTAVAIL);
    SAY;
    CHECK(hears(first));
    CHECK_ERRNO(source(first, IP_BLOCK_SOURCE, "127.0.0.1"), EINVAL);
    CHECK_OK(source(first, IP_DROP_SOURCE_MEMBERSHIP, "127.0.0.1"));
    CHECK_OK(change(first, IP_ADD_MEMBERSHIP));
    CHECK_OK(source(first, IP_BLOCK_SOURCE, "127.0.0.1"));
    SAY;
    CHECK(!hears(first));
    CHECK_OK(source(first, IP_UNBLOCK_SOURCE, "127.0.0.1"));
    CHECK_ERRNO(source(first, IP_UNBLOCK_SOURCE, "127.0.0.1"), EADDRNOTAVAIL);
    SAY;
    CHECK(hears(first));
    // What cannot be joined.
    group.s_addr = htonl(0x0a000001);
    CHECK_ERRNO(change(first, IP_ADD_MEMBERSHIP), EINVAL);
    inet_aton("239.1.2.3", &group);
    inet_aton("203.0.113.9", &lo);
    CHECK_ERRNO(change(first, IP_ADD_MEMBERSHIP), ENODEV);
    CHECK_ERRNO(setsockopt(from, IPPROTO_IP, IP_MULTICAST_IF, &lo, sizeof lo), EADDRNOTAVAIL);
    lo.s_addr = htonl(INADDR_LOOPBACK);
    int stream = CHECK_OK(socket(AF_INET, SOCK_STREAM, 0));
    CHECK_ERRNO(change(stream, IP_ADD_MEMBERSHIP), EPROTO);
    // Linux asks that of the oldest requests alone.
    CHECK_OK(source(stream, IP_ADD_SOURCE_MEMBERSHIP, "127.0.0.1"));
    CHECK_OK(source(stream, IP_DROP_SOURCE_MEMBERSHIP, "127.0.0.1"));
    struct group_req request = {.gr_interface = if_nametoindex("lo")};
    *(struct sockaddr_in *)&request.gr_group = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr = group};
    CHECK_OK(setsockopt(stream, IPPROTO_IP, MCAST_JOIN_GROUP, &request, sizeof request));
    CHECK_OK(setsockopt(stream, IPPROTO_IP, MCAST_LEAVE_GROUP, &request, sizeof request));
    CHECK_ERRNO(setsockopt(stream, IPPROTO_IP, IP_MULTICAST_IF, &lo, sizeof lo), EINVAL);
    CHECK_ERRNO(setsockopt(stream, IPPROTO_IP, IP_MULTICAST_TTL, &on, sizeof on), EINVAL);
    int ttl = 256;
    CHECK_ERRNO(setsockopt(from, IPPROTO_IP, IP_MULTICAST_TTL, &ttl, sizeof ttl), EINVAL);
    ttl = -1;
    CHECK_OK(setsockopt(from, IPPROTO_IP, IP_MULTICAST_TTL, &ttl, sizeof ttl));
    length = sizeof ttl;
    CHECK_OK(getsockopt(from, IPPROTO_IP, IP_MULTICAST_TTL, &ttl, &length));
    CHECK_EQ(ttl, 1);
    // Twenty groups, and no more.
    int many = CHECK_OK(socket(AF_INET, SOCK_DGRAM, 0));
    for (int i = 0; i < 20; i++) {
        group.s_addr = htonl(0xef020300 + i);
        CHECK_OK(change(many, IP_ADD_MEMBERSHIP));
    }
    group.s_addr = htonl(0xef020400);
    CHECK_ERRNO(change(many, IP_ADD_MEMBERSHIP), ENOBUFS);
}
