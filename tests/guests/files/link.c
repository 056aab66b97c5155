// Hard links: one file, many names.
#include "check.h"

int main(void) {
    enter_tmp();
    write_file("a", "text");
    CHECK_OK(link("a", "b"));
    struct stat a, b;
    CHECK_OK(stat("a", &a));
    CHECK_OK(stat("b", &b));
    CHECK_EQ(a.st_ino, b.st_ino);
    CHECK_EQ(a.st_nlink, 2);
    CHECK_ERRNO(link("a", "b"), EEXIST);
    CHECK_ERRNO(link("none", "c"), ENOENT);
    CHECK_OK(mkdir("d", 0755));
    CHECK_ERRNO(link("d", "d2"), EPERM);
    write_file("b", "other");
    char text[16];
    read_file("a", text, sizeof text);
    CHECK_STR(text, "other");
    CHECK_OK(unlink("a"));
    CHECK_OK(stat("b", &b));
    CHECK_EQ(b.st_nlink, 1);

    CHECK_OK(symlink("b", "s"));
    CHECK_OK(link("s", "s2"));  // The link itself is linked.
    CHECK_OK(lstat("s2", &b));
    CHECK(S_ISLNK(b.st_mode));
    CHECK_OK(linkat(AT_FDCWD, "s", AT_FDCWD, "followed", AT_SYMLINK_FOLLOW));
    CHECK_OK(lstat("followed", &b));
    CHECK(S_ISREG(b.st_mode));
    CHECK_OK(stat("d", &b));
    CHECK_OK(mkdir("d/sub", 0755));
    return 0;
}
