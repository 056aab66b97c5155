// A closed descriptor leaves its epolls, unless a duplicate keeps the open file.
#include "check.h"
#include <sys/epoll.h>
#include <sys/eventfd.h>

int main(void) {
    int epoll = CHECK_OK(epoll_create1(0)), fd = CHECK_OK(eventfd(1, 0));
    struct epoll_event event = {EPOLLIN, {.u32 = 7}}, got;
    CHECK_OK(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event));
    CHECK_OK(close(fd));
    CHECK_EQ(epoll_wait(epoll, &got, 1, 0), 0);
    fd = CHECK_OK(eventfd(1, 0));
    CHECK_OK(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event));  // The same number, another file.
    int copy = CHECK_OK(dup(fd));
    CHECK_OK(close(fd));
    CHECK_EQ(epoll_wait(epoll, &got, 1, 0), 1);  // It lives on by the copy.
    CHECK_EQ(got.data.u32, 7);
    CHECK_ERRNO(epoll_ctl(epoll, EPOLL_CTL_DEL, copy, NULL), ENOENT);  // And cannot be named by it.
    CHECK_OK(close(copy));
    CHECK_EQ(epoll_wait(epoll, &got, 1, 0), 0);
    // The same open file twice, by two numbers.
    fd = CHECK_OK(eventfd(1, 0));
    copy = CHECK_OK(dup(fd));
    CHECK_OK(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event));
    CHECK_OK(epoll_ctl(epoll, EPOLL_CTL_ADD, copy, &event));
    struct epoll_event both[2];
    CHECK_EQ(epoll_wait(epoll, both, 2, 0), 2);
    return 0;
}
