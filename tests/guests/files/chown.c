// chown: what an owner may do, what only root may, and the set-id bits that go.
#include "check.h"

int main(void) {
    enter_tmp();
    write_file("f", "");
    struct stat st;
    CHECK_OK(chown("f", -1, -1));
    CHECK_OK(chown("f", geteuid(), getegid()));
    if (geteuid()) {
        CHECK_ERRNO(chown("f", 0, -1), EPERM);
    } else if (chown("f", 123, 456) == 0) {
        CHECK_OK(stat("f", &st));
        CHECK_EQ(st.st_uid, 123);
        CHECK_EQ(st.st_gid, 456);
        CHECK_OK(chown("f", -1, 457));
        CHECK_OK(stat("f", &st));
        CHECK_EQ(st.st_uid, 123);
        CHECK_EQ(st.st_gid, 457);
        CHECK_OK(symlink("f", "l"));
        CHECK_OK(lchown("l", 1, 2));
        CHECK_OK(lstat("l", &st));
        CHECK_EQ(st.st_uid, 1);
        CHECK_OK(stat("l", &st));
        CHECK_EQ(st.st_uid, 123);
        CHECK_OK(chmod("f", 06755));
        CHECK_OK(chown("f", 0, 0));
        CHECK_OK(stat("f", &st));
        CHECK_EQ(st.st_mode & 07777, 0755);
    }
    CHECK_ERRNO(chown("g", -1, -1), ENOENT);
    CHECK_ERRNO(fchown(9999, -1, -1), EBADF);
    int fd = CHECK_OK(open("f", O_RDONLY));
    CHECK_OK(fchown(fd, -1, -1));
    CHECK_OK(fchownat(fd, "", -1, -1, AT_EMPTY_PATH));
    return 0;
}
