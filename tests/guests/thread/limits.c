// Four hundred threads alive at once.
#include "check.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t all = PTHREAD_COND_INITIALIZER, go = PTHREAD_COND_INITIALIZER;
static int alive;
static bool released;
static void *run(void *unused) {
    pthread_mutex_lock(&mutex);
    if (++alive == 400) pthread_cond_signal(&all);
    while (!released) pthread_cond_wait(&go, &mutex);
    alive--;
    pthread_mutex_unlock(&mutex);
    return NULL;
}

int main(void) {
    pthread_attr_t attributes;
    CHECK_ZERO(pthread_attr_init(&attributes));
    CHECK_ZERO(pthread_attr_setstacksize(&attributes, 64 << 10));
    pthread_t threads[400];
    for (int i = 0; i < 400; i++) CHECK_ZERO(pthread_create(&threads[i], &attributes, run, NULL));
    pthread_mutex_lock(&mutex);
    while (alive < 400) pthread_cond_wait(&all, &mutex);
    released = true;
    pthread_cond_broadcast(&go);
    pthread_mutex_unlock(&mutex);
    for (int i = 0; i < 400; i++) thread_join(threads[i]);
    CHECK_EQ(alive, 0);
    return 0;
}
