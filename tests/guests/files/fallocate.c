// fallocate: size, keeping the size, punching holes. A file system may say that it has none of it.
#include "check.h"
#include <linux/falloc.h>

int main(void) {
    enter_tmp();
    int fd = CHECK_OK(open("f", O_RDWR | O_CREAT, 0600));
    struct stat st;
    CHECK_ZERO(posix_fallocate(fd, 0, 8192));
    CHECK_OK(fstat(fd, &st));
    CHECK_EQ(st.st_size, 8192);
    CHECK_ERRNO(fallocate(fd, 0, -1, 10), EINVAL);
    CHECK_ERRNO(fallocate(fd, 0, 0, 0), EINVAL);
    int reader = CHECK_OK(open("f", O_RDONLY));
    CHECK_ERRNO(fallocate(reader, 0, 0, 10), EBADF);
    if (fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, 1 << 16) == 0) {
        CHECK_OK(fstat(fd, &st));
        CHECK_EQ(st.st_size, 8192);
    } else {
        CHECK_EQ(errno, EOPNOTSUPP);
    }
    char block[8192], back[8192];
    memset(block, 'x', sizeof block);
    CHECK_EQ(pwrite(fd, block, sizeof block, 0), 8192);
    CHECK_ERRNO(fallocate(fd, FALLOC_FL_PUNCH_HOLE, 0, 4096), EOPNOTSUPP);
    if (fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 1000, 4000) == 0) {
        CHECK_EQ(pread(fd, back, sizeof back, 0), 8192);
        memset(block + 1000, 0, 4000);
        CHECK(!memcmp(block, back, sizeof block));
    } else {
        CHECK_EQ(errno, EOPNOTSUPP);
    }
    if (fallocate(fd, FALLOC_FL_ZERO_RANGE, 6000, 4000) == 0) {
        CHECK_OK(fstat(fd, &st));
        CHECK_EQ(st.st_size, 10000);
    } else {
        CHECK_EQ(errno, EOPNOTSUPP);
    }
    return 0;
}
