// Writes of PIPE_BUF bytes from several processes are not mixed.
#include "check.h"

int main(void) {
    int pipes[2];
    CHECK_OK(pipe(pipes));
    pid_t pids[4];
    for (int child = 0; child < 4; child++) {
        CHILD(pids[child]) {
            char block[PIPE_BUF];
            memset(block, 'a' + child, sizeof block);
            for (int i = 0; i < 30; i++) CHECK_EQ(write(pipes[1], block, sizeof block), sizeof block);
        }
    }
    CHECK_OK(close(pipes[1]));
    FILE *in = fdopen(pipes[0], "r");
    CHECK(in);
    char block[PIPE_BUF];
    int count[4] = {0};
    while (fread(block, 1, sizeof block, in) == sizeof block) {
        for (int i = 1; i < PIPE_BUF; i++) CHECK_EQ(block[i], block[0]);
        count[block[0] - 'a']++;
    }
    for (int child = 0; child < 4; child++) {
        CHECK_EXIT(pids[child], 0);
        CHECK_EQ(count[child], 30);
    }
    return 0;
}
