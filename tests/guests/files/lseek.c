// lseek in its three basic forms and its errors.
#include "check.h"

int main(void) {
    enter_tmp();
    write_file("f", "0123456789");
    int fd = CHECK_OK(open("f", O_RDWR));
    CHECK_EQ(lseek(fd, 3, SEEK_SET), 3);
    CHECK_EQ(lseek(fd, 3, SEEK_CUR), 6);
    CHECK_EQ(lseek(fd, -1, SEEK_END), 9);
    CHECK_EQ(lseek(fd, 1000, SEEK_END), 1010);
    CHECK_ERRNO(lseek(fd, -1, SEEK_SET), EINVAL);
    CHECK_ERRNO(lseek(fd, -2000, SEEK_CUR), EINVAL);
    CHECK_EQ(lseek(fd, 0, SEEK_CUR), 1010);
    CHECK_ERRNO(lseek(fd, 0, 99), EINVAL);
    CHECK_ERRNO(lseek(9999, 0, SEEK_SET), EBADF);

    // Duplicates share an offset, separate opens do not, and children share the parent's.
    int copy = CHECK_OK(dup(fd));
    int other = CHECK_OK(open("f", O_RDONLY));
    CHECK_OK(lseek(fd, 5, SEEK_SET));
    CHECK_EQ(lseek(copy, 0, SEEK_CUR), 5);
    CHECK_EQ(lseek(other, 0, SEEK_CUR), 0);
    pid_t pid;
    CHILD(pid) CHECK_OK(lseek(fd, 7, SEEK_SET));
    CHECK_EXIT(pid, 0);
    CHECK_EQ(lseek(fd, 0, SEEK_CUR), 7);
    return 0;
}
