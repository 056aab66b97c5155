// Code made at run time: written, then made executable; executable memory changed and run again.
#include "check.h"
#include <setjmp.h>

typedef long function(void);
static sigjmp_buf back;
static void handler(int sig) { siglongjmp(back, 1); }

int main(void) {
    on_signal(SIGSEGV, handler, 0);
    unsigned char *page = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(page != MAP_FAILED);
    const unsigned char code[] = {0xb8, 42, 0, 0, 0, 0xc3};  // mov $42, %eax; ret
    memcpy(page, code, sizeof code);
    if (!sigsetjmp(back, 1)) {
        ((function *)page)();
        FAIL("data were run");
    }
    CHECK_OK(mprotect(page, 4096, PROT_READ | PROT_EXEC));
    CHECK_EQ(((function *)page)(), 42);
    pid_t pid;
    CHILD(pid) CHECK_EQ(((function *)page)(), 42);
    CHECK_EXIT(pid, 0);
    CHECK_OK(mprotect(page, 4096, PROT_READ | PROT_WRITE | PROT_EXEC));
    for (int i = 0; i < 50; i++) {
        page[1] = i;
        CHECK_EQ(((function *)page)(), i);
    }
    // One file, two views: one to write, one to run.
    int fd = CHECK_OK(memfd_create("code", 0));
    CHECK_OK(ftruncate(fd, 4096));
    unsigned char *write_view = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    function *run_view = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_SHARED, fd, 0);
    CHECK(write_view != MAP_FAILED && run_view != MAP_FAILED);
    memcpy(write_view, code, sizeof code);
    for (int i = 0; i < 50; i++) {
        write_view[1] = i;
        CHECK_EQ(run_view(), i);
    }
    return 0;
}
