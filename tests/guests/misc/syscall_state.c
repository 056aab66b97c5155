// The processor's state that a call must leave alone: flags, direction, a stack pointer that points nowhere.
#include "check.h"
#include <asm/prctl.h>

// Makes getpid with the stack pointer in rdi, and gives it back.
__attribute__((naked, noinline)) static long with_stack(long stack) {
    __asm__ volatile("mov %rsp, %r9\nmov %rdi, %rsp\nmov $39, %eax\nsyscall\nmov %r9, %rsp\nret");
}
__attribute__((naked, noinline)) static long carry_kept(long unused) {
    __asm__ volatile("mov $39, %eax\nstc\nsyscall\njnc 1f\nmov $39, %eax\nclc\nsyscall\njc 1f\nret\n1: xor %eax, %eax\nret");
}
__attribute__((naked, noinline)) static long zero_kept(long unused) {
    __asm__ volatile("mov $39, %eax\nxor %edx, %edx\nsyscall\njnz 1f\nmov $39, %eax\ntest %eax, %eax\nsyscall\njz 1f\nret\n1: xor %eax, %eax\nret");
}
__attribute__((naked, noinline)) static long direction_kept(long unused) {
    __asm__ volatile("mov $39, %eax\nstd\nsyscall\npushfq\npop %rdx\ncld\ntest $0x400, %edx\njz 1f\nret\n1: xor %eax, %eax\nret");
}

int main(void) {
    long pid = getpid();
    const long stacks[] = {0, 8, 0x10000, -8, (long)0x8000000000000000, (long)0xffff800000000000};
    for (int round = 0; round < 100; round++) {
        for (size_t i = 0; i < sizeof stacks / sizeof *stacks; i++) CHECK_EQ(with_stack(stacks[i]), pid);
        CHECK_EQ(carry_kept(0), pid);
        CHECK_EQ(zero_kept(0), pid);
        CHECK_EQ(direction_kept(0), pid);
    }
    // The fs base is the program's own: set, told, used, and put back.
    unsigned long base, other;
    CHECK_OK(syscall(SYS_arch_prctl, ARCH_GET_FS, &base));
    static long fake[64];
    long got;
    __asm__ volatile(
        "mov $158, %%eax\nmov $0x1002, %%edi\nlea %2, %%rsi\nsyscall\n"  // ARCH_SET_FS to something else,
        "mov $39, %%eax\nsyscall\nmov %%rax, %%r8\n"                     // a call with it,
        "mov $158, %%eax\nmov $0x1002, %%edi\nmov %3, %%rsi\nsyscall\n"  // and back.
        "mov %%r8, %0"
        : "=r"(got), "+m"(fake)
        : "m"(fake), "r"(base)
        : "rax", "rcx", "rdx", "rsi", "rdi", "r8", "r11", "memory");
    CHECK_EQ(got, pid);
    CHECK_OK(syscall(SYS_arch_prctl, ARCH_GET_FS, &other));
    CHECK_EQ(other, base);
    CHECK_ERRNO(syscall(SYS_arch_prctl, ARCH_SET_FS, 0x8000000000000000), EPERM);
    CHECK_ERRNO(syscall(SYS_arch_prctl, 0x9999, 0), EINVAL);
    return 0;
}
