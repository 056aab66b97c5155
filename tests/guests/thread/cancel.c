// pthread_cancel: at cancellation points, with clean-up in the right order, held off while disabled.
#include "check.h"

static char order[8];
static int pipes[2];
static void push(void *letter) { strcat(order, letter); }
static void *blocked(void *unused) {
    pthread_cleanup_push(push, "1");
    pthread_cleanup_push(push, "2");
    char byte;
    if (read(pipes[0], &byte, 1)) {}
    pthread_cleanup_pop(0);
    pthread_cleanup_pop(0);
    return NULL;
}
static volatile bool go, reached;
static void *disabled(void *unused) {
    int old;
    CHECK_ZERO(pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &old));
    while (!go) sleep_ms(1);
    reached = true;
    CHECK_ZERO(pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, &old));
    pthread_testcancel();
    return "not cancelled";
}
static void *asynchronous(void *unused) {
    int old;
    CHECK_ZERO(pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, &old));
    for (volatile long i = 0;; i++) {}
}
static void *in_condition(void *unused) {
    static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
    pthread_mutex_lock(&mutex);
    pthread_cond_wait(&cond, &mutex);
    return NULL;
}

int main(void) {
    CHECK_OK(pipe(pipes));
    pthread_t thread = thread_start(blocked, NULL);
    sleep_ms(10);
    CHECK_ZERO(pthread_cancel(thread));
    CHECK(thread_join(thread) == PTHREAD_CANCELED);
    CHECK(!strcmp(order, "21") || !strcmp(order, ""));
    thread = thread_start(disabled, NULL);
    CHECK_ZERO(pthread_cancel(thread));
    sleep_ms(5);
    go = true;
    CHECK(thread_join(thread) == PTHREAD_CANCELED);
    thread = thread_start(asynchronous, NULL);
    sleep_ms(10);
    CHECK_ZERO(pthread_cancel(thread));
    CHECK(thread_join(thread) == PTHREAD_CANCELED);
    thread = thread_start(in_condition, NULL);
    sleep_ms(10);
    CHECK_ZERO(pthread_cancel(thread));
    CHECK(thread_join(thread) == PTHREAD_CANCELED);
    return 0;
}
