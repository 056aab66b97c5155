// One direction ends, the other goes on.
#include "hosts.h"

int main(void) {
    begin();
    int fd = stream_between(7106);
    char buffer[64] = "";
    if (is_server) {
        say("got %zd", recv(fd, buffer, sizeof buffer, MSG_WAITALL));
        say("poll %s", poll_text(polled(fd, POLLIN | POLLOUT | POLLRDHUP, 1000)));
        say("end: %zd", recv(fd, buffer, sizeof buffer, 0));
        CHECK_EQ(send(fd, "still here", 10, 0), 10);
        CHECK_OK(close(fd));
    } else {
        CHECK_EQ(send(fd, "question", 8, 0), 8);
        CHECK_OK(shutdown(fd, SHUT_WR));
        say("send after: %s", error_text(send(fd, "x", 1, MSG_NOSIGNAL)));
        say("got %zd", recv(fd, buffer, sizeof buffer, MSG_WAITALL));
        say("%s", buffer);
        let_arrive();
        say("poll %s", poll_text(polled(fd, POLLIN | POLLOUT | POLLRDHUP, 1000)));
        say("end: %zd", recv(fd, buffer, sizeof buffer, 0));
        say("shutdown again: %s", error_text(shutdown(fd, SHUT_RDWR)));
    }
    meet();
    return 0;
}
