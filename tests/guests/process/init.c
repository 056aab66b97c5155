// Process 1 is somebody else, who gets orphans.
#include "check.h"

int main(void) {
    CHECK(getpid() != 1);
    CHECK(getppid() > 0);
    int ends[2];
    CHECK_OK(pipe(ends));
    pid_t child, orphan;
    CHILD(child) {
        CHILD(orphan) {
            WAIT_UNTIL(getppid() != child);
            sleep_ms(10);
        }
        CHECK_EQ(write(ends[1], &orphan, sizeof orphan), sizeof orphan);
    }
    CHECK_EXIT(child, 0);
    CHECK_EQ(read(ends[0], &orphan, sizeof orphan), sizeof orphan);
    CHECK_ERRNO(wait(NULL), ECHILD);
    // It is no child of ours, and it is not lost: somebody has it until it ends.
    CHECK_ERRNO(waitpid(orphan, NULL, 0), ECHILD);
    CHECK(kill(1, 0) == 0 || errno == EPERM);
    CHECK_OK(access("/proc/1/stat", R_OK));
    return 0;
}
