// Scheduling policies as they are set, shown and inherited, and who may set them.
#include "check.h"
#include <sys/resource.h>

struct attributes {
    uint32_t size, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime, deadline, period;
};

static void shapes(void) {
    struct sched_param param = {0};
    CHECK_ERRNO(sched_getparam(0, NULL), EINVAL);
    CHECK_ERRNO(sched_setparam(0, NULL), EINVAL);
    CHECK_ERRNO(sched_setparam(-1, &param), EINVAL);
    CHECK_ERRNO(sched_setscheduler(0, -1, &param), EINVAL);
    struct attributes attributes = {.size = sizeof attributes};
    CHECK_ERRNO(syscall(SYS_sched_getattr, 0, NULL, sizeof attributes, 0), EINVAL);
    CHECK_ERRNO(syscall(SYS_sched_getattr, 0, &attributes, sizeof attributes - 1, 0), EINVAL);
    CHECK_ERRNO(syscall(SYS_sched_getattr, 0, &attributes, sizeof attributes, 1), EINVAL);
    CHECK_ERRNO(syscall(SYS_sched_setattr, 0, NULL, 0), EINVAL);
    CHECK_ERRNO(syscall(SYS_sched_setattr, 0, &attributes, 1), EINVAL);
    errno = 0;
    CHECK_ERRNO(getpriority(PRIO_PROCESS, -1), ESRCH);
    CHECK_ERRNO(setpriority(PRIO_PROCESS, -1, 0), ESRCH);
}

// SCHED_BATCH needs no right. A child inherits it, but not the flag that a real-time policy is not inherited.
static void reset_on_fork(void) {
    struct sched_param param = {0};
    CHECK_OK(sched_setscheduler(0, SCHED_BATCH | SCHED_RESET_ON_FORK, &param));
    CHECK_EQ(sched_getscheduler(0), SCHED_BATCH | SCHED_RESET_ON_FORK);
    struct attributes attributes;
    CHECK_OK(syscall(SYS_sched_getattr, 0, &attributes, sizeof attributes, 0));
    CHECK_EQ(attributes.policy, SCHED_BATCH);
    CHECK_EQ(attributes.flags, 1);
    pid_t pid;
    CHILD(pid) CHECK_EQ(sched_getscheduler(0), SCHED_BATCH);
    CHECK_EXIT(pid, 0);
    CHILD(pid) {
        // The flag is for ever, but for who has the right to take it away.
        if (geteuid() == 0) CHECK_OK(setuid(65534));
        CHECK_OK(sched_setscheduler(0, SCHED_BATCH | SCHED_RESET_ON_FORK, &param));
        CHECK_ERRNO(sched_setscheduler(0, SCHED_BATCH, &param), EPERM);
    }
    CHECK_EXIT(pid, 0);
}

static void of_others(void) {
    if (geteuid() != 0) return;
    pid_t pid, parent = getpid();
    struct sched_param param = {0};
    CHILD(pid) {
        CHECK_OK(setuid(65534));
        CHECK_ERRNO(sched_setparam(parent, &param), EPERM);
        CHECK_ERRNO(setpriority(PRIO_PROCESS, parent, 5), EPERM);
        cpu_set_t one;
        CPU_ZERO(&one);
        CPU_SET(0, &one);
        CHECK_ERRNO(sched_setaffinity(parent, sizeof one, &one), EPERM);
        void *head;
        size_t size;
        CHECK_ERRNO(syscall(SYS_get_robust_list, parent, &head, &size), EPERM);
    }
    CHECK_EXIT(pid, 0);
}

static void processor(void) {
    cpu_set_t all, one;
    CHECK_OK(sched_getaffinity(0, sizeof all, &all));
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        if (!CPU_ISSET(cpu, &all)) continue;
        CPU_ZERO(&one);
        CPU_SET(cpu, &one);
        CHECK_OK(sched_setaffinity(0, sizeof one, &one));
        CHECK_EQ(sched_getcpu(), cpu);
    }
    CHECK_OK(sched_setaffinity(0, sizeof all, &all));
}

int main(void) {
    shapes();
    of_others();
    processor();
    reset_on_fork();
    return 0;
}
