// A fork in a signal's handler: both processes return from it.
#include "check.h"

static volatile pid_t child = -1;
static void handler(int sig) { child = fork(); }

int main(void) {
    int pipes[2];
    CHECK_OK(pipe(pipes));
    on_signal(SIGUSR1, handler, SA_RESTART);
    on_signal(SIGALRM, handler, SA_RESTART);
    CHECK_OK(raise(SIGUSR1));
    CHECK(child >= 0);
    if (child == 0) _exit(8);
    CHECK_EXIT(child, 8);
    // In the midst of a read, which both go on with.
    child = -1;
    ualarm(10000, 0);
    pid_t main_process = getpid(), helper;
    CHILD(helper) {
        sleep_ms(60);
        CHECK_EQ(write(pipes[1], "ab", 2), 2);
    }
    char byte;
    CHECK_EQ(read(pipes[0], &byte, 1), 1);
    CHECK(byte == 'a' || byte == 'b');
    if (getpid() != main_process) _exit(9);
    CHECK_EXIT(helper, 0);
    WAIT_UNTIL(child > 0);
    CHECK_EXIT(child, 9);
    return 0;
}
