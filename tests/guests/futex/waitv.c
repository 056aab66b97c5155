// futex_waitv: the first word of several that somebody wakes.
#include "check.h"
#include <linux/futex.h>
#ifndef SYS_futex_waitv
#define SYS_futex_waitv 449
#endif

static uint32_t words[3];
static struct { uint64_t value, address; uint32_t flags, reserved; } waiters[3];

static void *wake(void *argument) {
    uint32_t *word = argument;
    sleep_ms(10);
    while (syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0) == 0) sleep_ms(1);
    return NULL;
}

int main(void) {
    // 32-bit words of this process alone.
    for (int i = 0; i < 3; i++) waiters[i].address = (uintptr_t)&words[i], waiters[i].flags = 2 | 128;
    if (syscall(SYS_futex_waitv, waiters, 0, 0, NULL, 0) < 0 && errno == ENOSYS) return 0;
    CHECK_ERRNO(syscall(SYS_futex_waitv, waiters, 0, 0, NULL, 0), EINVAL);
    for (int i = 0; i < 3; i++) {
        pthread_t thread = thread_start(wake, &words[i]);
        CHECK_EQ(syscall(SYS_futex_waitv, waiters, 3, 0, NULL, 0), i);
        thread_join(thread);
    }
    words[2] = 1;
    CHECK_ERRNO(syscall(SYS_futex_waitv, waiters, 3, 0, NULL, 0), EAGAIN);
    words[2] = 0;
    struct timespec until;
    CHECK_OK(clock_gettime(CLOCK_MONOTONIC, &until));
    until.tv_sec += (until.tv_nsec + 10000000) / 1000000000;
    until.tv_nsec = (until.tv_nsec + 10000000) % 1000000000;
    CHECK_ERRNO(syscall(SYS_futex_waitv, waiters, 3, 0, &until, CLOCK_MONOTONIC), ETIMEDOUT);
    waiters[1].flags = 0;
    CHECK_ERRNO(syscall(SYS_futex_waitv, waiters, 3, 0, NULL, 0), EINVAL);
    return 0;
}
