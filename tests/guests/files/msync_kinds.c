// msync: which ranges and flags it takes, of shared, private and nameless memory; what it writes is in the file.
#include "check.h"

int main(void) {
    enter_tmp();
    int fd = CHECK_OK(open("f", O_RDWR | O_CREAT, 0600));
    CHECK_OK(ftruncate(fd, 3 * 4096));
    char *map = mmap(NULL, 3 * 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    CHECK(map != MAP_FAILED);
    map[5000] = 'x';
    CHECK_OK(msync(map + 4096, 1, MS_SYNC));
    char byte = 0;
    CHECK_EQ(pread(fd, &byte, 1, 5000), 1);
    CHECK_EQ(byte, 'x');
    CHECK_OK(msync(map, 3 * 4096, MS_SYNC | MS_INVALIDATE));
    CHECK_OK(msync(map, 3 * 4096, 0));
    CHECK_OK(msync(map, 0, MS_SYNC));
    CHECK_ERRNO(msync(map, 4096, 8), EINVAL);
    // A mapping that only reads, and one of its own pages, have nothing to be written; that is no error.
    char *reads = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
    CHECK(reads != MAP_FAILED);
    CHECK_OK(msync(reads, 4096, MS_SYNC));
    char *own = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    CHECK(own != MAP_FAILED);
    own[0] = 'p';
    CHECK_OK(msync(own, 4096, MS_SYNC));
    CHECK_EQ(pread(fd, &byte, 1, 0), 1);
    CHECK_EQ(byte, 0);
    char *nameless = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(nameless != MAP_FAILED);
    CHECK_OK(msync(nameless, 4096, MS_SYNC));
    // A gap is ENOMEM, and what is mapped before it has been written.
    CHECK_OK(munmap(map + 4096, 4096));
    CHECK_ERRNO(msync(map, 3 * 4096, MS_SYNC), ENOMEM);
    // Written through one mapping made writable later.
    CHECK_OK(mprotect(reads, 4096, PROT_READ | PROT_WRITE));
    reads[1] = 'y';
    CHECK_OK(msync(reads, 4096, MS_SYNC));
    CHECK_EQ(map[1], 'y');
    CHECK_EQ(pread(fd, &byte, 1, 1), 1);
    CHECK_EQ(byte, 'y');
    return 0;
}
