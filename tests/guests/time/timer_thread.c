// POSIX timers that start a thread, or signal one thread, or do nothing but count.
// link: -lrt
#include "check.h"

#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif

static volatile int runs;
static void run(union sigval value) {
    if (value.sival_int == 5 && gettid() != getpid()) __atomic_add_fetch(&runs, 1, __ATOMIC_SEQ_CST);
}
static volatile pid_t took;
static void handler(int sig) { took = gettid(); }

static volatile pid_t target;
static volatile bool stop;
static void *wait_here(void *unused) {
    target = gettid();
    while (!stop) sleep_ms(1);
    return NULL;
}

int main(void) {
    struct sigevent event = {.sigev_notify = SIGEV_THREAD, .sigev_notify_function = run, .sigev_value.sival_int = 5};
    timer_t timer;
    CHECK_OK(timer_create(CLOCK_MONOTONIC, &event, &timer));
    struct itimerspec repeated = {{0, 5000000}, {0, 5000000}}, now;
    CHECK_OK(timer_settime(timer, 0, &repeated, NULL));
    WAIT_UNTIL(runs >= 3);
    CHECK_OK(timer_delete(timer));

    on_signal(SIGUSR1, handler, SA_RESTART);
    pthread_t thread = thread_start(wait_here, NULL);
    WAIT_UNTIL(target);
    memset(&event, 0, sizeof event);
    event.sigev_notify = SIGEV_THREAD_ID;
    event.sigev_signo = SIGUSR1;
    event.sigev_notify_thread_id = target;
    CHECK_OK(timer_create(CLOCK_REALTIME, &event, &timer));
    struct itimerspec once = {{0, 0}, {0, 5000000}};
    CHECK_OK(timer_settime(timer, 0, &once, NULL));
    WAIT_UNTIL(took);
    CHECK_EQ(took, target);
    CHECK_OK(timer_delete(timer));
    stop = true;
    thread_join(thread);

    memset(&event, 0, sizeof event);
    event.sigev_notify = SIGEV_NONE;
    CHECK_OK(timer_create(CLOCK_MONOTONIC, &event, &timer));
    once.it_value.tv_sec = 100;
    CHECK_OK(timer_settime(timer, 0, &once, NULL));
    CHECK_OK(timer_gettime(timer, &now));
    CHECK(now.it_value.tv_sec >= 99 && now.it_value.tv_sec <= 100);
    return 0;
}
