// RLIMIT_NICE and RLIMIT_RTPRIO: what a process may ask for without the right to decide how it is scheduled.
#include "check.h"
#include <sched.h>

static void limit(int what, rlim_t most) { CHECK_OK(setrlimit(what, &(struct rlimit){most, 40})); }

static int policy(int which, int priority) {
    return sched_setscheduler(0, which, &(struct sched_param){.sched_priority = priority});
}

static void niceness(void) {
    limit(RLIMIT_NICE, 30);
    CHECK_OK(setpriority(PRIO_PROCESS, 0, 5));
    CHECK_OK(setpriority(PRIO_PROCESS, 0, -10));
    CHECK_EQ(getpriority(PRIO_PROCESS, 0), -10);
    CHECK_ERRNO(setpriority(PRIO_PROCESS, 0, -11), EACCES);
    limit(RLIMIT_NICE, 20);
    CHECK_OK(setpriority(PRIO_PROCESS, 0, -10));
    CHECK_OK(setpriority(PRIO_PROCESS, 0, 3));
    CHECK_ERRNO(setpriority(PRIO_PROCESS, 0, -1), EACCES);
    CHECK_OK(setpriority(PRIO_PROCESS, 0, 0));
}

static void real_time(void) {
    limit(RLIMIT_RTPRIO, 10);
    CHECK_OK(policy(SCHED_FIFO, 10));
    CHECK_ERRNO(policy(SCHED_FIFO, 11), EPERM);
    CHECK_OK(policy(SCHED_RR, 10));
    limit(RLIMIT_RTPRIO, 5);
    CHECK_OK(policy(SCHED_RR, 8));
    CHECK_ERRNO(policy(SCHED_RR, 9), EPERM);
    CHECK_ERRNO(policy(SCHED_FIFO, 9), EPERM);
    limit(RLIMIT_RTPRIO, 0);
    CHECK_ERRNO(policy(SCHED_FIFO, 1), EPERM);
    CHECK_OK(policy(SCHED_RR, 7));
    CHECK_OK(policy(SCHED_OTHER, 0));
    CHECK_ERRNO(policy(SCHED_RR, 1), EPERM);
}

// Who is idle is as good as nicer than all.
static void idle(void) {
    CHECK_OK(policy(SCHED_IDLE, 0));
    CHECK_OK(policy(SCHED_BATCH, 0));
    limit(RLIMIT_NICE, 19);
    CHECK_OK(policy(SCHED_IDLE, 0));
    CHECK_ERRNO(policy(SCHED_OTHER, 0), EPERM);
    CHECK_OK(policy(SCHED_IDLE, 0));
}

int main(void) {
    // Without the right to raise limits there is nothing to see.
    if (setrlimit(RLIMIT_NICE, &(struct rlimit){20, 40}) < 0) return 0;
    limit(RLIMIT_RTPRIO, 0);
    CHECK_OK(setresuid(65534, 65534, 65534));
    niceness();
    real_time();
    idle();
    return 0;
}
