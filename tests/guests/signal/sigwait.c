// sigwaitinfo and sigtimedwait take what is blocked, without a handler.
#include "check.h"

static void handler(int sig) {}

int main(void) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigaddset(&set, SIGUSR2);
    CHECK_OK(sigprocmask(SIG_BLOCK, &set, NULL));
    siginfo_t info;
    struct timespec none = {0, 0}, little = {0, 20000000}, bad = {0, 1000000000};
    CHECK_ERRNO(sigtimedwait(&set, &info, &none), EAGAIN);
    long long start = now_ms();
    CHECK_ERRNO(sigtimedwait(&set, &info, &little), EAGAIN);
    CHECK(now_ms() - start >= 19);
    CHECK_ERRNO(sigtimedwait(&set, &info, &bad), EINVAL);
    CHECK_OK(raise(SIGUSR2));
    CHECK_OK(raise(SIGUSR1));
    CHECK_EQ(sigwaitinfo(&set, &info), SIGUSR1);  // The lowest number first.
    CHECK_EQ(info.si_pid, getpid());
    int sig;
    CHECK_ZERO(sigwait(&set, &sig));
    CHECK_EQ(sig, SIGUSR2);
    pid_t parent = getpid(), pid;
    CHILD(pid) {
        sleep_ms(20);
        CHECK_OK(kill(parent, SIGUSR1));
    }
    CHECK_EQ(sigwaitinfo(&set, &info), SIGUSR1);
    CHECK_EQ(info.si_pid, pid);
    CHECK_EXIT(pid, 0);
    // Another signal with a handler interrupts it.
    on_signal(SIGHUP, handler, SA_RESTART);
    pid = hit_parent(SIGHUP);
    CHECK_ERRNO(sigwaitinfo(&set, &info), EINTR);
    stop_hitting(pid);
    return 0;
}
