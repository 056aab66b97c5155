// Edge-triggered epoll: told once for each arrival.
#include "check.h"
#include <sys/epoll.h>
#include <sys/socket.h>

int main(void) {
    int epoll = CHECK_OK(epoll_create1(0)), pair[2];
    CHECK_OK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair));
    struct epoll_event event = {EPOLLIN | EPOLLOUT | EPOLLET, {.fd = pair[0]}}, got[4];
    CHECK_OK(epoll_ctl(epoll, EPOLL_CTL_ADD, pair[0], &event));
    CHECK_EQ(epoll_wait(epoll, got, 4, 0), 1);
    CHECK_EQ(got[0].events, EPOLLOUT);
    CHECK_EQ(epoll_wait(epoll, got, 4, 0), 0);
    CHECK_EQ(write(pair[1], "abc", 3), 3);
    CHECK_EQ(epoll_wait(epoll, got, 4, -1), 1);
    CHECK(got[0].events & EPOLLIN);
    CHECK_EQ(epoll_wait(epoll, got, 4, 0), 0);
    char byte;
    CHECK_EQ(read(pair[0], &byte, 1), 1);
    CHECK_EQ(epoll_wait(epoll, got, 4, 0), 0);  // Some is left, but nothing is new.
    CHECK_EQ(write(pair[1], "d", 1), 1);
    CHECK_EQ(epoll_wait(epoll, got, 4, 0), 1);
    // Changing the interest asks anew.
    CHECK_OK(epoll_ctl(epoll, EPOLL_CTL_MOD, pair[0], &event));
    CHECK_EQ(epoll_wait(epoll, got, 4, 0), 1);
    CHECK_EQ(epoll_wait(epoll, got, 4, 0), 0);
    CHECK_OK(close(pair[1]));
    CHECK_EQ(epoll_wait(epoll, got, 4, 0), 1);
    CHECK(got[0].events & EPOLLHUP);
    CHECK_EQ(epoll_wait(epoll, got, 4, 0), 0);
    return 0;
}
