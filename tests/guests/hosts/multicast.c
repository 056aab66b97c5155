// Who joined a group gets its datagrams, of the chosen interface; who left gets them no more.
#include "hosts.h"

int main(void) {
    begin();
    struct in_addr group = {htonl(0xef010203)};
    char buffer[32];
    if (is_server) {
        int fd = bound_to(SOCK_DGRAM, 7113), other = bound_to(SOCK_DGRAM, 7113);
        option(other, IPPROTO_IP, IP_MULTICAST_ALL, 0);
        struct ip_mreqn join = {.imr_multiaddr = group, .imr_ifindex = (int)if_nametoindex("eth0")};
        CHECK_OK(setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &join, sizeof join));
        say("joined twice: %s", error_text(setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &join, sizeof join)));
        meet();
        ssize_t n = CHECK_OK(recv(fd, buffer, sizeof buffer, 0));
        say("%.*s", (int)n, buffer);
        say("not joined: %s", error_text(recv(other, buffer, sizeof buffer, MSG_DONTWAIT)));
        CHECK_OK(setsockopt(fd, IPPROTO_IP, IP_DROP_MEMBERSHIP, &join, sizeof join));
        say("left twice: %s", error_text(setsockopt(fd, IPPROTO_IP, IP_DROP_MEMBERSHIP, &join, sizeof join)));
        meet();
        meet();
        let_arrive();
        say("left: %s", error_text(recv(fd, buffer, sizeof buffer, MSG_DONTWAIT)));
    } else {
        int fd = CHECK_OK(socket(AF_INET, SOCK_DGRAM, 0));
        struct ip_mreqn by = {.imr_ifindex = (int)if_nametoindex("eth0")};
        CHECK_OK(setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &by, sizeof by));
        say("ttl %d, loop %d", option_of(fd, IPPROTO_IP, IP_MULTICAST_TTL), option_of(fd, IPPROTO_IP, IP_MULTICAST_LOOP));
        struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(7113), .sin_addr = group};
        meet();
        CHECK_EQ(sendto(fd, "group", 5, 0, (void *)&to, sizeof to), 5);
        meet();
        CHECK_EQ(sendto(fd, "again", 5, 0, (void *)&to, sizeof to), 5);
        meet();
    }
    meet();
    return 0;
}
