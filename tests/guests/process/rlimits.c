// Limits are read, lowered, inherited and not raised again by a user.
#include "check.h"
#include <sys/resource.h>

int main(void) {
    struct rlimit limit, old;
    for (int i = 0; i < RLIMIT_NLIMITS; i++) {
        CHECK_OK(getrlimit(i, &limit));
        CHECK(limit.rlim_cur <= limit.rlim_max);
    }
    CHECK_ERRNO(getrlimit(99, &limit), EINVAL);
    CHECK_OK(getrlimit(RLIMIT_CORE, &old));
    limit = (struct rlimit){0, old.rlim_max};
    CHECK_OK(setrlimit(RLIMIT_CORE, &limit));
    limit = (struct rlimit){5, 4};
    CHECK_ERRNO(setrlimit(RLIMIT_CORE, &limit), EINVAL);
    limit = (struct rlimit){64, 128};
    CHECK_OK(prlimit(0, RLIMIT_NOFILE, &limit, &old));
    CHECK(old.rlim_cur > 64);
    pid_t pid;
    CHILD(pid) {
        CHECK_OK(getrlimit(RLIMIT_NOFILE, &limit));
        CHECK_EQ(limit.rlim_cur, 64);
        CHECK_EQ(limit.rlim_max, 128);
        limit.rlim_cur = 100;
        CHECK_OK(setrlimit(RLIMIT_NOFILE, &limit));
        limit.rlim_max = 129;
        if (geteuid()) CHECK_ERRNO(setrlimit(RLIMIT_NOFILE, &limit), EPERM);
    }
    CHECK_EXIT(pid, 0);
    CHECK_OK(prlimit(getpid(), RLIMIT_NOFILE, NULL, &limit));
    CHECK_EQ(limit.rlim_cur, 64);
    CHECK_ERRNO(prlimit(99999999, RLIMIT_NOFILE, NULL, &limit), ESRCH);
    return 0;
}
