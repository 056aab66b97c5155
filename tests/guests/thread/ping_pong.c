// Two threads hand a turn back and forth ten thousand times by a condition variable.
#include "check.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static int turn;
static void *play(void *mine) {
    for (int i = 0; i < 10000; i++) {
        CHECK_ZERO(pthread_mutex_lock(&mutex));
        while (turn % 2 != (intptr_t)mine) CHECK_ZERO(pthread_cond_wait(&cond, &mutex));
        turn++;
        CHECK_ZERO(pthread_cond_signal(&cond));
        CHECK_ZERO(pthread_mutex_unlock(&mutex));
    }
    return NULL;
}

int main(void) {
    pthread_t a = thread_start(play, (void *)0), b = thread_start(play, (void *)1);
    thread_join(a);
    thread_join(b);
    CHECK_EQ(turn, 20000);
    return 0;
}
