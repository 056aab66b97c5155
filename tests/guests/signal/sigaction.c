// sigaction: what is set is told back; SIGKILL and SIGSTOP cannot be; numbers have bounds.
#include "check.h"

static void handler(int sig) {}

int main(void) {
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART | SA_NODEFER}, old;
    sigaddset(&action.sa_mask, SIGUSR2);
    CHECK_OK(sigaction(SIGUSR1, NULL, &old));
    CHECK(old.sa_handler == SIG_DFL);
    CHECK_OK(sigaction(SIGUSR1, &action, &old));
    CHECK(old.sa_handler == SIG_DFL);
    CHECK_OK(sigaction(SIGUSR1, NULL, &old));
    CHECK(old.sa_handler == handler);
    CHECK_EQ(old.sa_flags & (SA_RESTART | SA_NODEFER | SA_SIGINFO | SA_RESETHAND), SA_RESTART | SA_NODEFER);
    CHECK_EQ(sigismember(&old.sa_mask, SIGUSR2), 1);
    CHECK_EQ(sigismember(&old.sa_mask, SIGTERM), 0);
    CHECK_ERRNO(sigaction(SIGKILL, &action, NULL), EINVAL);
    CHECK_ERRNO(sigaction(SIGSTOP, &action, NULL), EINVAL);
    CHECK_OK(sigaction(SIGKILL, NULL, &old));
    CHECK_ERRNO(sigaction(0, &action, NULL), EINVAL);
    CHECK_ERRNO(sigaction(65, &action, NULL), EINVAL);
    CHECK_OK(sigaction(SIGRTMAX, &action, NULL));
    CHECK_ERRNO(syscall(SYS_rt_sigaction, SIGUSR1, 8L, NULL, 8L), EFAULT);
    CHECK_ERRNO(syscall(SYS_rt_sigaction, SIGUSR1, NULL, NULL, 4L), EINVAL);
    CHECK(signal(SIGUSR1, SIG_IGN) == handler);
    CHECK(signal(SIGUSR1, SIG_DFL) == SIG_IGN);
    pid_t pid;
    CHECK_OK(sigaction(SIGUSR1, &action, NULL));
    CHILD(pid) {
        CHECK_OK(sigaction(SIGUSR1, NULL, &old));
        CHECK(old.sa_handler == handler);  // Inherited.
        signal(SIGUSR1, SIG_IGN);
    }
    CHECK_EXIT(pid, 0);
    CHECK_OK(sigaction(SIGUSR1, NULL, &old));
    CHECK(old.sa_handler == handler);
    return 0;
}
