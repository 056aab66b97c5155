// Code made at run time that makes system calls, is changed, and makes others.
#include "check.h"

typedef long function(void);

int main(void) {
    // mov $number, %eax; syscall; ret
    const unsigned char code[] = {0xb8, 0, 0, 0, 0, 0x0f, 0x05, 0xc3};
    unsigned char *page = mmap(NULL, 8192, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(page != MAP_FAILED);
    memcpy(page, code, sizeof code);
    for (int i = 0; i < 300; i++) {
        int number = i % 3 == 0 ? SYS_getpid : i % 3 == 1 ? SYS_getppid : SYS_gettid;
        memcpy(page + 1, &number, 4);
        CHECK_EQ(((function *)page)(), i % 3 == 1 ? getppid() : getpid());
    }
    // Where a system call was there is a plain instruction now, and the other way round.
    page[0] = 0x90;
    memcpy(page + 1, "\xb8\x07\x00\x00\x00\xc3", 6);
    CHECK_EQ(((function *)page)(), 7);
    memcpy(page, code, sizeof code);
    int number = SYS_getpid;
    memcpy(page + 1, &number, 4);
    CHECK_EQ(((function *)page)(), getpid());
    // The call ends one page, what follows begins the next.
    memcpy(page + 4096 - 7, page, sizeof code);
    for (int i = 0; i < 100; i++) CHECK_EQ(((function *)(page + 4096 - 7))(), getpid());
    pid_t pid;
    CHILD(pid) CHECK_EQ(((function *)page)(), getpid());
    CHECK_EXIT(pid, 0);
    return 0;
}
