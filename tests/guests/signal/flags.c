// SA_RESETHAND, SA_NODEFER and sa_mask.
#include "check.h"

static volatile int hits, depth, deepest;
static volatile bool second_blocked, self_blocked;

static void look(int sig) {
    sigset_t mask;
    CHECK_OK(sigprocmask(SIG_BLOCK, NULL, &mask));
    self_blocked = sigismember(&mask, sig);
    second_blocked = sigismember(&mask, SIGUSR2);
    hits++;
}
static void recursive(int sig) {
    hits++;
    if (++depth > deepest) deepest = depth;
    if (depth < 5) CHECK_OK(raise(sig));
    depth--;
}

int main(void) {
    on_signal(SIGUSR1, look, SA_RESETHAND);
    CHECK_OK(raise(SIGUSR1));
    CHECK(hits == 1 && self_blocked && !second_blocked);
    struct sigaction action;
    CHECK_OK(sigaction(SIGUSR1, NULL, &action));
    CHECK(action.sa_handler == SIG_DFL);
    pid_t pid;
    CHILD(pid) raise(SIGUSR1);
    CHECK_KILLED(pid, SIGUSR1);

    on_signal(SIGUSR1, look, SA_NODEFER);
    CHECK_OK(raise(SIGUSR1));
    CHECK(!self_blocked);
    action = (struct sigaction){.sa_handler = look};
    sigaddset(&action.sa_mask, SIGUSR2);
    CHECK_OK(sigaction(SIGUSR1, &action, NULL));
    CHECK_OK(raise(SIGUSR1));
    CHECK(self_blocked && second_blocked);
    sigset_t mask;
    CHECK_OK(sigprocmask(SIG_BLOCK, NULL, &mask));
    CHECK(!sigismember(&mask, SIGUSR1) && !sigismember(&mask, SIGUSR2));  // As before.

    on_signal(SIGUSR1, recursive, SA_NODEFER);
    CHECK_OK(raise(SIGUSR1));
    CHECK_EQ(deepest, 5);
    // Without SA_NODEFER they come one after another.
    on_signal(SIGUSR1, recursive, 0);
    depth = 4, deepest = 0, hits = 0;
    CHECK_OK(raise(SIGUSR1));
    CHECK_EQ(deepest, 5);
    CHECK_EQ(hits, 1);
    return 0;
}
