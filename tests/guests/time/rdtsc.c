// The time stamp counter, read directly, does not go back and moves on over a sleep.
#include "check.h"
#include <x86intrin.h>

int main(void) {
    unsigned aux;
    unsigned long long last = __rdtsc();
    for (int i = 0; i < 1000; i++) {
        unsigned long long now = i % 2 ? __rdtsc() : __rdtscp(&aux);
        CHECK(now >= last);
        last = now;
    }
    // Programs leave out low bits, and take it for granted that processors have more than some 1.5 GHz.
    last = __rdtsc();
    sleep_ms(20);
    CHECK(__rdtsc() - last > 30000000);
    return 0;
}
