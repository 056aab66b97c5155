// SIGCHLD with its siginfo, for exits, deaths, stops; SA_NOCLDSTOP silences stops.
#include "check.h"

static volatile sig_atomic_t count;
static volatile siginfo_t last;
static void handler(int sig, siginfo_t *info, void *context) {
    last = *info;
    count++;
}

int main(void) {
    on_siginfo(SIGCHLD, handler, SA_RESTART);
    pid_t pid;
    CHILD(pid) _exit(9);
    WAIT_UNTIL(count == 1);
    CHECK_EQ(last.si_pid, pid);
    CHECK_EQ(last.si_code, CLD_EXITED);
    CHECK_EQ(last.si_status, 9);
    CHECK_EXIT(pid, 9);

    CHILD(pid) {
        for (;;) pause();
    }
    CHECK_OK(kill(pid, SIGSTOP));
    WAIT_UNTIL(count == 2);
    CHECK_EQ(last.si_code, CLD_STOPPED);
    CHECK_EQ(last.si_status, SIGSTOP);
    CHECK_OK(kill(pid, SIGCONT));
    WAIT_UNTIL(count == 3);
    CHECK_EQ(last.si_code, CLD_CONTINUED);
    on_siginfo(SIGCHLD, handler, SA_NOCLDSTOP);
    CHECK_OK(kill(pid, SIGSTOP));
    int status;
    CHECK_EQ(waitpid(pid, &status, WUNTRACED), pid);
    CHECK_EQ(count, 3);
    CHECK_OK(kill(pid, SIGKILL));
    WAIT_UNTIL(count == 4);
    CHECK_EQ(last.si_code, CLD_KILLED);
    CHECK_EQ(last.si_status, SIGKILL);
    CHECK_KILLED(pid, SIGKILL);
    return 0;
}
