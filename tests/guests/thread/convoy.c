// A thread that works with a lock and gives it back for a moment only, as interpreters do around a call: another thread gets it
// in the end, however the work and the turns of the threads fall.
#include "check.h"
#include <poll.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t freed = PTHREAD_COND_INITIALIZER;
static int locked, done;

static void take(void) {
    pthread_mutex_lock(&mutex);
    while (locked) pthread_cond_wait(&freed, &mutex);
    locked = 1;
    pthread_mutex_unlock(&mutex);
}

static void give(void) {
    pthread_mutex_lock(&mutex);
    locked = 0;
    pthread_cond_signal(&freed);
    pthread_mutex_unlock(&mutex);
}

static void *other(void *unused) {
    for (int i = 0; i < 20; i++) {
        take();
        done = i + 1;
        give();
    }
    return NULL;
}

int main(void) {
    thread_start(other, NULL);
    take();
    for (unsigned calls = 0; done < 20; calls++) {
        for (unsigned i = 0; i < 3 + done % 5; i++) getppid();
        give();
        CHECK_OK(poll(NULL, 0, 0));
        take();
        CHECK(calls < 5000000);
    }
    return 0;
}
