// System call instructions among all sorts of neighbours, run often enough to be thought worth rewriting.
#include "check.h"

// Each takes a number in rdi, makes that call, and returns its result, by its own way.
#define SITE(name, body) \
    extern long name(long number); \
    __asm__(".text\n.globl " #name "\n" #name ":\n" body "\n")

SITE(plain, "mov %rdi, %rax\nsyscall\nret");
SITE(followed_by_jump, "mov %rdi, %rax\nsyscall\njmp 1f\nud2\n1: ret");
SITE(followed_by_branch, "mov %rdi, %rax\nsyscall\ntest %rax, %rax\njs 1f\nret\n1: ret");
SITE(followed_by_call, "mov %rdi, %rax\nsyscall\ncall 1f\nret\n1: ret");
SITE(followed_by_push, "mov %rdi, %rax\nsyscall\npush %rax\npop %rax\nret");
SITE(followed_by_relative, "mov %rdi, %rax\nsyscall\nadd zero_word(%rip), %rax\nret\n.balign 8\nzero_word: .quad 0");
SITE(followed_by_nothing_long, "mov %rdi, %rax\nsyscall\nnop\nnop\nnop\nnop\nnop\nret");
SITE(twice_in_a_row, "mov %rdi, %rax\nmov $39, %edx\nsyscall\nmov %rdi, %rax\nsyscall\nret");
SITE(pair_without_gap, "mov $39, %eax\nsyscall\nsyscall\nmov %rdi, %rax\nsyscall\nret");
SITE(with_prefix, "mov %rdi, %rax\n.byte 0x48, 0x0f, 0x05\nret");
SITE(followed_by_loop, "mov $3, %r8d\n1: mov %rdi, %rax\nsyscall\ndec %r8d\njnz 1b\nret");
// The instruction after the call is also reached by a jump from elsewhere.
SITE(target_behind, "mov %rdi, %rax\nmov $2, %r8d\njmp 2f\n1: mov %rdi, %rax\n2: syscall\n3: dec %r8d\njz 4f\njmp 1b\n4: ret");
SITE(entered_behind, "mov $1, %r8d\nmov $-1, %r9\nmov %rdi, %rax\nsyscall\n1: inc %r9\ncmp $50, %r9\njl 1b\nret");
// The call itself is the target of a jump, with everything prepared elsewhere.
SITE(jumped_to, "mov %rdi, %rax\nlea 1f(%rip), %r8\njmp *%r8\nud2\n1: syscall\nret");
// Right behind a return, in front of another function.
SITE(last_before_other, "mov %rdi, %rax\njmp 1f\n.balign 16\n1: syscall\nret\nother_function: mov $77, %eax\nret");
extern long other_function(void);
// The two bytes are the last of a page.
SITE(page_end, "mov %rdi, %rax\njmp site_at_page_end\n.balign 4096\n.skip 4094, 0x90\nsite_at_page_end: syscall\nret");
// The two bytes lie across two pages.
SITE(page_across, "mov %rdi, %rax\njmp site_across_pages\n.balign 4096\n.skip 4095, 0x90\nsite_across_pages: syscall\nret");
// One byte of an instruction that is jumped into: mov $0x050f, ... holds a system call.
SITE(hidden, "mov %rdi, %rax\njmp 1f+1\n1: .byte 0xb8, 0x0f, 0x05, 0xc3, 0x90\nret");

int main(void) {
    long (*const sites[])(long) = {plain, followed_by_jump, followed_by_branch, followed_by_call, followed_by_push,
                                   followed_by_relative, followed_by_nothing_long, twice_in_a_row, pair_without_gap, with_prefix,
                                   followed_by_loop, target_behind, entered_behind, jumped_to, last_before_other,
                                   page_end, page_across, hidden};
    long pid = getpid(), parent = getppid();
    for (size_t i = 0; i < sizeof sites / sizeof *sites; i++)
        for (int k = 0; k < 300; k++) {
            if (sites[i](SYS_getpid) != pid) FAIL("site %zu, round %d", i, k);
            if (sites[i](SYS_getppid) != parent) FAIL("site %zu, round %d", i, k);
            if (sites[i](100000) != -ENOSYS) FAIL("site %zu, round %d: unknown call", i, k);
        }
    CHECK_EQ(other_function(), 77);
    return 0;
}
