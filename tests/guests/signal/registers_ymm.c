// The upper halves of the AVX registers live through signals, calls and switches, where the CPU has them.
#include "check.h"
#include <immintrin.h>

static volatile int hits;
__attribute__((target("avx"))) static void handler(int sig) {
    hits++;
    _mm256_zeroall();
}

__attribute__((target("avx"))) static int probe(long number, long a, long b, uint64_t seed) {
    uint64_t in[4] = {seed, seed * 3, seed * 5, seed * 7}, out[4], high[4];
    long result;
    __asm__ volatile(
        "vmovdqu (%4), %%ymm1\nvmovdqu (%4), %%ymm14\n"
        "syscall\n"
        "vmovdqu %%ymm1, (%5)\nvmovdqu %%ymm14, (%6)\n"
        : "=a"(result)
        : "0"(number), "D"(a), "S"(b), "r"(in), "r"(out), "r"(high)
        : "rcx", "r11", "memory", "xmm1", "xmm14");
    return !memcmp(in, out, sizeof in) && !memcmp(in, high, sizeof in);
}

static void *thread(void *seed) {
    for (int i = 0; i < 200; i++) CHECK(probe(SYS_sched_yield, 0, 0, (uintptr_t)seed + i));
    return NULL;
}

int main(void) {
    if (!__builtin_cpu_supports("avx")) return 0;
    on_signal(SIGUSR1, handler, 0);
    for (int i = 0; i < 100; i++) {
        CHECK(probe(SYS_getppid, 0, 0, 77 + i));
        CHECK(probe(SYS_kill, getpid(), SIGUSR1, 1000 + i));
    }
    CHECK_EQ(hits, 100);
    pthread_t threads[3];
    for (uintptr_t i = 0; i < 3; i++) threads[i] = thread_start(thread, (void *)(i << 40));
    for (int i = 0; i < 3; i++) thread_join(threads[i]);
    return 0;
}
