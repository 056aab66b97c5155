// Ports: taken ones, free ones, SO_REUSEADDR and SO_REUSEPORT, low ones.
#include "net.h"

int main(void) {
    int listener = listening(), port = port_of(listener), on = 1;
    int fd = CHECK_OK(socket(AF_INET, SOCK_STREAM, 0));
    struct sockaddr_in address = loopback(port);
    CHECK_ERRNO(bind(fd, (void *)&address, sizeof address), EADDRINUSE);
    CHECK_OK(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on));
    CHECK_ERRNO(bind(fd, (void *)&address, sizeof address), EADDRINUSE);  // Somebody listens.
    int udp = CHECK_OK(socket(AF_INET, SOCK_DGRAM, 0));
    int error = bind(udp, (void *)&address, sizeof address);  // Another protocol, other ports.
    CHECK(error == 0 || errno == EADDRINUSE);
    // A connection that was closed here first does not keep the port from a new server, when both reuse.
    CHECK_OK(setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on));
    int client = connect_to(SOCK_STREAM, port), server = CHECK_OK(accept(listener, NULL, NULL));
    CHECK_OK(close(server));
    char byte;
    CHECK_EQ(recv(client, &byte, 1, 0), 0);
    CHECK_OK(close(client));
    CHECK_OK(close(listener));
    CHECK_OK(bind(fd, (void *)&address, sizeof address));
    CHECK_OK(listen(fd, 1));

    int a = CHECK_OK(socket(AF_INET, SOCK_STREAM, 0)), b = CHECK_OK(socket(AF_INET, SOCK_STREAM, 0));
    CHECK_OK(setsockopt(a, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on));
    CHECK_OK(setsockopt(b, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on));
    address = loopback(0);
    CHECK_OK(bind(a, (void *)&address, sizeof address));
    CHECK_OK(listen(a, 1));
    address = loopback(port_of(a));
    CHECK_OK(bind(b, (void *)&address, sizeof address));
    CHECK_OK(listen(b, 1));
    // Listening without a bind picks a port; a connect does too.
    int lazy = CHECK_OK(socket(AF_INET, SOCK_STREAM, 0));
    CHECK_OK(listen(lazy, 1));
    CHECK(port_of(lazy) > 0);
    int other = connect_to(SOCK_STREAM, port_of(lazy));
    CHECK(port_of(other) > 0 && port_of(other) != port_of(lazy));
    // Other loopback addresses work and are apart.
    address = loopback(port_of(lazy));
    int near = CHECK_OK(socket(AF_INET, SOCK_STREAM, 0));
    address.sin_addr.s_addr = htonl(0x7f000002);
    address.sin_port = 0;
    CHECK_OK(bind(near, (void *)&address, sizeof address));
    return 0;
}
