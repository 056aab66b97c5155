// What lives through exec: ids, mask, pending and ignored signals, alarm, limits, directory; and what does not.
#include "check.h"
#include <sys/resource.h>
#include <sys/prctl.h>

static void handler(int sig) {}

int main(int argc, char **argv) {
    if (argc > 1) {
        struct sigaction action;
        CHECK_OK(sigaction(SIGUSR1, NULL, &action));
        CHECK(action.sa_handler == SIG_DFL);  // Handlers are gone.
        CHECK_OK(sigaction(SIGUSR2, NULL, &action));
        CHECK(action.sa_handler == SIG_IGN);  // Ignoring stays.
        sigset_t set;
        CHECK_OK(sigprocmask(SIG_BLOCK, NULL, &set));
        CHECK_EQ(sigismember(&set, SIGTERM), 1);
        CHECK_EQ(sigismember(&set, SIGINT), 0);
        CHECK_OK(sigpending(&set));
        CHECK_EQ(sigismember(&set, SIGTERM), 1);
        stack_t stack;
        CHECK_OK(sigaltstack(NULL, &stack));
        CHECK_EQ(stack.ss_flags, SS_DISABLE);
        char cwd[PATH_MAX];
        CHECK(getcwd(cwd, sizeof cwd));
        CHECK_STR(cwd, "/");
        struct rlimit limit;
        CHECK_OK(getrlimit(RLIMIT_NOFILE, &limit));
        CHECK_EQ(limit.rlim_cur, 77);
        CHECK_EQ(getpgrp(), getpid());
        // The alarm was for 500 s; check.h has set its own since and been told what was left.
        CHECK(alarm(0) <= 20);
        char name[16];
        CHECK_OK(prctl(PR_GET_NAME, name));
        CHECK_STR(name, "exe");  // From the file's name.
        return 0;
    }
    pid_t pid;
    CHILD(pid) {
        on_signal(SIGUSR1, handler, 0);
        signal(SIGUSR2, SIG_IGN);
        block_signal(SIG_BLOCK, SIGTERM);
        CHECK_OK(raise(SIGTERM));
        static char memory[65536];
        stack_t stack = {memory, 0, sizeof memory};
        CHECK_OK(sigaltstack(&stack, NULL));
        CHECK_OK(chdir("/"));
        struct rlimit limit = {77, 77};
        CHECK_OK(setrlimit(RLIMIT_NOFILE, &limit));
        CHECK_OK(setpgid(0, 0));
        alarm(500);
        CHECK_OK(prctl(PR_SET_NAME, "before"));
        CHECK_OK(execl("/proc/self/exe", argv[0], "child", NULL));
    }
    CHECK_EXIT(pid, 0);
    return 0;
}
