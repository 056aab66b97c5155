// Every clock answers, never goes back, and says what its grain is.
#include "check.h"
#include <sys/time.h>

int main(void) {
    const clockid_t clocks[] = {CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_PROCESS_CPUTIME_ID, CLOCK_THREAD_CPUTIME_ID,
                                CLOCK_MONOTONIC_RAW, CLOCK_REALTIME_COARSE, CLOCK_MONOTONIC_COARSE, CLOCK_BOOTTIME, CLOCK_TAI};
    for (size_t i = 0; i < sizeof clocks / sizeof *clocks; i++) {
        long long last = clock_ns(clocks[i]);
        CHECK(last >= 0);
        for (int k = 0; k < 1000; k++) {
            long long now = clock_ns(clocks[i]);
            CHECK(now >= last);
            last = now;
        }
        struct timespec grain;
        CHECK_OK(clock_getres(clocks[i], &grain));
        CHECK(grain.tv_sec == 0 && grain.tv_nsec > 0 && grain.tv_nsec <= 10000000);
        struct timespec raw;
        CHECK_OK(syscall(SYS_clock_gettime, clocks[i], &raw));  // Not by the shared page.
        CHECK(raw.tv_sec * 1000000000ll + raw.tv_nsec >= last);
        CHECK(clock_ns(clocks[i]) >= raw.tv_sec * 1000000000ll + raw.tv_nsec);
    }
    struct timespec ts;
    CHECK_ERRNO(clock_gettime(99, &ts), EINVAL);
    CHECK_ERRNO(syscall(SYS_clock_gettime, CLOCK_MONOTONIC, 8L), EFAULT);
    CHECK_ERRNO(clock_settime(CLOCK_MONOTONIC, &ts), EINVAL);
    // The wall clock by its four names.
    long long wall = clock_ns(CLOCK_REALTIME) / 1000000000;
    struct timeval tv;
    CHECK_OK(gettimeofday(&tv, NULL));
    CHECK(tv.tv_sec - wall >= 0 && tv.tv_sec - wall < 5);
    CHECK(time(NULL) - wall < 5 && time(NULL) - wall >= -1);
    time_t stored;
    CHECK_EQ(time(&stored), stored);
    CHECK(syscall(SYS_time, NULL) - wall < 5);
    CHECK(wall > 1000000000);
    return 0;
}
