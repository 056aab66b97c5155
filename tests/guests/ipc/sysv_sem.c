// System V semaphores: operations as a whole, waiting, undo at exit, time limits, removal.
#include "check.h"
#include <sys/ipc.h>
#include <sys/sem.h>

union semun { int val; struct semid_ds *buf; unsigned short *array; };
static int id;
static int op(int index, int by, int flags) { return semop(id, &(struct sembuf){index, by, flags}, 1); }
static int value(int index) { return semctl(id, index, GETVAL); }

int main(void) {
    id = CHECK_OK(semget(IPC_PRIVATE, 3, IPC_CREAT | 0600));
    unsigned short values[3] = {1, 2, 3};
    CHECK_OK(semctl(id, 0, SETALL, (union semun){.array = values}));
    memset(values, 0, sizeof values);
    CHECK_OK(semctl(id, 0, GETALL, (union semun){.array = values}));
    CHECK(values[0] == 1 && values[1] == 2 && values[2] == 3);
    CHECK_OK(op(0, -1, 0));
    CHECK_EQ(value(0), 0);
    CHECK_ERRNO(op(0, -1, IPC_NOWAIT), EAGAIN);
    CHECK_OK(op(0, 0, 0));
    CHECK_ERRNO(op(1, 0, IPC_NOWAIT), EAGAIN);
    CHECK_ERRNO(op(3, 1, 0), EFBIG);
    // All or nothing.
    struct sembuf both[2] = {{1, -1, IPC_NOWAIT}, {0, -1, IPC_NOWAIT}};
    CHECK_ERRNO(semop(id, both, 2), EAGAIN);
    CHECK_EQ(value(1), 2);
    CHECK_EQ(semctl(id, 0, GETPID), getpid());
    struct timespec little = {0, 20000000};
    CHECK_ERRNO(semtimedop(id, &(struct sembuf){0, -1, 0}, 1, &little), EAGAIN);
    pid_t pid;
    CHILD(pid) {
        CHECK_OK(op(0, -2, 0));
        CHECK_OK(op(2, 0, 0));
    }
    WAIT_UNTIL(semctl(id, 0, GETNCNT) == 1);
    CHECK_OK(op(0, 1, 0));
    CHECK_OK(op(0, 1, 0));
    WAIT_UNTIL(semctl(id, 2, GETZCNT) == 1);
    CHECK_OK(op(2, -3, 0));
    CHECK_EXIT(pid, 0);
    // What was done with SEM_UNDO is undone at the end of the process, however it ends.
    CHECK_OK(semctl(id, 1, SETVAL, (union semun){.val = 5}));
    CHILD(pid) {
        CHECK_OK(op(1, -3, SEM_UNDO));
        CHECK_EQ(value(1), 2);
        raise(SIGKILL);
    }
    CHECK_KILLED(pid, SIGKILL);
    CHECK_EQ(value(1), 5);
    CHILD(pid) CHECK_ERRNO(op(0, -1, 0), EIDRM);
    WAIT_UNTIL(semctl(id, 0, GETNCNT) == 1);
    CHECK_OK(semctl(id, 0, IPC_RMID));
    CHECK_EXIT(pid, 0);
    CHECK_ERRNO(op(0, 1, 0), EINVAL);
    return 0;
}
