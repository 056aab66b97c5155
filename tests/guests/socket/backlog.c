// Connections, and what is sent over them, wait in the listener's queue before anybody accepts.
#include "net.h"

int main(void) {
    int listener = listening(), port = port_of(listener), clients[10];
    for (int i = 0; i < 10; i++) {
        clients[i] = connect_to(SOCK_STREAM, port);
        char text[16];
        int length = snprintf(text, sizeof text, "client %d", i);
        CHECK_EQ(send(clients[i], text, length, 0), length);
    }
    CHECK_OK(close(clients[3]));  // Gone before it was accepted: it is there all the same.
    for (int i = 0; i < 10; i++) {
        int fd = CHECK_OK(accept(listener, NULL, NULL));
        char text[16] = {0}, expected[16];
        snprintf(expected, sizeof expected, "client %d", i);
        CHECK_EQ(recv(fd, text, strlen(expected), MSG_WAITALL), strlen(expected));
        CHECK_STR(text, expected);
        if (i == 3) CHECK_EQ(recv(fd, text, 1, 0), 0);
    }
    // A listener that closes resets those that wait.
    int waiting = connect_to(SOCK_STREAM, port);
    CHECK_OK(close(listener));
    CHECK(poll_one(waiting, POLLIN, 5000) & (POLLERR | POLLHUP | POLLIN));
    char byte;
    CHECK_ERRNO(recv(waiting, &byte, 1, 0), ECONNRESET);
    return 0;
}
