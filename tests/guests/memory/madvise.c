// madvise: what DONTNEED throws away, what FREE may, and refusals.
#include "check.h"

int main(void) {
    enter_tmp();
    char *area = mmap(NULL, 4 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(area != MAP_FAILED);
    memset(area, 'x', 4 * 4096);
    CHECK_OK(madvise(area + 4096, 4096, MADV_DONTNEED));
    CHECK(area[0] == 'x' && area[4096] == 0 && area[8192] == 'x');
    CHECK_OK(madvise(area, 4096, MADV_FREE));
    CHECK(area[0] == 'x' || area[0] == 0);
    area[0] = 'y';
    CHECK_EQ(area[0], 'y');
    CHECK_OK(madvise(area, 4 * 4096, MADV_WILLNEED));
    CHECK_OK(madvise(area, 4 * 4096, MADV_SEQUENTIAL));
    CHECK_ERRNO(madvise(area + 1, 4096, MADV_DONTNEED), EINVAL);
    CHECK_ERRNO(madvise(area, 4096, 9999), EINVAL);
    CHECK_OK(munmap(area + 4096, 4096));
    CHECK_ERRNO(madvise(area, 3 * 4096, MADV_DONTNEED), ENOMEM);
    // Of a private file mapping, the file's contents come back; of a shared one nothing is lost.
    write_file("f", "file");
    int fd = CHECK_OK(open("f", O_RDWR));
    char *map = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    map[0] = 'P';
    CHECK_OK(madvise(map, 4096, MADV_DONTNEED));
    CHECK_STR(map, "file");
    char *shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    shared[0] = 'S';
    CHECK_OK(madvise(shared, 4096, MADV_DONTNEED));
    CHECK_STR(shared, "Sile");
    // Memory that children shall not have.
    char *secret = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    secret[0] = 's';
    CHECK_OK(madvise(secret, 4096, MADV_WIPEONFORK));
    pid_t pid;
    CHILD(pid) CHECK_EQ(secret[0], 0);
    CHECK_EXIT(pid, 0);
    CHECK_OK(madvise(secret, 4096, MADV_DONTFORK));
    CHILD(pid) {
        unsigned char vec;
        CHECK_ERRNO(mincore(secret, 4096, &vec), ENOMEM);
    }
    CHECK_EXIT(pid, 0);
    CHECK_EQ(secret[0], 's');
    return 0;
}
