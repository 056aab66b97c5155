// A page past the end of the file gives SIGBUS until the file grows.
#include "check.h"
#include <setjmp.h>

static sigjmp_buf back;
static void *volatile fault;
static volatile int code;

static void handler(int sig, siginfo_t *info, void *context) {
    fault = info->si_addr;
    code = info->si_code;
    siglongjmp(back, 1);
}

int main(void) {
    enter_tmp();
    int fd = CHECK_OK(open("f", O_RDWR | O_CREAT, 0600));
    CHECK_OK(ftruncate(fd, 100));
    volatile char *map = mmap(NULL, 12288, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    CHECK(map != MAP_FAILED);
    on_siginfo(SIGBUS, handler, 0);
    CHECK_EQ(map[4095], 0);
    if (!sigsetjmp(back, 1)) {
        (void)map[8200];
        FAIL("no fault");
    }
    CHECK(fault == map + 8200);
    CHECK_EQ(code, BUS_ADRERR);
    // A system call given that memory says EFAULT.
    int null = CHECK_OK(open("/dev/zero", O_RDONLY));
    CHECK_ERRNO(read(null, (void *)(map + 8200), 1), EFAULT);
    CHECK_OK(ftruncate(fd, 12288));
    map[8200] = 'g';
    char byte;
    CHECK_EQ(pread(fd, &byte, 1, 8200), 1);
    CHECK_EQ(byte, 'g');
    CHECK_OK(ftruncate(fd, 4096));
    if (!sigsetjmp(back, 1)) {
        (void)map[8200];
        FAIL("no fault after the cut");
    }
    CHECK_OK(ftruncate(fd, 12288));
    CHECK_EQ(map[8200], 0);
    return 0;
}
