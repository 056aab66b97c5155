// POSIX timers: signal with a value, overruns, what is left, deletion, and that children do not have them.
// link: -lrt
#include "check.h"

static volatile int hits, value, code, overrun;
static timer_t timer;
static void handler(int sig, siginfo_t *info, void *context) {
    hits++;
    value = info->si_value.sival_int;
    code = info->si_code;
    overrun += info->si_overrun;
}

int main(void) {
    on_siginfo(SIGRTMIN, handler, SA_RESTART);
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN, .sigev_value.sival_int = 321};
    CHECK_OK(timer_create(CLOCK_MONOTONIC, &event, &timer));
    struct itimerspec once = {{0, 0}, {0, 20000000}}, repeated = {{0, 5000000}, {0, 5000000}}, none = {{0, 0}, {0, 0}}, now;
    long long start = now_ms();
    CHECK_OK(timer_settime(timer, 0, &once, NULL));
    CHECK_OK(timer_gettime(timer, &now));
    CHECK(now.it_value.tv_nsec > 0 || hits);
    WAIT_UNTIL(hits == 1);
    CHECK(now_ms() - start >= 19);
    CHECK_EQ(value, 321);
    CHECK_EQ(code, SI_TIMER);
    CHECK_OK(timer_settime(timer, 0, &repeated, NULL));
    WAIT_UNTIL(hits >= 4);
    CHECK_OK(timer_settime(timer, 0, &none, &now));
    CHECK_EQ(now.it_interval.tv_nsec, 5000000);
    // Blocked for a while: one signal, and a count of those that it stands for.
    hits = 0, overrun = 0;
    block_signal(SIG_BLOCK, SIGRTMIN);
    CHECK_OK(timer_settime(timer, 0, &repeated, NULL));
    sleep_ms(40);
    CHECK_EQ(hits, 0);
    block_signal(SIG_UNBLOCK, SIGRTMIN);
    CHECK(hits >= 1 && overrun >= 5);
    CHECK(timer_getoverrun(timer) >= 0);
    pid_t pid;
    CHILD(pid) CHECK_ERRNO(timer_gettime(timer, &now), EINVAL);
    CHECK_EXIT(pid, 0);
    CHECK_OK(timer_delete(timer));
    CHECK_ERRNO(timer_delete(timer), EINVAL);
    CHECK_ERRNO(timer_create(99, &event, &timer), EINVAL);
    event.sigev_signo = 99;
    CHECK_ERRNO(timer_create(CLOCK_MONOTONIC, &event, &timer), EINVAL);
    return 0;
}
