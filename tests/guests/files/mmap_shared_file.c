// A shared mapping and read/write see one file, also across a fork.
#include "check.h"

int main(void) {
    enter_tmp();
    int fd = CHECK_OK(open("f", O_RDWR | O_CREAT, 0600));
    CHECK_OK(ftruncate(fd, 8192));
    char *map = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    CHECK(map != MAP_FAILED);
    char byte;
    map[100] = 'm';
    CHECK_EQ(pread(fd, &byte, 1, 100), 1);
    CHECK_EQ(byte, 'm');
    CHECK_EQ(pwrite(fd, "w", 1, 5000), 1);
    CHECK_EQ(map[5000], 'w');
    char *again = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 4096);
    CHECK(again != MAP_FAILED);
    map[4096 + 7] = 'q';
    CHECK_EQ(again[7], 'q');
    pid_t pid;
    CHILD(pid) {
        CHECK_EQ(map[100], 'm');
        map[200] = 'c';
    }
    CHECK_EXIT(pid, 0);
    CHECK_EQ(map[200], 'c');
    CHECK_OK(msync(map, 8192, MS_SYNC));
    CHECK_OK(msync(map, 4096, MS_ASYNC));
    CHECK_ERRNO(msync(map + 1, 4096, MS_SYNC), EINVAL);
    CHECK_ERRNO(msync(map, 4096, MS_SYNC | MS_ASYNC), EINVAL);
    CHECK_OK(close(fd));
    map[300] = 'z';  // The mapping outlives the descriptor.
    CHECK_OK(munmap(map, 8192));
    CHECK_ERRNO(msync(map, 8192, MS_SYNC), ENOMEM);
    char text[512];
    fd = CHECK_OK(open("f", O_RDONLY));
    CHECK_EQ(read(fd, text, 512), 512);
    CHECK_EQ(text[300], 'z');
    return 0;
}
