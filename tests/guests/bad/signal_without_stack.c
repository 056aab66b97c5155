// A handler whose stack cannot be written to: SIGSEGV by force, for any signal.
#include "check.h"

static void handler(int sig) { _exit(1); }

int main(void) {
    pid_t pid;
    CHILD(pid) {
        char *area = mmap(NULL, 65536, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        stack_t stack = {area, 0, 65536};
        CHECK_OK(sigaltstack(&stack, NULL));
        on_signal(SIGUSR1, handler, SA_ONSTACK);
        raise(SIGUSR1);
        _exit(2);
    }
    CHECK_KILLED(pid, SIGSEGV);
    // Also when a handler for SIGSEGV is there, on the same stack.
    CHILD(pid) {
        char *area = mmap(NULL, 65536, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        stack_t stack = {area, 0, 65536};
        CHECK_OK(sigaltstack(&stack, NULL));
        on_signal(SIGUSR1, handler, SA_ONSTACK);
        on_signal(SIGSEGV, handler, SA_ONSTACK);
        raise(SIGUSR1);
        _exit(2);
    }
    CHECK_KILLED(pid, SIGSEGV);
    // A handler that is at a wild address.
    CHILD(pid) {
        signal(SIGUSR1, (void (*)(int))0xdeadbeef000);
        raise(SIGUSR1);
        _exit(2);
    }
    CHECK_KILLED(pid, SIGSEGV);
    // A sigreturn with nothing to return to.
    CHILD(pid) {
        __asm__ volatile("lea -4096(%rsp), %rsp\nmov %rsp, %rdi\nxor %eax, %eax\nmov $512, %ecx\nrep stosq\nlea -4096(%rdi), %rsp\nmov $15, %eax\nsyscall\nhlt");
        _exit(2);
    }
    CHECK_KILLED(pid, SIGSEGV);
    return 0;
}
