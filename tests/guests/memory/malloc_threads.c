// The C library's allocator under threads, sizes small and large, freed by others.
#include "check.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static unsigned char *slots[64];
static size_t sizes[64];
static void *run(void *seed) {
    unsigned state = (intptr_t)seed;
    for (int i = 0; i < 3000; i++) {
        state = state * 1103515245 + 12345;
        size_t size = (state >> 16) % 100 == 0 ? 300000 : (state >> 8) % 2000 + 1;
        unsigned char *block = malloc(size);
        CHECK(block);
        block[0] = block[size - 1] = size;
        unsigned index = (state >> 20) % 64;
        pthread_mutex_lock(&mutex);
        unsigned char *old = slots[index];
        size_t old_size = sizes[index];
        slots[index] = block, sizes[index] = size;
        pthread_mutex_unlock(&mutex);
        if (old) {
            CHECK(old[old_size - 1] == (unsigned char)old_size);
            CHECK(old_size == 1 || old[0] == (unsigned char)old_size);
            free(old);
        }
    }
    return NULL;
}

int main(void) {
    pthread_t threads[4];
    for (intptr_t i = 0; i < 4; i++) threads[i] = thread_start(run, (void *)(i + 1));
    for (int i = 0; i < 4; i++) thread_join(threads[i]);
    return 0;
}
