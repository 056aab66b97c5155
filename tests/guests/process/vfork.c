// vfork: the parent stands still, and shares memory, until the child execs or exits.
#include "check.h"

int main(int argc, char **argv) {
    if (argc > 1) {
        sleep_ms(100);
        return 7;
    }
    volatile int value = 1;
    pid_t pid = vfork();
    if (pid == 0) {
        value = 2;
        _exit(3);
    }
    CHECK(pid > 0);
    CHECK_EQ(value, 2);
    CHECK_EXIT(pid, 3);

    pid = vfork();
    if (pid == 0) {
        value = 3;
        execl("/proc/self/exe", argv[0], "child", NULL);
        _exit(99);
    }
    CHECK_EQ(value, 3);
    CHECK_EQ(waitpid(pid, NULL, WNOHANG), 0);  // We are here though it still runs.
    CHECK_EXIT(pid, 7);

    pid = vfork();
    if (pid == 0) {
        execl("/nonexistent", "x", NULL);
        value = errno;
        _exit(0);
    }
    CHECK_EQ(value, ENOENT);
    CHECK_EXIT(pid, 0);
    return 0;
}
