// EPOLLONESHOT: told once, then silent until armed again.
#include "check.h"
#include <sys/epoll.h>
#include <sys/eventfd.h>

int main(void) {
    int epoll = CHECK_OK(epoll_create1(0)), fd = CHECK_OK(eventfd(1, 0));
    struct epoll_event event = {EPOLLIN | EPOLLONESHOT, {.fd = fd}}, got;
    CHECK_OK(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event));
    CHECK_EQ(epoll_wait(epoll, &got, 1, 0), 1);
    CHECK_EQ(epoll_wait(epoll, &got, 1, 0), 0);
    CHECK_ERRNO(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event), EEXIST);
    CHECK_OK(epoll_ctl(epoll, EPOLL_CTL_MOD, fd, &event));
    CHECK_EQ(epoll_wait(epoll, &got, 1, 0), 1);
    CHECK_EQ(epoll_wait(epoll, &got, 1, 5), 0);
    return 0;
}
