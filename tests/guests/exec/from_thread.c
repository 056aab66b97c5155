// exec in a thread ends all the others; the new program has the process's pid.
#include "check.h"

static char *name;
static pid_t pid;

static void *blocked(void *unused) {
    for (;;) pause();
}
static void *runner(void *unused) {
    char text[16];
    snprintf(text, sizeof text, "%d", pid);
    CHECK(gettid() != pid);
    CHECK_OK(execl("/proc/self/exe", name, text, NULL));
    return NULL;
}

int main(int argc, char **argv) {
    if (argc > 1) {
        CHECK_EQ(getpid(), atoi(argv[1]));
        CHECK_EQ(gettid(), getpid());
        char status[4096];
        read_file("/proc/self/status", status, sizeof status);
        CHECK(strstr(status, "Threads:\t1\n"));
        return 17;
    }
    name = argv[0];
    pid_t child;
    CHILD(child) {
        pid = getpid();
        for (int i = 0; i < 3; i++) thread_start(blocked, NULL);
        thread_join(thread_start(runner, NULL));
    }
    CHECK_EXIT(child, 17);
    return 0;
}
