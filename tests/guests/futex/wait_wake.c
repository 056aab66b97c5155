// FUTEX_WAIT and FUTEX_WAKE by hand: the value is compared, wakes are counted, times are kept.
#include "check.h"
#include <linux/futex.h>

static int word;
static long futex(int *address, int op, int value, const struct timespec *time) {
    return syscall(SYS_futex, address, op, value, time, NULL, 0);
}
static int waiting, woken;
static void *wait_for_it(void *unused) {
    __atomic_add_fetch(&waiting, 1, __ATOMIC_SEQ_CST);
    while (futex(&word, FUTEX_WAIT_PRIVATE, 0, NULL) < 0 && errno == EINTR) {}
    __atomic_add_fetch(&woken, 1, __ATOMIC_SEQ_CST);
    return NULL;
}

int main(void) {
    CHECK_ERRNO(futex(&word, FUTEX_WAIT, 1, NULL), EAGAIN);
    CHECK_EQ(futex(&word, FUTEX_WAKE, 1, NULL), 0);
    struct timespec little = {0, 20000000}, bad = {0, 1000000000}, negative = {-1, 0};
    long long start = now_ms();
    CHECK_ERRNO(futex(&word, FUTEX_WAIT, 0, &little), ETIMEDOUT);
    CHECK(now_ms() - start >= 19);
    CHECK_ERRNO(futex(&word, FUTEX_WAIT, 0, &bad), EINVAL);
    CHECK_ERRNO(futex(&word, FUTEX_WAIT, 0, &negative), EINVAL);
    CHECK_ERRNO(futex((int *)((char *)&word + 1), FUTEX_WAIT, 0, NULL), EINVAL);
    CHECK_ERRNO(futex((int *)4096, FUTEX_WAIT, 0, NULL), EFAULT);
    CHECK_ERRNO(futex(&word, 99, 0, NULL), ENOSYS);
    pthread_t threads[5];
    for (int i = 0; i < 5; i++) threads[i] = thread_start(wait_for_it, NULL);
    WAIT_UNTIL(__atomic_load_n(&waiting, __ATOMIC_SEQ_CST) == 5);
    int got = 0;
    while (got < 2) {
        int now = CHECK_OK(futex(&word, FUTEX_WAKE_PRIVATE, 2 - got, NULL));
        got += now;
        if (!now) sleep_ms(1);
    }
    WAIT_UNTIL(__atomic_load_n(&woken, __ATOMIC_SEQ_CST) == 2);
    sleep_ms(10);
    CHECK_EQ(woken, 2);
    while (got < 5) {
        got += CHECK_OK(futex(&word, FUTEX_WAKE_PRIVATE, INT_MAX, NULL));
        sleep_ms(1);
    }
    CHECK_EQ(got, 5);
    for (int i = 0; i < 5; i++) thread_join(threads[i]);
    return 0;
}
