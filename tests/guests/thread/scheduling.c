// Scheduling policies and affinity as a user may see and set them.
#include "check.h"

int main(void) {
    CHECK_EQ(sched_getscheduler(0), SCHED_OTHER);
    struct sched_param param = {0};
    CHECK_OK(sched_getparam(0, &param));
    CHECK_EQ(param.sched_priority, 0);
    CHECK_EQ(sched_get_priority_max(SCHED_FIFO), 99);
    CHECK_EQ(sched_get_priority_min(SCHED_FIFO), 1);
    CHECK_EQ(sched_get_priority_max(SCHED_OTHER), 0);
    CHECK_ERRNO(sched_get_priority_max(99), EINVAL);
    CHECK_OK(sched_setscheduler(0, SCHED_BATCH, &param));
    CHECK_EQ(sched_getscheduler(0), SCHED_BATCH);
    param.sched_priority = 5;
    CHECK_ERRNO(sched_setscheduler(0, SCHED_OTHER, &param), EINVAL);
    CHECK_ERRNO(sched_getscheduler(99999999), ESRCH);
    CHECK_ERRNO(sched_getscheduler(-1), EINVAL);
    struct timespec slice;
    CHECK_OK(sched_rr_get_interval(0, &slice));
    cpu_set_t set, again;
    CHECK_OK(sched_getaffinity(0, sizeof set, &set));
    CHECK(CPU_COUNT(&set) >= 1);
    CHECK_OK(sched_setaffinity(0, sizeof set, &set));
    CHECK_OK(sched_getaffinity(getpid(), sizeof again, &again));
    CHECK(CPU_EQUAL(&set, &again));
    CPU_ZERO(&again);
    CHECK_ERRNO(sched_setaffinity(0, sizeof again, &again), EINVAL);
    CHECK_ERRNO(sched_getaffinity(-1, sizeof again, &again), ESRCH);
    CHECK_ERRNO(sched_setaffinity(-1, sizeof set, &set), ESRCH);
    CHECK_ERRNO(syscall(SYS_sched_getaffinity, 0, 1, &set), EINVAL);
    CHECK(CPU_ISSET(sched_getcpu(), &set));
    CHECK(sysconf(_SC_NPROCESSORS_ONLN) >= 1);
    return 0;
}
