// RLIMIT_SIGPENDING bounds sigqueue with EAGAIN; kill goes on working.
#include "check.h"
#include <sys/resource.h>

int main(void) {
    struct rlimit limit = {0, 0};
    union sigval value = {.sival_int = 1};
    block_signal(SIG_BLOCK, SIGRTMIN);
    block_signal(SIG_BLOCK, SIGUSR1);
    CHECK_OK(sigqueue(getpid(), SIGRTMIN, value));
    CHECK_OK(setrlimit(RLIMIT_SIGPENDING, &limit));
    CHECK_ERRNO(sigqueue(getpid(), SIGRTMIN, value), EAGAIN);
    CHECK_OK(kill(getpid(), SIGUSR1));
    sigset_t set;
    CHECK_OK(sigpending(&set));
    CHECK_EQ(sigismember(&set, SIGUSR1), 1);
    return 0;
}
