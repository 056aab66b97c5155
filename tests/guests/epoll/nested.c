// An epoll inside an epoll is ready when something in it is; loops are refused.
#include "check.h"
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

int main(void) {
    int outer = CHECK_OK(epoll_create1(0)), inner = CHECK_OK(epoll_create1(0)), fd = CHECK_OK(eventfd(0, 0));
    struct epoll_event event = {EPOLLIN, {.u32 = 1}}, got;
    CHECK_OK(epoll_ctl(outer, EPOLL_CTL_ADD, inner, &event));
    event.data.u32 = 2;
    CHECK_OK(epoll_ctl(inner, EPOLL_CTL_ADD, fd, &event));
    CHECK_EQ(epoll_wait(outer, &got, 1, 0), 0);
    struct pollfd ready = {outer, POLLIN, 0};
    CHECK_EQ(poll(&ready, 1, 0), 0);
    CHECK_OK(eventfd_write(fd, 1));
    CHECK_EQ(poll(&ready, 1, 0), 1);
    CHECK_EQ(epoll_wait(outer, &got, 1, -1), 1);
    CHECK_EQ(got.data.u32, 1);
    CHECK_EQ(epoll_wait(inner, &got, 1, 0), 1);
    CHECK_EQ(got.data.u32, 2);
    eventfd_t value;
    CHECK_OK(eventfd_read(fd, &value));
    CHECK_EQ(epoll_wait(outer, &got, 1, 0), 0);
    CHECK_ERRNO(epoll_ctl(inner, EPOLL_CTL_ADD, outer, &event), ELOOP);
    return 0;
}
