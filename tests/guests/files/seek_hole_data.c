// SEEK_HOLE and SEEK_DATA, as far as any file system must honour them.
#include "check.h"

int main(void) {
    enter_tmp();
    int fd = CHECK_OK(open("f", O_RDWR | O_CREAT, 0600));
    CHECK_ERRNO(lseek(fd, 0, SEEK_DATA), ENXIO);
    CHECK_ERRNO(lseek(fd, 0, SEEK_HOLE), ENXIO);
    CHECK_EQ(pwrite(fd, "data", 4, 0), 4);
    CHECK_EQ(pwrite(fd, "data", 4, 1 << 20), 4);
    off_t end = (1 << 20) + 4;
    CHECK_EQ(lseek(fd, 0, SEEK_DATA), 0);
    // The hole may be rounded to blocks, or not be told at all: then it is at the end.
    off_t hole = CHECK_OK(lseek(fd, 0, SEEK_HOLE));
    CHECK(hole >= 4 && hole <= end);
    if (hole < end) {
        off_t data = CHECK_OK(lseek(fd, hole, SEEK_DATA));
        CHECK(data > hole && data <= 1 << 20);
    }
    CHECK_EQ(lseek(fd, 1 << 20, SEEK_DATA), 1 << 20);
    CHECK_EQ(lseek(fd, 1 << 20, SEEK_HOLE), end);
    CHECK_ERRNO(lseek(fd, end, SEEK_DATA), ENXIO);
    CHECK_ERRNO(lseek(fd, end, SEEK_HOLE), ENXIO);
    return 0;
}
