// SO_LINGER with a time of 0: closing resets, and what was not read yet can still be read or is lost as Linux has it.
#include "hosts.h"

int main(void) {
    begin();
    int fd = stream_between(7108);
    char buffer[16];
    if (is_server) {
        struct linger linger = {1, 0};
        CHECK_OK(setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger));
        CHECK_EQ(send(fd, "last words", 10, 0), 10);
        meet();
        CHECK_OK(close(fd));
        meet();
    } else {
        meet();
        let_arrive();
        meet();
        let_arrive();
        say("poll %s", poll_text(polled(fd, POLLIN | POLLOUT | POLLRDHUP, 1000)));
        say("recv: %s", error_text(recv(fd, buffer, sizeof buffer, 0)));
        say("recv then: %s", error_text(recv(fd, buffer, sizeof buffer, 0)));
        say("send: %s", error_text(send(fd, "x", 1, MSG_NOSIGNAL)));
    }
    meet();
    return 0;
}
