// A connected UDP socket learns that nobody is there; an unconnected one does not.
#include "net.h"

// A socket that is connected to port 0 has no peer that could be told, sends nowhere, and hears from all ports.
static void port_zero(void) {
    int fd = bound(SOCK_DGRAM), other = bound(SOCK_DGRAM);
    struct sockaddr_in peer = loopback(0), own = loopback(port_of(fd));
    socklen_t length = sizeof peer;
    char text[4];
    CHECK_OK(connect(fd, (void *)&peer, sizeof peer));
    CHECK_ERRNO(getpeername(fd, (void *)&peer, &length), ENOTCONN);
    CHECK_EQ(send(fd, "x", 1, 0), 1);
    CHECK(poll_one(fd, POLLIN, 5000) & POLLERR);
    CHECK_ERRNO(send(fd, "x", 1, 0), ECONNREFUSED);
    CHECK_ERRNO(sendto(fd, "x", 1, 0, (void *)&peer, sizeof peer), EINVAL);
    CHECK_EQ(sendto(other, "ab", 2, 0, (void *)&own, sizeof own), 2);
    CHECK_EQ(recv(fd, text, sizeof text, 0), 2);
}

int main(void) {
    int gone = bound(SOCK_DGRAM), port = port_of(gone);
    CHECK_OK(close(gone));
    int fd = connect_to(SOCK_DGRAM, port);
    CHECK_EQ(send(fd, "x", 1, 0), 1);
    CHECK(poll_one(fd, POLLIN, 5000) & POLLERR);
    char byte;
    CHECK_ERRNO(recv(fd, &byte, 1, 0), ECONNREFUSED);
    CHECK_ERRNO(recv(fd, &byte, 1, MSG_DONTWAIT), EAGAIN);  // Told once.
    CHECK_EQ(send(fd, "x", 1, 0), 1);
    CHECK(poll_one(fd, POLLIN, 5000) & POLLERR);
    CHECK_ERRNO(send(fd, "x", 1, 0), ECONNREFUSED);
    int open = CHECK_OK(socket(AF_INET, SOCK_DGRAM, 0));
    struct sockaddr_in to = loopback(port);
    CHECK_EQ(sendto(open, "x", 1, 0, (void *)&to, sizeof to), 1);
    CHECK_ERRNO(recv(open, &byte, 1, MSG_DONTWAIT), EAGAIN);
    port_zero();
    return 0;
}
