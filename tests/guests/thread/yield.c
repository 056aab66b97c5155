// A loop of sched_yield lets others go on.
#include "check.h"

static volatile int turn;
static void *run(void *mine) {
    for (int i = 0; i < 500; i++) {
        while (turn % 3 != (intptr_t)mine) CHECK_OK(sched_yield());
        turn++;
    }
    return NULL;
}

int main(void) {
    pthread_t threads[3];
    for (intptr_t i = 0; i < 3; i++) threads[i] = thread_start(run, (void *)i);
    for (int i = 0; i < 3; i++) thread_join(threads[i]);
    CHECK_EQ(turn, 1500);
    return 0;
}
