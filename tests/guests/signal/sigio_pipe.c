// O_ASYNC on a pipe: its owner gets SIGIO, or the signal of F_SETSIG and what has happened.
#include "check.h"
#include <poll.h>

static volatile sig_atomic_t count, last_fd, last_code;
static volatile long last_band;

static void note(int sig, siginfo_t *info, void *context) {
    (void)sig, (void)context;
    count++;
    last_fd = info->si_fd;
    last_code = info->si_code;
    last_band = info->si_band;
}

int main(void) {
    int ends[2];
    char bytes[8];
    CHECK_OK(pipe(ends));
    on_siginfo(SIGIO, note, 0);
    on_siginfo(SIGUSR1, note, 0);
    CHECK_OK(fcntl(ends[0], F_SETFL, O_ASYNC));
    // Without an owner nobody is told.
    CHECK_EQ(write(ends[1], "a", 1), 1);
    CHECK_EQ(count, 0);
    CHECK_OK(fcntl(ends[0], F_SETOWN, getpid()));
    CHECK_EQ(write(ends[1], "b", 1), 1);
    CHECK_EQ(count, 1);
    CHECK_OK(fcntl(ends[0], F_SETSIG, SIGUSR1));
    pid_t pid;
    CHILD(pid) CHECK_EQ(write(ends[1], "c", 1), 1);
    WAIT_UNTIL(count == 2);
    CHECK_EXIT(pid, 0);
    CHECK_EQ(last_fd, ends[0]);
    CHECK_EQ(last_code, POLL_IN);
    CHECK(last_band & POLLIN);
    // A group, which a negative number means.
    CHILD(pid) {
        CHECK_OK(setpgid(0, 0));
        CHECK_OK(fcntl(ends[0], F_SETOWN, -getpid()));
        count = 0;
        CHECK_EQ(write(ends[1], "d", 1), 1);
        CHECK_EQ(count, 1);
    }
    CHECK_EXIT(pid, 0);
    CHECK_OK(fcntl(ends[0], F_SETFL, 0));
    CHECK_OK(fcntl(ends[0], F_SETOWN, getpid()));
    count = 3;
    CHECK_EQ(write(ends[1], "e", 1), 1);
    CHECK_EQ(count, 3);
    CHECK_EQ(read(ends[0], bytes, sizeof bytes), 5);
    return 0;
}
