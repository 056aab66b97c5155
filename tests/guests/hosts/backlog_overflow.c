// A full queue of a listener: connections beyond it are not refused, they wait, and time out when they may not.
#include "hosts.h"

int main(void) {
    begin();
    if (is_server) {
        int listener = listening_at(7104, 1);
        meet();
        meet();
        int taken = 0;
        while (polled(listener, POLLIN, 0)) {
            CHECK_OK(accept(listener, NULL, NULL));
            taken++;
        }
        say("taken %d", taken);
        meet();
    } else {
        struct sockaddr_in to = at("server", 7104);
        meet();
        for (int i = 0; i < 2; i++) {
            int fd = CHECK_OK(socket(AF_INET, SOCK_STREAM, 0));
            say("connection %d: %s", i, error_text(connect(fd, (void *)&to, sizeof to)));
        }
        int late = CHECK_OK(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
        option(late, IPPROTO_TCP, TCP_SYNCNT, 1);
        say("one too many: %s", error_text(connect(late, (void *)&to, sizeof to)));
        say("no answer in half a second: %d", polled(late, POLLOUT, 500) == 0);
        long long before = now_ms();
        say("poll %s", poll_text(polled(late, POLLOUT, 15000)));
        long long took = now_ms() - before;
        say("SO_ERROR %s", strerrorname_np(option_of(late, SOL_SOCKET, SO_ERROR)));
        say("after three seconds in all: %d", took > 1500 && took < 5000);
        meet();
        meet();
    }
    return 0;
}
