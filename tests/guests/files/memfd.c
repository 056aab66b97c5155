// memfd_create: a file in memory, and its seals.
#include "check.h"

int main(void) {
    int fd = CHECK_OK(memfd_create("name", MFD_CLOEXEC | MFD_ALLOW_SEALING));
    CHECK_EQ(write(fd, "hello", 5), 5);
    CHECK_EQ(fcntl(fd, F_GET_SEALS), 0);
    char *map = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    CHECK(map != MAP_FAILED);
    CHECK_STR(map, "hello");
    CHECK_OK(fcntl(fd, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK));
    CHECK_ERRNO(ftruncate(fd, 1), EPERM);
    CHECK_ERRNO(ftruncate(fd, 10000), EPERM);
    CHECK_ERRNO(pwrite(fd, "x", 1, 5000), EPERM);
    CHECK_EQ(pwrite(fd, "J", 1, 0), 1);
    CHECK_ERRNO(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), EBUSY);  // It is mapped writable.
    CHECK_OK(munmap(map, 4096));
    CHECK_OK(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE));
    CHECK_ERRNO(pwrite(fd, "x", 1, 0), EPERM);
    CHECK_ERRNO((long)mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0), EPERM);
    CHECK(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0) != MAP_FAILED);
    CHECK_EQ(fcntl(fd, F_GET_SEALS), F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_WRITE);
    CHECK_OK(fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL));
    CHECK_ERRNO(fcntl(fd, F_ADD_SEALS, F_SEAL_GROW), EPERM);

    int plain = CHECK_OK(memfd_create("plain", 0));
    CHECK_EQ(fcntl(plain, F_GET_SEALS), F_SEAL_SEAL);
    CHECK_EQ(fcntl(plain, F_GETFD), 0);
    char path[64], target[64] = {0};
    snprintf(path, sizeof path, "/proc/self/fd/%d", plain);
    CHECK_OK(readlink(path, target, sizeof target - 1));
    CHECK_STR(target, "/memfd:plain (deleted)");
    CHECK_ERRNO(memfd_create("x", 0x1000), EINVAL);
    return 0;
}
