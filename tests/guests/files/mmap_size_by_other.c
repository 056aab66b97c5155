// A mapping follows the file's size, whoever changes it: another process, a descriptor, after mprotect and mremap.
#include "check.h"
#include <setjmp.h>

static sigjmp_buf back;
static volatile int code;
static void handler(int sig, siginfo_t *info, void *context) {
    code = sig == SIGBUS ? 1 : 2;
    siglongjmp(back, 1);
}
// 0: it can be read; 1: SIGBUS; 2: SIGSEGV.
static int touch(volatile char *at) {
    code = 0;
    if (!sigsetjmp(back, 1)) (void)*at;
    return code;
}

int main(void) {
    enter_tmp();
    on_siginfo(SIGBUS, handler, 0);
    on_siginfo(SIGSEGV, handler, 0);
    int fd = CHECK_OK(open("f", O_RDWR | O_CREAT, 0600));
    CHECK_EQ(write(fd, "first", 5), 5);
    char *shared = mmap(NULL, 4 * 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    char *own = mmap(NULL, 4 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    CHECK(shared != MAP_FAILED && own != MAP_FAILED);
    own[0] = 'F';
    CHECK_EQ(touch(shared + 4096), 1);
    CHECK_EQ(touch(own + 4096), 1);

    pid_t pid;
    CHILD(pid) {
        CHECK_EQ(pwrite(fd, "grown", 5, 4096), 5);
        CHECK_STR(shared + 4096, "grown");
        shared[4096] = 'G';
    }
    CHECK_EXIT(pid, 0);
    CHECK_STR(shared + 4096, "Grown");
    CHECK_STR(own + 4096, "Grown");
    CHECK_EQ(own[0], 'F');  // What is the mapping's own stays.
    CHECK_EQ(touch(shared + 8192), 1);

    // Changing protections brings no page into reach.
    CHECK_OK(mprotect(shared, 4 * 4096, PROT_READ));
    CHECK_EQ(touch(shared + 8192), 1);
    CHECK_OK(mprotect(shared, 4 * 4096, PROT_NONE));
    CHECK_EQ(touch(shared + 8192), 2);
    CHECK_OK(mprotect(shared, 4 * 4096, PROT_READ | PROT_WRITE));

    // Nor does moving.
    char *moved = mremap(shared, 4 * 4096, 8 * 4096, MREMAP_MAYMOVE);
    CHECK(moved != MAP_FAILED);
    CHECK_STR(moved + 4096, "Grown");
    CHECK_EQ(touch(moved + 8192), 1);
    char *elsewhere = mremap(own, 4 * 4096, 8 * 4096, MREMAP_MAYMOVE);
    CHECK(elsewhere != MAP_FAILED);
    CHECK_EQ(elsewhere[0], 'F');
    CHECK_STR(elsewhere + 4096, "Grown");
    CHECK_EQ(touch(elsewhere + 8192), 1);
    CHECK_OK(ftruncate(fd, 7 * 4096));
    CHECK_EQ(touch(moved + 6 * 4096), 0);
    CHECK_EQ(touch(elsewhere + 6 * 4096), 0);
    CHECK_EQ(touch(moved + 7 * 4096), 1);

    // Another process cuts it.
    CHILD(pid) CHECK_OK(truncate("f", 3));
    CHECK_EXIT(pid, 0);
    CHECK_EQ(touch(moved + 4096), 1);
    CHECK_EQ(touch(elsewhere + 4096), 1);
    CHECK(!memcmp(moved, "fir\0\0", 5));
    CHECK_OK(ftruncate(fd, 8192));
    CHECK_EQ(moved[4096], 0);
    CHECK_EQ(elsewhere[4096], 0);
    return 0;
}
