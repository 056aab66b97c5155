// signalfd: blocked signals read as records.
#include "check.h"
#include <poll.h>
#include <sys/signalfd.h>

int main(void) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigaddset(&set, SIGRTMIN);
    CHECK_OK(sigprocmask(SIG_BLOCK, &set, NULL));
    int fd = CHECK_OK(signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC));
    struct signalfd_siginfo info[8];
    CHECK_ERRNO(read(fd, info, sizeof info), EAGAIN);
    CHECK_ERRNO(read(fd, info, 10), EINVAL);
    struct pollfd ready = {fd, POLLIN, 0};
    CHECK_EQ(poll(&ready, 1, 0), 0);
    union sigval value = {.sival_int = 55};
    CHECK_OK(kill(getpid(), SIGUSR1));
    CHECK_OK(sigqueue(getpid(), SIGRTMIN, value));
    CHECK_OK(sigqueue(getpid(), SIGRTMIN, value));
    CHECK_EQ(poll(&ready, 1, 0), 1);
    CHECK_EQ(read(fd, info, sizeof info), 3 * sizeof *info);
    CHECK_EQ(info[0].ssi_signo, SIGUSR1);
    CHECK_EQ(info[0].ssi_pid, getpid());
    CHECK_EQ(info[1].ssi_signo, SIGRTMIN);
    CHECK_EQ(info[1].ssi_int, 55);
    CHECK_EQ(info[2].ssi_code, SI_QUEUE);
    CHECK_EQ(poll(&ready, 1, 0), 0);

    // Changing the mask of an existing one.
    sigdelset(&set, SIGUSR1);
    CHECK_EQ(signalfd(fd, &set, 0), fd);
    CHECK_OK(kill(getpid(), SIGUSR1));
    CHECK_EQ(poll(&ready, 1, 0), 0);
    CHECK_ERRNO(signalfd(0x7fff, &set, 0), EBADF);
    CHECK_ERRNO(signalfd(-1, &set, 0x1), EINVAL);
    // A child reads its own signals through the same descriptor.
    pid_t pid;
    CHILD(pid) {
        CHECK_OK(sigqueue(getpid(), SIGRTMIN, value));
        CHECK_EQ(read(fd, info, sizeof info), sizeof *info);
        CHECK_EQ(info[0].ssi_pid, getpid());
    }
    CHECK_EXIT(pid, 0);
    CHECK_ERRNO(read(fd, info, sizeof info), EAGAIN);
    // Blocking, woken by another process.
    CHECK_OK(fcntl(fd, F_SETFL, 0));
    pid_t parent = getpid();
    CHILD(pid) {
        sleep_ms(20);
        CHECK_OK(sigqueue(parent, SIGRTMIN, value));
    }
    CHECK_EQ(read(fd, info, sizeof info), sizeof *info);
    CHECK_EQ(info[0].ssi_pid, pid);
    CHECK_EXIT(pid, 0);
    return 0;
}
