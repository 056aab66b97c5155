// A robust mutex whose owner dies, as a thread and as a process, is told of and mended.
#include "check.h"

static pthread_mutex_t *mutex;
static void *dies(void *unused) {
    CHECK_ZERO(pthread_mutex_lock(mutex));
    return NULL;
}

int main(void) {
    mutex = shared_memory(4096);
    pthread_mutexattr_t attributes;
    CHECK_ZERO(pthread_mutexattr_init(&attributes));
    CHECK_ZERO(pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST));
    CHECK_ZERO(pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED));
    CHECK_ZERO(pthread_mutex_init(mutex, &attributes));
    thread_join(thread_start(dies, NULL));
    CHECK_EQ(pthread_mutex_lock(mutex), EOWNERDEAD);
    CHECK_ZERO(pthread_mutex_consistent(mutex));
    CHECK_ZERO(pthread_mutex_unlock(mutex));
    pid_t pid;
    CHILD(pid) CHECK_ZERO(pthread_mutex_lock(mutex));
    CHECK_EXIT(pid, 0);
    CHECK_EQ(pthread_mutex_lock(mutex), EOWNERDEAD);
    CHECK_ZERO(pthread_mutex_consistent(mutex));
    CHECK_ZERO(pthread_mutex_unlock(mutex));
    // Killed while another waits.
    int pipes[2];
    CHECK_OK(pipe(pipes));
    CHILD(pid) {
        CHECK_ZERO(pthread_mutex_lock(mutex));
        CHECK_EQ(write(pipes[1], "x", 1), 1);
        sleep_ms(30);
        raise(SIGKILL);
    }
    char byte;
    CHECK_EQ(read(pipes[0], &byte, 1), 1);
    CHECK_EQ(pthread_mutex_lock(mutex), EOWNERDEAD);
    CHECK_KILLED(pid, SIGKILL);
    // Not mended before the unlock: of no more use.
    CHECK_ZERO(pthread_mutex_unlock(mutex));
    CHECK_EQ(pthread_mutex_lock(mutex), ENOTRECOVERABLE);
    return 0;
}
