// chroot is root's; under it, .. leads nowhere.
#include "check.h"

int main(void) {
    enter_tmp();
    write_file("inside", "i");
    pid_t pid;
    CHILD(pid) {
        if (chroot(".")) {
            CHECK_EQ(errno, EPERM);
            _exit(0);
        }
        CHECK_OK(chdir("/"));
        CHECK_OK(access("/inside", F_OK));
        CHECK_OK(access("/../../inside", F_OK));
        CHECK_ERRNO(access("/proc", F_OK), ENOENT);
        char cwd[64];
        CHECK(getcwd(cwd, sizeof cwd));
        CHECK_STR(cwd, "/");
    }
    CHECK_EXIT(pid, 0);
    CHECK_OK(access("/proc", F_OK));
    CHECK_ERRNO(chroot("none"), ENOENT);
    return 0;
}
