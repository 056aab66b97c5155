// Real-time signals queue, in order, with values; lower numbers first.
#include "check.h"

static int order[64], values[64];
static volatile int count;
static void handler(int sig, siginfo_t *info, void *context) {
    order[count] = sig;
    values[count++] = info->si_value.sival_int;
}

int main(void) {
    sigset_t set, old;
    sigemptyset(&set);
    for (int i = 0; i < 3; i++) {
        struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
        sigfillset(&action.sa_mask);
        CHECK_OK(sigaction(SIGRTMIN + i, &action, NULL));
        sigaddset(&set, SIGRTMIN + i);
    }
    CHECK_OK(sigprocmask(SIG_BLOCK, &set, &old));
    for (int i = 0; i < 10; i++) {
        union sigval value = {.sival_int = i};
        CHECK_OK(sigqueue(getpid(), SIGRTMIN + (2 - i % 3), value));
    }
    CHECK_OK(sigprocmask(SIG_SETMASK, &old, NULL));
    CHECK_EQ(count, 10);
    int at = 0;
    for (int number = 0; number < 3; number++)
        for (int i = 0; i < 10; i++)
            if (2 - i % 3 == number) {
                CHECK_EQ(order[at], SIGRTMIN + number);
                CHECK_EQ(values[at], i);
                at++;
            }
    // Standard signals are kept once only, with the first value.
    CHECK_OK(sigprocmask(SIG_BLOCK, &set, NULL));
    sigaddset(&set, SIGUSR1);
    CHECK_OK(sigprocmask(SIG_BLOCK, &set, NULL));
    for (int i = 1; i < 4; i++) {
        union sigval value = {.sival_int = i};
        CHECK_OK(sigqueue(getpid(), SIGUSR1, value));
        CHECK_OK(sigqueue(getpid(), SIGRTMIN, value));
    }
    siginfo_t info;
    struct timespec none = {0, 0};
    CHECK_EQ(sigtimedwait(&set, &info, &none), SIGUSR1);
    CHECK_EQ(info.si_value.sival_int, 1);
    for (int i = 1; i < 4; i++) {
        CHECK_EQ(sigtimedwait(&set, &info, &none), SIGRTMIN);
        CHECK_EQ(info.si_value.sival_int, i);
    }
    CHECK_ERRNO(sigtimedwait(&set, &info, &none), EAGAIN);
    return 0;
}
