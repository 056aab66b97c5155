// A parent may not move a child that has run a program.
#include "check.h"

int main(int argc, char **argv) {
    if (argc > 1) {
        CHECK_EQ(write(1, "x", 1), 1);
        char byte;
        CHECK_EQ(read(0, &byte, 1), 0);
        return 0;
    }
    int in[2], out[2];
    CHECK_OK(pipe2(in, O_CLOEXEC));
    CHECK_OK(pipe2(out, O_CLOEXEC));
    pid_t pid;
    CHILD(pid) {
        CHECK_OK(dup2(in[0], 0));
        CHECK_OK(dup2(out[1], 1));
        CHECK_OK(execl("/proc/self/exe", argv[0], "child", NULL));
    }
    char byte;
    CHECK_EQ(read(out[0], &byte, 1), 1);
    CHECK_ERRNO(setpgid(pid, pid), EACCES);
    CHECK_OK(close(in[1]));
    CHECK_EXIT(pid, 0);
    return 0;
}
