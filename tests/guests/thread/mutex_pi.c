// Priority-inheriting mutexes: taken, waited for, checked for deadlock.
#include "check.h"

static pthread_mutex_t mutex;
static volatile int holding;
static void *hold(void *unused) {
    CHECK_ZERO(pthread_mutex_lock(&mutex));
    holding = 1;
    sleep_ms(30);
    holding = 0;
    CHECK_ZERO(pthread_mutex_unlock(&mutex));
    return NULL;
}
static long total;
static void *add(void *unused) {
    for (int i = 0; i < 300; i++) {
        CHECK_ZERO(pthread_mutex_lock(&mutex));
        long was = total;
        sched_yield();
        total = was + 1;
        CHECK_ZERO(pthread_mutex_unlock(&mutex));
    }
    return NULL;
}

int main(void) {
    pthread_mutexattr_t attributes;
    CHECK_ZERO(pthread_mutexattr_init(&attributes));
    CHECK_ZERO(pthread_mutexattr_setprotocol(&attributes, PTHREAD_PRIO_INHERIT));
    CHECK_ZERO(pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_ERRORCHECK));
    CHECK_ZERO(pthread_mutex_init(&mutex, &attributes));
    pthread_t thread = thread_start(hold, NULL);
    WAIT_UNTIL(holding);
    CHECK_EQ(pthread_mutex_trylock(&mutex), EBUSY);
    CHECK_ZERO(pthread_mutex_lock(&mutex));
    CHECK_EQ(holding, 0);
    CHECK_EQ(pthread_mutex_lock(&mutex), EDEADLK);
    CHECK_ZERO(pthread_mutex_unlock(&mutex));
    thread_join(thread);
    pthread_t threads[4];
    for (int i = 0; i < 4; i++) threads[i] = thread_start(add, NULL);
    for (int i = 0; i < 4; i++) thread_join(threads[i]);
    CHECK_EQ(total, 1200);
    return 0;
}
