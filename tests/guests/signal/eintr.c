// A handler without SA_RESTART interrupts slow calls with EINTR.
#include "check.h"
#include <poll.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/select.h>
#include <sys/socket.h>

static volatile int hits;
static void handler(int sig) { hits++; }

// After the call has begun; or before it, and then the next one does.
static void soon(void) { ualarm(15000, 15000); }

int main(void) {
    on_signal(SIGALRM, handler, 0);
    int pipes[2], pair[2];
    CHECK_OK(pipe(pipes));
    CHECK_OK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
    char byte, block[65536] = {0};
    soon();
    CHECK_ERRNO(read(pipes[0], &byte, 1), EINTR);
    CHECK_ERRNO(recv(pair[0], &byte, 1, 0), EINTR);
    CHECK_ERRNO(pause(), EINTR);
    struct pollfd ready = {pipes[0], POLLIN, 0};
    CHECK_ERRNO(poll(&ready, 1, -1), EINTR);
    fd_set reads;
    FD_ZERO(&reads);
    FD_SET(pipes[0], &reads);
    CHECK_ERRNO(select(pipes[0] + 1, &reads, NULL, NULL, NULL), EINTR);
    int epoll = CHECK_OK(epoll_create1(0));
    struct epoll_event event = {EPOLLIN, {0}};
    CHECK_ERRNO(epoll_wait(epoll, &event, 1, -1), EINTR);
    CHECK_EQ(write(pipes[1], block, sizeof block), sizeof block);
    CHECK_ERRNO(write(pipes[1], block, 1), EINTR);
    pid_t pid;
    CHILD(pid) {
        for (;;) pause();
    }
    CHECK_ERRNO(waitpid(pid, NULL, 0), EINTR);
    CHECK_OK(kill(pid, SIGKILL));
    ualarm(0, 0);
    CHECK_KILLED(pid, SIGKILL);
    CHECK(hits >= 8);
    // A write that has passed on something returns that.
    CHECK_EQ(read(pipes[0], block, 100), 100);
    soon();
    CHECK_EQ(read(pipes[0], block, 4096 - 100), 4096 - 100);
    ssize_t wrote = write(pipes[1], block, sizeof block);
    CHECK(wrote > 0 && wrote < sizeof block);
    return 0;
}
