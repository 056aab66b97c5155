// O_TMPFILE: a file without a name, which linkat may give it.
#include "check.h"

int main(void) {
    enter_tmp();
    CHECK_ERRNO(open(".", O_TMPFILE | O_RDONLY, 0600), EINVAL);
    int fd = open(".", O_TMPFILE | O_RDWR, 0600);
    if (fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR)) return 0;  // A file system may not offer it.
    CHECK(fd >= 0);
    CHECK_EQ(write(fd, "abc", 3), 3);
    struct stat st;
    CHECK_OK(fstat(fd, &st));
    CHECK_EQ(st.st_nlink, 0);
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    CHECK_OK(linkat(AT_FDCWD, path, AT_FDCWD, "named", AT_SYMLINK_FOLLOW));
    CHECK_OK(fstat(fd, &st));
    CHECK_EQ(st.st_nlink, 1);
    char text[8];
    CHECK_EQ(read_file("named", text, sizeof text), 3);
    CHECK_STR(text, "abc");

    // With O_EXCL it can never have one.
    int sealed = CHECK_OK(open(".", O_TMPFILE | O_RDWR | O_EXCL, 0600));
    snprintf(path, sizeof path, "/proc/self/fd/%d", sealed);
    CHECK_ERRNO(linkat(AT_FDCWD, path, AT_FDCWD, "never", AT_SYMLINK_FOLLOW), ENOENT);
    return 0;
}
