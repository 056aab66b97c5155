// A non-blocking connection: what each call says before, at and after its success.
#include "hosts.h"

int main(void) {
    begin();
    if (is_server) {
        int listener = listening_at(7125, 4);
        meet();
        int fd = CHECK_OK(accept(listener, NULL, NULL));
        CHECK_EQ(send(fd, "hi", 2, 0), 2);
        meet();
    } else {
        meet();
        struct sockaddr_in to = at("server", 7125);
        int fd = CHECK_OK(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
        say("before: %s, poll %s", error_text(send(fd, "x", 1, MSG_NOSIGNAL)), poll_text(polled(fd, POLLIN | POLLOUT, 0)));
        say("first: %s", error_text(connect(fd, (void *)&to, sizeof to)));
        say("poll %s", poll_text(polled(fd, POLLOUT, 5000)));
        say("SO_ERROR %d", option_of(fd, SOL_SOCKET, SO_ERROR));
        // The first of these completes the attempt, the next finds it complete.
        say("second: %s", error_text(connect(fd, (void *)&to, sizeof to)));
        say("third: %s", error_text(connect(fd, (void *)&to, sizeof to)));
        char buffer[4];
        CHECK(polled(fd, POLLIN, 5000));
        say("data %zd", recv(fd, buffer, sizeof buffer, 0));
        say("none left: %s", error_text(recv(fd, buffer, sizeof buffer, 0)));
        meet();
    }
    meet();
    return 0;
}
