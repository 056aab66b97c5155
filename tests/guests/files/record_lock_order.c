// Which lock F_GETLK shows of several, a wait that becomes a deadlock only later, and what is looked at first.
#include "check.h"

static struct flock range(short type, off_t start, off_t length) {
    return (struct flock){.l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = length};
}

static int lock(int fd, int how, short type, off_t start, off_t length) {
    struct flock want = range(type, start, length);
    return fcntl(fd, how, &want);
}

static void shown(int fd, short type, off_t start, off_t length) {
    struct flock found = range(F_WRLCK, 0, 0);
    pid_t pid;
    CHILD(pid) {
        CHECK_OK(fcntl(fd, F_GETLK, &found));
        CHECK_EQ(found.l_type, type);
        CHECK_EQ(found.l_start, start);
        CHECK_EQ(found.l_len, length);
        CHECK_EQ(found.l_pid, getppid());
    }
    CHECK_EXIT(pid, 0);
}

// The parent waits for a child's lock on byte 0, then for another child's, which by then waits for the parent.
static void late_deadlock(int fd) {
    int *turn = shared_memory(4096);
    pid_t first, second;
    CHECK_OK(lock(fd, F_SETLK, F_WRLCK, 10, 1));
    CHILD(first) {
        CHECK_OK(lock(fd, F_SETLK, F_WRLCK, 0, 1));
        __atomic_store_n(turn, 1, __ATOMIC_SEQ_CST);
        WAIT_UNTIL(__atomic_load_n(turn, __ATOMIC_SEQ_CST) == 2);
        sleep_ms(100);
    }
    CHILD(second) {
        CHECK_OK(lock(fd, F_SETLK, F_WRLCK, 1, 1));
        WAIT_UNTIL(__atomic_load_n(turn, __ATOMIC_SEQ_CST) == 1);
        __atomic_store_n(turn, 2, __ATOMIC_SEQ_CST);
        // The parent holds this byte until it has been told of the deadlock.
        CHECK_OK(lock(fd, F_SETLKW, F_WRLCK, 10, 1));
    }
    WAIT_UNTIL(__atomic_load_n(turn, __ATOMIC_SEQ_CST) == 2);
    CHECK_ERRNO(lock(fd, F_SETLKW, F_WRLCK, 0, 2), EDEADLK);
    CHECK_OK(lock(fd, F_SETLK, F_UNLCK, 10, 1));
    CHECK_EXIT(first, 0);
    CHECK_EXIT(second, 0);
}

int main(void) {
    enter_tmp();
    int fd = CHECK_OK(open("file", O_RDWR | O_CREAT, 0600));
    CHECK_EQ(write(fd, "0123456789abcdefghij", 20), 20);
    CHECK_OK(lock(fd, F_SETLK, F_WRLCK, 10, 5));
    CHECK_OK(lock(fd, F_SETLK, F_RDLCK, 1, 5));
    shown(fd, F_RDLCK, 1, 5);
    CHECK_OK(lock(fd, F_SETLK, F_WRLCK, 3, 1));
    shown(fd, F_RDLCK, 1, 2);
    CHECK_OK(lock(fd, F_SETLK, F_UNLCK, 1, 2));
    shown(fd, F_WRLCK, 3, 1);
    CHECK_OK(lock(fd, F_SETLK, F_UNLCK, 0, 0));
    late_deadlock(fd);

    // The lock is read before it is found that there can be none.
    int ends[2];
    CHECK_OK(pipe(ends));
    CHECK_ERRNO(fcntl(ends[0], F_SETLK, (void *)8), EFAULT);
    return 0;
}
