// Handlers on an alternate stack; its rules.
#include "check.h"

static char memory[1 << 16];
static volatile bool inside;
static volatile int flags;
static void handler(int sig) {
    char local;
    inside = &local >= memory && &local < memory + sizeof memory;
    stack_t now;
    CHECK_OK(sigaltstack(NULL, &now));
    flags = now.ss_flags;
    stack_t other = {memory, 0, sizeof memory};
    if (inside) CHECK_ERRNO(sigaltstack(&other, NULL), EPERM);  // Not while standing on it.
}

static void *thread(void *unused) {
    stack_t stack;
    CHECK_OK(sigaltstack(NULL, &stack));
    CHECK_EQ(stack.ss_flags, SS_DISABLE);  // Each thread has its own.
    return NULL;
}

int main(void) {
    stack_t stack = {memory, 0, sizeof memory}, old;
    CHECK_OK(sigaltstack(&stack, &old));
    CHECK_EQ(old.ss_flags, SS_DISABLE);
    on_signal(SIGUSR1, handler, SA_ONSTACK);
    on_signal(SIGUSR2, handler, 0);
    CHECK_OK(raise(SIGUSR1));
    CHECK(inside);
    CHECK_EQ(flags, SS_ONSTACK);
    CHECK_OK(raise(SIGUSR2));
    CHECK(!inside);
    CHECK_EQ(flags, 0);
    CHECK_OK(sigaltstack(NULL, &old));
    CHECK(old.ss_sp == memory && old.ss_size == sizeof memory && old.ss_flags == 0);
    thread_join(thread_start(thread, NULL));
    pid_t pid;
    CHILD(pid) {
        CHECK_OK(sigaltstack(NULL, &old));
        CHECK(old.ss_sp == memory);  // A child inherits it.
    }
    CHECK_EXIT(pid, 0);
    stack_t small = {memory, 0, 100};
    CHECK_ERRNO(sigaltstack(&small, NULL), ENOMEM);
    stack_t bad = {memory, 99, sizeof memory};
    CHECK_ERRNO(sigaltstack(&bad, NULL), EINVAL);
    stack.ss_flags = SS_DISABLE;
    CHECK_OK(sigaltstack(&stack, NULL));
    CHECK_OK(raise(SIGUSR1));
    CHECK(!inside);
    return 0;
}
