// IPv6 between hosts, and IPv4 addresses in the form of IPv6.
#include "hosts.h"

static void say_peer(const char *what, int fd) {
    struct sockaddr_in6 peer;
    socklen_t length = sizeof peer;
    char text[INET6_ADDRSTRLEN];
    CHECK_OK(getpeername(fd, (void *)&peer, &length));
    say("%s: family %d, %s", what, peer.sin6_family, inet_ntop(AF_INET6, &peer.sin6_addr, text, sizeof text));
}

int main(void) {
    begin();
    if (is_server) {
        int fd = CHECK_OK(socket(AF_INET6, SOCK_STREAM, 0));
        struct sockaddr_in6 any = {.sin6_family = AF_INET6, .sin6_port = htons(7128)};
        CHECK_OK(bind(fd, (void *)&any, sizeof any));
        CHECK_OK(listen(fd, 4));
        int only = CHECK_OK(socket(AF_INET6, SOCK_STREAM, 0));
        option(only, IPPROTO_IPV6, IPV6_V6ONLY, 1);
        any.sin6_port = htons(7129);
        CHECK_OK(bind(only, (void *)&any, sizeof any));
        CHECK_OK(listen(only, 4));
        meet();
        for (int i = 0; i < 3; i++) say_peer("accepted", CHECK_OK(accept(fd, NULL, NULL)));
    } else {
        meet();
        struct sockaddr_in v4 = at("server", 7128);
        struct sockaddr_in6 mapped = {.sin6_family = AF_INET6, .sin6_port = htons(7128)};
        mapped.sin6_addr.s6_addr[10] = mapped.sin6_addr.s6_addr[11] = 0xff;
        memcpy(&mapped.sin6_addr.s6_addr[12], &v4.sin_addr, 4);
        struct addrinfo hints = {.ai_family = AF_INET6, .ai_socktype = SOCK_STREAM}, *found;
        // /etc/hosts knows only IPv4; the name service knows both.
        char name[INET6_ADDRSTRLEN + 8];
        sprintf(name, "fd00::%s", text_of(v4.sin_addr));
        CHECK_ZERO(getaddrinfo(name, "7128", &hints, &found));
        int six = CHECK_OK(socket(AF_INET6, SOCK_STREAM, 0));
        say("six: %s", error_text(connect(six, found->ai_addr, found->ai_addrlen)));
        say_peer("six", six);
        int four = CHECK_OK(socket(AF_INET, SOCK_STREAM, 0));
        say("four: %s", error_text(connect(four, (void *)&v4, sizeof v4)));
        int both = CHECK_OK(socket(AF_INET6, SOCK_STREAM, 0));
        say("mapped: %s", error_text(connect(both, (void *)&mapped, sizeof mapped)));
        say_peer("mapped", both);
        v4.sin_port = htons(7129);
        int none = CHECK_OK(socket(AF_INET, SOCK_STREAM, 0));
        say("four to six only: %s", error_text(connect(none, (void *)&v4, sizeof v4)));
        int strict = CHECK_OK(socket(AF_INET6, SOCK_STREAM, 0));
        option(strict, IPPROTO_IPV6, IPV6_V6ONLY, 1);
        say("mapped from six only: %s", error_text(connect(strict, (void *)&mapped, sizeof mapped)));
    }
    meet();
    return 0;
}
