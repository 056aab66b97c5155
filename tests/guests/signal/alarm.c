// alarm and setitimer: one timer, what is left of it, and repeats.
#include "check.h"
#include <sys/time.h>

static volatile int hits;
static void handler(int sig) { hits++; }

int main(void) {
    on_signal(SIGALRM, handler, SA_RESTART);
    CHECK(alarm(100) <= 20);
    CHECK_EQ(alarm(0), 100);
    CHECK_EQ(alarm(0), 0);
    struct itimerval timer = {{0, 10000}, {0, 10000}}, now;
    CHECK_OK(setitimer(ITIMER_REAL, &timer, NULL));
    long long start = now_ms();
    WAIT_UNTIL(hits >= 3);
    CHECK(now_ms() - start >= 29);
    CHECK_OK(getitimer(ITIMER_REAL, &now));
    CHECK_EQ(now.it_interval.tv_usec, 10000);
    CHECK(now.it_value.tv_sec == 0 && now.it_value.tv_usec <= 10000);
    alarm(50);  // Takes the place of the interval timer.
    CHECK_OK(getitimer(ITIMER_REAL, &now));
    CHECK_EQ(now.it_interval.tv_usec, 0);
    CHECK(now.it_value.tv_sec >= 49);
    pid_t pid;
    CHILD(pid) {
        alarm(0);  // What fork_child has set.
        CHECK_OK(getitimer(ITIMER_REAL, &now));
        CHECK(!now.it_value.tv_sec && !now.it_value.tv_usec);
    }
    CHECK_EXIT(pid, 0);
    alarm(0);
    timer.it_value.tv_usec = 1000000;
    CHECK_ERRNO(setitimer(ITIMER_REAL, &timer, NULL), EINVAL);
    CHECK_ERRNO(setitimer(99, &timer, NULL), EINVAL);
    CHILD(pid) {
        signal(SIGALRM, SIG_DFL);
        ualarm(10000, 0);
        for (;;) pause();
    }
    CHECK_KILLED(pid, SIGALRM);
    return 0;
}
