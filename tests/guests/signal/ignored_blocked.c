// A blocked signal stays pending even while its action is to ignore it, when it was blocked first.
#include "check.h"

int main(void) {
    sigset_t set;
    // SIGCHLD's default is to be ignored.
    block_signal(SIG_BLOCK, SIGCHLD);
    CHECK_OK(raise(SIGCHLD));
    CHECK_OK(sigpending(&set));
    CHECK_EQ(sigismember(&set, SIGCHLD), 1);
    block_signal(SIG_UNBLOCK, SIGCHLD);
    CHECK_OK(sigpending(&set));
    CHECK_EQ(sigismember(&set, SIGCHLD), 0);
    block_signal(SIG_BLOCK, SIGUSR1);
    signal(SIGUSR1, SIG_IGN);
    CHECK_OK(raise(SIGUSR1));
    CHECK_OK(sigpending(&set));
    CHECK_EQ(sigismember(&set, SIGUSR1), 1);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    CHECK_EQ(sigwaitinfo(&set, NULL), SIGUSR1);
    // Not blocked and ignored: gone at once, and calls are not interrupted.
    block_signal(SIG_UNBLOCK, SIGUSR1);
    CHECK_OK(raise(SIGUSR1));
    CHECK_OK(sigpending(&set));
    CHECK_EQ(sigismember(&set, SIGUSR1), 0);
    return 0;
}
