// statfs answers plausibly.
#include "check.h"
#include <sys/statvfs.h>
#include <sys/vfs.h>

int main(void) {
    enter_tmp();
    struct statfs fs;
    CHECK_OK(statfs(".", &fs));
    CHECK(fs.f_bsize > 0 && fs.f_namelen == 255);
    CHECK(fs.f_bfree <= fs.f_blocks);
    CHECK(fs.f_bavail <= fs.f_bfree);
    int fd = CHECK_OK(open(".", O_RDONLY));
    CHECK_OK(fstatfs(fd, &fs));
    struct statvfs vfs;
    CHECK_OK(statvfs("/", &vfs));
    CHECK(vfs.f_frsize > 0);
    CHECK_OK(statfs("/proc", &fs));
    CHECK_EQ(fs.f_type, 0x9fa0);
    CHECK_ERRNO(statfs("/none", &fs), ENOENT);
    CHECK_ERRNO(fstatfs(9999, &fs), EBADF);
    return 0;
}
