// PR_SET_PDEATHSIG: a child learns of its parent's death.
#include "check.h"
#include <sys/prctl.h>

static int out;
static void handler(int sig) {
    if (write(out, "died", 4)) {}
    _exit(0);
}

int main(void) {
    int told[2], ready[2];
    CHECK_OK(pipe(told));
    CHECK_OK(pipe(ready));
    out = told[1];
    pid_t pid, inner;
    CHILD(pid) {
        CHILD(inner) {
            on_signal(SIGUSR1, handler, 0);
            CHECK_OK(prctl(PR_SET_PDEATHSIG, SIGUSR1));
            CHECK_EQ(write(ready[1], "r", 1), 1);
            for (;;) pause();
        }
        char byte;
        CHECK_EQ(read(ready[0], &byte, 1), 1);
    }
    CHECK_EXIT(pid, 0);
    char text[8] = {0};
    CHECK_EQ(read(told[0], text, sizeof text), 4);
    CHECK_STR(text, "died");
    return 0;
}
