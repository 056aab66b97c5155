// C11 threads: thrd, mtx, cnd, tss.
#include "check.h"
#include <stdatomic.h>
#include <threads.h>

static mtx_t mutex;
static cnd_t cond;
static atomic_int ready;
static tss_t slot;
static int run(void *value) {
    CHECK_EQ(tss_set(slot, value), thrd_success);
    CHECK_EQ(mtx_lock(&mutex), thrd_success);
    ready++;
    CHECK_EQ(cnd_signal(&cond), thrd_success);
    CHECK_EQ(mtx_unlock(&mutex), thrd_success);
    thrd_yield();
    CHECK(tss_get(slot) == value);
    return *(int *)value + 1;
}

int main(void) {
    CHECK_EQ(mtx_init(&mutex, mtx_timed), thrd_success);
    CHECK_EQ(cnd_init(&cond), thrd_success);
    CHECK_EQ(tss_create(&slot, NULL), thrd_success);
    thrd_t threads[4];
    int values[4] = {10, 20, 30, 40};
    for (int i = 0; i < 4; i++) CHECK_EQ(thrd_create(&threads[i], run, &values[i]), thrd_success);
    CHECK_EQ(mtx_lock(&mutex), thrd_success);
    while (ready < 4) CHECK_EQ(cnd_wait(&cond, &mutex), thrd_success);
    CHECK_EQ(mtx_unlock(&mutex), thrd_success);
    for (int i = 0; i < 4; i++) {
        int result;
        CHECK_EQ(thrd_join(threads[i], &result), thrd_success);
        CHECK_EQ(result, values[i] + 1);
    }
    struct timespec little = {0, 1000000};
    CHECK_EQ(thrd_sleep(&little, NULL), 0);
    return 0;
}
