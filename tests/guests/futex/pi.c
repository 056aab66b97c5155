// FUTEX_LOCK_PI and friends by hand, where they are offered.
#include "check.h"
#include <linux/futex.h>

static int word;
static long futex(int op) { return syscall(SYS_futex, &word, op, 0, NULL, NULL, 0); }
static volatile bool got;
static void *wait_for_lock(void *unused) {
    CHECK_OK(futex(FUTEX_LOCK_PI_PRIVATE));
    CHECK_EQ(word & FUTEX_TID_MASK, gettid());
    got = true;
    CHECK_OK(futex(FUTEX_UNLOCK_PI_PRIVATE));
    return NULL;
}

int main(void) {
    if (futex(FUTEX_LOCK_PI_PRIVATE) < 0) {
        CHECK_EQ(errno, ENOSYS);
        return 0;
    }
    CHECK_EQ(word & FUTEX_TID_MASK, gettid());
    CHECK_ERRNO(futex(FUTEX_LOCK_PI_PRIVATE), EDEADLK);
    CHECK_ERRNO(futex(FUTEX_TRYLOCK_PI_PRIVATE), EDEADLK);
    pthread_t thread = thread_start(wait_for_lock, NULL);
    WAIT_UNTIL(__atomic_load_n(&word, __ATOMIC_SEQ_CST) & FUTEX_WAITERS);
    CHECK(!got);
    CHECK_OK(futex(FUTEX_UNLOCK_PI_PRIVATE));
    thread_join(thread);
    CHECK(got);
    CHECK_EQ(word, 0);
    CHECK_ERRNO(futex(FUTEX_UNLOCK_PI_PRIVATE), EPERM);
    return 0;
}
