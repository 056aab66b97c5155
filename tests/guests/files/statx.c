// statx: masks, empty path, and the same answers as stat.
#include "check.h"

int main(void) {
    enter_tmp();
    write_file("f", "hello");
    struct statx sx;
    struct stat st;
    memset(&sx, 0, sizeof sx);
    CHECK_OK(statx(AT_FDCWD, "f", 0, STATX_BASIC_STATS, &sx));
    CHECK_OK(stat("f", &st));
    CHECK_EQ(sx.stx_mask & STATX_BASIC_STATS, STATX_BASIC_STATS);
    CHECK_EQ(sx.stx_size, 5);
    CHECK_EQ(sx.stx_ino, st.st_ino);
    CHECK_EQ(sx.stx_mode, st.st_mode);
    CHECK_EQ(sx.stx_nlink, 1);
    CHECK_EQ(sx.stx_mtime.tv_sec, st.st_mtim.tv_sec);
    CHECK_EQ(sx.stx_mtime.tv_nsec, st.st_mtim.tv_nsec);
    int fd = CHECK_OK(open("f", O_RDONLY));
    CHECK_OK(statx(fd, "", AT_EMPTY_PATH, STATX_SIZE, &sx));
    CHECK(sx.stx_mask & STATX_SIZE);
    CHECK_EQ(sx.stx_size, 5);
    CHECK_ERRNO(statx(fd, "", 0, STATX_SIZE, &sx), ENOENT);
    CHECK_ERRNO(statx(AT_FDCWD, "f", 0, STATX__RESERVED, &sx), EINVAL);
    CHECK_ERRNO(statx(AT_FDCWD, "f", 0x40000000, STATX_SIZE, &sx), EINVAL);
    CHECK_ERRNO(statx(AT_FDCWD, "g", 0, STATX_SIZE, &sx), ENOENT);
    return 0;
}
