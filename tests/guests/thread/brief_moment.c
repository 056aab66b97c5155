// Threads that get on only in a moment between two calls of another, which wakes them, takes back what it woke them for, and then
// waits: where turns may end anywhere, it is met. Go's runtime stops and starts the world like that.
#include "check.h"
#include <linux/futex.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/syscall.h>

enum { WORKERS = 3, ROUNDS = 200000 };
static atomic_int may_go, round_number, done;

static void *work(void *unused) {
    while (!atomic_load(&may_go)) {
        int seen = atomic_load(&round_number);
        if (!atomic_load(&may_go)) syscall(SYS_futex, &round_number, FUTEX_WAIT_PRIVATE, seen, NULL, NULL, 0);
    }
    atomic_fetch_add(&done, 1);
    return unused;
}

int main(void) {
    pthread_t threads[WORKERS];
    for (int i = 0; i < WORKERS; i++) CHECK_EQ(pthread_create(&threads[i], NULL, work, NULL), 0);
    for (int left = ROUNDS; atomic_load(&done) < WORKERS; left--) {
        if (left == 0) FAIL("%d of %d threads got on", atomic_load(&done), WORKERS);
        atomic_store(&may_go, 1);
        atomic_fetch_add(&round_number, 1);
        syscall(SYS_futex, &round_number, FUTEX_WAKE_PRIVATE, WORKERS, NULL, NULL, 0);
        syscall(SYS_getppid);
        atomic_store(&may_go, 0);
        usleep(10);
    }
    for (int i = 0; i < WORKERS; i++) CHECK_EQ(pthread_join(threads[i], NULL), 0);
    return 0;
}
