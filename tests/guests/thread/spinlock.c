// Spinlocks: of the C library, and made of __atomic builtins.
#include "check.h"

static pthread_spinlock_t library;
static volatile char own;
static long first, second;
static void *add(void *unused) {
    for (int i = 0; i < 500; i++) {
        CHECK_ZERO(pthread_spin_lock(&library));
        long was = first;
        if (i % 50 == 0) sched_yield();  // With the lock held: the others must spin.
        first = was + 1;
        CHECK_ZERO(pthread_spin_unlock(&library));
        while (__atomic_test_and_set(&own, __ATOMIC_ACQUIRE)) {}
        was = second;
        if (i % 50 == 25) sched_yield();
        second = was + 1;
        __atomic_clear(&own, __ATOMIC_RELEASE);
    }
    return NULL;
}

int main(void) {
    CHECK_ZERO(pthread_spin_init(&library, PTHREAD_PROCESS_PRIVATE));
    pthread_t threads[4];
    for (int i = 0; i < 4; i++) threads[i] = thread_start(add, NULL);
    for (int i = 0; i < 4; i++) thread_join(threads[i]);
    CHECK_EQ(first, 2000);
    CHECK_EQ(second, 2000);
    return 0;
}
