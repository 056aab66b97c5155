// SIGCONT continues even when blocked or ignored, and its handler runs; it cancels pending stops.
#include "check.h"

static volatile int hits;
static void handler(int sig) { hits++; }

int main(void) {
    pid_t pid;
    int status;
    int pipes[2];
    CHECK_OK(pipe(pipes));
    CHILD(pid) {
        on_signal(SIGCONT, handler, 0);
        CHECK_OK(raise(SIGSTOP));
        WAIT_UNTIL(hits == 1);
        block_signal(SIG_BLOCK, SIGCONT);
        CHECK_OK(raise(SIGSTOP));
        CHECK_EQ(hits, 1);
        block_signal(SIG_UNBLOCK, SIGCONT);
        CHECK_EQ(hits, 2);
        // A blocked stop that is pending goes when the continuation comes, and the other way round.
        block_signal(SIG_BLOCK, SIGTSTP);
        CHECK_OK(raise(SIGTSTP));
        CHECK_OK(raise(SIGCONT));
        sigset_t set;
        CHECK_OK(sigpending(&set));
        CHECK_EQ(sigismember(&set, SIGTSTP), 0);
        block_signal(SIG_BLOCK, SIGCONT);
        CHECK_OK(raise(SIGCONT));
        CHECK_OK(raise(SIGTSTP));
        CHECK_OK(sigpending(&set));
        CHECK_EQ(sigismember(&set, SIGCONT), 0);
    }
    for (int i = 0; i < 2; i++) {
        CHECK_EQ(waitpid(pid, &status, WUNTRACED), pid);
        CHECK(WIFSTOPPED(status));
        CHECK_OK(kill(pid, SIGCONT));
    }
    CHECK_EXIT(pid, 0);
    return 0;
}
