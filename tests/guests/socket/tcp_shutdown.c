// Half closes: the other half goes on working.
#include "net.h"

int main(void) {
    int pair[2];
    tcp_pair(pair);
    char text[8];
    CHECK_EQ(send(pair[0], "last", 4, 0), 4);
    CHECK_OK(shutdown(pair[0], SHUT_WR));
    CHECK_ERRNO(send(pair[0], "x", 1, MSG_NOSIGNAL), EPIPE);
    CHECK_EQ(recv(pair[1], text, 8, MSG_WAITALL), 4);
    CHECK_EQ(recv(pair[1], text, 8, 0), 0);
    CHECK(poll_one(pair[1], POLLIN | POLLRDHUP, 0) == (POLLIN | POLLRDHUP));
    CHECK_EQ(send(pair[1], "reply", 5, 0), 5);
    CHECK_EQ(recv(pair[0], text, 5, MSG_WAITALL), 5);
    CHECK_OK(shutdown(pair[1], SHUT_WR));
    CHECK_EQ(recv(pair[0], text, 8, 0), 0);
    int events = poll_one(pair[0], POLLIN | POLLOUT, 1000);
    CHECK((events & (POLLIN | POLLOUT | POLLHUP)) == (POLLIN | POLLOUT | POLLHUP));

    // One's own reading end: what comes is still read, and nothing is waited for.
    tcp_pair(pair);
    CHECK_OK(shutdown(pair[0], SHUT_RD));
    CHECK_EQ(recv(pair[0], text, 8, 0), 0);
    return 0;
}
