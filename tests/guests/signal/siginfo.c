// What siginfo says of kill, raise, sigqueue and tgkill.
#include "check.h"

static volatile siginfo_t got;
static volatile int hits;
static void handler(int sig, siginfo_t *info, void *context) {
    got = *info;
    hits++;
    CHECK(context);
    CHECK_EQ(sig, info->si_signo);
}

int main(void) {
    on_siginfo(SIGUSR1, handler, 0);
    CHECK_OK(kill(getpid(), SIGUSR1));
    CHECK_EQ(hits, 1);  // To oneself it has come by the time kill returns.
    CHECK_EQ(got.si_code, SI_USER);
    CHECK_EQ(got.si_pid, getpid());
    CHECK_EQ(got.si_uid, getuid());
    CHECK_OK(raise(SIGUSR1));
    CHECK_EQ(hits, 2);
    CHECK_EQ(got.si_code, SI_TKILL);
    union sigval value = {.sival_int = 1234567};
    CHECK_OK(sigqueue(getpid(), SIGUSR1, value));
    CHECK_EQ(hits, 3);
    CHECK_EQ(got.si_code, SI_QUEUE);
    CHECK_EQ(got.si_value.sival_int, 1234567);
    CHECK_EQ(got.si_pid, getpid());
    pid_t pid, parent = getpid();
    CHILD(pid) CHECK_OK(kill(parent, SIGUSR1));
    CHECK_EXIT(pid, 0);
    CHECK_EQ(hits, 4);
    CHECK_EQ(got.si_pid, pid);
    return 0;
}
