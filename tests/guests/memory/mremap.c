// mremap: in place, elsewhere, at a fixed place, smaller.
#include "check.h"

int main(void) {
    char *area = mmap(NULL, 8 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(area != MAP_FAILED);
    for (int i = 0; i < 8; i++) area[i * 4096] = i;
    CHECK(mremap(area, 8 * 4096, 4 * 4096, 0) == area);
    CHECK(mremap(area, 4 * 4096, 6 * 4096, 0) == area);  // Its own old place is free.
    CHECK(area[3 * 4096] == 3 && area[4 * 4096] == 0);
    CHECK(mmap(area + 6 * 4096, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == area + 6 * 4096);
    CHECK_ERRNO((long)mremap(area, 6 * 4096, 20 * 4096, 0), ENOMEM);
    char *moved = mremap(area, 6 * 4096, 20 * 4096, MREMAP_MAYMOVE);
    CHECK(moved != MAP_FAILED && moved != area);
    for (int i = 0; i < 4; i++) CHECK_EQ(moved[i * 4096], i);
    CHECK_EQ(moved[19 * 4096], 0);
    unsigned char vec;
    CHECK_ERRNO(mincore(area, 4096, &vec), ENOMEM);
    char *target = mmap(NULL, 20 * 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(mremap(moved, 20 * 4096, 20 * 4096, MREMAP_MAYMOVE | MREMAP_FIXED, target) == target);
    CHECK_EQ(target[2 * 4096], 2);
    CHECK_ERRNO((long)mremap(target, 4096, 4096, MREMAP_FIXED, area), EINVAL);
    CHECK_ERRNO((long)mremap(target + 1, 4096, 4096, MREMAP_MAYMOVE), EINVAL);
    CHECK_ERRNO((long)mremap(target, 4096, 0, MREMAP_MAYMOVE), EINVAL);
    CHECK_ERRNO((long)mremap((void *)4096, 4096, 8192, MREMAP_MAYMOVE), EFAULT);
    // An old size of zero on shared memory: a second view of it.
    char *shared = shared_memory(4096);
    char *view = mremap(shared, 0, 4096, MREMAP_MAYMOVE);
    CHECK(view != MAP_FAILED && view != shared);
    shared[9] = 'v';
    CHECK_EQ(view[9], 'v');
    // A realloc that grows for long.
    char *heap = malloc(1 << 20);
    memset(heap, 7, 1 << 20);
    for (size_t size = 1 << 21; size <= 1 << 26; size <<= 1) {
        heap = realloc(heap, size);
        CHECK(heap && heap[(1 << 20) - 1] == 7);
    }
    free(heap);
    return 0;
}
