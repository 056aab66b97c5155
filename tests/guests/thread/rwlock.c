// Read-write locks: readers together, writers alone.
#include "check.h"

static pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
static int readers, writers, most;
static void *reader(void *unused) {
    for (int i = 0; i < 100; i++) {
        CHECK_ZERO(pthread_rwlock_rdlock(&lock));
        int now = __atomic_add_fetch(&readers, 1, __ATOMIC_SEQ_CST);
        CHECK_EQ(__atomic_load_n(&writers, __ATOMIC_SEQ_CST), 0);
        if (now > most) most = now;
        sched_yield();
        __atomic_sub_fetch(&readers, 1, __ATOMIC_SEQ_CST);
        CHECK_ZERO(pthread_rwlock_unlock(&lock));
    }
    return NULL;
}
static void *writer(void *unused) {
    for (int i = 0; i < 100; i++) {
        CHECK_ZERO(pthread_rwlock_wrlock(&lock));
        CHECK_EQ(__atomic_add_fetch(&writers, 1, __ATOMIC_SEQ_CST), 1);
        CHECK_EQ(__atomic_load_n(&readers, __ATOMIC_SEQ_CST), 0);
        sched_yield();
        __atomic_sub_fetch(&writers, 1, __ATOMIC_SEQ_CST);
        CHECK_ZERO(pthread_rwlock_unlock(&lock));
    }
    return NULL;
}

int main(void) {
    CHECK_ZERO(pthread_rwlock_rdlock(&lock));
    CHECK_ZERO(pthread_rwlock_tryrdlock(&lock));
    CHECK_EQ(pthread_rwlock_trywrlock(&lock), EBUSY);
    CHECK_ZERO(pthread_rwlock_unlock(&lock));
    CHECK_ZERO(pthread_rwlock_unlock(&lock));
    CHECK_ZERO(pthread_rwlock_wrlock(&lock));
    CHECK_EQ(pthread_rwlock_tryrdlock(&lock), EBUSY);
    CHECK_EQ(pthread_rwlock_wrlock(&lock), EDEADLK);
    struct timespec past = {1, 0};
    CHECK_EQ(pthread_rwlock_timedrdlock(&lock, &past), EDEADLK);
    CHECK_ZERO(pthread_rwlock_unlock(&lock));
    pthread_t threads[6];
    for (int i = 0; i < 6; i++) threads[i] = thread_start(i % 3 ? reader : writer, NULL);
    for (int i = 0; i < 6; i++) thread_join(threads[i]);
    return 0;
}
