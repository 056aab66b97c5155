// A SIGSEGV handler that maps pages as they are touched, as garbage collectors do.
#include "check.h"

static char *area;
static volatile int faults;
static void handler(int sig, siginfo_t *info, void *context) {
    char *page = (char *)((uintptr_t)info->si_addr & ~4095ul);
    CHECK(page >= area && page < area + (64 << 12));
    CHECK_OK(mprotect(page, 4096, PROT_READ | PROT_WRITE));
    faults++;
}

int main(void) {
    area = mmap(NULL, 64 << 12, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(area != MAP_FAILED);
    on_siginfo(SIGSEGV, handler, 0);
    for (volatile char *at = area; at < area + (64 << 12); at += 512) *at += 1;
    CHECK_EQ(faults, 64);
    for (char *at = area; at < area + (64 << 12); at += 512) CHECK_EQ(*at, 1);
    // A copy across pages faults inside the instruction and goes on.
    CHECK_OK(mprotect(area, 64 << 12, PROT_NONE));
    char pattern[4096 * 3];
    memset(pattern, 'p', sizeof pattern);
    memcpy(area + 100, pattern, sizeof pattern);
    CHECK_EQ(faults, 68);
    CHECK(!memcmp(area + 100, pattern, sizeof pattern));
    return 0;
}
