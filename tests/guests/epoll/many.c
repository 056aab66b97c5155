// Hundreds of descriptors: each told, in turns when the array is small.
#include "check.h"
#include <sys/epoll.h>
#include <sys/eventfd.h>

int main(void) {
    struct rlimit limit = {1024, 1024};
    setrlimit(RLIMIT_NOFILE, &limit);
    int epoll = CHECK_OK(epoll_create1(0)), fds[300];
    for (int i = 0; i < 300; i++) {
        fds[i] = CHECK_OK(eventfd(0, 0));
        struct epoll_event event = {EPOLLIN, {.u32 = i}};
        CHECK_OK(epoll_ctl(epoll, EPOLL_CTL_ADD, fds[i], &event));
    }
    for (int i = 0; i < 300; i += 3) CHECK_OK(eventfd_write(fds[i], 1));
    struct epoll_event got[10];
    bool seen[300] = {0};
    // Level-triggered ones go to the end of the line, so ten rounds of ten see all hundred.
    for (int round = 0; round < 10; round++) {
        CHECK_EQ(epoll_wait(epoll, got, 10, 0), 10);
        for (int i = 0; i < 10; i++) {
            CHECK_EQ(got[i].data.u32 % 3, 0);
            CHECK(!seen[got[i].data.u32]);
            seen[got[i].data.u32] = true;
        }
    }
    return 0;
}
