// Requeueing moves waiters from one word to another without waking them.
#include "check.h"
#include <linux/futex.h>

static int from, to, begun, woken;
static void *wait_here(void *unused) {
    __atomic_add_fetch(&begun, 1, __ATOMIC_SEQ_CST);
    CHECK_OK(syscall(SYS_futex, &from, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0));
    __atomic_add_fetch(&woken, 1, __ATOMIC_SEQ_CST);
    return NULL;
}
static long requeue(int op, int wake, long move, int expected) {
    return syscall(SYS_futex, &from, op, wake, move, &to, expected);
}

int main(void) {
    CHECK_ERRNO(requeue(FUTEX_CMP_REQUEUE_PRIVATE, 1, 1, 99), EAGAIN);
    CHECK_EQ(requeue(FUTEX_CMP_REQUEUE_PRIVATE, 1, 1, 0), 0);
    pthread_t threads[4];
    for (int i = 0; i < 4; i++) threads[i] = thread_start(wait_here, NULL);
    WAIT_UNTIL(__atomic_load_n(&begun, __ATOMIC_SEQ_CST) == 4);
    sleep_ms(30);
    // How many have really gone to sleep is not known: count what was found.
    int found = 0;
    while (found < 4) {
        found += CHECK_OK(requeue(FUTEX_CMP_REQUEUE_PRIVATE, 0, 4, 0));
        sleep_ms(1);
    }
    CHECK_EQ(found, 4);
    CHECK_EQ(__atomic_load_n(&woken, __ATOMIC_SEQ_CST), 0);
    CHECK_EQ(syscall(SYS_futex, &from, FUTEX_WAKE_PRIVATE, 10, NULL, NULL, 0), 0);
    CHECK_EQ(syscall(SYS_futex, &to, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0), 1);
    WAIT_UNTIL(__atomic_load_n(&woken, __ATOMIC_SEQ_CST) == 1);
    CHECK_EQ(syscall(SYS_futex, &to, FUTEX_WAKE_PRIVATE, 10, NULL, NULL, 0), 3);
    for (int i = 0; i < 4; i++) thread_join(threads[i]);
    return 0;
}
