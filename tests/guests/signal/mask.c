// Masks: blocked signals wait; the two that cannot be blocked are left out silently.
#include "check.h"

static volatile int hits;
static void handler(int sig) { hits++; }

int main(void) {
    on_signal(SIGUSR1, handler, 0);
    block_signal(SIG_BLOCK, SIGUSR1);
    CHECK_OK(raise(SIGUSR1));
    CHECK_OK(raise(SIGUSR1));
    CHECK_OK(kill(getpid(), SIGUSR1));
    CHECK_EQ(hits, 0);
    sigset_t set, old;
    CHECK_OK(sigpending(&set));
    CHECK_EQ(sigismember(&set, SIGUSR1), 1);
    CHECK_EQ(sigismember(&set, SIGUSR2), 0);
    block_signal(SIG_UNBLOCK, SIGUSR1);
    CHECK_EQ(hits, 2);  // One sent to the thread, one to the process: each kept once.
    CHECK_OK(sigpending(&set));
    CHECK_EQ(sigismember(&set, SIGUSR1), 0);

    sigfillset(&set);
    CHECK_OK(sigprocmask(SIG_SETMASK, &set, &old));
    CHECK_OK(sigprocmask(SIG_SETMASK, NULL, &set));
    CHECK_EQ(sigismember(&set, SIGKILL), 0);
    CHECK_EQ(sigismember(&set, SIGSTOP), 0);
    CHECK_EQ(sigismember(&set, SIGTERM), 1);
    CHECK_OK(sigprocmask(SIG_SETMASK, &old, NULL));
    CHECK_ERRNO(sigprocmask(99, &set, NULL), EINVAL);
    CHECK_ERRNO(syscall(SYS_rt_sigprocmask, SIG_BLOCK, &set, NULL, 4L), EINVAL);
    CHECK_ERRNO(syscall(SYS_rt_sigprocmask, SIG_BLOCK, 8L, NULL, 8L), EFAULT);

    // A child has the mask but not what is pending.
    block_signal(SIG_BLOCK, SIGUSR1);
    CHECK_OK(raise(SIGUSR1));
    pid_t pid;
    CHILD(pid) {
        CHECK_OK(sigpending(&set));
        CHECK_EQ(sigismember(&set, SIGUSR1), 0);
        CHECK_OK(sigprocmask(SIG_BLOCK, NULL, &set));
        CHECK_EQ(sigismember(&set, SIGUSR1), 1);
    }
    CHECK_EXIT(pid, 0);
    // Ignoring a pending signal throws it away.
    signal(SIGUSR1, SIG_IGN);
    CHECK_OK(sigpending(&set));
    CHECK_EQ(sigismember(&set, SIGUSR1), 0);
    return 0;
}
