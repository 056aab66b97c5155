// The program break: where it is, growing, shrinking, zeroed when it comes back.
#include "check.h"

int main(void) {
    char *start = sbrk(0);
    CHECK(start != (void *)-1);
    CHECK_EQ(syscall(SYS_brk, 0), (long)start);
    char *mine = sbrk(100000);
    CHECK(mine == start);
    memset(mine, 'b', 100000);
    CHECK(sbrk(0) == start + 100000);
    CHECK_OK(brk(start));
    CHECK(sbrk(0) == start);
    CHECK(sbrk(100000) == start);
    CHECK_EQ(start[50000], 0);
    CHECK_EQ(syscall(SYS_brk, 8), (long)sbrk(0));  // Refused by telling where it is.
    CHECK_ERRNO(brk((void *)-4096l), ENOMEM);
    pid_t pid;
    start[60000] = 'p';
    CHILD(pid) {
        CHECK_EQ(start[60000], 'p');
        CHECK(sbrk(4096) == start + 100000);
    }
    CHECK_EXIT(pid, 0);
    CHECK(sbrk(0) == start + 100000);
    CHECK_OK(brk(start));
    return 0;
}
