// timerfd: single, repeated, absolute; what is left; readiness.
#include "check.h"
#include <poll.h>
#include <sys/timerfd.h>

int main(void) {
    int fd = CHECK_OK(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC));
    uint64_t count;
    CHECK_ERRNO(read(fd, &count, 8), EAGAIN);
    struct itimerspec timer = {{0, 0}, {0, 20000000}}, now;
    long long start = now_ms();
    CHECK_OK(timerfd_settime(fd, 0, &timer, NULL));
    CHECK_OK(timerfd_gettime(fd, &now));
    CHECK(now.it_value.tv_sec == 0 && now.it_value.tv_nsec <= 20000000 && now.it_interval.tv_nsec == 0);
    struct pollfd ready = {fd, POLLIN, 0};
    CHECK_EQ(poll(&ready, 1, 5000), 1);
    CHECK(now_ms() - start >= 19);
    CHECK_EQ(read(fd, &count, 8), 8);
    CHECK_EQ(count, 1);
    CHECK_OK(timerfd_gettime(fd, &now));
    CHECK_EQ(now.it_value.tv_nsec, 0);
    CHECK_EQ(poll(&ready, 1, 0), 0);

    timer = (struct itimerspec){{0, 10000000}, {0, 10000000}};
    start = clock_ns(CLOCK_MONOTONIC);
    CHECK_OK(timerfd_settime(fd, 0, &timer, NULL));
    sleep_ms(35);
    CHECK_EQ(read(fd, &count, 8), 8);
    long long passed = clock_ns(CLOCK_MONOTONIC) - start;
    CHECK(count >= 3 && count <= passed / 10000000);
    CHECK_ERRNO(read(fd, &count, 4), EINVAL);
    timer.it_value.tv_nsec = timer.it_interval.tv_nsec = 0;
    CHECK_OK(timerfd_settime(fd, 0, &timer, &now));
    CHECK_EQ(now.it_interval.tv_nsec, 10000000);

    // Absolute, in the past: at once.
    fd = CHECK_OK(timerfd_create(CLOCK_REALTIME, 0));
    timer = (struct itimerspec){{0, 0}, {1, 0}};
    CHECK_OK(timerfd_settime(fd, TFD_TIMER_ABSTIME, &timer, NULL));
    CHECK_EQ(read(fd, &count, 8), 8);
    CHECK_EQ(count, 1);
    CHECK_OK(clock_gettime(CLOCK_REALTIME, &timer.it_value));
    timer.it_value.tv_nsec += 20000000;
    if (timer.it_value.tv_nsec >= 1000000000) timer.it_value.tv_sec++, timer.it_value.tv_nsec -= 1000000000;
    CHECK_OK(timerfd_settime(fd, TFD_TIMER_ABSTIME, &timer, NULL));
    CHECK_EQ(read(fd, &count, 8), 8);
    CHECK(clock_ns(CLOCK_REALTIME) >= timer.it_value.tv_sec * 1000000000ll + timer.it_value.tv_nsec);
    timer.it_value.tv_nsec = 1000000000;
    CHECK_ERRNO(timerfd_settime(fd, 0, &timer, NULL), EINVAL);
    CHECK_ERRNO(timerfd_create(99, 0), EINVAL);
    CHECK_ERRNO(timerfd_create(CLOCK_MONOTONIC, 0x100), EINVAL);
    CHECK_ERRNO(timerfd_gettime(0, &now), EINVAL);
    CHECK_ERRNO(write(fd, &count, 8), EINVAL);
    return 0;
}
