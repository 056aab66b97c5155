// A stop and continuation without a handler is not seen by the call that was under way.
#include "check.h"
#include <poll.h>

static void stop_and_go(pid_t pid) {
    int status;
    sleep_ms(20);
    CHECK_OK(kill(pid, SIGSTOP));
    CHECK_EQ(waitpid(pid, &status, WUNTRACED), pid);
    CHECK(WIFSTOPPED(status));
    sleep_ms(10);
    CHECK_OK(kill(pid, SIGCONT));
}

int main(void) {
    int pipes[2];
    CHECK_OK(pipe(pipes));
    pid_t pid;
    char byte;
    CHILD(pid) CHECK_EQ(read(pipes[0], &byte, 1), 1);
    stop_and_go(pid);
    CHECK_EQ(write(pipes[1], "x", 1), 1);
    CHECK_EXIT(pid, 0);

    CHILD(pid) {
        long long start = now_ms();
        struct timespec time = {0, 80000000};
        CHECK_OK(nanosleep(&time, NULL));
        CHECK(now_ms() - start >= 79);
    }
    stop_and_go(pid);
    CHECK_EXIT(pid, 0);

    CHILD(pid) {
        struct pollfd ready = {pipes[0], POLLIN, 0};
        CHECK_EQ(poll(&ready, 1, 80), 0);
    }
    stop_and_go(pid);
    CHECK_EXIT(pid, 0);
    return 0;
}
