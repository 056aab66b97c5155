// Lines appended by several processes at once are never torn.
#include "check.h"

int main(void) {
    enter_tmp();
    pid_t pids[4];
    for (int child = 0; child < 4; child++) {
        CHILD(pids[child]) {
            int fd = CHECK_OK(open("log", O_WRONLY | O_CREAT | O_APPEND, 0600));
            char line[64];
            for (int i = 0; i < 200; i++) {
                int length = snprintf(line, sizeof line, "child %d line %03d\n", child, i);
                CHECK_EQ(write(fd, line, length), length);
            }
        }
    }
    for (int child = 0; child < 4; child++) CHECK_EXIT(pids[child], 0);
    FILE *log = fopen("log", "r");
    CHECK(log);
    int next[4] = {0}, child, i;
    char line[64];
    while (fgets(line, sizeof line, log)) {
        CHECK_EQ(sscanf(line, "child %d line %d\n", &child, &i), 2);
        CHECK_EQ(next[child]++, i);
    }
    for (child = 0; child < 4; child++) CHECK_EQ(next[child], 200);
    fclose(log);
    return 0;
}
