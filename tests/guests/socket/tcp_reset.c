// Closing with unread data, or with a linger time of zero, resets the connection.
#include "net.h"

int main(void) {
    int pair[2];
    char text[8];
    tcp_pair(pair);
    CHECK_EQ(send(pair[0], "unread", 6, 0), 6);
    CHECK(poll_one(pair[1], POLLIN, 5000) & POLLIN);
    CHECK_OK(close(pair[1]));
    CHECK(poll_one(pair[0], POLLIN, 5000) & (POLLERR | POLLHUP));
    CHECK_ERRNO(recv(pair[0], text, 8, 0), ECONNRESET);
    CHECK_EQ(recv(pair[0], text, 8, 0), 0);  // Told once.
    CHECK_ERRNO(send(pair[0], "x", 1, MSG_NOSIGNAL), EPIPE);

    tcp_pair(pair);
    struct linger linger = {1, 0};
    CHECK_OK(setsockopt(pair[1], SOL_SOCKET, SO_LINGER, &linger, sizeof linger));
    CHECK_OK(close(pair[1]));
    CHECK(poll_one(pair[0], POLLIN, 5000) & POLLERR);
    CHECK_EQ(socket_error(pair[0]), ECONNRESET);

    // A plain close: first the data, then the end; a send to it goes out, the next one fails.
    tcp_pair(pair);
    CHECK_EQ(send(pair[1], "bye", 3, 0), 3);
    CHECK_OK(close(pair[1]));
    CHECK_EQ(recv(pair[0], text, 8, MSG_WAITALL), 3);
    CHECK_EQ(recv(pair[0], text, 8, 0), 0);
    CHECK_EQ(send(pair[0], "x", 1, MSG_NOSIGNAL), 1);
    CHECK(poll_one(pair[0], 0, 5000) & (POLLERR | POLLHUP));
    int failed = send(pair[0], "x", 1, MSG_NOSIGNAL);
    CHECK_EQ(failed, -1);
    CHECK(errno == EPIPE || errno == ECONNRESET);
    return 0;
}
