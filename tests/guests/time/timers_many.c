// Sleepers of different lengths, in threads and processes, end in the order of their times.
#include "check.h"

int main(void) {
    int pipes[2];
    CHECK_OK(pipe(pipes));
    pid_t pids[8];
    long long base = clock_ns(CLOCK_MONOTONIC) + 50000000;
    for (int i = 0; i < 8; i++) {
        CHILD(pids[i]) {
            // Not in the order of the starts.
            int place = i * 3 % 8;
            long long end = base + place * 40000000ll;
            struct timespec time = {end / 1000000000, end % 1000000000};
            CHECK_EQ(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL), 0);
            CHECK(clock_ns(CLOCK_MONOTONIC) >= end);
            CHECK_EQ(write(pipes[1], "x", 1), 1);
        }
    }
    for (int i = 0; i < 8; i++) {
        char byte;
        CHECK_EQ(read(pipes[0], &byte, 1), 1);
        CHECK(clock_ns(CLOCK_MONOTONIC) >= base + i * 40000000ll);  // So many have ended: not before this.
    }
    for (int i = 0; i < 8; i++) CHECK_EXIT(pids[i], 0);
    return 0;
}
