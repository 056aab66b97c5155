// build: -no-pie -fno-pie
// A dynamic program at a fixed address.
#include "check.h"

static int value = 9;

int main(int argc, char **argv) {
    if (argc > 1) return value;
    CHECK((uintptr_t)&value < 0x10000000);
    pid_t pid;
    CHILD(pid) CHECK_OK(execl("/proc/self/exe", argv[0], "x", NULL));
    CHECK_EXIT(pid, 9);
    return 0;
}
