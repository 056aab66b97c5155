// unlink and rmdir, and their refusals.
#include "check.h"

int main(void) {
    enter_tmp();
    write_file("f", "");
    CHECK_OK(mkdir("d", 0755));
    CHECK_ERRNO(unlink("d"), EISDIR);
    CHECK_ERRNO(rmdir("f"), ENOTDIR);
    CHECK_ERRNO(unlink("g"), ENOENT);
    CHECK_ERRNO(rmdir("g"), ENOENT);
    CHECK_ERRNO(unlink("f/x"), ENOTDIR);
    CHECK_ERRNO(unlink("f/"), ENOTDIR);
    write_file("d/x", "");
    CHECK_ERRNO(rmdir("d"), ENOTEMPTY);
    CHECK_ERRNO(rmdir("d/."), EINVAL);
    CHECK_ERRNO(rmdir("d/.."), ENOTEMPTY);
    CHECK_OK(unlink("d/x"));
    CHECK_OK(unlinkat(AT_FDCWD, "d", AT_REMOVEDIR));
    CHECK_ERRNO(unlinkat(AT_FDCWD, "f", AT_REMOVEDIR), ENOTDIR);
    CHECK_ERRNO(unlinkat(AT_FDCWD, "f", 0x4000), EINVAL);
    CHECK_OK(unlinkat(AT_FDCWD, "f", 0));
    CHECK_ERRNO(rmdir("/"), EBUSY);
    CHECK_ERRNO(unlink(""), ENOENT);
    return 0;
}
