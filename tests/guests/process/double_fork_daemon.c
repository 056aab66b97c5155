// The classic daemon: fork, setsid, fork, and a pipe to say that it works.
#include "check.h"

int main(void) {
    int pipes[2];
    CHECK_OK(pipe(pipes));
    pid_t pid, inner;
    CHILD(pid) {
        CHECK_OK(setsid());
        CHILD(inner) {
            CHECK_OK(chdir("/"));
            CHECK(getsid(0) != getpid());
            CHECK_OK(close(pipes[0]));
            sleep_ms(20);
            CHECK_EQ(write(pipes[1], "daemon", 6), 6);
        }
    }
    CHECK_OK(close(pipes[1]));
    CHECK_EXIT(pid, 0);
    char text[16] = {0};
    CHECK_EQ(read(pipes[0], text, sizeof text), 6);
    CHECK_EQ(read(pipes[0], text, sizeof text), 0);  // It has ended.
    return 0;
}
