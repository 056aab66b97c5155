// Threads: start, value, join, detach; many at once and many in a row.
#include "check.h"

static void *twice(void *value) { return (void *)((intptr_t)value * 2); }
static volatile int ended;
static void *detached(void *unused) {
    __atomic_add_fetch(&ended, 1, __ATOMIC_SEQ_CST);
    return NULL;
}
static void *exits(void *unused) { pthread_exit("by exit"); }

int main(void) {
    pthread_t threads[100];
    for (intptr_t i = 0; i < 100; i++) threads[i] = thread_start(twice, (void *)i);
    for (intptr_t i = 0; i < 100; i++) CHECK_EQ((intptr_t)thread_join(threads[i]), i * 2);
    for (intptr_t i = 0; i < 500; i++) CHECK_EQ((intptr_t)thread_join(thread_start(twice, (void *)i)), i * 2);
    CHECK_STR(thread_join(thread_start(exits, NULL)), "by exit");
    for (int i = 0; i < 20; i++) CHECK_ZERO(pthread_detach(thread_start(detached, NULL)));
    WAIT_UNTIL(ended == 20);
    CHECK_EQ(pthread_join(pthread_self(), NULL), EDEADLK);
    pthread_t thread = thread_start(twice, NULL);
    void *value;
    int error;
    while ((error = pthread_tryjoin_np(thread, &value)) == EBUSY) sched_yield();
    CHECK_ZERO(error);
    return 0;
}
