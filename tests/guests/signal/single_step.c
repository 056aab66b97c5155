// The trap flag, set by the program itself, gives SIGTRAP after each instruction.
#include "check.h"
#include <ucontext.h>

static volatile int steps, code;
static void handler(int sig, siginfo_t *info, void *context) {
    steps++;
    code = info->si_code;
}

int main(void) {
    on_siginfo(SIGTRAP, handler, 0);
    __asm__ volatile(
        "sub $128, %%rsp\n"
        "pushfq\norl $0x100, (%%rsp)\npopfq\n"
        "nop\nnop\nnop\n"
        "pushfq\nandl $~0x100, (%%rsp)\npopfq\n"
        "add $128, %%rsp\n" ::: "memory", "cc");
    CHECK(steps >= 3 && steps <= 7);
    CHECK_EQ(code, TRAP_TRACE);
    return 0;
}
