// ppoll and pselect with their masks; select with its sets and its remaining time.
#include "check.h"
#include <poll.h>
#include <sys/select.h>

static volatile int hits;
static void handler(int sig) { hits++; }

int main(void) {
    int pipes[2];
    CHECK_OK(pipe(pipes));
    fd_set reads, writes;
    FD_ZERO(&reads);
    FD_ZERO(&writes);
    FD_SET(pipes[0], &reads);
    FD_SET(pipes[1], &writes);
    CHECK_EQ(select(pipes[1] + 1, &reads, &writes, NULL, NULL), 1);
    CHECK(!FD_ISSET(pipes[0], &reads) && FD_ISSET(pipes[1], &writes));
    struct timeval time = {0, 30000};
    FD_SET(pipes[0], &reads);
    CHECK_EQ(select(pipes[0] + 1, &reads, NULL, NULL, &time), 0);
    CHECK(!FD_ISSET(pipes[0], &reads));
    CHECK(time.tv_sec == 0 && time.tv_usec == 0);  // Linux tells what is left.
    CHECK_EQ(write(pipes[1], "x", 1), 1);
    FD_SET(pipes[0], &reads);
    time = (struct timeval){5, 0};
    CHECK_EQ(select(pipes[0] + 1, &reads, NULL, NULL, &time), 1);
    CHECK(time.tv_sec >= 3);
    FD_ZERO(&reads);
    int closed = CHECK_OK(dup(0));
    CHECK_OK(close(closed));
    FD_SET(closed, &reads);
    time = (struct timeval){0, 0};
    // A number far above all that are open is not even looked at.
    CHECK_ERRNO(select(closed + 1, &reads, NULL, NULL, &time), EBADF);
    CHECK_ERRNO(select(-1, &reads, NULL, NULL, &time), EINVAL);
    time = (struct timeval){-1, 0};
    CHECK_ERRNO(select(0, NULL, NULL, NULL, &time), EINVAL);

    on_signal(SIGUSR1, handler, 0);
    block_signal(SIG_BLOCK, SIGUSR1);
    CHECK_OK(raise(SIGUSR1));
    sigset_t none;
    sigemptyset(&none);
    struct timespec second = {1, 0};
    CHECK_ERRNO(pselect(0, NULL, NULL, NULL, &second, &none), EINTR);
    CHECK_EQ(hits, 1);
    CHECK(second.tv_sec == 1);
    CHECK_OK(raise(SIGUSR1));
    CHECK_ERRNO(ppoll(NULL, 0, &second, &none), EINTR);
    CHECK_EQ(hits, 2);
    struct timespec little = {0, 10000000};
    CHECK_EQ(ppoll(NULL, 0, &little, &none), 0);
    CHECK_OK(raise(SIGUSR1));
    // Something is ready: that is told, and the signal waits on.
    struct pollfd ready = {pipes[0], POLLIN, 0};
    CHECK_EQ(ppoll(&ready, 1, NULL, NULL), 1);
    CHECK_EQ(hits, 2);
    return 0;
}
