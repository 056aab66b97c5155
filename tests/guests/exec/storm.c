// Four processes that each fork and exec fifty times at once.
#include "check.h"

int main(int argc, char **argv) {
    if (argc > 1) return atoi(argv[1]);
    pid_t workers[4];
    for (int worker = 0; worker < 4; worker++) {
        CHILD(workers[worker]) {
            for (int i = 0; i < 50; i++) {
                pid_t pid;
                char code[8];
                snprintf(code, sizeof code, "%d", (worker * 50 + i) % 256);
                CHILD(pid) CHECK_OK(execl("/proc/self/exe", argv[0], code, NULL));
                CHECK_EXIT(pid, (worker * 50 + i) % 256);
            }
        }
    }
    for (int worker = 0; worker < 4; worker++) CHECK_EXIT(workers[worker], 0);
    return 0;
}
