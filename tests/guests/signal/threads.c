// A signal for a thread goes to that thread; one for the process to any that does not block it.
#include "check.h"

static volatile pid_t took;
static volatile int hits;
static void handler(int sig) {
    took = gettid();
    hits++;
}

static volatile pid_t other_tid;
static volatile bool stop;
static void *other(void *unused) {
    block_signal(SIG_UNBLOCK, SIGUSR1);
    other_tid = gettid();
    while (!stop) sleep_ms(1);
    return NULL;
}

int main(void) {
    on_signal(SIGUSR1, handler, 0);
    block_signal(SIG_BLOCK, SIGUSR1);
    pthread_t thread = thread_start(other, NULL);
    WAIT_UNTIL(other_tid);
    CHECK_OK(kill(getpid(), SIGUSR1));
    WAIT_UNTIL(hits == 1);
    CHECK_EQ(took, other_tid);
    CHECK_ZERO(pthread_kill(thread, SIGUSR1));
    WAIT_UNTIL(hits == 2);
    CHECK_EQ(took, other_tid);
    CHECK_OK(tgkill(getpid(), other_tid, SIGUSR1));
    WAIT_UNTIL(hits == 3);
    CHECK_EQ(took, other_tid);
    // For this one: it waits, because it is blocked here, and is not passed on.
    CHECK_ZERO(pthread_kill(pthread_self(), SIGUSR1));
    sleep_ms(10);
    CHECK_EQ(hits, 3);
    block_signal(SIG_UNBLOCK, SIGUSR1);
    CHECK_EQ(hits, 4);
    CHECK_EQ(took, getpid());
    CHECK_ERRNO(tgkill(getpid(), 99999999, SIGUSR1), ESRCH);
    CHECK_ERRNO(tgkill(getppid() + 100000, other_tid, 0), ESRCH);
    CHECK_ERRNO(tgkill(-1, other_tid, 0), EINVAL);
    CHECK_ERRNO(tgkill(getpid(), other_tid, 99), EINVAL);
    CHECK_ZERO(pthread_kill(thread, 0));
    stop = true;
    thread_join(thread);
    // When it is blocked by all, it waits for the process.
    block_signal(SIG_BLOCK, SIGUSR1);
    CHECK_OK(kill(getpid(), SIGUSR1));
    stop = false;
    thread = thread_start(other, NULL);  // Unblocks it: takes it.
    WAIT_UNTIL(hits == 5);
    CHECK(took == other_tid && took != getpid());
    stop = true;
    thread_join(thread);
    return 0;
}
