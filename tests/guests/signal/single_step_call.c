// A program that steps through itself with the trap flag may make a system call on the way.
#include "check.h"

static volatile int steps;
static void handler(int sig) { steps++; }

// pid by way of a stepped call.
static long stepped_getpid(void) {
    long result = SYS_getpid;
    __asm__ volatile(
        "sub $128, %%rsp\n"
        "pushfq\norl $0x100, (%%rsp)\npopfq\n"
        "nop\nsyscall\nnop\nnop\nnop\nnop\n"
        "pushfq\nandl $~0x100, (%%rsp)\npopfq\n"
        "add $128, %%rsp\n" : "+a"(result) :: "rcx", "r11", "memory", "cc");
    return result;
}

int main(void) {
    on_signal(SIGTRAP, handler, 0);
    for (int i = 0; i < 20; i++) {
        steps = 0;
        CHECK_EQ(stepped_getpid(), getpid());
        CHECK(steps >= 1);
    }
    return 0;
}
