// Sends into what is closed: EPIPE, and SIGPIPE unless the call or the process forbids it.
#include "net.h"
#include <sys/uio.h>

static volatile sig_atomic_t pipes;
static void broken(int sig) { (void)sig, pipes++; }

#define BREAKS(call, signals) \
    do { \
        pipes = 0; \
        CHECK_ERRNO(call, EPIPE); \
        CHECK_EQ(pipes, signals); \
    } while (0)

static void streams(int fd) {
    struct iovec vector = {"x", 1};
    struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1};
    struct mmsghdr many = {message, 0};
    BREAKS(send(fd, "x", 1, 0), 1);
    BREAKS(send(fd, "x", 1, MSG_NOSIGNAL), 0);
    BREAKS(write(fd, "x", 1), 1);
    BREAKS(writev(fd, &vector, 1), 1);
    BREAKS(sendmsg(fd, &message, 0), 1);
    BREAKS(sendmsg(fd, &message, MSG_NOSIGNAL), 0);
    BREAKS(sendmmsg(fd, &many, 1, 0), 1);
}

int main(void) {
    on_signal(SIGPIPE, broken, 0);
    int pair[2];
    tcp_pair(pair);
    CHECK_OK(shutdown(pair[0], SHUT_WR));
    streams(pair[0]);
    CHECK_OK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
    CHECK_OK(close(pair[1]));
    streams(pair[0]);
    CHECK_OK(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair));
    CHECK_OK(close(pair[1]));
    BREAKS(send(pair[0], "x", 1, 0), 0);
    CHECK_OK(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair));
    CHECK_OK(shutdown(pair[0], SHUT_WR));
    BREAKS(send(pair[0], "x", 1, 0), 0);
    int udp = connect_to(SOCK_DGRAM, port_of(bound(SOCK_DGRAM)));
    CHECK_OK(shutdown(udp, SHUT_WR));
    BREAKS(send(udp, "x", 1, 0), 0);
    // Who has died of it says so.
    pid_t pid;
    CHILD(pid) {
        on_signal(SIGPIPE, SIG_DFL, 0);
        send(pair[0], "x", 1, 0);
        tcp_pair(pair);
        CHECK_OK(shutdown(pair[0], SHUT_WR));
        send(pair[0], "x", 1, 0);
    }
    CHECK_KILLED(pid, SIGPIPE);
}
