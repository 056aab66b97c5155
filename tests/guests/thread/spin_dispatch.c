// Loops that spin with no call and go on through tables of addresses: instructions beside the branches of a loop are reached from
// there too, and whoever makes the loop give way must not have moved them from under it.
#include "check.h"
#include <stdatomic.h>

static atomic_int flag, answer;

// Each waits for `flag` to be `want`; then it goes through the same code with other entries of its table.

// The target stands right behind a short indirect jump, as an interpreter's next instruction does.
__attribute__((noinline)) static int behind_an_indirect_jump(int want) {
    int result;
    __asm__ volatile(
        "1: mov (%[flag]), %%eax\n"
        "   cmp %[want], %%eax\n"
        "   sete %%cl\n"
        "   movzbl %%cl, %%ecx\n"
        "   lea 9f(%%rip), %%rdx\n"
        "   movslq (%%rdx, %%rcx, 4), %%rcx\n"
        "   add %%rdx, %%rcx\n"
        "   jmp *%%rcx\n"
        "2: mov $0x5a5a5a5a, %%eax\n"
        "   jmp 3f\n"
        "   .pushsection .rodata\n   .balign 4\n"
        "9: .long 1b - 9b, 2b - 9b\n   .popsection\n"
        "3: mov %%eax, %[result]\n"
        : [result] "=r"(result)
        : [flag] "r"(&flag), [want] "r"(want)
        : "rax", "rcx", "rdx", "cc", "memory");
    return result == 0x5a5a5a5a;
}

// The loop's branch is a short conditional one; a table leads to what stands behind it, and into the middle of that.
__attribute__((noinline)) static int behind_a_conditional_jump(int want, int entry) {
    int result;
    __asm__ volatile(
        "   xor %%ecx, %%ecx\n"
        "1: cmp %[want], (%[flag])\n"
        "   jne 1b\n"
        "2: add $0x100, %%ecx\n"
        "3: add $0x10, %%ecx\n"
        "4: add $1, %%ecx\n"
        "   lea 9f(%%rip), %%rdx\n"
        "   test %[entry], %[entry]\n"
        "   jz 5f\n"
        "   movslq (%%rdx, %q[entry], 4), %%rax\n"
        "   add %%rdx, %%rax\n"
        "   xor %[entry], %[entry]\n"
        "   jmp *%%rax\n"
        "   .pushsection .rodata\n   .balign 4\n"
        "9: .long 0, 2b - 9b, 3b - 9b, 4b - 9b\n   .popsection\n"
        "5: mov %%ecx, %[result]\n"
        : [result] "=r"(result), [entry] "+r"(entry)
        : [flag] "r"(&flag), [want] "r"(want)
        : "rax", "rcx", "rdx", "cc", "memory");
    return result;
}

// The loop's end is a short jump to its begin; a table leads right to it.
__attribute__((noinline)) static int to_a_jump(int want) {
    int result;
    __asm__ volatile(
        "   xor %%ecx, %%ecx\n"
        "   lea 9f(%%rip), %%rdx\n"
        "1: mov (%[flag]), %%eax\n"
        "   cmp %[want], %%eax\n"
        "   je 5f\n"
        "   xor $1, %%ecx\n"
        "   movslq (%%rdx, %%rcx, 4), %%rax\n"
        "   add %%rdx, %%rax\n"
        "   .byte 0x3e, 0xff, 0xe0\n" // notrack jmp *%rax
        "2: mov %%ecx, %%ecx\n"
        "3: jmp 1b\n"
        "   .pushsection .rodata\n   .balign 4\n"
        "9: .long 2b - 9b, 3b - 9b\n   .popsection\n"
        "5: mov %%eax, %[result]\n"
        : [result] "=r"(result)
        : [flag] "r"(&flag), [want] "r"(want)
        : "rax", "rcx", "rdx", "cc", "memory");
    return result == want;
}

static void *spin(void *unused) {
    for (int i = 1; i <= 30; i += 3) {
        CHECK(behind_an_indirect_jump(i));
        atomic_store(&answer, i);
        CHECK_EQ(behind_a_conditional_jump(i + 1, 0), 0x111);
        CHECK_EQ(behind_a_conditional_jump(i + 1, 1), 0x222);
        CHECK_EQ(behind_a_conditional_jump(i + 1, 2), 0x122);
        CHECK_EQ(behind_a_conditional_jump(i + 1, 3), 0x112);
        atomic_store(&answer, i + 1);
        CHECK(to_a_jump(i + 2));
        atomic_store(&answer, i + 2);
    }
    return NULL;
}

int main(void) {
    pthread_t thread = thread_start(spin, NULL);
    for (int i = 1; i <= 30; i++) {
        atomic_store(&flag, i);
        while (atomic_load(&answer) != i) usleep(10);
    }
    thread_join(thread);
    return 0;
}
