// CPU clocks move with work and not with sleep; threads and processes have their own.
#include "check.h"

static void *burn(void *id) {
    if (id) CHECK_ZERO(pthread_getcpuclockid(pthread_self(), id));
    long long start = clock_ns(CLOCK_THREAD_CPUTIME_ID);
    while (clock_ns(CLOCK_THREAD_CPUTIME_ID) - start < 20000000) {}
    return NULL;
}

int main(void) {
    long long process = clock_ns(CLOCK_PROCESS_CPUTIME_ID), thread = clock_ns(CLOCK_THREAD_CPUTIME_ID);
    sleep_ms(50);
    CHECK(clock_ns(CLOCK_PROCESS_CPUTIME_ID) - process < 40000000);
    process = clock_ns(CLOCK_PROCESS_CPUTIME_ID), thread = clock_ns(CLOCK_THREAD_CPUTIME_ID);
    thread_join(thread_start(burn, NULL));
    CHECK(clock_ns(CLOCK_PROCESS_CPUTIME_ID) - process >= 20000000);
    CHECK(clock_ns(CLOCK_THREAD_CPUTIME_ID) - thread < 20000000);
    clock_t before = clock();
    burn(NULL);
    CHECK(clock() - before >= 19000);
    clockid_t id;
    CHECK_EQ(clock_getcpuclockid(0, &id), 0);
    CHECK(clock_ns(id) > 0);
    CHECK_EQ(clock_getcpuclockid(99999999, &id), ESRCH);
    return 0;
}
