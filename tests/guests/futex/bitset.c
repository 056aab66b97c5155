// FUTEX_WAIT_BITSET: absolute times on both clocks; wakes only those whose bits match.
#include "check.h"
#include <linux/futex.h>

static int word, waiting;
static volatile int awake[2];
static void *wait_for_bits(void *index) {
    __atomic_add_fetch(&waiting, 1, __ATOMIC_SEQ_CST);
    CHECK_OK(syscall(SYS_futex, &word, FUTEX_WAIT_BITSET_PRIVATE, 0, NULL, NULL, 1 << (intptr_t)index));
    awake[(intptr_t)index] = 1;
    return NULL;
}

int main(void) {
    struct timespec end;
    CHECK_OK(clock_gettime(CLOCK_MONOTONIC, &end));
    CHECK_ERRNO(syscall(SYS_futex, &word, FUTEX_WAIT_BITSET, 0, &end, NULL, FUTEX_BITSET_MATCH_ANY), ETIMEDOUT);
    end.tv_nsec += 20000000;
    if (end.tv_nsec >= 1000000000) end.tv_sec++, end.tv_nsec -= 1000000000;
    CHECK_ERRNO(syscall(SYS_futex, &word, FUTEX_WAIT_BITSET, 0, &end, NULL, FUTEX_BITSET_MATCH_ANY), ETIMEDOUT);
    CHECK(clock_ns(CLOCK_MONOTONIC) >= end.tv_sec * 1000000000ll + end.tv_nsec);
    CHECK_OK(clock_gettime(CLOCK_REALTIME, &end));
    end.tv_nsec += 20000000;
    if (end.tv_nsec >= 1000000000) end.tv_sec++, end.tv_nsec -= 1000000000;
    CHECK_ERRNO(syscall(SYS_futex, &word, FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME, 0, &end, NULL, 1), ETIMEDOUT);
    CHECK_ERRNO(syscall(SYS_futex, &word, FUTEX_WAIT_BITSET, 0, NULL, NULL, 0), EINVAL);
    CHECK_ERRNO(syscall(SYS_futex, &word, FUTEX_WAKE_BITSET, 1, NULL, NULL, 0), EINVAL);
    pthread_t a = thread_start(wait_for_bits, (void *)0), b = thread_start(wait_for_bits, (void *)1);
    WAIT_UNTIL(__atomic_load_n(&waiting, __ATOMIC_SEQ_CST) == 2);
    CHECK_EQ(syscall(SYS_futex, &word, FUTEX_WAKE_BITSET_PRIVATE, INT_MAX, NULL, NULL, 4), 0);
    while (CHECK_OK(syscall(SYS_futex, &word, FUTEX_WAKE_BITSET_PRIVATE, INT_MAX, NULL, NULL, 2)) == 0) sleep_ms(1);
    thread_join(b);
    CHECK(!awake[0] && awake[1]);
    while (CHECK_OK(syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0)) == 0) sleep_ms(1);
    thread_join(a);
    return 0;
}
