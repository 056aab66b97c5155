// Open file description locks: two opens of one process exclude each other.
#include "check.h"

static int lock(int fd, int command, short type, off_t start, off_t length) {
    struct flock what = {.l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = length};
    return fcntl(fd, command, &what);
}

static void *waiter(void *fd) {
    CHECK_OK(lock(*(int *)fd, F_OFD_SETLKW, F_WRLCK, 0, 10));
    return "locked";
}

int main(void) {
    enter_tmp();
    write_file("f", "");
    int a = CHECK_OK(open("f", O_RDWR)), b = CHECK_OK(open("f", O_RDWR));
    CHECK_OK(lock(a, F_OFD_SETLK, F_WRLCK, 0, 10));
    CHECK_ERRNO(lock(b, F_OFD_SETLK, F_RDLCK, 5, 1), EAGAIN);
    CHECK_OK(lock(b, F_OFD_SETLK, F_WRLCK, 10, 1));
    struct flock what = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 0, .l_len = 1};
    CHECK_OK(fcntl(b, F_OFD_GETLK, &what));
    CHECK_EQ(what.l_type, F_WRLCK);
    CHECK_EQ(what.l_pid, -1);
    what.l_pid = 1;
    CHECK_ERRNO(fcntl(b, F_OFD_SETLK, &what), EINVAL);
    // Closing another open of the file changes nothing.
    CHECK_OK(close(CHECK_OK(open("f", O_RDONLY))));
    CHECK_ERRNO(lock(b, F_OFD_SETLK, F_RDLCK, 5, 1), EAGAIN);
    pthread_t thread = thread_start(waiter, &b);
    sleep_ms(30);
    CHECK_OK(close(a));
    CHECK_STR(thread_join(thread), "locked");
    return 0;
}
