// SIGSTOP holds every thread; SIGCONT lets them all go.
#include "check.h"

static volatile long *counters;
static void *count(void *index) {
    for (;;) {
        counters[(intptr_t)index]++;
        sleep_ms(1);
    }
    return NULL;
}

int main(void) {
    counters = shared_memory(4096);
    pid_t pid;
    CHILD(pid) {
        for (intptr_t i = 0; i < 3; i++) thread_start(count, (void *)i);
        for (;;) pause();
    }
    for (int i = 0; i < 3; i++) WAIT_UNTIL(counters[i] > 3);
    CHECK_OK(kill(pid, SIGSTOP));
    int status;
    CHECK_EQ(waitpid(pid, &status, WUNTRACED), pid);
    long kept[3];
    for (int i = 0; i < 3; i++) kept[i] = counters[i];
    sleep_ms(30);
    for (int i = 0; i < 3; i++) CHECK_EQ(counters[i], kept[i]);
    CHECK_OK(kill(pid, SIGCONT));
    for (int i = 0; i < 3; i++) WAIT_UNTIL(counters[i] > kept[i] + 3);
    // A stopped process still dies of SIGKILL.
    CHECK_OK(kill(pid, SIGSTOP));
    CHECK_EQ(waitpid(pid, &status, WUNTRACED), pid);
    CHECK_OK(kill(pid, SIGKILL));
    CHECK_KILLED(pid, SIGKILL);
    return 0;
}
