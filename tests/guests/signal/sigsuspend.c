// sigsuspend changes the mask and waits in one step, and puts it back.
#include "check.h"

static volatile int hits;
static void handler(int sig) { hits++; }

int main(void) {
    on_signal(SIGUSR1, handler, SA_RESTART);
    block_signal(SIG_BLOCK, SIGUSR1);
    sigset_t none, mask;
    sigemptyset(&none);
    CHECK_OK(raise(SIGUSR1));
    CHECK_EQ(hits, 0);
    CHECK_ERRNO(sigsuspend(&none), EINTR);
    CHECK_EQ(hits, 1);
    CHECK_OK(sigprocmask(SIG_BLOCK, NULL, &mask));
    CHECK_EQ(sigismember(&mask, SIGUSR1), 1);
    pid_t pid = hit_parent(SIGUSR1);
    for (int i = 0; i < 5; i++) {
        CHECK_ERRNO(sigsuspend(&none), EINTR);
        CHECK_EQ(hits, i + 2);
    }
    stop_hitting(pid);
    CHECK_ERRNO(syscall(SYS_rt_sigsuspend, &none, 4L), EINVAL);
    return 0;
}
