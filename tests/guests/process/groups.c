// Process groups and sessions, and what their calls refuse.
#include "check.h"

int main(void) {
    pid_t pid, group = getpgrp();
    CHECK_EQ(getpgid(0), group);
    CHECK_ERRNO(setpgid(-1, 0), EINVAL);
    CHECK_ERRNO(setpgid(0, -1), EINVAL);
    CHECK_ERRNO(setpgid(99999999, 0), ESRCH);
    CHECK_ERRNO(getsid(99999999), ESRCH);
    int pipes[2];
    CHECK_OK(pipe(pipes));
    char byte;
    CHILD(pid) {
        CHECK_EQ(read(pipes[0], &byte, 1), 1);
        CHECK_EQ(getpgrp(), getpid());
        CHECK_ERRNO(setsid(), EPERM);  // A group's leader cannot.
    }
    CHECK_OK(setpgid(pid, pid));  // A parent may move its child.
    CHECK_EQ(getpgid(pid), pid);
    CHECK_OK(setpgid(pid, pid));
    CHECK_EQ(write(pipes[1], "x", 1), 1);
    CHECK_EXIT(pid, 0);

    CHILD(pid) {
        CHECK_ERRNO(setpgid(0, 999999), EPERM);
        CHECK_EQ(setsid(), getpid());
        CHECK_EQ(getsid(0), getpid());
        CHECK_EQ(getpgrp(), getpid());
        CHECK_ERRNO(setsid(), EPERM);
        CHECK_ERRNO(setpgid(0, 0), EPERM);  // Nor can a session's leader move.
        CHECK_ERRNO(open("/dev/tty", O_RDWR), ENXIO);
        pid_t inner;
        CHILD(inner) {
            CHECK_EQ(getsid(0), getppid());
            if (group) CHECK_ERRNO(setpgid(0, group), EPERM);  // Another session's group; 0 is one out of sight.
            CHECK_OK(setpgid(0, 0));
        }
        CHECK_EXIT(inner, 0);
    }
    CHECK_EXIT(pid, 0);
    return 0;
}
