// chmod in its forms; the mode bits that survive.
#include "check.h"

static int mode(const char *path) {
    struct stat st;
    CHECK_OK(lstat(path, &st));
    return st.st_mode & 07777;
}

int main(void) {
    enter_tmp();
    write_file("f", "");
    CHECK_OK(chmod("f", 0640));
    CHECK_EQ(mode("f"), 0640);
    CHECK_OK(chmod("f", 0));
    CHECK_EQ(mode("f"), 0);
    CHECK_OK(chmod("f", S_IFDIR | 0700));  // The kind is not looked at.
    CHECK_EQ(mode("f"), 0700);
    int fd = CHECK_OK(open("f", O_RDONLY));
    CHECK_OK(fchmod(fd, 0604));
    CHECK_EQ(mode("f"), 0604);
    CHECK_OK(fchmodat(AT_FDCWD, "f", 04755, 0));
    CHECK_EQ(mode("f"), 04755);
    CHECK_OK(symlink("f", "l"));
    CHECK_OK(chmod("l", 0600));
    CHECK_EQ(mode("f"), 0600);
    CHECK_EQ(mode("l"), 0777);
    CHECK_OK(mkdir("d", 0700));
    CHECK_OK(chmod("d", 01777));
    CHECK_EQ(mode("d"), 01777);
    CHECK_ERRNO(chmod("g", 0600), ENOENT);
    CHECK_ERRNO(fchmod(9999, 0600), EBADF);
    return 0;
}
