// Nobody listens: the answer of the other host's kernel is ECONNREFUSED, blocking or not.
#include "hosts.h"

int main(void) {
    begin();
    if (!is_server) {
        struct sockaddr_in to = at("server", 7101);
        int fd = CHECK_OK(socket(AF_INET, SOCK_STREAM, 0));
        say("blocking: %s", error_text(connect(fd, (void *)&to, sizeof to)));
        say("SO_ERROR after: %d, poll %s", option_of(fd, SOL_SOCKET, SO_ERROR), poll_text(polled(fd, POLLIN | POLLOUT, 0)));
        int other = CHECK_OK(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
        say("non-blocking: %s", error_text(connect(other, (void *)&to, sizeof to)));
        int events = polled(other, POLLIN | POLLOUT | POLLRDHUP, 5000);
        say("poll %s", poll_text(events));
        say("SO_ERROR %s", strerrorname_np(option_of(other, SOL_SOCKET, SO_ERROR)));
        say("poll then %s", poll_text(polled(other, POLLIN | POLLOUT | POLLRDHUP, 0)));
        say("send: %s", error_text(send(other, "x", 1, MSG_NOSIGNAL)));
        // The socket can be used again.
        to.sin_port = htons(7102);
        meet();
        say("again: %s", error_text(connect(fd, (void *)&to, sizeof to)));
    } else {
        int listener = listening_at(7102, 1);
        meet();
        CHECK_OK(accept(listener, NULL, NULL));
    }
    meet();
    return 0;
}
