// pthread_once and C11's call_once: exactly one runs, all others wait for it.
#include "check.h"
#include <threads.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;
static once_flag flag = ONCE_FLAG_INIT;
static int runs, more;
static volatile bool done;
static void init(void) {
    runs++;
    sleep_ms(10);
    done = true;
}
static void init_more(void) { more++; }
static void *thread(void *unused) {
    CHECK_ZERO(pthread_once(&once, init));
    CHECK(done);
    call_once(&flag, init_more);
    return NULL;
}

int main(void) {
    pthread_t threads[8];
    for (int i = 0; i < 8; i++) threads[i] = thread_start(thread, NULL);
    for (int i = 0; i < 8; i++) thread_join(threads[i]);
    CHECK_EQ(runs, 1);
    CHECK_EQ(more, 1);
    return 0;
}
