// After a call instruction has been used for long, the program jumps to the instruction behind it.
#include "check.h"

// rdi: the number; rsi: 0 makes the call, 1 goes straight to what follows it with rax as given in rdx.
extern long choose(long number, long skip, long value);
__asm__(
    ".text\n.globl choose\nchoose:\n"
    "mov %rdi, %rax\n"
    "test %rsi, %rsi\n"
    "jnz 1f\n"
    "jmp 2f\n"
    "1: mov %rdx, %rax\n"
    "lea 3f(%rip), %rcx\n"
    "jmp *%rcx\n"
    "2: syscall\n"
    "3: inc %rax\n"
    "dec %rax\n"
    "inc %rax\n"
    "ret\n");

int main(void) {
    for (int i = 0; i < 500; i++) {
        CHECK_EQ(choose(SYS_getpid, 0, 0), getpid() + 1);
        if (i % 7 == 0) CHECK_EQ(choose(0, 1, i), i + 1);
    }
    return 0;
}
