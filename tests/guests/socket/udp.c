// UDP: messages keep their bounds, empty ones too; names; connected sockets hear only their peer.
#include "net.h"

int main(void) {
    int a = bound(SOCK_DGRAM), b = bound(SOCK_DGRAM), c = bound(SOCK_DGRAM);
    struct sockaddr_in to_a = loopback(port_of(a)), from;
    socklen_t length = sizeof from;
    CHECK_EQ(sendto(b, "first", 5, 0, (void *)&to_a, sizeof to_a), 5);
    CHECK_EQ(sendto(b, "", 0, 0, (void *)&to_a, sizeof to_a), 0);
    CHECK_EQ(sendto(c, "third", 5, 0, (void *)&to_a, sizeof to_a), 5);
    char text[70000];
    CHECK_EQ(recvfrom(a, text, sizeof text, 0, (void *)&from, &length), 5);
    CHECK_EQ(ntohs(from.sin_port), port_of(b));
    CHECK_EQ(poll_one(a, POLLIN, 0), POLLIN);
    CHECK_EQ(recv(a, text, sizeof text, 0), 0);
    CHECK_EQ(recvfrom(a, text, sizeof text, 0, (void *)&from, &length), 5);
    CHECK_EQ(ntohs(from.sin_port), port_of(c));
    CHECK_EQ(poll_one(a, POLLIN, 0), 0);

    struct sockaddr_in to_b = loopback(port_of(b));
    CHECK_OK(connect(a, (void *)&to_b, sizeof to_b));
    CHECK_EQ(sendto(c, "stranger", 8, 0, (void *)&to_a, sizeof to_a), 8);
    CHECK_EQ(sendto(b, "peer", 4, 0, (void *)&to_a, sizeof to_a), 4);
    CHECK_EQ(recv(a, text, sizeof text, 0), 4);
    CHECK_ERRNO(recv(a, text, sizeof text, MSG_DONTWAIT), EAGAIN);
    CHECK_EQ(send(a, "to peer", 7, 0), 7);
    CHECK_EQ(recv(b, text, sizeof text, 0), 7);
    struct sockaddr unconnect = {.sa_family = AF_UNSPEC};
    CHECK_OK(connect(a, &unconnect, sizeof unconnect));
    CHECK_ERRNO(send(a, "x", 1, 0), EDESTADDRREQ);

    CHECK_ERRNO(sendto(b, text, 65508, 0, (void *)&to_a, sizeof to_a), EMSGSIZE);
    memset(text, 'u', 30000);
    int d = bound(SOCK_DGRAM);
    struct sockaddr_in to_d = loopback(port_of(d));
    CHECK_EQ(sendto(b, text, 30000, 0, (void *)&to_d, sizeof to_d), 30000);
    CHECK_EQ(recv(d, text, sizeof text, 0), 30000);
    return 0;
}
