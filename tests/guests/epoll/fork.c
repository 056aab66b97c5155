// A child's copy of an epoll descriptor is the same epoll.
#include "check.h"
#include <sys/epoll.h>
#include <sys/eventfd.h>

int main(void) {
    int epoll = CHECK_OK(epoll_create1(0)), fd = CHECK_OK(eventfd(0, 0));
    struct epoll_event event = {EPOLLIN, {.u32 = 3}}, got;
    pid_t pid;
    CHILD(pid) {
        CHECK_OK(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event));
        CHECK_OK(eventfd_write(fd, 1));
    }
    CHECK_EQ(epoll_wait(epoll, &got, 1, 5000), 1);
    CHECK_EQ(got.data.u32, 3);
    CHECK_EXIT(pid, 0);
    return 0;
}
