// A connected UDP socket learns that nobody is there; an unconnected one does not.
#include "net.h"

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
    return 0;
}
