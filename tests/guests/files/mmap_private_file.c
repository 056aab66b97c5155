// A private mapping keeps its writes to itself; access modes bind mappings.
#include "check.h"

int main(void) {
    enter_tmp();
    write_file("f", "original");
    int fd = CHECK_OK(open("f", O_RDWR));
    char *map = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    CHECK(map != MAP_FAILED);
    CHECK_STR(map, "original");  // The rest of the page is zeros.
    map[0] = 'X';
    char text[16];
    read_file("f", text, sizeof text);
    CHECK_STR(text, "original");
    // The page is ours now: the file's later changes do not reach it.
    CHECK_EQ(pwrite(fd, "ZZZ", 3, 0), 3);
    CHECK(!memcmp(map, "Xri", 3));
    pid_t pid;
    CHILD(pid) map[1] = 'Y';
    CHECK_EXIT(pid, 0);
    CHECK_EQ(map[1], 'r');

    int reader = CHECK_OK(open("f", O_RDONLY)), writer = CHECK_OK(open("f", O_WRONLY));
    CHECK(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, reader, 0) == MAP_FAILED);
    CHECK_EQ(errno, EACCES);
    CHECK(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, writer, 0) == MAP_FAILED);
    CHECK_EQ(errno, EACCES);
    map = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, reader, 0);
    CHECK(map != MAP_FAILED);
    char *shared = mmap(NULL, 4096, PROT_READ, MAP_SHARED, reader, 0);
    CHECK(shared != MAP_FAILED);
    CHECK_ERRNO(mprotect(shared, 4096, PROT_READ | PROT_WRITE), EACCES);
    CHECK(mmap(NULL, 4096, PROT_READ, MAP_SHARED, reader, 100) == MAP_FAILED);
    CHECK_EQ(errno, EINVAL);
    CHECK_ERRNO((long)mmap(NULL, 4096, PROT_READ, MAP_SHARED, 9999, 0), EBADF);
    CHECK_ERRNO((long)mmap(NULL, 0, PROT_READ, MAP_SHARED, reader, 0), EINVAL);
    int dir = CHECK_OK(open(".", O_RDONLY));
    CHECK_ERRNO((long)mmap(NULL, 4096, PROT_READ, MAP_SHARED, dir, 0), ENODEV);
    return 0;
}
