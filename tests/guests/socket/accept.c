// accept4 and its flags; several waiting connections in order; blocking accept.
#include "net.h"

int main(void) {
    int listener = listening(), port = port_of(listener), clients[3];
    for (int i = 0; i < 3; i++) clients[i] = connect_to(SOCK_STREAM, port);
    for (int i = 0; i < 3; i++) {
        CHECK(poll_one(listener, POLLIN, 5000) & POLLIN);
        struct sockaddr_in peer;
        socklen_t length = sizeof peer;
        int fd = CHECK_OK(accept4(listener, (void *)&peer, &length, i ? SOCK_NONBLOCK | SOCK_CLOEXEC : 0));
        CHECK_EQ(ntohs(peer.sin_port), port_of(clients[i]));
        CHECK_EQ(fcntl(fd, F_GETFD), i ? FD_CLOEXEC : 0);
        CHECK_EQ(fcntl(fd, F_GETFL) & O_NONBLOCK, i ? O_NONBLOCK : 0);
    }
    CHECK_ERRNO(accept4(listener, NULL, NULL, 0x1), EINVAL);
    CHECK_OK(fcntl(listener, F_SETFL, O_NONBLOCK));
    CHECK_ERRNO(accept(listener, NULL, NULL), EAGAIN);
    // A non-blocking listener gives blocking sockets on Linux.
    clients[0] = connect_to(SOCK_STREAM, port);
    CHECK(poll_one(listener, POLLIN, 5000) & POLLIN);
    int fd = CHECK_OK(accept(listener, NULL, NULL));
    CHECK_EQ(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
    CHECK_OK(fcntl(listener, F_SETFL, 0));
    pid_t pid;
    CHILD(pid) {
        sleep_ms(20);
        connect_to(SOCK_STREAM, port);
    }
    CHECK_OK(accept(listener, NULL, NULL));
    CHECK_EXIT(pid, 0);
    return 0;
}
