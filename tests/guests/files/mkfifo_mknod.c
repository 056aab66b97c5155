// mknod makes plain files, fifos and sockets without privilege, devices with it only.
#include "check.h"
#include <sys/sysmacros.h>

int main(void) {
    enter_tmp();
    struct stat st;
    CHECK_OK(mknod("r", S_IFREG | 0600, 0));
    CHECK_OK(lstat("r", &st));
    CHECK(S_ISREG(st.st_mode));
    CHECK_OK(mknod("z", 0600, 0));
    CHECK_OK(lstat("z", &st));
    CHECK(S_ISREG(st.st_mode));
    CHECK_OK(mknod("p", S_IFIFO | 0600, 0));
    CHECK_OK(lstat("p", &st));
    CHECK(S_ISFIFO(st.st_mode));
    CHECK_OK(mknod("s", S_IFSOCK | 0600, 0));
    CHECK_OK(lstat("s", &st));
    CHECK(S_ISSOCK(st.st_mode));
    CHECK_ERRNO(open("s", O_RDONLY), ENXIO);
    CHECK_ERRNO(mknod("p", S_IFIFO | 0600, 0), EEXIST);
    CHECK_ERRNO(mknod("d", S_IFDIR | 0700, 0), EPERM);
    if (geteuid()) CHECK_ERRNO(mknod("c", S_IFCHR | 0600, makedev(1, 3)), EPERM);
    return 0;
}
