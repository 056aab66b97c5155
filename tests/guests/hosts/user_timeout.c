// TCP_USER_TIMEOUT is kept, and bounds a connection attempt that nobody answers.
#include "hosts.h"

int main(void) {
    begin();
    if (is_server) {
        int listener = listening_at(7105, 0);
        meet();
        meet();
        CHECK_OK(close(listener));
    } else {
        struct sockaddr_in to = at("server", 7105);
        meet();
        int first = CHECK_OK(socket(AF_INET, SOCK_STREAM, 0));
        say("first: %s", error_text(connect(first, (void *)&to, sizeof to)));
        int fd = CHECK_OK(socket(AF_INET, SOCK_STREAM, 0));
        option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, 1500);
        say("kept: %d", option_of(fd, IPPROTO_TCP, TCP_USER_TIMEOUT));
        long long before = now_ms();
        say("second: %s", error_text(connect(fd, (void *)&to, sizeof to)));
        long long took = now_ms() - before;
        say("in time: %d", took >= 1000 && took < 4000);
        meet();
    }
    return 0;
}
