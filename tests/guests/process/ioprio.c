// ioprio_set and ioprio_get: what is set is given back, a child has it too, and of a group the best counts.
#include "check.h"
#include <sys/resource.h>

enum { PROCESS = 1, GROUP, USER };
enum { NONE, RT, BE, IDLE };
#define PRIO(class, level) ((class) << 13 | (level))

static long set(int which, int who, int prio) { return syscall(SYS_ioprio_set, which, who, prio); }
static long get(int which, int who) { return syscall(SYS_ioprio_get, which, who); }

static void check_all(void) {
    CHECK_OK(setpgid(0, 0));
    CHECK_EQ(get(PROCESS, 0), 0);
    CHECK_EQ(get(GROUP, 0), PRIO(BE, 4));  // What is in effect follows from nice.
    CHECK_OK(setpriority(PRIO_PROCESS, 0, 10));
    CHECK_EQ(get(GROUP, 0), PRIO(BE, 6));
    CHECK_OK(sched_setscheduler(0, SCHED_IDLE | SCHED_RESET_ON_FORK, &(struct sched_param){0}));
    CHECK_EQ(get(GROUP, 0), PRIO(IDLE, 6));
    CHECK_OK(sched_setscheduler(0, SCHED_OTHER | SCHED_RESET_ON_FORK, &(struct sched_param){0}));
    CHECK_OK(set(PROCESS, 0, PRIO(BE, 5)));
    CHECK_EQ(get(PROCESS, 0), PRIO(BE, 5));
    CHECK_EQ(get(PROCESS, getpid()), PRIO(BE, 5));
    CHECK_EQ(get(GROUP, 0), PRIO(BE, 5));
    pid_t pid;
    CHILD(pid) {
        CHECK_EQ(get(PROCESS, 0), PRIO(BE, 5));
        CHECK_OK(set(PROCESS, 0, PRIO(IDLE, 0)));
        CHECK_EQ(get(PROCESS, 0), PRIO(IDLE, 0));
        CHECK_EQ(get(GROUP, 0), PRIO(BE, 5));
        CHECK_OK(set(GROUP, 0, PRIO(BE, 2)));
    }
    CHECK_EXIT(pid, 0);
    CHECK_EQ(get(PROCESS, 0), PRIO(BE, 2));
    CHECK_OK(set(PROCESS, 0, PRIO(NONE, 0)));
    CHECK_EQ(get(PROCESS, 0), 0);
    CHECK_ERRNO(set(PROCESS, 0, PRIO(NONE, 1)), EINVAL);
    CHECK_ERRNO(set(PROCESS, 0, PRIO(4, 0)), EINVAL);
    CHECK_ERRNO(set(4, 0, PRIO(BE, 1)), EINVAL);
    CHECK_ERRNO(set(0, 0, PRIO(BE, 1)), EINVAL);
    CHECK_ERRNO(set(PROCESS, 99999999, PRIO(BE, 1)), ESRCH);
    CHECK_ERRNO(get(4, 0), EINVAL);
    CHECK_ERRNO(get(PROCESS, 99999999), ESRCH);
}

int main(void) {
    pid_t pid;
    CHILD(pid) { check_all(); }  // In a group of its own, which the leader of a session could not leave for.
    CHECK_EXIT(pid, 0);
    return 0;
}
