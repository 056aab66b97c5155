// Condition variables: signal wakes one, broadcast all, a timed wait ends at its time.
#include "check.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static int waiting, tickets, taken;
static void *take(void *unused) {
    CHECK_ZERO(pthread_mutex_lock(&mutex));
    waiting++;
    while (!tickets) CHECK_ZERO(pthread_cond_wait(&cond, &mutex));
    tickets--;
    taken++;
    CHECK_ZERO(pthread_mutex_unlock(&mutex));
    return NULL;
}
static int locked(int *value) {
    CHECK_ZERO(pthread_mutex_lock(&mutex));
    int copy = *value;
    CHECK_ZERO(pthread_mutex_unlock(&mutex));
    return copy;
}

int main(void) {
    pthread_t threads[6];
    for (int i = 0; i < 6; i++) threads[i] = thread_start(take, NULL);
    WAIT_UNTIL(locked(&waiting) == 6);
    CHECK_ZERO(pthread_mutex_lock(&mutex));
    tickets = 1;
    CHECK_ZERO(pthread_cond_signal(&cond));
    CHECK_ZERO(pthread_mutex_unlock(&mutex));
    WAIT_UNTIL(locked(&taken) == 1);
    CHECK_ZERO(pthread_mutex_lock(&mutex));
    tickets = 5;
    CHECK_ZERO(pthread_cond_broadcast(&cond));
    CHECK_ZERO(pthread_mutex_unlock(&mutex));
    for (int i = 0; i < 6; i++) thread_join(threads[i]);
    CHECK_EQ(taken, 6);

    const clockid_t clocks[] = {CLOCK_REALTIME, CLOCK_MONOTONIC};
    for (int i = 0; i < 2; i++) {
        pthread_condattr_t attributes;
        pthread_cond_t timed;
        CHECK_ZERO(pthread_condattr_init(&attributes));
        CHECK_ZERO(pthread_condattr_setclock(&attributes, clocks[i]));
        CHECK_ZERO(pthread_cond_init(&timed, &attributes));
        struct timespec end;
        CHECK_OK(clock_gettime(clocks[i], &end));
        end.tv_nsec += 20000000;
        if (end.tv_nsec >= 1000000000) end.tv_sec++, end.tv_nsec -= 1000000000;
        CHECK_ZERO(pthread_mutex_lock(&mutex));
        int error;
        while ((error = pthread_cond_timedwait(&timed, &mutex, &end)) == 0) {}
        CHECK_EQ(error, ETIMEDOUT);
        CHECK_ZERO(pthread_mutex_unlock(&mutex));
        CHECK(clock_ns(clocks[i]) >= end.tv_sec * 1000000000ll + end.tv_nsec);
        CHECK_ZERO(pthread_cond_destroy(&timed));
    }
    return 0;
}
