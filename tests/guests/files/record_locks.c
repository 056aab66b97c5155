// fcntl record locks: per process, by range, with deadlocks found.
#include "check.h"

static int lock(int fd, int command, short type, off_t start, off_t length) {
    struct flock what = {.l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = length};
    return fcntl(fd, command, &what);
}

int main(void) {
    enter_tmp();
    write_file("f", "0123456789");
    int fd = CHECK_OK(open("f", O_RDWR));
    CHECK_OK(lock(fd, F_SETLK, F_WRLCK, 0, 10));
    CHECK_OK(lock(fd, F_SETLK, F_UNLCK, 4, 2));  // Splits it in two.
    pid_t parent = getpid(), pid;
    CHILD(pid) {
        CHECK_ERRNO(lock(fd, F_SETLK, F_WRLCK, 0, 1), EAGAIN);
        CHECK_OK(lock(fd, F_SETLK, F_WRLCK, 4, 2));
        struct flock what = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 0, .l_len = 0};
        CHECK_OK(fcntl(fd, F_GETLK, &what));
        CHECK_EQ(what.l_type, F_WRLCK);
        CHECK_EQ(what.l_start, 0);
        CHECK_EQ(what.l_len, 4);
        CHECK_EQ(what.l_pid, parent);
        what = (struct flock){.l_type = F_RDLCK, .l_whence = SEEK_SET, .l_start = 20, .l_len = 5};
        CHECK_OK(fcntl(fd, F_GETLK, &what));
        CHECK_EQ(what.l_type, F_UNLCK);
    }
    CHECK_EXIT(pid, 0);

    // Waiting: the child gets the first byte when the parent frees it.
    int pipes[2];
    CHECK_OK(pipe(pipes));
    CHILD(pid) {
        CHECK_OK(lock(fd, F_SETLK, F_WRLCK, 50, 1));
        CHECK_EQ(write(pipes[1], "x", 1), 1);
        CHECK_OK(lock(fd, F_SETLKW, F_WRLCK, 0, 1));
        CHECK_EQ(write(pipes[1], "y", 1), 1);
    }
    char byte;
    CHECK_EQ(read(pipes[0], &byte, 1), 1);
    sleep_ms(30);
    // The child waits for us: to wait for the child would be a deadlock.
    CHECK_ERRNO(lock(fd, F_SETLKW, F_WRLCK, 50, 1), EDEADLK);
    CHECK_OK(lock(fd, F_SETLK, F_UNLCK, 0, 0));
    CHECK_EQ(read(pipes[0], &byte, 1), 1);
    CHECK_EXIT(pid, 0);

    // Closing any descriptor of the file gives up all locks of the process.
    CHECK_OK(lock(fd, F_SETLK, F_WRLCK, 0, 0));
    CHECK_OK(close(CHECK_OK(open("f", O_RDONLY))));
    CHILD(pid) CHECK_OK(lock(fd, F_SETLK, F_WRLCK, 0, 0));
    CHECK_EXIT(pid, 0);
    int reader = CHECK_OK(open("f", O_RDONLY));
    CHECK_ERRNO(lock(reader, F_SETLK, F_WRLCK, 0, 1), EBADF);
    CHECK_ERRNO(lock(fd, F_SETLK, F_WRLCK, -5, 1), EINVAL);
    CHECK_ERRNO(lock(fd, F_SETLK, 99, 0, 1), EINVAL);
    return 0;
}
