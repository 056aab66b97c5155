// FUTEX_WAKE_OP changes a second word and wakes there by what it was.
#include "check.h"
#include <linux/futex.h>

static int first, second = 5, begun;
static void *wait_on(void *word) {
    __atomic_add_fetch(&begun, 1, __ATOMIC_SEQ_CST);
    CHECK_OK(syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, *(int *)word, NULL, NULL, 0));
    return NULL;
}
static long wake_op(int op, int operand, int compare, int limit) {
    return syscall(SYS_futex, &first, FUTEX_WAKE_OP_PRIVATE, 1, 1l, &second, FUTEX_OP(op, operand, compare, limit));
}

int main(void) {
    CHECK_EQ(wake_op(FUTEX_OP_ADD, 3, FUTEX_OP_CMP_EQ, 5), 0);
    CHECK_EQ(second, 8);
    CHECK_EQ(wake_op(FUTEX_OP_ANDN, 8, FUTEX_OP_CMP_LT, 5), 0);
    CHECK_EQ(second, 0);
    CHECK_EQ(wake_op(FUTEX_OP_OR, 6, FUTEX_OP_CMP_GE, 5), 0);
    CHECK_EQ(wake_op(FUTEX_OP_XOR, 2, FUTEX_OP_CMP_GE, 5), 0);
    CHECK_EQ(second, 4);
    CHECK_EQ(wake_op(FUTEX_OP_SET, 5, FUTEX_OP_CMP_NE, 5), 0);
    CHECK_EQ(wake_op(FUTEX_OP_SET | FUTEX_OP_OPARG_SHIFT, 4, FUTEX_OP_CMP_NE, 5), 0);
    CHECK_EQ(second, 16);
    pthread_t a = thread_start(wait_on, &first), b = thread_start(wait_on, &second);
    WAIT_UNTIL(__atomic_load_n(&begun, __ATOMIC_SEQ_CST) == 2);
    sleep_ms(20);
    int found = 0;
    // The old value is 16 each time, as the operation sets it to that.
    while ((found += CHECK_OK(wake_op(FUTEX_OP_SET, 16, FUTEX_OP_CMP_GT, 15))) < 2) sleep_ms(1);
    CHECK_EQ(found, 2);
    thread_join(a);
    thread_join(b);
    return 0;
}
