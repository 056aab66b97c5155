// Thread-local variables: each thread its own, fresh ones from the image, destructors at the end.
#include "check.h"

static __thread int counter = 100;
static __thread char zeroed[1000];
static pthread_key_t key;
static int destroyed;
static void destroy(void *value) {
    CHECK_EQ(*(int *)value, 7);
    __atomic_add_fetch(&destroyed, 1, __ATOMIC_SEQ_CST);
    free(value);
}
static void *run(void *unused) {
    CHECK_EQ(counter, 100);
    CHECK_EQ(zeroed[999], 0);
    zeroed[999] = 1;
    for (int i = 0; i < 100; i++) {
        counter++;
        if (i % 10 == 0) sched_yield();
    }
    CHECK_EQ(counter, 200);
    CHECK(!pthread_getspecific(key));
    int *value = malloc(sizeof *value);
    *value = 7;
    CHECK_ZERO(pthread_setspecific(key, value));
    return &counter;
}

int main(void) {
    CHECK_ZERO(pthread_key_create(&key, destroy));
    counter = 1;
    pthread_t threads[10];
    for (int i = 0; i < 10; i++) threads[i] = thread_start(run, NULL);
    for (int i = 0; i < 10; i++) CHECK(thread_join(threads[i]) != &counter);
    CHECK_EQ(counter, 1);
    CHECK_EQ(destroyed, 10);
    pid_t pid;
    CHILD(pid) CHECK_EQ(counter, 1);
    CHECK_EXIT(pid, 0);
    return 0;
}
