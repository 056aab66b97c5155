// The times of keepalive are kept, bounded, and a living connection outlives them.
#include "hosts.h"

int main(void) {
    begin();
    int fd = stream_between(7118);
    say("off %d, idle %d, every %d, %d times", option_of(fd, SOL_SOCKET, SO_KEEPALIVE), option_of(fd, IPPROTO_TCP, TCP_KEEPIDLE),
        option_of(fd, IPPROTO_TCP, TCP_KEEPINTVL), option_of(fd, IPPROTO_TCP, TCP_KEEPCNT));
    option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
    option(fd, IPPROTO_TCP, TCP_KEEPIDLE, 1);
    option(fd, IPPROTO_TCP, TCP_KEEPINTVL, 1);
    option(fd, IPPROTO_TCP, TCP_KEEPCNT, 2);
    say("on %d, idle %d, every %d, %d times", option_of(fd, SOL_SOCKET, SO_KEEPALIVE), option_of(fd, IPPROTO_TCP, TCP_KEEPIDLE),
        option_of(fd, IPPROTO_TCP, TCP_KEEPINTVL), option_of(fd, IPPROTO_TCP, TCP_KEEPCNT));
    int wild = 0;
    say("no time: %s", error_text(setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &wild, sizeof wild)));
    wild = 40000;
    say("too long: %s", error_text(setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &wild, sizeof wild)));
    meet();
    sleep_ms(4000);
    say("poll %s", poll_text(polled(fd, POLLIN | POLLOUT, 0)));
    meet();
    char byte = 'x';
    CHECK_EQ(send(fd, &byte, 1, 0), 1);
    CHECK_EQ(recv(fd, &byte, 1, 0), 1);
    meet();
    return 0;
}
