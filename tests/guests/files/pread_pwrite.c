// Positional reads and writes leave the offset alone.
#include "check.h"
#include <sys/uio.h>

int main(void) {
    enter_tmp();
    int fd = CHECK_OK(open("f", O_RDWR | O_CREAT, 0600));
    CHECK_EQ(pwrite(fd, "abcdef", 6, 4), 6);
    CHECK_EQ(lseek(fd, 0, SEEK_CUR), 0);
    char buffer[16] = {0};
    CHECK_EQ(pread(fd, buffer, 3, 6), 3);
    CHECK_STR(buffer, "cde");
    CHECK_EQ(lseek(fd, 0, SEEK_CUR), 0);
    CHECK_EQ(pread(fd, buffer, 16, 10), 0);
    CHECK_ERRNO(pread(fd, buffer, 1, -1), EINVAL);
    CHECK_ERRNO(pwrite(fd, buffer, 1, -1), EINVAL);

    struct iovec parts[2] = {{"XY", 2}, {"Z", 1}};
    CHECK_EQ(pwritev(fd, parts, 2, 0), 3);
    CHECK_EQ(lseek(fd, 0, SEEK_CUR), 0);
    // An offset of -1 is the file's own, for the second form only.
    CHECK_EQ(pwritev2(fd, parts, 2, -1, 0), 3);
    CHECK_EQ(lseek(fd, 0, SEEK_CUR), 3);
    CHECK_ERRNO(preadv2(fd, parts, 2, 0, 0x40000000), EOPNOTSUPP);

    // On a file opened for appending Linux appends even with an offset.
    int append = CHECK_OK(open("f", O_WRONLY | O_APPEND));
    CHECK_EQ(pwrite(append, "!", 1, 0), 1);
    CHECK_EQ(pread(fd, buffer, 16, 0), 11);
    CHECK_EQ(buffer[0], 'X');
    CHECK_EQ(buffer[10], '!');

    int pipes[2];
    CHECK_OK(pipe(pipes));
    CHECK_ERRNO(pread(pipes[0], buffer, 1, 0), ESPIPE);
    CHECK_ERRNO(pwrite(pipes[1], buffer, 1, 0), ESPIPE);
    CHECK_ERRNO(lseek(pipes[0], 0, SEEK_CUR), ESPIPE);
    return 0;
}
