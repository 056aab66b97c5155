// What shutdown of each direction does at both ends.
#include "hosts.h"

int main(void) {
    begin();
    int fd = stream_between(7110);
    char buffer[16];
    if (is_server) {
        CHECK_OK(shutdown(fd, SHUT_RD));
        say("poll %s", poll_text(polled(fd, POLLIN | POLLOUT | POLLRDHUP, 0)));
        say("recv: %zd", recv(fd, buffer, sizeof buffer, 0));
        meet();
        meet();
        let_arrive();
        // Linux still takes what comes.
        say("recv of what came: %zd", recv(fd, buffer, sizeof buffer, MSG_DONTWAIT));
        say("send: %zd", send(fd, "ok", 2, MSG_NOSIGNAL));
        CHECK_OK(shutdown(fd, SHUT_WR));
        say("poll %s", poll_text(polled(fd, POLLIN | POLLOUT | POLLRDHUP, 0)));
    } else {
        meet();
        say("send: %zd", send(fd, "data", 4, MSG_NOSIGNAL));
        meet();
        say("recv: %zd", recv(fd, buffer, sizeof buffer, 0));
        say("end: %zd", recv(fd, buffer, sizeof buffer, 0));
        say("poll %s", poll_text(polled(fd, POLLIN | POLLOUT | POLLRDHUP, 0)));
    }
    meet();
    int unconnected = CHECK_OK(socket(AF_INET, SOCK_STREAM, 0));
    say("unconnected: %s", error_text(shutdown(unconnected, SHUT_RDWR)));
    say("no such direction: %s", error_text(shutdown(fd, 7)));
    meet();
    return 0;
}
