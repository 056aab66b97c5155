// The kernel clears the address of set_tid_address at a thread's end and wakes who waits there.
#include "check.h"
#include <linux/futex.h>

static int tid_word = 1;
static char stack[65536] __attribute__((aligned(16)));
static int run(void *unused) {
    struct timespec time = {0, 20000000};
    syscall(SYS_nanosleep, &time, NULL);
    syscall(SYS_exit, 0);
    return 0;
}

int main(void) {
    CHECK_EQ(syscall(SYS_set_tid_address, &tid_word), gettid());
    pid_t tid = CHECK_OK(clone(run, stack + sizeof stack,
                               CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM |
                                   CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID,
                               NULL, &tid_word, NULL, &tid_word));
    CHECK(tid != getpid());
    int value;
    while ((value = __atomic_load_n(&tid_word, __ATOMIC_SEQ_CST)) != 0) {
        CHECK_EQ(value, tid);
        syscall(SYS_futex, &tid_word, FUTEX_WAIT, tid, NULL, NULL, 0);
    }
    return 0;
}
