// build: -static
// A static program: threads, fork, exec of itself, names of users.
#include "check.h"

static void *thread(void *value) { return (char *)value + 1; }

int main(int argc, char **argv) {
    if (argc > 1) return 3;
    CHECK(thread_join(thread_start(thread, (void *)41)) == (void *)42);
    pid_t pid;
    CHILD(pid) CHECK_OK(execl("/proc/self/exe", argv[0], "x", NULL));
    CHECK_EXIT(pid, 3);
    CHILD(pid) _exit(4);
    CHECK_EXIT(pid, 4);
    char *text;
    CHECK(asprintf(&text, "%.3f", 1.5) == 5);
    CHECK_STR(text, "1.500");
    CHECK(time(NULL) > 1000000000);
    return 0;
}
