// A chain of forty generations, each waiting for the next.
#include "check.h"

static int depth(int left) {
    if (!left) return 0;
    pid_t pid = fork_child();
    if (!pid) _exit(depth(left - 1) + 1);
    int status = wait_status(pid);
    CHECK(WIFEXITED(status));
    return WEXITSTATUS(status);
}

int main(void) {
    CHECK_EQ(depth(40), 40);
    return 0;
}
