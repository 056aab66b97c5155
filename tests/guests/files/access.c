// access, faccessat and faccessat2 ask by the real ids; root passes what a user does not.
#include "check.h"

int main(void) {
    enter_tmp();
    write_file("f", "");
    CHECK_OK(chmod("f", 0400));
    CHECK_OK(access("f", F_OK));
    CHECK_OK(access("f", R_OK));
    CHECK_ERRNO(access("f", X_OK), EACCES);  // Not even for root: no execute bit at all.
    if (getuid()) CHECK_ERRNO(access("f", W_OK), EACCES);
    else CHECK_OK(access("f", W_OK));
    CHECK_ERRNO(access("g", F_OK), ENOENT);
    CHECK_ERRNO(access("f", 8), EINVAL);
    CHECK_OK(chmod("f", 0755));
    CHECK_OK(access("f", R_OK | W_OK | X_OK));
    CHECK_OK(faccessat(AT_FDCWD, "f", R_OK, AT_EACCESS));
    int fd = CHECK_OK(open("f", O_PATH));
    int answer = syscall(SYS_faccessat2, fd, "", R_OK, AT_EMPTY_PATH);
    CHECK(answer == 0 || errno == ENOSYS);
    CHECK_OK(symlink("none", "l"));
    CHECK_ERRNO(access("l", F_OK), ENOENT);
    CHECK_OK(faccessat(AT_FDCWD, "l", F_OK, AT_SYMLINK_NOFOLLOW));
    CHECK_ERRNO(access("f/x", F_OK), ENOTDIR);
    return 0;
}
