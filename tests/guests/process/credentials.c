// User and group ids: what is got can be set again, what is not one's own cannot.
#include "check.h"
#include <grp.h>
#include <sys/fsuid.h>

static void give_up(void) {
    uid_t a, b, c;
    CHECK_OK(setresgid(1001, 1002, 1003));
    CHECK_OK(setresuid(1001, 1002, 1003));
    CHECK_OK(getresuid(&a, &b, &c));
    CHECK(a == 1001 && b == 1002 && c == 1003);
    CHECK_EQ(getuid(), 1001);
    CHECK_EQ(geteuid(), 1002);
    CHECK_EQ(getegid(), 1002);
    CHECK_OK(seteuid(1003));
    CHECK_EQ(geteuid(), 1003);
    CHECK_OK(setreuid(-1, 1001));
    CHECK_ERRNO(setuid(0), EPERM);
    CHECK_ERRNO(setresuid(-1, 5, -1), EPERM);
    CHECK_ERRNO(setgroups(0, NULL), EPERM);
    CHECK_OK(setresuid(1001, 1001, 1001));
    CHECK_ERRNO(seteuid(1003), EPERM);
}

int main(void) {
    uid_t real, effective, saved;
    CHECK_OK(getresuid(&real, &effective, &saved));
    CHECK_EQ(real, getuid());
    CHECK_EQ(effective, geteuid());
    CHECK_OK(setuid(effective));
    CHECK_OK(setgid(getegid()));
    CHECK_OK(setresuid(-1, -1, -1));
    gid_t groups[NGROUPS_MAX > 65536 ? 65536 : NGROUPS_MAX];
    int count = CHECK_OK(getgroups(0, NULL));
    CHECK_EQ(getgroups(65536, groups), count);
    if (count > 1) CHECK_ERRNO(getgroups(1, groups), EINVAL);
    CHECK_EQ(setfsuid(-1), effective);
    CHECK_EQ(setfsgid(-1), getegid());
    pid_t pid;
    if (effective) {
        CHECK_ERRNO(setuid(effective + 1), EPERM);
        CHECK_ERRNO(setgid(getegid() + 1), EPERM);
        CHECK_ERRNO(setgroups(1, groups), EPERM);
    } else {
        CHILD(pid) {
            gid_t one = 77;
            if (setgroups(1, &one)) _exit(0);  // A container that forbids it.
            CHECK_EQ(getgroups(1, groups), 1);
            CHECK_EQ(groups[0], 77);
            give_up();
        }
        CHECK_EXIT(pid, 0);
        CHECK_EQ(geteuid(), 0);
    }
    return 0;
}
