// shm_open gives memory that processes share by name.
// link: -lrt
#include "check.h"

int main(void) {
    char name[64];
    snprintf(name, sizeof name, "/guest-%d", getpid());
    int fd = CHECK_OK(shm_open(name, O_RDWR | O_CREAT | O_EXCL, 0600));
    CHECK_ERRNO(shm_open(name, O_RDWR | O_CREAT | O_EXCL, 0600), EEXIST);
    CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
    CHECK_OK(ftruncate(fd, 4096));
    char *map = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    CHECK(map != MAP_FAILED);
    pid_t pid;
    CHILD(pid) {
        int other = CHECK_OK(shm_open(name, O_RDWR, 0));
        char *mine = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, other, 0);
        CHECK(mine != MAP_FAILED);
        strcpy(mine, "by name");
    }
    CHECK_EXIT(pid, 0);
    CHECK_STR(map, "by name");
    char path[80];
    snprintf(path, sizeof path, "/dev/shm%s", name);
    CHECK_OK(access(path, R_OK));
    CHECK_OK(shm_unlink(name));
    CHECK_ERRNO(shm_unlink(name), ENOENT);
    CHECK_ERRNO(shm_open(name, O_RDWR, 0), ENOENT);
    map[0] = 'B';
    return 0;
}
