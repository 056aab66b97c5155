// The states of TCP_INFO at both ends through a connection's life.
#include "hosts.h"

static const char *state(int fd) {
    static const char *const names[] = {"none", "ESTABLISHED", "SYN_SENT", "SYN_RECV", "FIN_WAIT1", "FIN_WAIT2", "TIME_WAIT",
                                        "CLOSE", "CLOSE_WAIT", "LAST_ACK", "LISTEN", "CLOSING"};
    struct tcp_info info;
    socklen_t length = sizeof info;
    CHECK_OK(getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length));
    CHECK(info.tcpi_state < sizeof names / sizeof *names);
    return names[info.tcpi_state];
}

int main(void) {
    begin();
    int fresh = CHECK_OK(socket(AF_INET, SOCK_STREAM, 0));
    say("fresh: %s", state(fresh));
    int listener = listening_at(7124, 5);
    struct tcp_info info;
    socklen_t length = sizeof info;
    CHECK_OK(getsockopt(listener, IPPROTO_TCP, TCP_INFO, &info, &length));
    say("listener: %s, backlog %d, waiting %d", state(listener), info.tcpi_sacked, info.tcpi_unacked);
    int fd = stream_between(7123);
    say("connected: %s", state(fd));
    length = sizeof info;
    CHECK_OK(getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length));
    say("mss %u, ca %d, backoff %d", info.tcpi_snd_mss, info.tcpi_ca_state, info.tcpi_backoff);
    meet();
    if (is_server) {
        CHECK_OK(shutdown(fd, SHUT_WR));
        meet();
        let_arrive();
        say("sent its end: %s", state(fd));
        meet();
        meet();
        let_arrive();
        say("both ended: %s", state(fd));
    } else {
        meet();
        let_arrive();
        say("got the end: %s", state(fd));
        meet();
        CHECK_OK(shutdown(fd, SHUT_WR));
        meet();
        let_arrive();
        say("both ended: %s", state(fd));
    }
    meet();
    return 0;
}
