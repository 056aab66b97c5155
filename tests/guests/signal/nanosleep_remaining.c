// An interrupted sleep tells how much of it is left; an absolute one does not.
#include "check.h"

static void handler(int sig) {}

static long long begun;

// What is left and what has passed are together no less than what was asked for.
static void check_left(struct timespec left) {
    long long ns = left.tv_sec * 1000000000ll + left.tv_nsec;
    CHECK(ns > 5000000000 && ns <= 10000000000);
    CHECK(ns + clock_ns(CLOCK_MONOTONIC) - begun >= 9990000000);
}

int main(void) {
    on_signal(SIGALRM, handler, 0);
    ualarm(30000, 30000);
    struct timespec time = {10, 0}, left = {0};
    begun = clock_ns(CLOCK_MONOTONIC);
    CHECK_ERRNO(nanosleep(&time, &left), EINTR);
    check_left(left);
    begun = clock_ns(CLOCK_MONOTONIC);
    CHECK_EQ(clock_nanosleep(CLOCK_MONOTONIC, 0, &time, &left), EINTR);
    check_left(left);
    // Into the same memory, as programs that go on with their sleep have it.
    begun = clock_ns(CLOCK_MONOTONIC);
    CHECK_ERRNO(nanosleep(&time, &time), EINTR);
    check_left(time);
    struct timespec end;
    CHECK_OK(clock_gettime(CLOCK_MONOTONIC, &end));
    end.tv_sec += 10;
    left = (struct timespec){77, 77};
    CHECK_EQ(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &end, &left), EINTR);
    CHECK(left.tv_sec == 77 && left.tv_nsec == 77);
    CHECK(sleep(10) >= 9);
    return 0;
}
