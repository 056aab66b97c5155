// Anonymous mappings: zeroed, aligned, where asked for, and what is refused.
#include "check.h"
#include <setjmp.h>

static char *map(void *where, size_t size, int flags) {
    char *at = mmap(where, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);
    CHECK(at != MAP_FAILED);
    return at;
}

int main(void) {
    char *a = map(NULL, 10000, 0);
    CHECK_EQ((uintptr_t)a % 4096, 0);
    for (int i = 0; i < 12288; i++) CHECK_EQ(a[i], 0);  // Rounded up to whole pages.
    memset(a, 1, 12288);
    // A fixed mapping takes the place of what is there, and of that only.
    CHECK(map(a + 4096, 4096, MAP_FIXED) == a + 4096);
    CHECK(a[4095] == 1 && a[4096] == 0 && a[8192] == 1);
    CHECK_ERRNO((long)mmap(a + 4096, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0), EEXIST);
    CHECK_OK(munmap(a + 4096, 4096));
    CHECK(map(a + 4096, 4096, MAP_FIXED_NOREPLACE) == a + 4096);
    // A hint is taken when it is free, and is only a hint.
    CHECK_OK(munmap(a + 4096, 4096));
    CHECK(map(a + 4096, 4096, 0) == a + 4096);
    CHECK(map(a, 4096, 0) != a);
    CHECK_ERRNO((long)mmap(a + 1, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0), EINVAL);
    CHECK_ERRNO((long)mmap(NULL, 0, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), EINVAL);
    CHECK_ERRNO((long)mmap(NULL, 4096, PROT_READ, MAP_ANONYMOUS, -1, 0), EINVAL);  // Neither shared nor private.
    CHECK_ERRNO((long)mmap(NULL, SIZE_MAX - 8192, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), ENOMEM);
    CHECK_ERRNO((long)mmap(NULL, 1ull << 60, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), ENOMEM);
    CHECK_ERRNO((long)mmap((void *)0xffff800000000000, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0), ENOMEM);
    CHECK_ERRNO(munmap(a + 1, 4096), EINVAL);
    CHECK_ERRNO(munmap(a, 0), EINVAL);
    CHECK_OK(munmap(a, 12288));
    CHECK_OK(munmap(a, 12288));  // Nothing there: well.
    char *populated = map(NULL, 1 << 20, MAP_POPULATE | MAP_NORESERVE | MAP_STACK);
    CHECK_EQ(populated[1 << 19], 0);
    return 0;
}
