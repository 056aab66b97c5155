// A barrier: nobody passes before all have come, and one of them is told apart.
#include "check.h"

static pthread_barrier_t barrier;
static int arrived, serial;
static void *run(void *unused) {
    for (int round = 0; round < 50; round++) {
        __atomic_add_fetch(&arrived, 1, __ATOMIC_SEQ_CST);
        int value = pthread_barrier_wait(&barrier);
        if (value == PTHREAD_BARRIER_SERIAL_THREAD) __atomic_add_fetch(&serial, 1, __ATOMIC_SEQ_CST);
        else CHECK_ZERO(value);
        CHECK(__atomic_load_n(&arrived, __ATOMIC_SEQ_CST) >= (round + 1) * 5);
    }
    return NULL;
}

int main(void) {
    CHECK_ZERO(pthread_barrier_init(&barrier, NULL, 5));
    pthread_t threads[5];
    for (int i = 0; i < 5; i++) threads[i] = thread_start(run, NULL);
    for (int i = 0; i < 5; i++) thread_join(threads[i]);
    CHECK_EQ(serial, 50);
    CHECK_EQ(arrived, 250);
    CHECK_ZERO(pthread_barrier_destroy(&barrier));
    return 0;
}
