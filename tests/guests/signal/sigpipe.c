// A write to a pipe or stream that nobody reads: SIGPIPE, or EPIPE alone.
#include "check.h"
#include <sys/socket.h>

static volatile int hits;
static void handler(int sig) { hits++; }

int main(void) {
    int pipes[2], pair[2];
    CHECK_OK(pipe(pipes));
    CHECK_OK(close(pipes[0]));
    pid_t pid;
    CHILD(pid) {
        if (write(pipes[1], "x", 1)) {}
        _exit(1);
    }
    CHECK_KILLED(pid, SIGPIPE);
    on_signal(SIGPIPE, handler, 0);
    CHECK_ERRNO(write(pipes[1], "x", 1), EPIPE);
    CHECK_EQ(hits, 1);
    signal(SIGPIPE, SIG_IGN);
    CHECK_ERRNO(write(pipes[1], "x", 1), EPIPE);
    on_signal(SIGPIPE, handler, 0);
    CHECK_OK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
    CHECK_OK(close(pair[0]));
    CHECK_ERRNO(send(pair[1], "x", 1, MSG_NOSIGNAL), EPIPE);
    CHECK_EQ(hits, 1);
    CHECK_ERRNO(send(pair[1], "x", 1, 0), EPIPE);
    CHECK_EQ(hits, 2);
    return 0;
}
