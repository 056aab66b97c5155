// A timer's signal comes to a loop that makes no calls, which goes on unharmed.
#include "check.h"
#include <sys/time.h>

static volatile int hits;
static void handler(int sig) { hits++; }

int main(void) {
    on_signal(SIGALRM, handler, 0);
    ualarm(5000, 5000);
    uint64_t a = 1, sum = 0;
    volatile uint64_t rounds = 0;
    // A generator whose whole state is in registers; the loop ends by the handler's count alone.
    while (hits < 5) {
        a ^= a << 13, a ^= a >> 7, a ^= a << 17;
        sum += a;
        rounds++;
    }
    ualarm(0, 0);
    uint64_t b = 1, again = 0;
    for (uint64_t i = 0; i < rounds; i++) {
        b ^= b << 13, b ^= b >> 7, b ^= b << 17;
        again += b;
    }
    CHECK(a == b && sum == again);
    return 0;
}
