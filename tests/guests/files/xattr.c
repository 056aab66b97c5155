// Extended attributes, where the file system has them.
#include "check.h"
#include <sys/xattr.h>

int main(void) {
    enter_tmp();
    write_file("f", "");
    char value[64];
    if (setxattr("f", "user.colour", "blue", 4, 0) < 0) {
        CHECK(errno == ENOTSUP || errno == ENOSYS);
        CHECK(getxattr("f", "user.colour", value, sizeof value) < 0);
        CHECK(errno == ENOTSUP || errno == ENODATA || errno == ENOSYS);
        return 0;
    }
    CHECK_EQ(getxattr("f", "user.colour", value, sizeof value), 4);
    CHECK(!memcmp(value, "blue", 4));
    CHECK_EQ(getxattr("f", "user.colour", NULL, 0), 4);
    CHECK_ERRNO(getxattr("f", "user.colour", value, 2), ERANGE);
    CHECK_ERRNO(getxattr("f", "user.none", value, sizeof value), ENODATA);
    CHECK_ERRNO(setxattr("f", "user.colour", "x", 1, XATTR_CREATE), EEXIST);
    CHECK_ERRNO(setxattr("f", "user.other", "x", 1, XATTR_REPLACE), ENODATA);
    int fd = CHECK_OK(open("f", O_RDWR));
    CHECK_OK(fsetxattr(fd, "user.second", "2", 1, 0));
    ssize_t size = CHECK_OK(listxattr("f", value, sizeof value));
    CHECK(memmem(value, size, "user.colour", 12) && memmem(value, size, "user.second", 12));
    CHECK_OK(removexattr("f", "user.colour"));
    CHECK_ERRNO(removexattr("f", "user.colour"), ENODATA);
    return 0;
}
