// eventfd: a counter with blocking reads and writes, and its semaphore mode.
#include "check.h"
#include <poll.h>
#include <sys/eventfd.h>

int main(void) {
    int fd = CHECK_OK(eventfd(3, EFD_NONBLOCK | EFD_CLOEXEC));
    CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
    uint64_t value = 4;
    CHECK_EQ(write(fd, &value, 8), 8);
    CHECK_EQ(read(fd, &value, 8), 8);
    CHECK_EQ(value, 7);
    CHECK_ERRNO(read(fd, &value, 8), EAGAIN);
    CHECK_ERRNO(read(fd, &value, 7), EINVAL);
    CHECK_ERRNO(write(fd, &value, 7), EINVAL);
    value = UINT64_MAX;
    CHECK_ERRNO(write(fd, &value, 8), EINVAL);
    value = UINT64_MAX - 1;
    CHECK_EQ(write(fd, &value, 8), 8);
    value = 1;
    CHECK_ERRNO(write(fd, &value, 8), EAGAIN);
    struct pollfd ready = {fd, POLLIN | POLLOUT, 0};
    CHECK_EQ(poll(&ready, 1, 0), 1);
    CHECK_EQ(ready.revents, POLLIN);
    char big[16];
    CHECK_EQ(read(fd, big, 16), 8);
    CHECK_EQ(poll(&ready, 1, 0), 1);
    CHECK_EQ(ready.revents, POLLOUT);
    fd = CHECK_OK(eventfd(2, EFD_SEMAPHORE));
    CHECK_EQ(read(fd, &value, 8), 8);
    CHECK_EQ(value, 1);
    CHECK_EQ(read(fd, &value, 8), 8);
    pid_t pid;
    CHILD(pid) {
        sleep_ms(20);
        CHECK_OK(eventfd_write(fd, 5));
    }
    for (int i = 0; i < 5; i++) CHECK_EQ(read(fd, &value, 8), 8);  // The first one waits.
    CHECK_EXIT(pid, 0);
    CHECK_ERRNO(eventfd(0, 0x100), EINVAL);
    return 0;
}
