// Peak memory: it stays when memory goes, is told of a child that was waited for, and is not that of memory without access.
#include "check.h"
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>

enum { MEGABYTE = 1 << 20 };

static long peak(int who) {
    struct rusage usage;
    CHECK_OK(getrusage(who, &usage));
    return usage.ru_maxrss;
}

static void use(size_t bytes) {
    char *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(memory != MAP_FAILED);
    memset(memory, 1, bytes);
    CHECK_OK(munmap(memory, bytes));
}

int main(void) {
    long before = peak(RUSAGE_SELF);
    CHECK(before > 0);
    CHECK_EQ(peak(RUSAGE_CHILDREN), 0);
    CHECK(mmap(NULL, 1ul << 36, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0) != MAP_FAILED);
    CHECK(peak(RUSAGE_SELF) < before + 16 * 1024);
    use(64 * MEGABYTE);
    long after = peak(RUSAGE_SELF);
    CHECK(after >= before + 48 * 1024 && after < before + 80 * 1024);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        // A child begins anew.
        if (peak(RUSAGE_SELF) >= after) _exit(1);
        use(128 * MEGABYTE);
        _exit(0);
    }
    int status;
    struct rusage usage;
    CHECK_EQ(wait4(child, &status, 0, &usage), child);
    CHECK_EQ(status, 0);
    CHECK(usage.ru_maxrss >= 128 * 1024);
    CHECK_EQ(peak(RUSAGE_CHILDREN), usage.ru_maxrss);
    CHECK(peak(RUSAGE_SELF) < 128 * 1024);
    return 0;
}
