// A thread that spins on a flag, with no call in its loop, sees what another one stores.
#include "check.h"
#include <stdatomic.h>

static atomic_int flag, answer;
static void *spin(void *unused) {
    for (int i = 1; i <= 20; i++) {
        while (atomic_load(&flag) != i) {}
        atomic_store(&answer, i);
    }
    return NULL;
}

int main(void) {
    pthread_t thread = thread_start(spin, NULL);
    for (int i = 1; i <= 20; i++) {
        atomic_store(&flag, i);
        while (atomic_load(&answer) != i) {}
    }
    thread_join(thread);
    return 0;
}
