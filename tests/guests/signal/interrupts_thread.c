// pthread_kill interrupts a blocking call of exactly that thread.
#include "check.h"
#include <poll.h>

static void handler(int sig) {}
static int pipes[2];
static volatile int begun;

static void *reader(void *unused) {
    __atomic_add_fetch(&begun, 1, __ATOMIC_SEQ_CST);
    char byte;
    int got = read(pipes[0], &byte, 1);
    return (void *)(intptr_t)(got < 0 ? errno : 0);
}

int main(void) {
    on_signal(SIGUSR1, handler, 0);
    CHECK_OK(pipe(pipes));
    pthread_t a = thread_start(reader, NULL), b = thread_start(reader, NULL);
    WAIT_UNTIL(begun == 2);
    void *result;
    while (pthread_tryjoin_np(a, &result)) {
        CHECK_ZERO(pthread_kill(a, SIGUSR1));
        sleep_ms(5);
    }
    CHECK_EQ((intptr_t)result, EINTR);
    CHECK_EQ(write(pipes[1], "x", 1), 1);
    CHECK_EQ((intptr_t)thread_join(b), 0);
    return 0;
}
