// Many threads add to one number under a lock; nothing is lost.
#include "check.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static long total;
static void *add(void *unused) {
    for (int i = 0; i < 5000; i++) {
        CHECK_ZERO(pthread_mutex_lock(&mutex));
        long was = total;
        if (i % 100 == 0) sched_yield();
        total = was + 1;
        CHECK_ZERO(pthread_mutex_unlock(&mutex));
    }
    return NULL;
}

int main(void) {
    pthread_t threads[8];
    for (int i = 0; i < 8; i++) threads[i] = thread_start(add, NULL);
    for (int i = 0; i < 8; i++) thread_join(threads[i]);
    CHECK_EQ(total, 40000);
    return 0;
}
