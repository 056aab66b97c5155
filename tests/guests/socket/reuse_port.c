// socket(7), SO_REUSEPORT: datagrams and connections are spread over the sockets of a port; one sender's all go to one.
#include "net.h"

enum { SOCKETS = 4, SENDERS = 64 };

static int member(int kind, int port) {
    int fd = CHECK_OK(socket(AF_INET, kind, 0)), on = 1;
    CHECK_OK(setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on));
    struct sockaddr_in address = loopback(port);
    CHECK_OK(bind(fd, (void *)&address, sizeof address));
    return fd;
}

int main(void) {
    int fds[SOCKETS], port = 0, got[SOCKETS] = {0};
    for (int i = 0; i < SOCKETS; i++) {
        fds[i] = member(SOCK_DGRAM, port);
        port = port_of(fds[i]);
    }
    for (int i = 0; i < SENDERS; i++) {
        int from = connect_to(SOCK_DGRAM, port), takers = 0;
        for (int n = 0; n < 3; n++) CHECK_EQ(send(from, "x", 1, 0), 1);
        for (int n = 0; n < SOCKETS; n++) {
            char byte;
            int count = 0;
            while (recv(fds[n], &byte, 1, MSG_DONTWAIT) == 1) count++;
            CHECK(count == 0 || count == 3);
            takers += count / 3;
            got[n] += count / 3;
        }
        CHECK_EQ(takers, 1);
        CHECK_OK(close(from));
    }
    for (int n = 0; n < SOCKETS; n++) CHECK(got[n] > 0 && got[n] < SENDERS);
    // Who has not asked for it may not join, and nobody joins who has not.
    int alone = CHECK_OK(socket(AF_INET, SOCK_DGRAM, 0)), on = 1;
    struct sockaddr_in address = loopback(port);
    CHECK_ERRNO(bind(alone, (void *)&address, sizeof address), EADDRINUSE);
    int first = bound(SOCK_STREAM), second = CHECK_OK(socket(AF_INET, SOCK_STREAM, 0));
    CHECK_OK(setsockopt(second, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on));
    address = loopback(port_of(first));
    CHECK_ERRNO(bind(second, (void *)&address, sizeof address), EADDRINUSE);

    port = 0;
    memset(got, 0, sizeof got);
    for (int i = 0; i < SOCKETS; i++) {
        fds[i] = member(SOCK_STREAM, port);
        CHECK_OK(listen(fds[i], SENDERS));
        CHECK_OK(fcntl(fds[i], F_SETFL, O_NONBLOCK));
        port = port_of(fds[i]);
    }
    int clients[SENDERS];
    for (int i = 0; i < SENDERS; i++) clients[i] = connect_to(SOCK_STREAM, port);
    int all = 0;
    for (int n = 0; n < SOCKETS; n++) {
        while (accept(fds[n], NULL, NULL) >= 0) got[n]++;
        all += got[n];
        CHECK(got[n] > 0);
    }
    CHECK_EQ(all, SENDERS);
}
