// Multicast by IPv6: the options of RFC 3493 and of RFC 3678, and that the loopback interface carries none.
#include "net.h"
#include <net/if.h>

int main(void) {
    int fd = CHECK_OK(socket(AF_INET6, SOCK_DGRAM, 0)), two = 2;
    unsigned lo = if_nametoindex("lo"), nowhere = 9999;
    CHECK_EQ(lo, 1);
    struct sockaddr_in6 group = {.sin6_family = AF_INET6, .sin6_port = htons(9), .sin6_scope_id = lo};
    inet_pton(AF_INET6, "ff02::1234", &group.sin6_addr);
    CHECK_OK(setsockopt(fd, IPPROTO_IPV6, IPV6_MULTICAST_IF, &lo, sizeof lo));
    CHECK_ERRNO(sendto(fd, "x", 1, 0, (void *)&group, sizeof group), ENETUNREACH);
    CHECK_ERRNO(setsockopt(fd, IPPROTO_IPV6, IPV6_MULTICAST_IF, &nowhere, sizeof nowhere), ENODEV);
    struct ipv6_mreq request = {group.sin6_addr, lo};
    CHECK_OK(setsockopt(fd, IPPROTO_IPV6, IPV6_JOIN_GROUP, &request, sizeof request));
    CHECK_ERRNO(setsockopt(fd, IPPROTO_IPV6, IPV6_JOIN_GROUP, &request, sizeof request), EADDRINUSE);
    CHECK_ERRNO(setsockopt(fd, IPPROTO_IPV6, IPV6_JOIN_GROUP, &request, 8), EINVAL);
    CHECK_OK(setsockopt(fd, IPPROTO_IPV6, IPV6_LEAVE_GROUP, &request, sizeof request));
    CHECK_ERRNO(setsockopt(fd, IPPROTO_IPV6, IPV6_LEAVE_GROUP, &request, sizeof request), EADDRNOTAVAIL);
    struct group_req wide = {.gr_interface = lo};
    memcpy(&wide.gr_group, &group, sizeof group);
    CHECK_OK(setsockopt(fd, IPPROTO_IPV6, MCAST_JOIN_GROUP, &wide, sizeof wide));
    CHECK_OK(setsockopt(fd, IPPROTO_IPV6, MCAST_LEAVE_GROUP, &wide, sizeof wide));
    request.ipv6mr_multiaddr = in6addr_loopback;
    CHECK_ERRNO(setsockopt(fd, IPPROTO_IPV6, IPV6_JOIN_GROUP, &request, sizeof request), EINVAL);
    request = (struct ipv6_mreq){group.sin6_addr, 9999};
    CHECK_ERRNO(setsockopt(fd, IPPROTO_IPV6, IPV6_JOIN_GROUP, &request, sizeof request), ENODEV);
    CHECK_ERRNO(setsockopt(fd, IPPROTO_IPV6, IPV6_MULTICAST_LOOP, &two, sizeof two), EINVAL);
    int hops = 256;
    CHECK_ERRNO(setsockopt(fd, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, &hops, sizeof hops), EINVAL);
    int stream = CHECK_OK(socket(AF_INET6, SOCK_STREAM, 0));
    request.ipv6mr_interface = lo;
    CHECK_ERRNO(setsockopt(stream, IPPROTO_IPV6, IPV6_JOIN_GROUP, &request, sizeof request), EPROTO);
    hops = 1;
    CHECK_ERRNO(setsockopt(stream, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, &hops, sizeof hops), ENOPROTOOPT);
}
