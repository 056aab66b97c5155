// A futex in memory shared by processes: by fork, and by two mappings of one file at two addresses.
#include "check.h"
#include <linux/futex.h>

static long futex(int *address, int op, int value) { return syscall(SYS_futex, address, op, value, NULL, NULL, 0); }

int main(void) {
    enter_tmp();
    int *word = shared_memory(4096);
    pid_t pid;
    CHILD(pid) {
        while (__atomic_load_n(word, __ATOMIC_SEQ_CST) == 0) futex(word, FUTEX_WAIT, 0);
    }
    sleep_ms(10);
    __atomic_store_n(word, 1, __ATOMIC_SEQ_CST);
    CHECK_OK(futex(word, FUTEX_WAKE, 1));
    CHECK_EXIT(pid, 0);

    int fd = CHECK_OK(open("f", O_RDWR | O_CREAT, 0600));
    CHECK_OK(ftruncate(fd, 8192));
    int *mine = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    CHECK(mine != MAP_FAILED);
    CHILD(pid) {
        int *theirs = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 4096);
        CHECK(theirs != MAP_FAILED && theirs != mine);
        while (__atomic_load_n(&theirs[3], __ATOMIC_SEQ_CST) == 0) futex(&theirs[3], FUTEX_WAIT, 0);
        theirs[4] = 9;
    }
    int got;
    while ((got = CHECK_OK(futex(&mine[1027], FUTEX_WAKE, 1))) == 0) sleep_ms(1);
    __atomic_store_n(&mine[1027], 1, __ATOMIC_SEQ_CST);
    // Woken before the store it goes back to sleep, so it is woken until it has ended.
    while (waitpid(pid, NULL, WNOHANG) == 0) {
        CHECK_OK(futex(&mine[1027], FUTEX_WAKE, 1));
        sleep_ms(1);
    }
    CHECK_EQ(mine[1028], 9);

    // A private wake does not reach a private wait of another process, though memory was copied from one.
    static int copied;
    CHILD(pid) {
        struct timespec little = {0, 50000000};
        CHECK_ERRNO(syscall(SYS_futex, &copied, FUTEX_WAIT_PRIVATE, 0, &little, NULL, 0), ETIMEDOUT);
    }
    sleep_ms(10);
    CHECK_EQ(futex(&copied, FUTEX_WAKE_PRIVATE, 1), 0);
    CHECK_EXIT(pid, 0);
    return 0;
}
