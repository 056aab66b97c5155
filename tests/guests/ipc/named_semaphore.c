// POSIX named semaphores, between processes that know only the name.
#include "check.h"
#include <semaphore.h>

int main(void) {
    char name[64];
    snprintf(name, sizeof name, "/guest-%d", getpid());
    sem_t *sem = sem_open(name, O_CREAT | O_EXCL, 0600, 0);
    CHECK(sem != SEM_FAILED);
    CHECK(sem_open(name, O_CREAT | O_EXCL, 0600, 0) == SEM_FAILED && errno == EEXIST);
    pid_t pid;
    CHILD(pid) {
        sem_t *other = sem_open(name, 0);
        CHECK(other != SEM_FAILED);
        for (int i = 0; i < 100; i++) CHECK_OK(sem_post(other));
    }
    for (int i = 0; i < 100; i++) CHECK_OK(sem_wait(sem));
    CHECK_ERRNO(sem_trywait(sem), EAGAIN);
    CHECK_EXIT(pid, 0);
    CHECK_OK(sem_unlink(name));
    CHECK(sem_open(name, 0) == SEM_FAILED && errno == ENOENT);
    CHECK_OK(sem_post(sem));
    CHECK_OK(sem_wait(sem));
    CHECK_OK(sem_close(sem));
    return 0;
}
