// What exec takes down: timers, attached segments, held robust mutexes, locks of memory; and what it leaves.
#include "check.h"
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/shm.h>

int main(int argc, char **argv) {
    if (argc > 1) {
        struct shmid_ds ds;
        CHECK_OK(shmctl(atoi(argv[1]), IPC_STAT, &ds));
        CHECK_EQ(ds.shm_nattch, 1);  // The parent's.
        // Timers are gone, and the first number is free.
        struct itimerspec now;
        CHECK_ERRNO(syscall(SYS_timer_gettime, 0, &now), EINVAL);
        // The epoll came with its contents.
        struct epoll_event got;
        CHECK_EQ(epoll_wait(20, &got, 1, 0), 1);
        CHECK_EQ(got.data.u32, 55);
        return 0;
    }
    int id = CHECK_OK(shmget(IPC_PRIVATE, 4096, IPC_CREAT | 0600));
    pthread_mutex_t *mutex = shmat(id, NULL, 0);
    CHECK(mutex != (void *)-1);
    CHECK_OK(shmctl(id, IPC_RMID, NULL));
    pthread_mutexattr_t attributes;
    CHECK_ZERO(pthread_mutexattr_init(&attributes));
    CHECK_ZERO(pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST));
    CHECK_ZERO(pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED));
    CHECK_ZERO(pthread_mutex_init(mutex, &attributes));
    pid_t pid;
    CHILD(pid) {
        timer_t timer;
        struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGKILL};
        CHECK_OK(timer_create(CLOCK_MONOTONIC, &event, &timer));
        struct itimerspec once = {{0, 0}, {5, 0}};
        CHECK_OK(timer_settime(timer, 0, &once, NULL));
        CHECK_ZERO(pthread_mutex_lock(mutex));
        int epoll = CHECK_OK(epoll_create1(0)), fd = CHECK_OK(eventfd(1, 0));
        struct epoll_event ready = {EPOLLIN, {.u32 = 55}};
        CHECK_OK(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &ready));
        CHECK_EQ(dup2(epoll, 20), 20);
        char number[16];
        snprintf(number, sizeof number, "%d", id);
        CHECK_OK(execl("/proc/self/exe", argv[0], number, NULL));
    }
    CHECK_EXIT(pid, 0);
    CHECK_EQ(pthread_mutex_lock(mutex), EOWNERDEAD);
    return 0;
}
