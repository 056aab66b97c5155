// SIGSEGV to a handler: the address, why, and the way out by siglongjmp.
#include "check.h"
#include <setjmp.h>

static sigjmp_buf back;
static volatile siginfo_t got;
static void handler(int sig, siginfo_t *info, void *context) {
    got = *info;
    siglongjmp(back, sig);
}

#define FAULTS(expression, address, code) \
    do { \
        int sig_ = sigsetjmp(back, 1); \
        if (!sig_) { \
            (void)(expression); \
            FAIL("%s: no fault", #expression); \
        } \
        CHECK_EQ(sig_, SIGSEGV); \
        CHECK_EQ(got.si_addr, address); \
        CHECK_EQ(got.si_code, code); \
    } while (0)

int main(void) {
    on_siginfo(SIGSEGV, handler, 0);
    volatile char *nowhere = (char *)16;
    FAULTS(*nowhere, 16, SEGV_MAPERR);
    FAULTS(*nowhere = 1, 16, SEGV_MAPERR);
    volatile char *page = mmap(NULL, 8192, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(page != MAP_FAILED);
    CHECK_EQ(page[5], 0);
    FAULTS(page[5] = 1, page + 5, SEGV_ACCERR);
    CHECK_OK(mprotect((void *)page, 8192, PROT_NONE));
    FAULTS(page[4096], page + 4096, SEGV_ACCERR);
    CHECK_OK(munmap((void *)page, 8192));
    FAULTS(page[4096], page + 4096, SEGV_MAPERR);
    // An address that is not canonical has no si_addr.
    volatile char *strange = (char *)0x8000000000000000;
    FAULTS(*strange, 0, SI_KERNEL);
    // The mask was put back each time, or the second fault would have killed us.
    pid_t pid;
    CHILD(pid) {
        block_signal(SIG_BLOCK, SIGSEGV);
        *nowhere = 1;
    }
    CHECK_KILLED(pid, SIGSEGV);
    CHILD(pid) {
        signal(SIGSEGV, SIG_IGN);
        *nowhere = 1;
    }
    CHECK_KILLED(pid, SIGSEGV);
    return 0;
}
