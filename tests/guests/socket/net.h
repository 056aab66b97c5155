// Loopback sockets in one line.
#ifndef NET_H
#define NET_H
#include "check.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>

CHECK_API struct sockaddr_in loopback(int port) {
    return (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

CHECK_API int port_of(int fd) {
    struct sockaddr_in address;
    socklen_t length = sizeof address;
    CHECK_OK(getsockname(fd, (void *)&address, &length));
    return ntohs(address.sin_port);
}

// A socket of the given kind at a free port of 127.0.0.1.
CHECK_API int bound(int kind) {
    int fd = CHECK_OK(socket(AF_INET, kind, 0));
    struct sockaddr_in address = loopback(0);
    CHECK_OK(bind(fd, (void *)&address, sizeof address));
    CHECK(port_of(fd) > 0);
    return fd;
}

CHECK_API int listening(void) {
    int fd = bound(SOCK_STREAM);
    CHECK_OK(listen(fd, 16));
    return fd;
}

CHECK_API int connect_to(int kind, int port) {
    int fd = CHECK_OK(socket(AF_INET, kind, 0));
    struct sockaddr_in address = loopback(port);
    CHECK_OK(connect(fd, (void *)&address, sizeof address));
    return fd;
}

// Two ends of one TCP connection.
CHECK_API void tcp_pair(int pair[2]) {
    int listener = listening();
    pair[0] = connect_to(SOCK_STREAM, port_of(listener));
    pair[1] = CHECK_OK(accept(listener, NULL, NULL));
    CHECK_OK(close(listener));
}

CHECK_API int socket_error(int fd) {
    int error = -1;
    socklen_t length = sizeof error;
    CHECK_OK(getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length));
    return error;
}

// What poll says of one descriptor within five seconds.
CHECK_API int poll_one(int fd, int events, int timeout) {
    struct pollfd ready = {fd, events, 0};
    CHECK_OK(poll(&ready, 1, timeout));
    return ready.revents;
}
#endif
