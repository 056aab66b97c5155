// Ids are stable, differ where they should, and agree with the raw calls.
#include "check.h"

static void *thread(void *pid) {
    CHECK_EQ(getpid(), *(pid_t *)pid);
    CHECK(gettid() != getpid());
    CHECK_EQ(getppid(), syscall(SYS_getppid));
    return NULL;
}

int main(void) {
    pid_t pid = getpid();
    CHECK_EQ(gettid(), pid);
    CHECK_EQ(syscall(SYS_getpid), pid);
    CHECK(pid > 0 && getppid() >= 0);
    CHECK_ERRNO(getpgid(-5), ESRCH);
    thread_join(thread_start(thread, &pid));
    pid_t child;
    CHILD(child) {
        CHECK_EQ(getppid(), pid);
        CHECK(getpid() != pid);
        CHECK_EQ(gettid(), getpid());
    }
    CHECK_EXIT(child, 0);
    return 0;
}
