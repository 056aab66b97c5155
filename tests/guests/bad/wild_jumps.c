// Jumps to where no code is: SIGSEGV, with the address in the handler's hands, or death.
#include "check.h"
#include <setjmp.h>
#include <ucontext.h>

static sigjmp_buf back;
static volatile uintptr_t address, rip;
static void handler(int sig, siginfo_t *info, void *context) {
    address = (uintptr_t)info->si_addr;
    rip = ((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP];
    siglongjmp(back, 1);
}
typedef void function(void);

int main(void) {
    static char memory[65536];
    stack_t stack = {memory, 0, sizeof memory};
    CHECK_OK(sigaltstack(&stack, NULL));
    on_siginfo(SIGSEGV, handler, SA_ONSTACK);
    static char data[64] = {(char)0xc3};
    char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    const uintptr_t targets[] = {0, 16, 0xdeadbeef000, (uintptr_t)data, (uintptr_t)page, 0x7fffffffe000,
                                 // Where nothing is mapped on Linux, and something that is not a program's elsewhere.
                                 0x600000000000, 0x601000000000, 0x602000000000};
    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++) {
        if (!sigsetjmp(back, 1)) {
            ((function *)targets[i])();
            FAIL("jump to %#lx came back", targets[i]);
        }
        CHECK_EQ(rip, targets[i]);
        CHECK_EQ(address, targets[i]);
    }
    const uintptr_t strange[] = {0x8000000000000000, 0xffff800000000000, 0xffffffffffffffff};
    for (size_t i = 0; i < 3; i++) {
        if (!sigsetjmp(back, 1)) {
            ((function *)strange[i])();
            FAIL("jump to %#lx came back", strange[i]);
        }
    }
    pid_t pid;
    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++) {
        CHILD(pid) {
            signal(SIGSEGV, SIG_DFL);
            ((function *)targets[i])();
        }
        CHECK_KILLED(pid, SIGSEGV);
    }
    // A stack pointer that points nowhere: the handler has its own stack, so it runs.
    if (!sigsetjmp(back, 1)) {
        __asm__ volatile("mov $4096, %%rsp\npush %%rax" ::: "memory");
        __builtin_unreachable();
    }
    CHILD(pid) {
        stack.ss_flags = SS_DISABLE;
        CHECK_OK(sigaltstack(&stack, NULL));
        __asm__ volatile("mov $4096, %%rsp\npush %%rax" ::: "memory");
        __builtin_unreachable();
    }
    CHECK_KILLED(pid, SIGSEGV);
    return 0;
}
