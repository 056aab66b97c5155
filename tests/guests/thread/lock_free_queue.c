// A ring between a producer and a consumer, without locks, each polling the other's index with yields.
#include "check.h"
#include <stdatomic.h>

static int ring[64];
static atomic_uint head, tail;
static void *produce(void *unused) {
    for (int i = 0; i < 20000; i++) {
        while (tail - head == 64) sched_yield();
        ring[tail % 64] = i;
        tail++;
    }
    return NULL;
}

int main(void) {
    pthread_t thread = thread_start(produce, NULL);
    for (int i = 0; i < 20000; i++) {
        while (tail == head) sched_yield();
        CHECK_EQ(ring[head % 64], i);
        head++;
    }
    thread_join(thread);
    return 0;
}
