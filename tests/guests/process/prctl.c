// prctl: the name, dumpable, the signal at the parent's death, no_new_privs.
#include "check.h"
#include <sys/prctl.h>

int main(void) {
    char name[17] = {0};
    CHECK_OK(prctl(PR_SET_NAME, "a-name-that-is-too-long"));
    CHECK_OK(prctl(PR_GET_NAME, name));
    CHECK_STR(name, "a-name-that-is-");
    char comm[32];
    read_file("/proc/self/comm", comm, sizeof comm);
    CHECK_STR(comm, "a-name-that-is-\n");
    write_file("/proc/self/comm", "other");
    CHECK_OK(prctl(PR_GET_NAME, name));
    CHECK_STR(name, "other");

    CHECK_OK(prctl(PR_SET_DUMPABLE, 0));
    CHECK_EQ(prctl(PR_GET_DUMPABLE), 0);
    CHECK_OK(prctl(PR_SET_DUMPABLE, 1));
    CHECK_EQ(prctl(PR_GET_DUMPABLE), 1);
    CHECK_ERRNO(prctl(PR_SET_DUMPABLE, 7), EINVAL);

    int sig = -1;
    CHECK_OK(prctl(PR_SET_PDEATHSIG, SIGUSR1));
    CHECK_OK(prctl(PR_GET_PDEATHSIG, &sig));
    CHECK_EQ(sig, SIGUSR1);
    CHECK_ERRNO(prctl(PR_SET_PDEATHSIG, 999), EINVAL);
    pid_t pid;
    CHILD(pid) {
        CHECK_OK(prctl(PR_GET_PDEATHSIG, &sig));
        CHECK_EQ(sig, 0);  // Not inherited.
        CHECK_OK(prctl(PR_GET_NAME, name));
        CHECK_STR(name, "other");
    }
    CHECK_EXIT(pid, 0);
    CHECK_OK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
    CHECK_EQ(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 1);
    CHECK_ERRNO(prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0), EINVAL);
    CHECK_ERRNO(prctl(123456), EINVAL);
    return 0;
}
