// IPv6 loopback and dual-stack sockets, where the machine has IPv6.
#include "net.h"

int main(void) {
    int listener = socket(AF_INET6, SOCK_STREAM, 0);
    if (listener < 0 && errno == EAFNOSUPPORT) return 0;
    CHECK(listener >= 0);
    struct sockaddr_in6 address = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT}, peer;
    socklen_t length = sizeof address;
    if (bind(listener, (void *)&address, sizeof address) < 0) {
        CHECK_EQ(errno, EADDRNOTAVAIL);  // Compiled in and switched off.
        return 0;
    }
    CHECK_OK(listen(listener, 4));
    CHECK_OK(getsockname(listener, (void *)&address, &length));
    CHECK_EQ(length, sizeof address);
    int client = CHECK_OK(socket(AF_INET6, SOCK_STREAM, 0));
    CHECK_OK(connect(client, (void *)&address, sizeof address));
    length = sizeof peer;
    int server = CHECK_OK(accept(listener, (void *)&peer, &length));
    CHECK(IN6_IS_ADDR_LOOPBACK(&peer.sin6_addr));
    CHECK_EQ(send(client, "six", 3, 0), 3);
    char text[8];
    CHECK_EQ(recv(server, text, 3, MSG_WAITALL), 3);

    // An unspecified IPv6 address hears IPv4 as well, with mapped names.
    int both = CHECK_OK(socket(AF_INET6, SOCK_STREAM, 0));
    int off = 0;
    CHECK_OK(setsockopt(both, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off));
    struct sockaddr_in6 any = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_ANY_INIT};
    CHECK_OK(bind(both, (void *)&any, sizeof any));
    CHECK_OK(listen(both, 4));
    length = sizeof any;
    CHECK_OK(getsockname(both, (void *)&any, &length));
    connect_to(SOCK_STREAM, ntohs(any.sin6_port));
    length = sizeof peer;
    CHECK_OK(accept(both, (void *)&peer, &length));
    CHECK(IN6_IS_ADDR_V4MAPPED(&peer.sin6_addr));
    CHECK_EQ(peer.sin6_addr.s6_addr[12], 127);
    // With IPV6_V6ONLY it does not.
    int only = CHECK_OK(socket(AF_INET6, SOCK_STREAM, 0)), on = 1;
    CHECK_OK(setsockopt(only, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on));
    any.sin6_port = 0;
    CHECK_OK(bind(only, (void *)&any, sizeof any));
    CHECK_OK(listen(only, 4));
    length = sizeof any;
    CHECK_OK(getsockname(only, (void *)&any, &length));
    int four = CHECK_OK(socket(AF_INET, SOCK_STREAM, 0));
    struct sockaddr_in to = loopback(ntohs(any.sin6_port));
    CHECK_ERRNO(connect(four, (void *)&to, sizeof to), ECONNREFUSED);
    int udp = CHECK_OK(socket(AF_INET6, SOCK_DGRAM, 0));
    address.sin6_port = 0;
    CHECK_OK(bind(udp, (void *)&address, sizeof address));
    return 0;
}
