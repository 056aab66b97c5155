// read and write at the end, past the end, with nothing, and with bad arguments.
#include "check.h"

int main(void) {
    enter_tmp();
    int fd = CHECK_OK(open("f", O_RDWR | O_CREAT, 0600));
    char buffer[32];
    CHECK_EQ(read(fd, buffer, sizeof buffer), 0);
    CHECK_EQ(write(fd, "0123456789", 10), 10);
    CHECK_EQ(read(fd, buffer, sizeof buffer), 0);
    CHECK_EQ(lseek(fd, -4, SEEK_END), 6);
    CHECK_EQ(read(fd, buffer, sizeof buffer), 4);
    CHECK(!memcmp(buffer, "6789", 4));

    CHECK_EQ(lseek(fd, 100, SEEK_SET), 100);
    CHECK_EQ(read(fd, buffer, 1), 0);
    struct stat st;
    CHECK_OK(fstat(fd, &st));
    CHECK_EQ(st.st_size, 10);
    CHECK_EQ(write(fd, "x", 1), 1);
    CHECK_OK(fstat(fd, &st));
    CHECK_EQ(st.st_size, 101);
    CHECK_EQ(pread(fd, buffer, 1, 50), 1);
    CHECK_EQ(buffer[0], 0);

    CHECK_EQ(write(fd, buffer, 0), 0);
    CHECK_EQ(read(fd, buffer, 0), 0);
    CHECK_ERRNO(read(-1, buffer, 1), EBADF);
    CHECK_ERRNO(write(9999, buffer, 1), EBADF);
    // A bad pointer is noticed only when there is something to copy.
    CHECK_EQ(syscall(SYS_read, fd, 8L, 4L), 0);
    CHECK_OK(lseek(fd, 0, SEEK_SET));
    CHECK_ERRNO(syscall(SYS_read, fd, 8L, 4L), EFAULT);
    CHECK_ERRNO(syscall(SYS_write, fd, 8L, 4L), EFAULT);
    CHECK_ERRNO(syscall(SYS_read, fd, buffer, -1L), EFAULT);  // Such a length leaves the address space.
    CHECK_EQ(lseek(fd, 0, SEEK_CUR), 0);
    return 0;
}
