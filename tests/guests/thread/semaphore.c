// Unnamed semaphores, of threads and of processes in shared memory.
#include "check.h"
#include <semaphore.h>

int main(void) {
    struct { sem_t ping, pong; int value; } *shared = shared_memory(4096);
    CHECK_OK(sem_init(&shared->ping, 1, 0));
    CHECK_OK(sem_init(&shared->pong, 1, 2));
    int value;
    CHECK_OK(sem_getvalue(&shared->pong, &value));
    CHECK_EQ(value, 2);
    CHECK_OK(sem_wait(&shared->pong));
    CHECK_OK(sem_trywait(&shared->pong));
    CHECK_ERRNO(sem_trywait(&shared->pong), EAGAIN);
    struct timespec past = {1, 0}, bad = {0, 1000000000};
    CHECK_ERRNO(sem_timedwait(&shared->pong, &past), ETIMEDOUT);
    CHECK_ERRNO(sem_timedwait(&shared->pong, &bad), EINVAL);
    pid_t pid;
    CHILD(pid) {
        for (int i = 0; i < 1000; i++) {
            CHECK_OK(sem_wait(&shared->ping));
            CHECK_EQ(shared->value, i * 2 + 1);
            shared->value++;
            CHECK_OK(sem_post(&shared->pong));
        }
    }
    for (int i = 0; i < 1000; i++) {
        shared->value++;
        CHECK_OK(sem_post(&shared->ping));
        CHECK_OK(sem_wait(&shared->pong));
        CHECK_EQ(shared->value, i * 2 + 2);
    }
    CHECK_EXIT(pid, 0);
    return 0;
}
