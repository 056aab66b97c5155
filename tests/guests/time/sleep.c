// Sleeps last as long as asked at least; absolute ones end at their time; bad ones are refused.
#include "check.h"

int main(void) {
    long long start = clock_ns(CLOCK_MONOTONIC);
    struct timespec time = {0, 20000000};
    CHECK_OK(nanosleep(&time, NULL));
    CHECK(clock_ns(CLOCK_MONOTONIC) - start >= 20000000);
    const clockid_t clocks[] = {CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_BOOTTIME};
    for (int i = 0; i < 3; i++) {
        CHECK_OK(clock_gettime(clocks[i], &time));
        long long end = clock_ns(clocks[i]) + 20000000;
        time.tv_sec = end / 1000000000, time.tv_nsec = end % 1000000000;
        CHECK_EQ(clock_nanosleep(clocks[i], TIMER_ABSTIME, &time, NULL), 0);
        CHECK(clock_ns(clocks[i]) >= end);
        CHECK_EQ(clock_nanosleep(clocks[i], TIMER_ABSTIME, &time, NULL), 0);  // In the past: at once.
    }
    start = clock_ns(CLOCK_MONOTONIC);
    CHECK_OK(usleep(10000));
    CHECK(clock_ns(CLOCK_MONOTONIC) - start >= 10000000);
    time = (struct timespec){0, 1000000000};
    CHECK_ERRNO(nanosleep(&time, NULL), EINVAL);
    time = (struct timespec){-1, 0};
    CHECK_ERRNO(nanosleep(&time, NULL), EINVAL);
    time = (struct timespec){0, 0};
    CHECK_OK(nanosleep(&time, NULL));
    CHECK_EQ(clock_nanosleep(99, 0, &time, NULL), EINVAL);
    CHECK_EQ(clock_nanosleep(CLOCK_THREAD_CPUTIME_ID, 0, &time, NULL), EINVAL);
    CHECK_ERRNO(syscall(SYS_nanosleep, 8L, NULL), EFAULT);
    return 0;
}
