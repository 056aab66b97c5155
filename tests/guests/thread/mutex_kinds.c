// Normal, recursive and error-checking mutexes; trylock and timed lock.
#include "check.h"

static pthread_mutex_t mutex;
static void *try(void *unused) { return (void *)(intptr_t)pthread_mutex_trylock(&mutex); }
static void *unlock(void *unused) { return (void *)(intptr_t)pthread_mutex_unlock(&mutex); }
static void *timed(void *unused) {
    struct timespec end;
    CHECK_OK(clock_gettime(CLOCK_REALTIME, &end));
    end.tv_nsec += 20000000;
    if (end.tv_nsec >= 1000000000) end.tv_sec++, end.tv_nsec -= 1000000000;
    return (void *)(intptr_t)pthread_mutex_timedlock(&mutex, &end);
}
static void make(int kind) {
    pthread_mutexattr_t attributes;
    CHECK_ZERO(pthread_mutexattr_init(&attributes));
    CHECK_ZERO(pthread_mutexattr_settype(&attributes, kind));
    CHECK_ZERO(pthread_mutex_init(&mutex, &attributes));
}
static intptr_t in_thread(void *(*run)(void *)) { return (intptr_t)thread_join(thread_start(run, NULL)); }

int main(void) {
    make(PTHREAD_MUTEX_NORMAL);
    CHECK_ZERO(pthread_mutex_lock(&mutex));
    CHECK_EQ(pthread_mutex_trylock(&mutex), EBUSY);
    CHECK_EQ(in_thread(try), EBUSY);
    CHECK_EQ(in_thread(timed), ETIMEDOUT);
    CHECK_ZERO(pthread_mutex_unlock(&mutex));
    make(PTHREAD_MUTEX_RECURSIVE);
    for (int i = 0; i < 5; i++) CHECK_ZERO(pthread_mutex_lock(&mutex));
    for (int i = 0; i < 5; i++) {
        CHECK_EQ(in_thread(try), EBUSY);
        CHECK_ZERO(pthread_mutex_unlock(&mutex));
    }
    CHECK_EQ(pthread_mutex_unlock(&mutex), EPERM);
    make(PTHREAD_MUTEX_ERRORCHECK);
    CHECK_ZERO(pthread_mutex_lock(&mutex));
    CHECK_EQ(pthread_mutex_lock(&mutex), EDEADLK);
    CHECK_EQ(in_thread(unlock), EPERM);
    CHECK_ZERO(pthread_mutex_unlock(&mutex));
    CHECK_EQ(pthread_mutex_unlock(&mutex), EPERM);
    return 0;
}
