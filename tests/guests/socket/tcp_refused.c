// Connecting to a port where nobody listens: at once with an error, or by SO_ERROR without blocking.
#include "net.h"

int main(void) {
    int gone = bound(SOCK_STREAM), port = port_of(gone);  // Bound, not listening: refused, and nobody else can have it.
    int fd = CHECK_OK(socket(AF_INET, SOCK_STREAM, 0));
    struct sockaddr_in address = loopback(port);
    CHECK_ERRNO(connect(fd, (void *)&address, sizeof address), ECONNREFUSED);
    CHECK_EQ(socket_error(fd), 0);
    fd = CHECK_OK(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
    int result = connect(fd, (void *)&address, sizeof address);
    CHECK_EQ(result, -1);
    CHECK(errno == EINPROGRESS || errno == ECONNREFUSED);
    if (errno == EINPROGRESS) {
        int events = poll_one(fd, POLLOUT, 5000);
        CHECK(events & POLLERR && events & POLLHUP);
        CHECK_EQ(socket_error(fd), ECONNREFUSED);
        CHECK_EQ(socket_error(fd), 0);  // Told once.
    }
    return 0;
}
