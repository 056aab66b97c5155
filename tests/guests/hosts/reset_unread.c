// Who closes with bytes unread resets the connection.
#include "hosts.h"

int main(void) {
    begin();
    int fd = stream_between(7107);
    char byte;
    if (is_server) {
        while (polled(fd, POLLIN, 1000) == 0) {}
        CHECK_OK(close(fd));
        meet();
    } else {
        CHECK_EQ(send(fd, "unread", 6, 0), 6);
        meet();
        let_arrive();
        say("poll %s", poll_text(polled(fd, POLLIN | POLLOUT | POLLRDHUP, 1000)));
        say("recv: %s", error_text(recv(fd, &byte, 1, 0)));
        say("recv then: %zd", recv(fd, &byte, 1, 0));
        say("send: %s", error_text(send(fd, "x", 1, MSG_NOSIGNAL)));
        struct sockaddr_in peer;
        socklen_t length = sizeof peer;
        say("peer: %s", error_text(getpeername(fd, (void *)&peer, &length)));
    }
    meet();
    return 0;
}
