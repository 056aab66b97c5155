// A guard page after a buffer stops the write that goes past it, exactly there.
#include "check.h"
#include <setjmp.h>

static sigjmp_buf back;
static char *volatile fault;
static void handler(int sig, siginfo_t *info, void *context) {
    fault = info->si_addr;
    siglongjmp(back, 1);
}

int main(void) {
    static char *area;  // Not in a register that a jump out of the loop would find changed.
    area = mmap(NULL, 3 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(area != MAP_FAILED);
    CHECK_OK(mprotect(area + 8192, 4096, PROT_NONE));
    on_siginfo(SIGSEGV, handler, 0);
    volatile int written = 0;
    if (!sigsetjmp(back, 1))
        for (volatile char *at = area;; at++) *at = 'w', written++;
    CHECK_EQ(written, 8192);
    CHECK(fault == area + 8192);
    // A read into it is cut short by the kernel, or refused as a whole.
    int pipes[2];
    CHECK_OK(pipe(pipes));
    char data[100] = {0};
    CHECK_EQ(write(pipes[1], data, 100), 100);
    ssize_t got = read(pipes[0], area + 8192 - 10, 100);
    CHECK(got == 10 || (got == -1 && errno == EFAULT));
    return 0;
}
