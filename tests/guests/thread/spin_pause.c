// The same with the pause instruction in the loop, and with relaxed loads.
#include "check.h"
#include <stdatomic.h>

static atomic_int flag;
static void *spin(void *unused) {
    for (int i = 1; i < 100; i += 2) {
        while (atomic_load_explicit(&flag, memory_order_relaxed) != i) __builtin_ia32_pause();
        atomic_store_explicit(&flag, i + 1, memory_order_release);
    }
    return NULL;
}

int main(void) {
    pthread_t thread = thread_start(spin, NULL);
    for (int i = 0; i < 100; i += 2) {
        while (atomic_load_explicit(&flag, memory_order_acquire) != i) __builtin_ia32_pause();
        atomic_store_explicit(&flag, i + 1, memory_order_relaxed);
    }
    thread_join(thread);
    return 0;
}
