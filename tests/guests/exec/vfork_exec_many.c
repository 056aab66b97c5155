// Two hundred times vfork and exec, as shells and build tools do.
#include "check.h"

int main(int argc, char **argv) {
    if (argc > 1) return atoi(argv[1]);
    for (int i = 0; i < 200; i++) {
        char text[8];
        snprintf(text, sizeof text, "%d", i % 50);
        pid_t pid = vfork();
        if (pid == 0) {
            execl("/proc/self/exe", argv[0], text, NULL);
            _exit(99);
        }
        CHECK_EXIT(pid, i % 50);
    }
    return 0;
}
