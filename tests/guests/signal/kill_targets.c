// kill: one process, its group, a named group, all; and who may.
#include "check.h"

int main(void) {
    CHECK_ERRNO(kill(99999999, 0), ESRCH);
    CHECK_ERRNO(kill(99999999, 99), ESRCH);
    CHECK_ERRNO(kill(-99999999, 99), ESRCH);
    CHECK_ERRNO(kill(-99999999, 0), ESRCH);
    CHECK_ERRNO(kill(getpid(), 65), EINVAL);
    CHECK_ERRNO(kill(getpid(), -1), EINVAL);
    CHECK_ERRNO(kill(INT_MIN, 0), ESRCH);
    pid_t a, b, leader;
    CHILD(leader) {
        CHECK_OK(setpgid(0, 0));
        CHILD(a) for (;;) pause();
        CHILD(b) for (;;) pause();
        signal(SIGTERM, SIG_IGN);
        CHECK_OK(kill(0, SIGTERM));  // The whole group, the sender with it.
        CHECK_KILLED(a, SIGTERM);
        CHECK_KILLED(b, SIGTERM);
        CHILD(a) {
            CHECK_OK(setpgid(0, 0));
            for (;;) pause();
        }
        WAIT_UNTIL(getpgid(a) == a);
        CHECK_OK(kill(-a, SIGHUP));
        CHECK_KILLED(a, SIGHUP);
        CHECK_ERRNO(killpg(a, 0), ESRCH);
    }
    CHECK_EXIT(leader, 0);
    // All that one may signal, without oneself: there may be none.
    CHECK(kill(-1, 0) == 0 || errno == ESRCH || errno == EPERM);
    // Another user's process is out of reach, even for a question.
    struct stat first;
    if (geteuid() && stat("/proc/1", &first) == 0 && first.st_uid != geteuid()) CHECK_ERRNO(kill(1, 0), EPERM);
    return 0;
}
