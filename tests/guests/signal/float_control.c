// link: -lm
// The floating point control words: a handler starts with the program's, changes stay its own.
#include "check.h"
#include <fenv.h>
#include <math.h>

static volatile int seen = -1;
static void handler(int sig) {
    seen = fegetround();
    fesetround(FE_UPWARD);
}

static void *thread(void *unused) { return (void *)(intptr_t)fegetround(); }

int main(void) {
    on_signal(SIGUSR1, handler, 0);
    CHECK_EQ(fegetround(), FE_TONEAREST);
    CHECK_EQ(fesetround(FE_DOWNWARD), 0);
    CHECK_OK(raise(SIGUSR1));
    CHECK(seen == FE_DOWNWARD || seen == FE_TONEAREST);
    CHECK_EQ(fegetround(), FE_DOWNWARD);
    pid_t pid;
    CHILD(pid) CHECK_EQ(fegetround(), FE_DOWNWARD);
    CHECK_EXIT(pid, 0);
    CHECK_EQ((intptr_t)thread_join(thread_start(thread, NULL)), FE_DOWNWARD);
    sched_yield();
    CHECK_EQ(fegetround(), FE_DOWNWARD);
    return 0;
}
