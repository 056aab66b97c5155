// A filter that a program sets on itself, allowing everything, changes nothing.
#include "check.h"
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>

int main(void) {
    pid_t pid;
    CHILD(pid) {
        CHECK_EQ(prctl(PR_GET_SECCOMP), 0);
        CHECK_OK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
        struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
        struct sock_fprog program = {1, &allow};
        CHECK_OK(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program));
        CHECK_EQ(getppid(), syscall(SYS_getppid));
        pid_t inner;
        CHILD(inner) CHECK_OK(execl("/bin/true", "true", NULL));
        CHECK_EXIT(inner, 0);
        CHECK_ERRNO(prctl(PR_SET_SECCOMP, 99, &program), EINVAL);
        struct sock_fprog none = {0, &allow};
        CHECK_ERRNO(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &none), EINVAL);
    }
    CHECK_EXIT(pid, 0);
    return 0;
}
