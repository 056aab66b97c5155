// build: -static-pie -fPIE
// A static program that relocates itself.
#include "check.h"

static int value = 5;
static int *pointer = &value;
static void *thread(void *unused) { return pointer; }

int main(int argc, char **argv) {
    if (argc > 1) return *pointer;
    CHECK(thread_join(thread_start(thread, NULL)) == &value);
    pid_t pid;
    CHILD(pid) CHECK_OK(execl("/proc/self/exe", argv[0], "x", NULL));
    CHECK_EXIT(pid, 5);
    return 0;
}
