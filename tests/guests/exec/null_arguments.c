// exec without an argument list: the new program has no name, or an empty one, and no environment.
#include "check.h"

extern char **environ;

int main(int argc, char **argv) {
    if (argc == 0 || argv[0][0] == 0) {
        CHECK(argc <= 1);
        CHECK(!argv[argc]);
        CHECK(!environ[0]);
        return 12;
    }
    pid_t pid;
    CHILD(pid) CHECK_OK(syscall(SYS_execve, "/proc/self/exe", NULL, NULL));
    CHECK_EXIT(pid, 12);
    return 0;
}
