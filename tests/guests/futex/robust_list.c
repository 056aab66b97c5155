// set_robust_list by hand: the kernel marks the words of a thread that dies and wakes a waiter.
#include "check.h"
#include <linux/futex.h>
#include <stddef.h>

struct lock {
    struct robust_list list;
    int word;
};

int main(void) {
    struct lock *lock = shared_memory(4096);
    int pipes[2];
    CHECK_OK(pipe(pipes));
    pid_t pid;
    CHILD(pid) {
        struct robust_list_head head = {{&lock->list}, offsetof(struct lock, word), NULL};
        lock->list.next = &head.list;
        lock->word = gettid() | FUTEX_WAITERS;
        CHECK_OK(syscall(SYS_set_robust_list, &head, sizeof head));
        struct robust_list_head *back;
        size_t size;
        CHECK_OK(syscall(SYS_get_robust_list, 0, &back, &size));
        CHECK(back == &head && size == sizeof head);
        CHECK_EQ(write(pipes[1], "x", 1), 1);
        sleep_ms(30);
    }
    char byte;
    CHECK_EQ(read(pipes[0], &byte, 1), 1);
    int value = pid | FUTEX_WAITERS;
    long got = syscall(SYS_futex, &lock->word, FUTEX_WAIT, value, NULL, NULL, 0);
    CHECK(got == 0 || errno == EAGAIN);
    CHECK_EQ(lock->word, (int)(FUTEX_OWNER_DIED | FUTEX_WAITERS));
    CHECK_EXIT(pid, 0);
    CHECK_ERRNO(syscall(SYS_set_robust_list, lock, 5L), EINVAL);
    CHECK_ERRNO(syscall(SYS_get_robust_list, 99999999, &got, &got), ESRCH);
    return 0;
}
