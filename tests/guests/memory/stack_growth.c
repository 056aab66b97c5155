// The stack grows by itself, deep into its limit, in the first thread.
#include "check.h"

__attribute__((noinline, optimize("O0"))) static int deep(int left) {
    volatile char block[1000];
    block[0] = left;
    block[999] = 1;
    if (!left) return 0;
    return deep(left - 1) + block[999];
}

__attribute__((noinline)) static int wide(void) {
    volatile char block[3 << 20];
    block[0] = 1;
    return block[0];
}

int main(void) {
    CHECK_EQ(deep(6000), 6000);  // Six megabytes of the usual eight.
    pid_t pid;
    CHILD(pid) CHECK_EQ(deep(6000), 6000);
    CHECK_EXIT(pid, 0);
    // A big step at once.
    CHILD(pid) CHECK_EQ(wide(), 1);
    CHECK_EXIT(pid, 0);
    return 0;
}
