// A handler may change the registers it returns to.
#include "check.h"
#include <ucontext.h>

static void skip_ud2(int sig, siginfo_t *info, void *context) {
    greg_t *regs = ((ucontext_t *)context)->uc_mcontext.gregs;
    CHECK_EQ(*(uint16_t *)regs[REG_RIP], 0x0b0f);
    regs[REG_RIP] += 2;
    regs[REG_RAX] = 0x1122334455667788;
    regs[REG_R12] = regs[REG_R12] * 2;
    sigaddset(&((ucontext_t *)context)->uc_sigmask, SIGUSR2);
}

static void change_xmm(int sig, siginfo_t *info, void *context) {
    fpregset_t fp = ((ucontext_t *)context)->uc_mcontext.fpregs;
    CHECK(fp);
    CHECK_EQ(fp->_xmm[3].element[0], 0x33333333);
    fp->_xmm[3].element[1] = 0x44444444;
    ((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP] += 2;
}

int main(void) {
    on_siginfo(SIGILL, skip_ud2, 0);
    unsigned long rax = 1, r12;
    __asm__ volatile("mov $21, %%r12\nud2\nmov %%r12, %1" : "+a"(rax), "=r"(r12)::"r12");
    CHECK_EQ(rax, 0x1122334455667788);
    CHECK_EQ(r12, 42);
    sigset_t mask;
    CHECK_OK(sigprocmask(SIG_BLOCK, NULL, &mask));
    CHECK_EQ(sigismember(&mask, SIGUSR2), 1);

    on_siginfo(SIGILL, change_xmm, 0);
    unsigned in[4] = {0x33333333, 0, 1, 2}, out[4];
    __asm__ volatile("movups %1, %%xmm3\nud2\nmovups %%xmm3, %0" : "=m"(out) : "m"(in) : "xmm3");
    CHECK(out[0] == 0x33333333 && out[1] == 0x44444444 && out[2] == 1 && out[3] == 2);
    return 0;
}
