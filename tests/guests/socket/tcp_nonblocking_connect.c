// A connect that does not block: EINPROGRESS, writable, no error; then EISCONN.
#include "net.h"

int main(void) {
    int listener = listening();
    struct sockaddr_in address = loopback(port_of(listener));
    int fd = CHECK_OK(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
    CHECK_ERRNO(connect(fd, (void *)&address, sizeof address), EINPROGRESS);
    CHECK_EQ(poll_one(fd, POLLOUT, 5000), POLLOUT);
    CHECK_EQ(socket_error(fd), 0);
    CHECK(poll_one(listener, POLLIN, 5000) & POLLIN);
    int server = CHECK_OK(accept(listener, NULL, NULL));
    // The first repeat says that it is done, the next that it is connected.
    CHECK_OK(connect(fd, (void *)&address, sizeof address));
    CHECK_ERRNO(connect(fd, (void *)&address, sizeof address), EISCONN);
    char byte;
    CHECK_ERRNO(recv(fd, &byte, 1, 0), EAGAIN);
    CHECK_EQ(send(server, "x", 1, 0), 1);
    CHECK(poll_one(fd, POLLIN, 5000) & POLLIN);
    CHECK_EQ(recv(fd, &byte, 1, 0), 1);
    return 0;
}
