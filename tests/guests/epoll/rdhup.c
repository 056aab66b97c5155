// EPOLLRDHUP and EPOLLHUP: half and full closes of a stream.
#include "check.h"
#include <sys/epoll.h>
#include <sys/socket.h>

int main(void) {
    int epoll = CHECK_OK(epoll_create1(0)), pair[2];
    CHECK_OK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
    struct epoll_event event = {EPOLLIN | EPOLLRDHUP, {0}}, got;
    CHECK_OK(epoll_ctl(epoll, EPOLL_CTL_ADD, pair[0], &event));
    CHECK_EQ(epoll_wait(epoll, &got, 1, 0), 0);
    CHECK_OK(shutdown(pair[1], SHUT_WR));
    CHECK_EQ(epoll_wait(epoll, &got, 1, -1), 1);
    CHECK_EQ(got.events, EPOLLIN | EPOLLRDHUP);
    CHECK_OK(close(pair[1]));
    CHECK_EQ(epoll_wait(epoll, &got, 1, -1), 1);
    CHECK_EQ(got.events, EPOLLIN | EPOLLRDHUP | EPOLLHUP);
    return 0;
}
