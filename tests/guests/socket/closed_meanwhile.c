// A descriptor that is closed by one thread while another waits on its socket: the wait goes on, for the socket is held,
// and ends by what the other end does. The number is free at once.
#include "net.h"

static void *receive(void *fd) {
    char byte = 0;
    return (void *)(intptr_t)(recv(*(int *)fd, &byte, 1, 0) == 1 ? byte : -1);
}

int main(void) {
    for (int kind = 0; kind < 2; kind++) {
        int pair[2];
        if (kind) tcp_pair(pair);
        else CHECK_OK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
        int number = pair[0];
        pthread_t thread = thread_start(receive, &number);
        sleep_ms(20);
        CHECK_OK(close(pair[0]));
        CHECK_ERRNO(fcntl(pair[0], F_GETFD), EBADF);
        CHECK_EQ(send(pair[1], "z", 1, 0), 1);
        CHECK_EQ((intptr_t)thread_join(thread), 'z');
        WAIT_UNTIL(send(pair[1], "z", 1, MSG_NOSIGNAL) < 0);  // Now it is closed.
        CHECK_OK(close(pair[1]));
    }
    // A copy of the descriptor keeps it: nothing is told to the other end.
    int pair[2];
    CHECK_OK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
    int copy = CHECK_OK(dup(pair[0]));
    CHECK_OK(close(pair[0]));
    CHECK_EQ(poll_one(pair[1], POLLIN, 0), 0);
    CHECK_EQ(send(copy, "x", 1, 0), 1);
    CHECK_OK(close(copy));
    CHECK_EQ(poll_one(pair[1], POLLIN, 0), POLLIN | POLLHUP);
}
