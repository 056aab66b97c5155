// A signal's handler interrupts a futex wait with EINTR, or restarts it.
#include "check.h"
#include <linux/futex.h>

static int word;
static volatile int hits;
static volatile bool counting;
static void handler(int sig) {
    if (counting && ++hits == 3) {
        word = 1;
        syscall(SYS_futex, &word, FUTEX_WAKE, 1, NULL, NULL, 0);
    }
}

int main(void) {
    on_signal(SIGALRM, handler, 0);
    ualarm(10000, 10000);
    CHECK_ERRNO(syscall(SYS_futex, &word, FUTEX_WAIT, 0, NULL, NULL, 0), EINTR);
    // With SA_RESTART an untimed wait goes on until the value differs.
    counting = true;
    on_signal(SIGALRM, handler, SA_RESTART);
    CHECK_ERRNO(syscall(SYS_futex, &word, FUTEX_WAIT, 0, NULL, NULL, 0), EAGAIN);
    CHECK(hits >= 3);
    ualarm(0, 0);
    return 0;
}
