// Holes made in mappings, and a thousand small ones side by side.
#include "check.h"

int main(void) {
    char *area = mmap(NULL, 1000 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(area != MAP_FAILED);
    for (int i = 0; i < 1000; i++) area[i * 4096] = i;
    for (int i = 0; i < 1000; i += 2) CHECK_OK(munmap(area + i * 4096, 4096));
    for (int i = 1; i < 1000; i += 2) CHECK_EQ(area[i * 4096], (char)i);
    unsigned char vec;
    CHECK_OK(mincore(area + 4096, 4096, &vec));
    CHECK_ERRNO(mincore(area, 4096, &vec), ENOMEM);
    int pipes[2];
    CHECK_OK(pipe(pipes));
    CHECK_ERRNO(write(pipes[1], area, 1), EFAULT);
    CHECK_EQ(write(pipes[1], area + 4096, 8192), 4096);  // As far as it can be read.
    for (int i = 0; i < 1000; i += 2) CHECK(mmap(area + i * 4096, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) != MAP_FAILED);
    CHECK_OK(munmap(area, 1000 * 4096));
    CHECK_ERRNO(mincore(area + 4096, 4096, &vec), ENOMEM);
    return 0;
}
