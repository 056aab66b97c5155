// A descriptor added, changed or made ready while another thread waits wakes that thread.
#include "check.h"
#include <sys/epoll.h>
#include <sys/eventfd.h>

static int epoll;
static void *wait_one(void *unused) {
    struct epoll_event got;
    CHECK_EQ(epoll_wait(epoll, &got, 1, 5000), 1);
    return (void *)(intptr_t)got.data.u32;
}

int main(void) {
    epoll = CHECK_OK(epoll_create1(0));
    int fd = CHECK_OK(eventfd(1, 0));
    struct epoll_event event = {EPOLLIN, {.u32 = 11}};
    pthread_t thread = thread_start(wait_one, NULL);
    sleep_ms(20);
    CHECK_OK(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event));
    CHECK_EQ((intptr_t)thread_join(thread), 11);
    event.events = 0;
    CHECK_OK(epoll_ctl(epoll, EPOLL_CTL_MOD, fd, &event));
    thread = thread_start(wait_one, NULL);
    sleep_ms(20);
    event = (struct epoll_event){EPOLLIN, {.u32 = 12}};
    CHECK_OK(epoll_ctl(epoll, EPOLL_CTL_MOD, fd, &event));
    CHECK_EQ((intptr_t)thread_join(thread), 12);
    return 0;
}
