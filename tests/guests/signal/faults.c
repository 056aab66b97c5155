// SIGFPE, SIGILL, SIGTRAP and SIGBUS from the instructions that cause them.
#include "check.h"
#include <setjmp.h>
#include <ucontext.h>

static sigjmp_buf back;
static volatile siginfo_t got;
static volatile greg_t where;
static void handler(int sig, siginfo_t *info, void *context) {
    got = *info;
    where = ((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP];
    if (sig != SIGTRAP) siglongjmp(back, sig);
}

int main(void) {
    on_siginfo(SIGFPE, handler, 0);
    on_siginfo(SIGILL, handler, 0);
    on_siginfo(SIGTRAP, handler, 0);
    on_siginfo(SIGSEGV, handler, 0);
    int sig = sigsetjmp(back, 1);
    if (!sig) {
        int zero = 0;
        __asm__ volatile("xor %%edx, %%edx\nmov $1, %%eax\nidivl %0" ::"r"(zero) : "eax", "edx");
        FAIL("no fault");
    }
    CHECK_EQ(sig, SIGFPE);
    CHECK_EQ(got.si_code, FPE_INTDIV);
    CHECK_EQ(got.si_addr, where);
    sig = sigsetjmp(back, 1);
    if (!sig) {
        __asm__ volatile("ud2");
        FAIL("no fault");
    }
    CHECK_EQ(sig, SIGILL);
    CHECK_EQ(got.si_code, ILL_ILLOPN);
    CHECK_EQ(got.si_addr, where);
    sig = sigsetjmp(back, 1);
    if (!sig) {
        __asm__ volatile("hlt");  // Privileged.
        FAIL("no fault");
    }
    CHECK_EQ(sig, SIGSEGV);
    CHECK_EQ(got.si_code, SI_KERNEL);
    uintptr_t after;
    __asm__ volatile("lea 1f(%%rip), %0\nint3\n1:" : "=r"(after));
    CHECK_EQ(got.si_signo, SIGTRAP);
    CHECK_EQ(got.si_code, SI_KERNEL);
    CHECK_EQ(where, after);  // A trap, not a fault: past the instruction.
    return 0;
}
