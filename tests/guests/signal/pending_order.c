// Several signals pending at an unblock run in the order of their numbers.
#include "check.h"

static int order[8];
static volatile int count;
static void handler(int sig) { order[count++] = sig; }

int main(void) {
    sigset_t set, old;
    sigemptyset(&set);
    const int signals[] = {SIGUSR1, SIGUSR2, SIGHUP, SIGTERM};
    struct sigaction action = {.sa_handler = handler};
    sigfillset(&action.sa_mask);  // No nesting: they run in the order in which they are taken.
    for (int i = 0; i < 4; i++) {
        CHECK_OK(sigaction(signals[i], &action, NULL));
        sigaddset(&set, signals[i]);
    }
    CHECK_OK(sigprocmask(SIG_BLOCK, &set, &old));
    CHECK_OK(raise(SIGTERM));
    CHECK_OK(raise(SIGUSR2));
    CHECK_OK(raise(SIGHUP));
    CHECK_OK(raise(SIGUSR1));
    CHECK_OK(sigprocmask(SIG_SETMASK, &old, NULL));
    CHECK_EQ(count, 4);
    CHECK(order[0] == SIGHUP && order[1] == SIGUSR1 && order[2] == SIGUSR2 && order[3] == SIGTERM);
    return 0;
}
