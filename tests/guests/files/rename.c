// rename: replaces in one step, and refuses what would break the tree.
#include "check.h"

int main(void) {
    enter_tmp();
    char text[16];
    struct stat before, st;
    write_file("a", "A");
    write_file("b", "B");
    CHECK_OK(stat("a", &before));
    CHECK_OK(rename("a", "b"));
    read_file("b", text, sizeof text);
    CHECK_STR(text, "A");
    CHECK_ERRNO(stat("a", &st), ENOENT);
    CHECK_OK(stat("b", &st));
    CHECK_EQ(st.st_ino, before.st_ino);
    CHECK_OK(rename("b", "b"));
    CHECK_OK(link("b", "b2"));
    CHECK_OK(rename("b", "b2"));  // Two names of one file: nothing happens.
    CHECK_OK(stat("b", &st));

    CHECK_OK(mkdir("d", 0755));
    CHECK_OK(mkdir("e", 0755));
    CHECK_OK(mkdir("d/sub", 0755));
    CHECK_ERRNO(rename("b", "d"), EISDIR);
    CHECK_ERRNO(rename("d", "b"), ENOTDIR);
    CHECK_ERRNO(rename("d", "d/sub/x"), EINVAL);
    CHECK_ERRNO(rename("e", "d"), ENOTEMPTY);
    CHECK_OK(rename("d", "e"));  // An empty folder gives way.
    CHECK_OK(stat("e/sub", &st));
    CHECK_ERRNO(rename("none", "x"), ENOENT);
    CHECK_ERRNO(rename("b", "none/x"), ENOENT);
    CHECK_ERRNO(rename("b", "b2/x"), ENOTDIR);
    CHECK_ERRNO(rename("b", "x/"), ENOTDIR);
    CHECK_ERRNO(rename("e/.", "x"), EBUSY);

    // An open file keeps its contents when another takes its name.
    int fd = CHECK_OK(open("b", O_RDONLY));
    write_file("n", "NEW");
    CHECK_OK(rename("n", "b"));
    CHECK_EQ(read(fd, text, sizeof text), 1);
    CHECK_EQ(text[0], 'A');
    CHECK_OK(renameat(AT_FDCWD, "e", AT_FDCWD, "f"));
    CHECK_OK(stat("f/sub", &st));
    return 0;
}
