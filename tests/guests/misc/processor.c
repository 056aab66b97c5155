// Instructions that ask the processor: each does what it is documented to do, and under the layer what it says is the world's.
// Random numbers decide how many calls are made, so that two runs with different numbers are different runs.
#include "check.h"
#include <cpuid.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <unistd.h>

static int random_16(uint16_t *to) {
    unsigned char ok;
    __asm__ volatile("rdrand %0; setc %1" : "=r"(*to), "=qm"(ok) : : "cc");
    return ok;
}

static int random_64(uint64_t *to) {
    unsigned char ok;
    __asm__ volatile("rdrand %0; setc %1" : "=r"(*to), "=qm"(ok) : : "cc");
    return ok;
}

static int seed_32(uint32_t *to) {
    unsigned char ok;
    // A register that needs a prefix.
    __asm__ volatile("rdseed %%r10d; setc %1; mov %%r10d, %0" : "=r"(*to), "=qm"(ok) : : "cc", "r10");
    return ok;
}

static sigjmp_buf without;

static void is_not_there(int signal) {
    siglongjmp(without, signal);
}

static void call(unsigned times) {
    while (times--)
        getppid();
}

int main(void) {
    unsigned a, b, c, d;
    CHECK(__get_cpuid_max(0, &b) >= 1 && b != 0);
    CHECK(__get_cpuid(1, &a, &b, &c, &d));
    CHECK(d & 1 << 26); // SSE2, which every processor of this kind has
    uint16_t little = 0;
    uint64_t much = 0, more = 0;
    uint32_t seed = 0;
    // Where cpuid hides them they may be there all the same, so they are tried.
    signal(SIGILL, is_not_there);
    if (sigsetjmp(without, 1) == 0) {
        int tries = 0;
        while (!random_64(&much) && tries++ < 1000)
            ;
        while (!random_64(&more) && tries++ < 1000)
            ;
        while (!random_16(&little) && tries++ < 1000)
            ;
        while (!seed_32(&seed) && tries++ < 100000)
            ;
        CHECK(tries < 100000 && much != more && much >> 32 != 0);
    }
    call(much % 97 + more % 89 + little % 83 + seed % 79);
    // The numbers of the processor that this runs on decide as well.
    __cpuid(1, a, b, c, d);
    call(b >> 24);
    __cpuid_count(0xb, 0, a, b, c, d);
    call(d % 64);
    return 0;
}
