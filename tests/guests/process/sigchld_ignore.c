// With SIGCHLD ignored, or SA_NOCLDWAIT, children leave no zombies and wait ends with ECHILD.
#include "check.h"

static volatile sig_atomic_t count;
static void handler(int sig) { count++; }

int main(void) {
    pid_t pid;
    signal(SIGCHLD, SIG_IGN);
    CHILD(pid) sleep_ms(30);
    CHECK_ERRNO(waitpid(pid, NULL, 0), ECHILD);  // After the child's end.
    CHECK_ERRNO(kill(pid, 0), ESRCH);

    on_signal(SIGCHLD, handler, SA_NOCLDWAIT);
    CHILD(pid) sleep_ms(30);
    int got;
    while ((got = wait(NULL)) < 0 && errno == EINTR) {}
    CHECK_EQ(got, -1);
    CHECK_EQ(errno, ECHILD);
    CHECK_EQ(count, 1);  // Linux still sends the signal.

    signal(SIGCHLD, SIG_DFL);
    CHILD(pid) _exit(4);
    CHECK_EXIT(pid, 4);
    return 0;
}
