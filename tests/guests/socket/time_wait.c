// A port whose connection rests in TIME_WAIT: a listener may have it with SO_REUSEADDR, and not without.
#include "net.h"

int main(void) {
    int listener = CHECK_OK(socket(AF_INET, SOCK_STREAM, 0)), on = 1;
    struct sockaddr_in address = loopback(0);
    CHECK_OK(setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on));
    CHECK_OK(bind(listener, (void *)&address, sizeof address));
    CHECK_OK(listen(listener, 3));
    address = loopback(port_of(listener));
    int client = connect_to(SOCK_STREAM, port_of(listener)), server = CHECK_OK(accept(listener, NULL, NULL));
    char byte;
    CHECK_OK(close(server));  // The server's end closes first, so it is the one that rests.
    CHECK_EQ(recv(client, &byte, 1, 0), 0);
    CHECK_OK(close(client));
    CHECK_OK(close(listener));
    int plain = CHECK_OK(socket(AF_INET, SOCK_STREAM, 0));
    CHECK_ERRNO(bind(plain, (void *)&address, sizeof address), EADDRINUSE);
    CHECK_OK(setsockopt(plain, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on));
    CHECK_OK(bind(plain, (void *)&address, sizeof address));
    CHECK_OK(listen(plain, 3));
}
