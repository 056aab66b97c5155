// Waiters are woken in the order in which they came.
#include "check.h"
#include <linux/futex.h>

static int word;
static volatile int next, asleep;
static volatile pid_t tids[6];
static void *wait_in_line(void *index) {
    tids[(intptr_t)index] = gettid();
    CHECK_OK(syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0));
    CHECK_EQ(next, (intptr_t)index);
    next++;
    return NULL;
}
static bool sleeping(pid_t tid) {
    char path[64], text[512];
    snprintf(path, sizeof path, "/proc/self/task/%d/stat", tid);
    read_file(path, text, sizeof text);
    return strrchr(text, ')')[2] == 'S';
}

int main(void) {
    pthread_t threads[6];
    for (intptr_t i = 0; i < 6; i++) {
        threads[i] = thread_start(wait_in_line, (void *)i);
        WAIT_UNTIL(tids[i]);
        sleep_ms(10);
        WAIT_UNTIL(sleeping(tids[i]));
    }
    for (int i = 0; i < 6; i++) {
        CHECK_EQ(syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0), 1);
        thread_join(threads[i]);
    }
    return 0;
}
