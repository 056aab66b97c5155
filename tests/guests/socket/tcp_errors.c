// What socket calls refuse before there is a connection.
#include "net.h"

int main(void) {
    CHECK_ERRNO(socket(99, SOCK_STREAM, 0), EAFNOSUPPORT);
    CHECK_ERRNO(socket(AF_INET, 99, 0), EINVAL);
    CHECK_ERRNO(socket(AF_INET, SOCK_STREAM, IPPROTO_UDP), EPROTONOSUPPORT);
    int fd = CHECK_OK(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
    CHECK(fcntl(fd, F_GETFL) & O_NONBLOCK);
    char byte;
    CHECK_ERRNO(recv(fd, &byte, 1, 0), ENOTCONN);
    CHECK_ERRNO(send(fd, "x", 1, MSG_NOSIGNAL), EPIPE);
    struct sockaddr_in address = loopback(0);
    socklen_t length = sizeof address;
    CHECK_ERRNO(getpeername(fd, (void *)&address, &length), ENOTCONN);
    CHECK_ERRNO(shutdown(fd, SHUT_RDWR), ENOTCONN);
    CHECK_ERRNO(accept(fd, NULL, NULL), EINVAL);
    CHECK_OK(getsockname(fd, (void *)&address, &length));
    CHECK_EQ(address.sin_port, 0);
    address.sin_family = AF_UNIX;
    CHECK_ERRNO(bind(fd, (void *)&address, sizeof address), EAFNOSUPPORT);
    address = loopback(0);
    CHECK_ERRNO(bind(fd, (void *)&address, 3), EINVAL);
    address.sin_addr.s_addr = htonl(0x08080808);
    CHECK_ERRNO(bind(fd, (void *)&address, sizeof address), EADDRNOTAVAIL);
    address = loopback(0);
    CHECK_OK(bind(fd, (void *)&address, sizeof address));
    CHECK_ERRNO(bind(fd, (void *)&address, sizeof address), EINVAL);
    CHECK_OK(listen(fd, 1));
    CHECK_ERRNO(accept(fd, NULL, NULL), EAGAIN);
    CHECK_ERRNO(connect(fd, (void *)&address, sizeof address), EISCONN);
    CHECK_ERRNO(shutdown(fd, 99), EINVAL);
    CHECK_ERRNO(listen(0x7000, 1), EBADF);
    int pipes[2];
    CHECK_OK(pipe(pipes));
    CHECK_ERRNO(listen(pipes[0], 1), ENOTSOCK);
    CHECK_ERRNO(recv(pipes[0], &byte, 1, 0), ENOTSOCK);
    int value = 1;
    CHECK_ERRNO(setsockopt(fd, SOL_SOCKET, 9999, &value, sizeof value), ENOPROTOOPT);
    CHECK_ERRNO(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &value, 1), EINVAL);
    int udp = CHECK_OK(socket(AF_INET, SOCK_DGRAM, 0));
    CHECK_ERRNO(listen(udp, 1), EOPNOTSUPP);
    CHECK_ERRNO(send(udp, "x", 1, 0), EDESTADDRREQ);
    return 0;
}
