// /dev/null, zero, full, urandom and random.
#include "check.h"

int main(void) {
    char buffer[4096], other[4096];
    int fd = CHECK_OK(open("/dev/null", O_RDWR));
    CHECK_EQ(read(fd, buffer, sizeof buffer), 0);
    CHECK_EQ(write(fd, buffer, sizeof buffer), sizeof buffer);
    CHECK_EQ(lseek(fd, 100, SEEK_SET), 0);
    CHECK_ERRNO(lseek(fd, 0, 99), EINVAL);
    fd = CHECK_OK(open("/dev/zero", O_RDWR));
    memset(buffer, 1, sizeof buffer);
    CHECK_EQ(read(fd, buffer, sizeof buffer), sizeof buffer);
    for (size_t i = 0; i < sizeof buffer; i++) CHECK_EQ(buffer[i], 0);
    CHECK_EQ(write(fd, buffer, 10), 10);
    char *map = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    CHECK(map != MAP_FAILED);
    CHECK_EQ(map[5000], 0);
    map[5000] = 1;
    fd = CHECK_OK(open("/dev/full", O_RDWR));
    CHECK_EQ(read(fd, buffer, 10), 10);
    CHECK_ERRNO(write(fd, buffer, 10), ENOSPC);
    fd = CHECK_OK(open("/dev/urandom", O_RDONLY));
    CHECK_EQ(read(fd, buffer, sizeof buffer), sizeof buffer);
    CHECK_EQ(read(fd, other, sizeof other), sizeof other);
    CHECK(memcmp(buffer, other, sizeof buffer));
    fd = CHECK_OK(open("/dev/random", O_RDONLY | O_NONBLOCK));
    CHECK(read(fd, buffer, 16) > 0);
    struct stat st;
    CHECK_OK(stat("/dev/urandom", &st));
    CHECK(S_ISCHR(st.st_mode));
    return 0;
}
