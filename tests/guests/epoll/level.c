// Level-triggered epoll: told as long as it is ready; its data come back; add, change, remove.
#include "check.h"
#include <sys/epoll.h>

int main(void) {
    int epoll = CHECK_OK(epoll_create1(EPOLL_CLOEXEC)), pipes[2];
    CHECK_EQ(fcntl(epoll, F_GETFD), FD_CLOEXEC);
    CHECK_OK(pipe(pipes));
    struct epoll_event event = {EPOLLIN, {.u64 = 0x1122334455667788}}, got[4];
    CHECK_OK(epoll_ctl(epoll, EPOLL_CTL_ADD, pipes[0], &event));
    CHECK_EQ(epoll_wait(epoll, got, 4, 0), 0);
    CHECK_EQ(write(pipes[1], "ab", 2), 2);
    char byte;
    for (int i = 0; i < 2; i++) {
        CHECK_EQ(epoll_wait(epoll, got, 4, -1), 1);
        CHECK_EQ(got[0].events, EPOLLIN);
        CHECK_EQ(got[0].data.u64, 0x1122334455667788);
        CHECK_EQ(read(pipes[0], &byte, 1), 1);
    }
    CHECK_EQ(epoll_wait(epoll, got, 4, 0), 0);
    event.events = EPOLLOUT;
    CHECK_OK(epoll_ctl(epoll, EPOLL_CTL_ADD, pipes[1], &event));
    CHECK_EQ(epoll_wait(epoll, got, 4, 0), 1);
    CHECK_EQ(got[0].events, EPOLLOUT);
    event.events = 0;
    CHECK_OK(epoll_ctl(epoll, EPOLL_CTL_MOD, pipes[1], &event));
    CHECK_EQ(epoll_wait(epoll, got, 4, 0), 0);
    CHECK_OK(close(pipes[0]));
    CHECK_EQ(epoll_wait(epoll, got, 4, 0), 1);
    CHECK_EQ(got[0].events, EPOLLERR);  // Told without being asked for.
    CHECK_OK(epoll_ctl(epoll, EPOLL_CTL_DEL, pipes[1], NULL));
    CHECK_EQ(epoll_wait(epoll, got, 4, 0), 0);
    return 0;
}
