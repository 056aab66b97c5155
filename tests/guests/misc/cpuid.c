// cpuid answers, and what it says of features can be used.
#include "check.h"
#include <cpuid.h>

__attribute__((target("sse4.2"))) static unsigned crc(unsigned value) { return __builtin_ia32_crc32si(0, value); }
__attribute__((target("avx2"))) static int avx2(void) {
    int in[8] = {1, 2, 3, 4, 5, 6, 7, 8}, out[8];
    __asm__ volatile("vmovdqu (%0), %%ymm0\nvpaddd %%ymm0, %%ymm0, %%ymm1\nvmovdqu %%ymm1, (%1)\nvzeroupper" ::"r"(in), "r"(out)
                     : "memory", "xmm0", "xmm1");
    return out[7];
}
__attribute__((target("rdrnd"))) static void take_random(void) {
    unsigned long long value;
    for (int i = 0; i < 10; i++)
        if (__builtin_ia32_rdrand64_step(&value)) return;
}

int main(void) {
    unsigned a, b, c, d, first[4];
    CHECK(__get_cpuid_max(0, NULL) >= 7);
    CHECK(__get_cpuid(1, &a, &b, &c, &d));
    CHECK(d & bit_SSE2);
    first[0] = a, first[2] = c, first[3] = d;
    for (int i = 0; i < 50; i++) {
        sched_yield();
        CHECK(__get_cpuid(1, &a, &b, &c, &d));
        CHECK(a == first[0] && c == first[2] && d == first[3]);
    }
    if (c & bit_SSE4_2) CHECK(crc(1) != crc(2));
    if (c & bit_RDRND) take_random();
    if (__builtin_cpu_supports("avx2")) CHECK_EQ(avx2(), 16);
    return 0;
}
