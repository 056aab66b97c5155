// A thread made by the raw clone call, with thread-local storage of its own, without the C library's help.
#include "check.h"
#include <linux/futex.h>

static long block[64] __attribute__((aligned(64)));
static char stack[65536] __attribute__((aligned(16)));
static volatile int tid_word = -1;
static volatile long from_fs, its_tid, its_pid;

// Only raw calls in here: the C library's own thread data are not there.
__attribute__((used, noreturn)) static void in_thread(void) {
    long value, result;
    __asm__ volatile("mov %%fs:8, %0" : "=r"(value));
    from_fs = value;
    __asm__ volatile("syscall" : "=a"(result) : "0"(SYS_gettid) : "rcx", "r11", "memory");
    its_tid = result;
    __asm__ volatile("syscall" : "=a"(result) : "0"(SYS_getpid) : "rcx", "r11", "memory");
    its_pid = result;
    __asm__ volatile("syscall" ::"a"(SYS_exit), "D"(0) : "rcx", "r11", "memory");
    __builtin_unreachable();
}

int main(void) {
    block[0] = (long)block;
    block[1] = 0x5555aaaa;
    register long tls __asm__("r8") = (long)block;
    register volatile int *clear __asm__("r10") = &tid_word;
    long flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM | CLONE_SETTLS |
                 CLONE_CHILD_CLEARTID | CLONE_CHILD_SETTID;
    long tid;
    __asm__ volatile("syscall\ntest %%rax, %%rax\njnz 1f\ncall in_thread\n1:"
                     : "=a"(tid)
                     : "0"(SYS_clone), "D"(flags), "S"(stack + sizeof stack), "d"(0), "r"(clear), "r"(tls)
                     : "rcx", "r11", "memory");
    CHECK(tid > 0);
    int value;
    while ((value = tid_word) != 0) syscall(SYS_futex, &tid_word, FUTEX_WAIT, value, NULL, NULL, 0);
    CHECK_EQ(from_fs, 0x5555aaaa);
    CHECK_EQ(its_tid, tid);
    CHECK_EQ(its_pid, getpid());
    CHECK(errno == 0 || errno);  // Our own thread-local data are where they were.
    return 0;
}
