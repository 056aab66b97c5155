// As convoy.c, for a thread that goes through a loop between its calls that others wait in: some passes of it are no waiting.
#include "check.h"
#include <poll.h>
#include <stdatomic.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t freed = PTHREAD_COND_INITIALIZER;
static int locked, done;
static atomic_int flag, begun;

static void take(void) {
    pthread_mutex_lock(&mutex);
    while (locked) pthread_cond_wait(&freed, &mutex);
    locked = 1;
    pthread_mutex_unlock(&mutex);
}

static void give(void) {
    pthread_mutex_lock(&mutex);
    locked = 0;
    pthread_cond_signal(&freed);
    pthread_mutex_unlock(&mutex);
}

// Waits for the flag to be `want`, for so many passes at most. The loop's branch is a short one, is jumped to itself, and a jump
// follows: whoever wants to put something in its place has room for a byte only.
__attribute__((noinline)) static void pass(int want, unsigned most) {
    __asm__ volatile(
        "   cmp %[want], (%[flag])\n"
        "   jmp 2f\n"
        "1: dec %[most]\n"
        "   jz 3f\n"
        "   cmp %[want], (%[flag])\n"
        "2: jne 1b\n"
        "   jmp 3f\n"
        "   ud2\n"
        "3:\n"
        : [most] "+r"(most)
        : [flag] "r"(&flag), [want] "r"(want)
        : "cc", "memory");
}

static void *other(void *unused) {
    usleep(1000);
    flag = 1;
    while (!begun) usleep(1000);
    for (int i = 0; i < 20; i++) {
        take();
        done = i + 1;
        give();
    }
    return NULL;
}

int main(void) {
    thread_start(other, NULL);
    while (!flag) pass(1, 1000000000);
    take();
    begun = 1;
    for (unsigned calls = 0; done < 20; calls++) {
        pass(2, 6 + done % 5);
        give();
        CHECK_OK(poll(NULL, 0, 0));
        take();
        CHECK(calls < 1000000);
    }
    return 0;
}
