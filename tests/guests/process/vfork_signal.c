// A vfork child that a signal kills lets its parent go on; a signal for the waiting parent is kept.
#include "check.h"

static volatile int hits;
static void handler(int sig) { hits++; }

int main(void) {
    on_signal(SIGUSR1, handler, 0);
    pid_t parent = getpid();
    for (int i = 0; i < 20; i++) {
        pid_t pid = vfork();
        if (pid == 0) {
            kill(parent, SIGUSR1);
            kill(getpid(), SIGKILL);
            _exit(0);
        }
        CHECK_KILLED(pid, SIGKILL);
        CHECK_EQ(hits, i + 1);
    }
    return 0;
}
