// Threads in one epoll_wait: an edge wakes one of them; with EPOLLEXCLUSIVE across several epolls at least one.
#include "check.h"
#include <sys/epoll.h>
#include <sys/eventfd.h>

static int epoll, fd, woken;
static void *wait_once(void *unused) {
    struct epoll_event got;
    if (CHECK_OK(epoll_wait(epoll, &got, 1, -1)) == 1) __atomic_add_fetch(&woken, 1, __ATOMIC_SEQ_CST);
    return NULL;
}
static void *wait_exclusive(void *counter) {
    int own = CHECK_OK(epoll_create1(0));
    struct epoll_event event = {EPOLLIN | EPOLLEXCLUSIVE, {0}};
    CHECK_OK(epoll_ctl(own, EPOLL_CTL_ADD, fd, &event));
    CHECK_ERRNO(epoll_ctl(own, EPOLL_CTL_MOD, fd, &event), EINVAL);
    __atomic_add_fetch((int *)counter, 1, __ATOMIC_SEQ_CST);
    eventfd_t value;
    // The semaphore gives one at a time: each thread that gets one ends.
    while (epoll_wait(own, &event, 1, -1) < 1 || read(fd, &value, sizeof value) < 0) {}
    return NULL;
}

int main(void) {
    epoll = CHECK_OK(epoll_create1(0));
    fd = CHECK_OK(eventfd(0, 0));
    struct epoll_event event = {EPOLLIN | EPOLLET, {0}};
    CHECK_OK(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event));
    pthread_t threads[3];
    for (int i = 0; i < 3; i++) threads[i] = thread_start(wait_once, NULL);
    for (int i = 0; i < 3; i++) {
        sleep_ms(20);
        CHECK_OK(eventfd_write(fd, 1));
        WAIT_UNTIL(__atomic_load_n(&woken, __ATOMIC_SEQ_CST) >= i + 1);
        CHECK_EQ(__atomic_load_n(&woken, __ATOMIC_SEQ_CST), i + 1);
    }
    for (int i = 0; i < 3; i++) thread_join(threads[i]);
    int counter = 0;
    fd = CHECK_OK(eventfd(0, EFD_SEMAPHORE | EFD_NONBLOCK));
    for (int i = 0; i < 3; i++) threads[i] = thread_start(wait_exclusive, &counter);
    WAIT_UNTIL(__atomic_load_n(&counter, __ATOMIC_SEQ_CST) == 3);
    for (int i = 0; i < 3; i++) CHECK_OK(eventfd_write(fd, 1));
    for (int i = 0; i < 3; i++) thread_join(threads[i]);
    return 0;
}
