// A datagram to all of the network: only with leave, to the subnet's address and to 255.255.255.255.
#include "hosts.h"

int main(void) {
    begin();
    char buffer[32];
    if (is_server) {
        int fd = bound_to(SOCK_DGRAM, 7112);
        meet();
        for (int i = 0; i < 2; i++) {
            struct sockaddr_in from;
            socklen_t length = sizeof from;
            ssize_t n = CHECK_OK(recvfrom(fd, buffer, sizeof buffer, 0, (void *)&from, &length));
            say("%.*s from %s", (int)n, buffer, text_of(from.sin_addr));
        }
    } else {
        struct sockaddr_in to = at("server", 7112);
        to.sin_addr.s_addr |= htonl(0xff);
        int fd = bound_to(SOCK_DGRAM, 7112);
        meet();
        say("without leave: %s", error_text(sendto(fd, "a", 1, 0, (void *)&to, sizeof to)));
        int stream = CHECK_OK(socket(AF_INET, SOCK_STREAM, 0));
        say("a stream: %s", error_text(connect(stream, (void *)&to, sizeof to)));
        option(fd, SOL_SOCKET, SO_BROADCAST, 1);
        CHECK_EQ(sendto(fd, "subnet", 6, 0, (void *)&to, sizeof to), 6);
        ssize_t n = CHECK_OK(recv(fd, buffer, sizeof buffer, 0));
        say("own: %.*s", (int)n, buffer);
        to.sin_addr.s_addr = htonl(INADDR_BROADCAST);
        CHECK_OK(setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "eth0", 4));
        CHECK_EQ(sendto(fd, "all", 3, 0, (void *)&to, sizeof to), 3);
    }
    meet();
    return 0;
}
