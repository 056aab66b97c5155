// nice, getpriority and setpriority.
#include "check.h"
#include <sys/resource.h>

int main(void) {
    errno = 0;
    int start = getpriority(PRIO_PROCESS, 0);
    CHECK_EQ(errno, 0);
    errno = 0;
    CHECK_EQ(nice(1), start + 1);
    CHECK_EQ(errno, 0);
    CHECK_EQ(getpriority(PRIO_PROCESS, 0), start + 1);
    CHECK_OK(setpriority(PRIO_PROCESS, getpid(), 10));
    pid_t pid;
    CHILD(pid) {
        CHECK_EQ(getpriority(PRIO_PROCESS, 0), 10);
        CHECK_OK(setpriority(PRIO_PROCESS, 0, 100));
        CHECK_EQ(getpriority(PRIO_PROCESS, 0), 19);  // Cut to the last.
    }
    CHECK_EXIT(pid, 0);
    CHECK_EQ(getpriority(PRIO_PROCESS, 0), 10);
    CHECK_EQ(syscall(SYS_getpriority, PRIO_PROCESS, 0), 10);  // The raw call counts from the other side: 20 less nice.
    CHECK_ERRNO(setpriority(99, 0, 0), EINVAL);
    CHECK_ERRNO(setpriority(PRIO_PROCESS, 99999999, 0), ESRCH);
    struct rlimit none = {0, 0};
    if (geteuid()) {
        CHECK_OK(setrlimit(RLIMIT_NICE, &none));
        CHECK_ERRNO(setpriority(PRIO_PROCESS, 0, -1), EACCES);
        CHECK_ERRNO(nice(-5), EPERM);
    }
    return 0;
}
