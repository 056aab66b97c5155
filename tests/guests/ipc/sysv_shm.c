// System V shared memory: keys, attaches, counts, marked segments that live until the last detach.
#include "check.h"
#include <sys/ipc.h>
#include <sys/shm.h>

int main(void) {
    int id = CHECK_OK(shmget(IPC_PRIVATE, 10000, IPC_CREAT | 0600));
    char *a = shmat(id, NULL, 0);
    CHECK(a != (void *)-1);
    char *b = shmat(id, NULL, SHM_RDONLY);
    CHECK(b != (void *)-1 && b != a);
    strcpy(a + 9000, "shared");
    CHECK_STR(b + 9000, "shared");
    struct shmid_ds ds;
    CHECK_OK(shmctl(id, IPC_STAT, &ds));
    CHECK_EQ(ds.shm_nattch, 2);
    CHECK_EQ(ds.shm_segsz, 10000);
    CHECK_EQ(ds.shm_cpid, getpid());
    CHECK_EQ(ds.shm_perm.mode & 0777, 0600);
    pid_t pid;
    CHILD(pid) {
        CHECK_OK(shmctl(id, IPC_STAT, &ds));
        CHECK_EQ(ds.shm_nattch, 4);  // A child inherits them.
        strcpy(a, "child");
    }
    CHECK_EXIT(pid, 0);
    CHECK_STR(a, "child");
    CHECK_OK(shmdt(b));
    CHECK_ERRNO(shmdt(b), EINVAL);
    CHECK_OK(shmctl(id, IPC_RMID, NULL));
    CHECK_OK(shmctl(id, IPC_STAT, &ds));  // Still there, as it is attached.
    CHECK_EQ(ds.shm_nattch, 1);
    CHECK(ds.shm_perm.mode & SHM_DEST);
    CHECK_STR(a, "child");
    CHECK_OK(shmdt(a));
    CHECK_ERRNO(shmctl(id, IPC_STAT, &ds), EINVAL);
    CHECK_ERRNO(shmget(IPC_PRIVATE, 0, 0600), EINVAL);
    CHECK((long)shmat(id, NULL, 0) == -1 && errno == EINVAL);

    // By a key of one's own.
    enter_tmp();
    write_file("key", "");
    key_t key = ftok("key", 'g');
    CHECK(key != -1);
    CHECK_ERRNO(shmget(key, 100, 0600), ENOENT);
    id = CHECK_OK(shmget(key, 100, IPC_CREAT | IPC_EXCL | 0600));
    CHECK_ERRNO(shmget(key, 100, IPC_CREAT | IPC_EXCL | 0600), EEXIST);
    CHECK_EQ(shmget(key, 50, 0600), id);
    CHECK_ERRNO(shmget(key, 5000, 0600), EINVAL);
    CHECK_OK(shmctl(id, IPC_RMID, NULL));
    return 0;
}
