// SS_AUTODISARM: the alternate stack is off inside its handler and back after it.
#include "check.h"

#ifndef SS_AUTODISARM
#define SS_AUTODISARM (1u << 31)
#endif

static char memory[1 << 16];
static volatile unsigned inside = 99;
static void handler(int sig) {
    stack_t now;
    CHECK_OK(sigaltstack(NULL, &now));
    inside = now.ss_flags;
}

int main(void) {
    stack_t stack = {memory, SS_AUTODISARM, sizeof memory}, now;
    CHECK_OK(sigaltstack(&stack, NULL));
    on_signal(SIGUSR1, handler, SA_ONSTACK);
    for (int i = 0; i < 3; i++) {
        CHECK_OK(raise(SIGUSR1));
        CHECK_EQ(inside, SS_DISABLE);
        CHECK_OK(sigaltstack(NULL, &now));
        CHECK_EQ((unsigned)now.ss_flags, SS_AUTODISARM);
        CHECK(now.ss_sp == memory);
    }
    return 0;
}
