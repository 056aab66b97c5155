// Of instances that watch one pipe with EPOLLEXCLUSIVE, each in a thread of its own, a byte wakes one that waits.
#include "check.h"
#include <sys/epoll.h>

enum { WAITERS = 4 };
static int ends[2], woken;

static void *wait_once(void *argument) {
    int instance = CHECK_OK(epoll_create1(0));
    struct epoll_event event = {.events = EPOLLIN | EPOLLET | EPOLLEXCLUSIVE};
    CHECK_OK(epoll_ctl(instance, EPOLL_CTL_ADD, ends[0], &event));
    CHECK_EQ(epoll_wait(instance, &event, 1, 10000), 1);
    __atomic_add_fetch(&woken, 1, __ATOMIC_SEQ_CST);
    CHECK_OK(close(instance));
    return argument;
}

int main(void) {
    CHECK_OK(pipe(ends));
    pthread_t threads[WAITERS];
    for (int i = 0; i < WAITERS; i++) threads[i] = thread_start(wait_once, NULL);
    sleep_ms(200);
    for (int i = 1; i <= WAITERS; i++) {
        char byte = 0;
        CHECK_EQ(write(ends[1], &byte, 1), 1);
        WAIT_UNTIL(__atomic_load_n(&woken, __ATOMIC_SEQ_CST) == i);
        sleep_ms(50);
        CHECK_EQ(__atomic_load_n(&woken, __ATOMIC_SEQ_CST), i);
        CHECK_EQ(read(ends[0], &byte, 1), 1);
    }
    for (int i = 0; i < WAITERS; i++) thread_join(threads[i]);
    return 0;
}
