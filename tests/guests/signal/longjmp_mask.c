// siglongjmp puts the mask back when it was saved; plain longjmp on Linux does not.
#include "check.h"
#include <setjmp.h>

static sigjmp_buf back;
static int jumps;
static void handler(int sig) { siglongjmp(back, ++jumps); }

static bool blocked(void) {
    sigset_t mask;
    CHECK_OK(sigprocmask(SIG_BLOCK, NULL, &mask));
    return sigismember(&mask, SIGUSR1);
}

int main(void) {
    on_signal(SIGUSR1, handler, 0);
    for (int i = 0; i < 100; i++) {
        if (!sigsetjmp(back, 1)) raise(SIGUSR1);
        CHECK_EQ(jumps, i + 1);
        CHECK(!blocked());
    }
    if (!sigsetjmp(back, 0)) raise(SIGUSR1);
    CHECK(blocked());
    return 0;
}
