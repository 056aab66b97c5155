// The default action of every signal: death, stop, or nothing.
#include "check.h"
#include <sys/resource.h>

int main(void) {
    struct rlimit none = {0, 0};
    CHECK_OK(setrlimit(RLIMIT_CORE, &none));
    for (int sig = 1; sig <= 64; sig++) {
        if (sig == 32 || sig == 33) continue;  // The C library's own.
        pid_t pid;
        CHILD(pid) {
            if (sig == SIGTTIN || sig == SIGTTOU || sig == SIGTSTP) CHECK_OK(setpgid(0, 0));
            if (sig != SIGKILL && sig != SIGSTOP) CHECK(signal(sig, SIG_DFL) != SIG_ERR);
            CHECK_OK(syscall(SYS_kill, getpid(), sig));
            _exit(33);
        }
        if (sig == SIGSTOP || sig == SIGTSTP || sig == SIGTTIN || sig == SIGTTOU) {
            int status;
            CHECK_EQ(waitpid(pid, &status, WUNTRACED), pid);
            CHECK(WIFSTOPPED(status) && WSTOPSIG(status) == sig);
            CHECK_OK(kill(pid, SIGCONT));
            CHECK_EXIT(pid, 33);
        } else if (sig == SIGCHLD || sig == SIGCONT || sig == SIGURG || sig == SIGWINCH) {
            CHECK_EXIT(pid, 33);
        } else {
            CHECK_KILLED(pid, sig);
        }
    }
    return 0;
}
