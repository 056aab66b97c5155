// A mutex and a condition variable in memory that processes share.
#include "check.h"

int main(void) {
    struct { pthread_mutex_t mutex; pthread_cond_t cond; int turn; long sum; } *shared = shared_memory(4096);
    pthread_mutexattr_t mutex;
    pthread_condattr_t cond;
    CHECK_ZERO(pthread_mutexattr_init(&mutex));
    CHECK_ZERO(pthread_condattr_init(&cond));
    CHECK_ZERO(pthread_mutexattr_setpshared(&mutex, PTHREAD_PROCESS_SHARED));
    CHECK_ZERO(pthread_condattr_setpshared(&cond, PTHREAD_PROCESS_SHARED));
    CHECK_ZERO(pthread_mutex_init(&shared->mutex, &mutex));
    CHECK_ZERO(pthread_cond_init(&shared->cond, &cond));
    pid_t pids[3];
    for (int me = 0; me < 3; me++) {
        CHILD(pids[me]) {
            for (int i = 0; i < 300; i++) {
                CHECK_ZERO(pthread_mutex_lock(&shared->mutex));
                while (shared->turn % 3 != me) CHECK_ZERO(pthread_cond_wait(&shared->cond, &shared->mutex));
                shared->turn++;
                shared->sum += me;
                CHECK_ZERO(pthread_cond_broadcast(&shared->cond));
                CHECK_ZERO(pthread_mutex_unlock(&shared->mutex));
            }
        }
    }
    for (int me = 0; me < 3; me++) CHECK_EXIT(pids[me], 0);
    CHECK_EQ(shared->turn, 900);
    CHECK_EQ(shared->sum, 900);
    return 0;
}
