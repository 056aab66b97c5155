// Reservations far larger than memory, used here and there.
#include "check.h"

int main(void) {
    size_t size = 1ull << 40;
    char *area = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    CHECK(area != MAP_FAILED);
    for (int i = 0; i < 64; i++) {
        char *part = area + (size >> 6) * i;
        CHECK_OK(mprotect(part, 65536, PROT_READ | PROT_WRITE));
        memset(part, i, 65536);
    }
    for (int i = 0; i < 64; i++) CHECK_EQ(area[(size >> 6) * i + 65535], i);
    pid_t pid;
    CHILD(pid) CHECK_EQ(area[(size >> 6) * 63], 63);
    CHECK_EXIT(pid, 0);
    // A part given back by mapping over it.
    CHECK(mmap(area, size >> 1, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0) == area);
    CHECK_OK(mprotect(area, 4096, PROT_READ));
    CHECK_EQ(area[0], 0);
    CHECK_EQ(area[(size >> 6) * 63], 63);
    CHECK_OK(munmap(area, size));
    // Aligned by asking for more and cutting off.
    size_t big = 4 << 20;
    char *raw = mmap(NULL, big * 2, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(raw != MAP_FAILED);
    char *aligned = (char *)(((uintptr_t)raw + big - 1) & ~(big - 1));
    if (aligned > raw) CHECK_OK(munmap(raw, aligned - raw));
    CHECK_OK(munmap(aligned + big, raw + big * 2 - (aligned + big)));
    CHECK_OK(mprotect(aligned, big, PROT_READ | PROT_WRITE));
    aligned[big - 1] = 1;
    return 0;
}
