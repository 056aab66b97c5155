// kcmp says what two processes share: descriptions, memory, and what an epoll instance watches.
#include "check.h"
#include <linux/kcmp.h>
#include <sys/epoll.h>
#include <sys/sem.h>
#include <sys/syscall.h>
#include <sys/wait.h>

static long compare(pid_t a, pid_t b, int type, unsigned long x, unsigned long y) {
    return syscall(SYS_kcmp, a, b, type, x, y);
}

static void watched(pid_t me) {
    int p[2], epoll = CHECK_OK(epoll_create1(0));
    CHECK_OK(pipe(p));
    int copy = CHECK_OK(dup(p[0])), other = CHECK_OK(dup(p[0]));
    struct epoll_event event = {.events = EPOLLIN};
    CHECK_OK(epoll_ctl(epoll, EPOLL_CTL_ADD, copy, &event));
    // The same number again, now of another description: both are watched, since the first is still open elsewhere.
    CHECK_OK(dup2(p[1], copy));
    event.events = EPOLLOUT;
    CHECK_OK(epoll_ctl(epoll, EPOLL_CTL_ADD, copy, &event));
    struct kcmp_epoll_slot slot = {.efd = epoll, .tfd = copy};
    int found[2] = {0, 0};
    for (slot.toff = 0; slot.toff < 2; slot.toff++) {
        found[0] += compare(me, me, KCMP_EPOLL_TFD, other, (unsigned long)&slot) == 0;
        found[1] += compare(me, me, KCMP_EPOLL_TFD, p[1], (unsigned long)&slot) == 0;
    }
    CHECK_EQ(found[0], 1);
    CHECK_EQ(found[1], 1);
    CHECK_ERRNO(compare(me, me, KCMP_EPOLL_TFD, other, (unsigned long)&slot), ENOENT);
    slot = (struct kcmp_epoll_slot){.efd = epoll, .tfd = other};
    CHECK_ERRNO(compare(me, me, KCMP_EPOLL_TFD, other, (unsigned long)&slot), ENOENT);
    slot.efd = p[0];
    CHECK_ERRNO(compare(me, me, KCMP_EPOLL_TFD, other, (unsigned long)&slot), EINVAL);
    slot.efd = 99;
    CHECK_ERRNO(compare(me, me, KCMP_EPOLL_TFD, other, (unsigned long)&slot), EBADF);
    CHECK_ERRNO(compare(me, me, KCMP_EPOLL_TFD, 99, (unsigned long)&slot), EBADF);
    CHECK_ERRNO(compare(me, me, KCMP_EPOLL_TFD, other, 8), EFAULT);
}

int main(void) {
    pid_t me = getpid();
    int p[2], copy;
    CHECK_OK(pipe(p));
    copy = CHECK_OK(dup(p[0]));
    CHECK_EQ(compare(me, me, KCMP_FILE, p[0], copy), 0);
    CHECK(compare(me, me, KCMP_FILE, p[0], p[1]) > 0);
    CHECK_ERRNO(compare(me, me, KCMP_FILE, p[0], 99), EBADF);
    CHECK_ERRNO(compare(me, me, KCMP_TYPES, 0, 0), EINVAL);
    CHECK_ERRNO(compare(0, me, KCMP_VM, 0, 0), ESRCH);
    pid_t child = CHECK_OK(fork());
    if (!child) {
        pause();
        _exit(0);
    }
    CHECK_EQ(compare(me, child, KCMP_FILE, p[0], copy), 0);
    CHECK(compare(me, child, KCMP_VM, 0, 0) > 0);
    CHECK(compare(me, child, KCMP_FILES, 0, 0) > 0);
    // Neither has adjustments of semaphores, until one has.
    CHECK_EQ(compare(me, child, KCMP_SYSVSEM, 0, 0), 0);
    int set = CHECK_OK(semget(IPC_PRIVATE, 1, 0600));
    CHECK_OK(semop(set, &(struct sembuf){0, 1, SEM_UNDO}, 1));
    CHECK(compare(me, child, KCMP_SYSVSEM, 0, 0) > 0);
    CHECK_OK(semctl(set, 0, IPC_RMID));
    CHECK_OK(kill(child, SIGKILL));
    CHECK_EQ(waitpid(child, NULL, 0), child);
    watched(me);
    return 0;
}
