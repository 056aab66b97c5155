// Names relative to a folder's descriptor.
#include "check.h"

int main(void) {
    enter_tmp();
    CHECK_OK(mkdir("d", 0755));
    write_file("outer", "o");
    int dir = CHECK_OK(open("d", O_RDONLY | O_DIRECTORY));
    int fd = CHECK_OK(openat(dir, "f", O_CREAT | O_RDWR, 0600));
    CHECK_EQ(write(fd, "in", 2), 2);
    char text[8];
    read_file("d/f", text, sizeof text);
    CHECK_STR(text, "in");
    CHECK_OK(close(CHECK_OK(openat(dir, "../outer", O_RDONLY))));
    CHECK_OK(close(CHECK_OK(openat(dir, "/dev/null", O_RDONLY))));
    CHECK_OK(close(CHECK_OK(openat(9999, "/dev/null", O_RDONLY))));  // Not looked at for an absolute name.
    CHECK_ERRNO(openat(9999, "f", O_RDONLY), EBADF);
    CHECK_ERRNO(openat(fd, "f", O_RDONLY), ENOTDIR);
    CHECK_ERRNO(openat(dir, "", O_RDONLY), ENOENT);
    CHECK_OK(mkdirat(dir, "sub", 0755));
    CHECK_OK(symlinkat("f", dir, "l"));
    CHECK_EQ(readlinkat(dir, "l", text, sizeof text), 1);
    CHECK_OK(linkat(dir, "f", AT_FDCWD, "hard", 0));
    CHECK_OK(renameat(dir, "f", AT_FDCWD, "moved"));
    CHECK_OK(unlinkat(dir, "sub", AT_REMOVEDIR));
    // The descriptor follows the folder, not its name.
    CHECK_OK(rename("d", "e"));
    CHECK_OK(close(CHECK_OK(openat(dir, "g", O_CREAT | O_WRONLY, 0600))));
    CHECK_OK(access("e/g", F_OK));
    return 0;
}
