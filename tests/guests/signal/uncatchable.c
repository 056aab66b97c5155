// SIGKILL ends whatever blocks everything and handles everything.
#include "check.h"

static void handler(int sig) {}

int main(void) {
    int pipes[2];
    CHECK_OK(pipe(pipes));
    pid_t pid;
    CHILD(pid) {
        for (int sig = 1; sig <= SIGRTMAX; sig++) signal(sig, handler);
        sigset_t all;
        sigfillset(&all);
        CHECK_OK(sigprocmask(SIG_SETMASK, &all, NULL));
        CHECK_EQ(write(pipes[1], "r", 1), 1);
        for (;;) pause();
    }
    char byte;
    CHECK_EQ(read(pipes[0], &byte, 1), 1);
    CHECK_OK(kill(pid, SIGTERM));
    CHECK_OK(kill(pid, SIGSEGV));
    sleep_ms(10);
    CHECK_EQ(waitpid(pid, NULL, WNOHANG), 0);
    CHECK_OK(kill(pid, SIGKILL));
    CHECK_KILLED(pid, SIGKILL);
    return 0;
}
