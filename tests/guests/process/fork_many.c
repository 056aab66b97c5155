// Hundreds of children, one after another and together.
#include "check.h"

int main(void) {
    for (int i = 0; i < 200; i++) {
        pid_t pid;
        CHILD(pid) _exit(i);
        CHECK_EXIT(pid, i & 0xff);
    }
    pid_t pids[150];
    for (int i = 0; i < 150; i++) CHILD(pids[i]) _exit(i);
    bool seen[150] = {0};
    for (int i = 0; i < 150; i++) {
        int status;
        pid_t pid = CHECK_OK(wait(&status));
        CHECK(WIFEXITED(status));
        int index = WEXITSTATUS(status);
        CHECK_EQ(pids[index], pid);
        CHECK(!seen[index]);
        seen[index] = true;
    }
    CHECK_ERRNO(wait(NULL), ECHILD);
    return 0;
}
