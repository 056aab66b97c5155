// O_ASYNC: a signal when a descriptor becomes ready, with its number and reason.
#include "check.h"
#include <poll.h>
#include <sys/socket.h>

static volatile siginfo_t got;
static volatile int hits;
static void handler(int sig, siginfo_t *info, void *context) {
    got = *info;
    hits++;
}

int main(void) {
    on_siginfo(SIGIO, handler, 0);
    on_siginfo(SIGRTMIN, handler, 0);
    int pair[2];
    CHECK_OK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
    CHECK_EQ(fcntl(pair[0], F_GETOWN), 0);
    CHECK_OK(fcntl(pair[0], F_SETOWN, getpid()));
    CHECK_EQ(fcntl(pair[0], F_GETOWN), getpid());
    CHECK_OK(fcntl(pair[0], F_SETFL, O_ASYNC | O_NONBLOCK));
    CHECK_EQ(write(pair[1], "x", 1), 1);
    WAIT_UNTIL(hits >= 1);
    CHECK_EQ(got.si_signo, SIGIO);
    hits = 0;
    CHECK_OK(fcntl(pair[0], F_SETSIG, SIGRTMIN));
    CHECK_EQ(fcntl(pair[0], F_GETSIG), SIGRTMIN);
    CHECK_EQ(write(pair[1], "x", 1), 1);
    WAIT_UNTIL(hits >= 1);
    CHECK_EQ(got.si_signo, SIGRTMIN);
    CHECK_EQ(got.si_code, POLL_IN);
    CHECK_EQ(got.si_fd, pair[0]);
    return 0;
}
