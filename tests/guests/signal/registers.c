// Vector and general registers live through signals and through system calls; so does the red zone.
#include "check.h"

static volatile int hits;
static void handler(int sig) {
    // Walks over every vector register and the memory below its own frame.
    hits++;
    __asm__ volatile(
        "pcmpeqd %%xmm0, %%xmm0\npcmpeqd %%xmm1, %%xmm1\npcmpeqd %%xmm7, %%xmm7\n"
        "pcmpeqd %%xmm8, %%xmm8\npcmpeqd %%xmm15, %%xmm15\n" ::: "xmm0", "xmm1", "xmm7", "xmm8", "xmm15");
}

// Sets registers and the red zone, makes the call, and says which of them were lost.
__attribute__((naked, noinline)) static long probe(long number, long a, long b) {
    __asm__ volatile(
        "push %rbx\npush %rbp\npush %r12\npush %r13\npush %r14\npush %r15\n"
        "mov %rdi, %rax\nmov %rsi, %rdi\nmov %rdx, %rsi\n"
        "mov $0x1111111111111111, %rbx\nmovq %rbx, %xmm0\n"
        "mov $0x2222222222222222, %rbp\nmovq %rbp, %xmm7\n"
        "mov $0x3333333333333333, %r12\nmovq %r12, %xmm8\n"
        "mov $0x4444444444444444, %r13\nmovq %r13, %xmm15\n"
        "mov $0x5555555555555555, %r14\nmov $0x6666666666666666, %r15\n"
        "mov $0x7777777777777777, %r8\nmov $0x8888888888888888, %r9\nmov $0x9999999999999999, %r10\n"
        "mov $0xabcdef, %edx\n"
        "mov %rbx, -8(%rsp)\nmov %rbp, -64(%rsp)\nmov %r12, -128(%rsp)\n"
        "syscall\n"
        "xor %ecx, %ecx\n"
        "cmp %rbx, -8(%rsp)\njne 1f\ncmp %rbp, -64(%rsp)\njne 1f\ncmp %r12, -128(%rsp)\njne 1f\n"
        "inc %ecx\n"
        "movq %xmm0, %r11\ncmp %r11, %rbx\njne 1f\nmovq %xmm7, %r11\ncmp %r11, %rbp\njne 1f\n"
        "movq %xmm8, %r11\ncmp %r11, %r12\njne 1f\nmovq %xmm15, %r11\ncmp %r11, %r13\njne 1f\n"
        "inc %ecx\n"
        "mov $0x1111111111111111, %r11\ncmp %r11, %rbx\njne 1f\nmov $0x4444444444444444, %r11\ncmp %r11, %r13\njne 1f\n"
        "mov $0x5555555555555555, %r11\ncmp %r11, %r14\njne 1f\nmov $0x6666666666666666, %r11\ncmp %r11, %r15\njne 1f\n"
        "inc %ecx\n"
        "mov $0x7777777777777777, %r11\ncmp %r11, %r8\njne 1f\nmov $0x8888888888888888, %r11\ncmp %r11, %r9\njne 1f\n"
        "mov $0x9999999999999999, %r11\ncmp %r11, %r10\njne 1f\ncmp $0xabcdef, %edx\njne 1f\n"
        "inc %ecx\n"
        "1: mov %ecx, %eax\n"
        "pop %r15\npop %r14\npop %r13\npop %r12\npop %rbp\npop %rbx\nret\n");
}

int main(void) {
    on_signal(SIGUSR1, handler, 0);
    for (int i = 0; i < 100; i++) {
        // 0: red zone lost, 1: vector registers, 2: saved ones, 3: arguments, 4: nothing.
        CHECK_EQ(probe(SYS_getppid, 0, 0), 4);
        CHECK_EQ(probe(SYS_kill, getpid(), SIGUSR1), 4);
        CHECK_EQ(probe(SYS_sched_yield, 0, 0), 4);
        CHECK_EQ(probe(100000, 0, 0), 4);
    }
    CHECK_EQ(hits, 100);
    return 0;
}
