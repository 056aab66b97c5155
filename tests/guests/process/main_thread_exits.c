// The first thread may end before the others: the process lives until the last.
#include "check.h"

static void *last(void *unused) {
    sleep_ms(50);
    CHECK_ERRNO(kill(getpid(), 999), EINVAL);
    CHECK_OK(kill(getpid(), 0));
    _exit(6);
}

static void *quiet(void *unused) {
    sleep_ms(50);
    return NULL;
}

int main(void) {
    pid_t pid;
    CHILD(pid) {
        thread_start(last, NULL);
        pthread_exit(NULL);
    }
    sleep_ms(20);
    CHECK_EQ(waitpid(pid, NULL, WNOHANG), 0);
    CHECK_EXIT(pid, 6);
    CHILD(pid) {
        thread_start(quiet, NULL);
        pthread_exit(NULL);
    }
    CHECK_EXIT(pid, 0);
    return 0;
}
