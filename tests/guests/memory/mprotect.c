// mprotect: takes effect at once, splits mappings, refuses holes.
#include "check.h"
#include <setjmp.h>

static sigjmp_buf back;
static void handler(int sig) { siglongjmp(back, 1); }
static bool can_write(volatile char *at) {
    if (sigsetjmp(back, 1)) return false;
    *at = *at;
    return true;
}
static bool can_read(volatile char *at) {
    if (sigsetjmp(back, 1)) return false;
    (void)*at;
    return true;
}

int main(void) {
    on_signal(SIGSEGV, handler, 0);
    char *area = mmap(NULL, 5 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(area != MAP_FAILED);
    memset(area, 'a', 5 * 4096);
    CHECK_OK(mprotect(area + 4096, 4096, PROT_READ));
    CHECK_OK(mprotect(area + 3 * 4096, 4096, PROT_NONE));
    for (int i = 0; i < 5; i++) {
        CHECK_EQ(can_write(area + i * 4096), i != 1 && i != 3);
        CHECK_EQ(can_read(area + i * 4096), i != 3);
    }
    // The kernel keeps to them as well.
    int zero = CHECK_OK(open("/dev/zero", O_RDONLY)), null = CHECK_OK(open("/dev/null", O_WRONLY)), pipes[2];
    CHECK_OK(pipe(pipes));
    CHECK_ERRNO(read(zero, area + 4096, 1), EFAULT);
    CHECK_ERRNO(write(pipes[1], area + 3 * 4096, 1), EFAULT);
    CHECK_EQ(write(null, area + 3 * 4096, 1), 1);  // Which does not even look.
    CHECK_OK(mprotect(area, 5 * 4096, PROT_READ | PROT_WRITE));
    for (int i = 0; i < 5; i++) CHECK(can_write(area + i * 4096) && area[i * 4096] == 'a');
    CHECK_ERRNO(mprotect(area + 1, 4096, PROT_READ), EINVAL);
    CHECK_ERRNO(mprotect(area, 4096, 0x1000), EINVAL);
    CHECK_OK(mprotect(area, 0, PROT_READ));
    CHECK_OK(munmap(area + 2 * 4096, 4096));
    CHECK_ERRNO(mprotect(area, 5 * 4096, PROT_READ), ENOMEM);
    CHECK(!can_write(area));  // What comes before the hole has been changed.
    return 0;
}
