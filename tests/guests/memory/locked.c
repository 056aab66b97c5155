// What locked memory counts and forbids. Nothing here needs a right: locks stay below the limit of a plain user.
#include "check.h"

static long locked_kb(void) {
    char text[8192];
    read_file("/proc/self/status", text, sizeof text);
    char *row = strstr(text, "VmLck:");
    CHECK(row);
    return atol(row + 6);
}

int main(void) {
    long page = sysconf(_SC_PAGESIZE), before = locked_kb();
    char *memory = mmap(NULL, 8 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(memory != MAP_FAILED);
    CHECK_OK(mlock(memory + page, 3 * page));
    CHECK_EQ(locked_kb() - before, 3 * page / 1024);
    // Once more counts once; part of a page is all of it.
    CHECK_OK(mlock(memory + page + 5, 1));
    CHECK_EQ(locked_kb() - before, 3 * page / 1024);
    CHECK_OK(munlock(memory + page, page));
    CHECK_EQ(locked_kb() - before, 2 * page / 1024);

    CHECK_ERRNO(madvise(memory, 8 * page, MADV_DONTNEED), EINVAL);
    CHECK_ERRNO(msync(memory, 8 * page, MS_INVALIDATE), EBUSY);
    CHECK_OK(msync(memory, page, MS_INVALIDATE));
    // A child has the memory, and not the locks.
    pid_t pid;
    CHILD(pid) {
        CHECK_EQ(locked_kb(), 0);
        CHECK_OK(madvise(memory, 8 * page, MADV_DONTNEED));
    }
    CHECK_EXIT(pid, 0);
    CHECK_OK(munmap(memory + 2 * page, page));
    CHECK_EQ(locked_kb() - before, page / 1024);
    // Up to the gap it is locked, and the gap is told of.
    CHECK_ERRNO(mlock(memory, 4 * page), ENOMEM);
    CHECK_OK(munlock(memory, 2 * page));
    CHECK_OK(munlock(memory + 3 * page, 5 * page));
    CHECK_EQ(locked_kb(), before);
    CHECK_ERRNO(syscall(SYS_mlock2, memory, page, 2), EINVAL);
    CHECK_ERRNO(mlock(memory, -page), EINVAL);
    CHECK_ERRNO(mlockall(0), EINVAL);
    CHECK_ERRNO(mlockall(MCL_ONFAULT), EINVAL);

    char *born = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_LOCKED, -1, 0);
    CHECK(born != MAP_FAILED);
    CHECK_EQ(locked_kb() - before, 2 * page / 1024);
    CHECK_OK(munmap(born, 2 * page));
    CHILD(pid) {
        CHECK_OK(setrlimit(RLIMIT_MEMLOCK, &(struct rlimit){0, 0}));
        if (geteuid() == 0) CHECK_OK(setuid(65534));
        CHECK_ERRNO(mlock(memory, page), EPERM);
        CHECK_ERRNO(mlockall(MCL_CURRENT), EPERM);
    }
    CHECK_EXIT(pid, 0);
    CHILD(pid) {
        CHECK_OK(setrlimit(RLIMIT_MEMLOCK, &(struct rlimit){page, page}));
        if (geteuid() == 0) CHECK_OK(setuid(65534));
        CHECK_OK(mlock(memory, page));
        CHECK_ERRNO(mlock(memory + page, page), ENOMEM);
        CHECK_ERRNO(mlockall(MCL_CURRENT), ENOMEM);
        CHECK_OK(munlockall());
        CHECK_EQ(locked_kb(), 0);
    }
    CHECK_EXIT(pid, 0);
    return 0;
}
