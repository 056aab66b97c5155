// A dead child keeps its id, and can be signalled, until it is waited for.
#include "check.h"

static char state(pid_t pid) {
    char path[64], text[512];
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    read_file(path, text, sizeof text);
    return strrchr(text, ')')[2];
}

int main(void) {
    pid_t pid;
    CHILD(pid) _exit(3);
    WAIT_UNTIL(state(pid) == 'Z');
    CHECK_OK(kill(pid, 0));
    CHECK_OK(kill(pid, SIGKILL));
    CHECK_EQ(getpgid(pid), getpgrp());
    CHECK_EXIT(pid, 3);
    CHECK_ERRNO(kill(pid, 0), ESRCH);
    CHECK_ERRNO(getpgid(pid), ESRCH);
    char path[64];
    snprintf(path, sizeof path, "/proc/%d", pid);
    CHECK_ERRNO(access(path, F_OK), ENOENT);
    return 0;
}
