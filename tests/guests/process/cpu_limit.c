// RLIMIT_CPU: SIGXCPU when a second of CPU time is used up, and SIGKILL at the hard limit. The soft limit moves on with each
// SIGXCPU, and a child begins to count anew.
#include "check.h"
#include <sys/resource.h>

static volatile sig_atomic_t told;

static void tell(int signal) {
    (void)signal;
    told++;
}

int main(void) {
    signal(SIGXCPU, tell);
    struct rlimit limit = {1, 2};
    pid_t pid;
    CHILD(pid) {
        CHECK_OK(setrlimit(RLIMIT_CPU, &limit));
        while (!told) {}
        CHECK_OK(getrlimit(RLIMIT_CPU, &limit));
        CHECK_EQ(limit.rlim_cur, 2);
        CHECK_EQ(limit.rlim_max, 2);
        struct timespec used;
        CHECK_OK(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used));
        CHECK(used.tv_sec * 1000 + used.tv_nsec / 1000000 > 300);  // Linux looks at its own ticks.
        for (;;) {}
    }
    int status;
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK(WIFSIGNALED(status));
    CHECK_EQ(WTERMSIG(status), SIGKILL);
    signal(SIGXCPU, SIG_DFL);
    CHILD(pid) {
        limit = (struct rlimit){1, RLIM_INFINITY};
        CHECK_OK(setrlimit(RLIMIT_CPU, &limit));
        for (;;) {}
    }
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK(WIFSIGNALED(status));
    CHECK_EQ(WTERMSIG(status), SIGXCPU);
    return 0;
}
