// A ring of processes passes a token through pipes a hundred times round.
#include "check.h"

int main(void) {
    int pipes[6][2];
    for (int i = 0; i < 6; i++) CHECK_OK(pipe(pipes[i]));
    pid_t pids[5];
    for (int i = 0; i < 5; i++) {
        CHILD(pids[i]) {
            int token;
            for (int round = 0; round < 100; round++) {
                CHECK_EQ(read(pipes[i][0], &token, sizeof token), sizeof token);
                token++;
                CHECK_EQ(write(pipes[i + 1][1], &token, sizeof token), sizeof token);
            }
        }
    }
    int token = 0;
    for (int round = 0; round < 100; round++) {
        CHECK_EQ(write(pipes[0][1], &token, sizeof token), sizeof token);
        CHECK_EQ(read(pipes[5][0], &token, sizeof token), sizeof token);
    }
    CHECK_EQ(token, 500);
    for (int i = 0; i < 5; i++) CHECK_EXIT(pids[i], 0);
    return 0;
}
