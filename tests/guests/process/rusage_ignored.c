// What a child has used counts when it is waited for: not while it is a zombie, and not when SIGCHLD is ignored.
#include "check.h"

static long children_kb(void) {
    struct rusage usage;
    CHECK_OK(getrusage(RUSAGE_CHILDREN, &usage));
    return usage.ru_maxrss;
}

static pid_t eat(size_t megabytes) {
    pid_t pid;
    CHILD(pid) {
        char *memory = mmap(NULL, megabytes << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        CHECK(memory != MAP_FAILED);
        memset(memory, 1, megabytes << 20);
    }
    return pid;
}

int main(void) {
    long before = children_kb();
    pid_t pid = eat(32);
    siginfo_t info;
    CHECK_OK(waitid(P_PID, pid, &info, WEXITED | WNOWAIT));
    CHECK_EQ(children_kb(), before);
    CHECK_EXIT(pid, 0);
    long after = children_kb();
    CHECK(after >= before + (30 << 10));
    CHECK(signal(SIGCHLD, SIG_IGN) != SIG_ERR);
    pid = eat(96);
    CHECK_ERRNO(waitpid(pid, NULL, 0), ECHILD);
    CHECK_EQ(children_kb(), after);
    return 0;
}
