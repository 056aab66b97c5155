// An endless recursion ends in SIGSEGV: caught on an alternate stack, deadly without one.
#include "check.h"
#include <setjmp.h>
#include <sys/resource.h>

static sigjmp_buf back;
static void handler(int sig, siginfo_t *info, void *context) {
    char *sp = __builtin_frame_address(0);
    (void)sp;
    siglongjmp(back, 1);
}

__attribute__((noinline, optimize("O0"))) static int recurse(int depth) {
    volatile char block[512];
    block[0] = depth;
    return recurse(depth + 1) + block[0];
}

static void *thread(void *unused) {
    static __thread char memory[65536];
    stack_t stack = {memory, 0, sizeof memory};
    CHECK_OK(sigaltstack(&stack, NULL));
    if (!sigsetjmp(back, 1)) recurse(0);
    return "survived";
}

int main(void) {
    struct rlimit limit = {1 << 20, 1 << 20};
    CHECK_OK(setrlimit(RLIMIT_STACK, &limit));
    static char memory[65536];
    stack_t stack = {memory, 0, sizeof memory};
    CHECK_OK(sigaltstack(&stack, NULL));
    on_siginfo(SIGSEGV, handler, SA_ONSTACK);
    for (int i = 0; i < 3; i++) {
        if (!sigsetjmp(back, 1)) {
            recurse(0);
            FAIL("no fault");
        }
    }
    CHECK_STR(thread_join(thread_start(thread, NULL)), "survived");
    pid_t pid;
    CHILD(pid) {
        stack.ss_flags = SS_DISABLE;
        CHECK_OK(sigaltstack(&stack, NULL));
        recurse(0);
    }
    CHECK_KILLED(pid, SIGSEGV);
    return 0;
}
