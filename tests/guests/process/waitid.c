// waitid: what it fills in, leaving the child waitable, by pidfd, by group.
#include "check.h"
#include <sys/pidfd.h>

int main(void) {
    siginfo_t info;
    pid_t pid;
    CHILD(pid) _exit(0x142);
    memset(&info, 1, sizeof info);
    CHECK_OK(waitid(P_PID, pid, &info, WEXITED | WNOWAIT));
    CHECK_EQ(info.si_pid, pid);
    CHECK_EQ(info.si_signo, SIGCHLD);
    CHECK_EQ(info.si_code, CLD_EXITED);
    CHECK_EQ(info.si_status, 0x42);
    CHECK_EQ(info.si_uid, getuid());
    memset(&info, 0, sizeof info);
    CHECK_OK(waitid(P_ALL, 0, &info, WEXITED));
    CHECK_EQ(info.si_pid, pid);
    CHECK_ERRNO(waitid(P_PID, pid, &info, WEXITED), ECHILD);

    CHILD(pid) {
        for (;;) pause();
    }
    memset(&info, 1, sizeof info);
    CHECK_OK(waitid(P_PID, pid, &info, WEXITED | WNOHANG));
    CHECK_EQ(info.si_pid, 0);
    CHECK_EQ(info.si_signo, 0);
    CHECK_ERRNO(waitid(P_PID, pid, &info, WNOHANG), EINVAL);
    CHECK_OK(kill(pid, SIGSTOP));
    CHECK_OK(waitid(P_PGID, getpgrp(), &info, WSTOPPED));
    CHECK_EQ(info.si_code, CLD_STOPPED);
    CHECK_EQ(info.si_status, SIGSTOP);
    CHECK_OK(kill(pid, SIGCONT));
    CHECK_OK(waitid(P_PID, pid, &info, WCONTINUED));
    CHECK_EQ(info.si_code, CLD_CONTINUED);
    CHECK_EQ(info.si_status, SIGCONT);
    int pidfd = CHECK_OK(pidfd_open(pid, 0));
    CHECK_OK(kill(pid, SIGKILL));
    CHECK_OK(waitid(P_PIDFD, pidfd, &info, WEXITED));
    CHECK_EQ(info.si_pid, pid);
    CHECK_EQ(info.si_code, CLD_KILLED);
    CHECK_EQ(info.si_status, SIGKILL);
    CHECK_ERRNO(waitid(P_PIDFD, pidfd, &info, WEXITED), ECHILD);
    CHECK_ERRNO(waitid(99, 0, &info, WEXITED), EINVAL);
    return 0;
}
