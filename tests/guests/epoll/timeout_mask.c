// Timeouts of epoll_wait, epoll_pwait and epoll_pwait2, and the mask for the time of the wait.
#include "check.h"
#include <sys/epoll.h>

static volatile int hits;
static void handler(int sig) { hits++; }

int main(void) {
    int epoll = CHECK_OK(epoll_create1(0));
    struct epoll_event got;
    long long start = now_ms();
    CHECK_EQ(epoll_wait(epoll, &got, 1, 30), 0);
    CHECK(now_ms() - start >= 29);
    struct timespec little = {0, 20000000}, bad = {0, -1};
    start = now_ms();
    int result = epoll_pwait2(epoll, &got, 1, &little, NULL);
    if (result < 0) {
        CHECK_EQ(errno, ENOSYS);
    } else {
        CHECK_EQ(result, 0);
        CHECK(now_ms() - start >= 19);
        CHECK_ERRNO(epoll_pwait2(epoll, &got, 1, &bad, NULL), EINVAL);
    }
    on_signal(SIGUSR1, handler, 0);
    block_signal(SIG_BLOCK, SIGUSR1);
    CHECK_OK(raise(SIGUSR1));
    CHECK_EQ(epoll_wait(epoll, &got, 1, 0), 0);
    CHECK_EQ(hits, 0);
    sigset_t none;
    sigemptyset(&none);
    CHECK_ERRNO(epoll_pwait(epoll, &got, 1, 1000, &none), EINTR);
    CHECK_EQ(hits, 1);
    sigset_t mask;
    CHECK_OK(sigprocmask(SIG_BLOCK, NULL, &mask));
    CHECK_EQ(sigismember(&mask, SIGUSR1), 1);
    return 0;
}
