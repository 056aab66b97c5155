// The calls that put data on disk, on what they work on and what they refuse.
#include "check.h"

int main(void) {
    enter_tmp();
    int fd = CHECK_OK(open("f", O_RDWR | O_CREAT, 0600));
    CHECK_EQ(write(fd, "x", 1), 1);
    CHECK_OK(fsync(fd));
    CHECK_OK(fdatasync(fd));
    CHECK_OK(sync_file_range(fd, 0, 1, SYNC_FILE_RANGE_WRITE));
    CHECK_ERRNO(sync_file_range(fd, 0, 1, 0x1000), EINVAL);
    CHECK_ERRNO(fsync(9999), EBADF);
    CHECK_OK(syncfs(fd));
    CHECK_ERRNO(syncfs(9999), EBADF);
    int pipes[2];
    CHECK_OK(pipe(pipes));
    CHECK_ERRNO(fsync(pipes[1]), EINVAL);
    CHECK_ERRNO(fdatasync(pipes[1]), EINVAL);
    int dir = CHECK_OK(open(".", O_RDONLY | O_DIRECTORY));
    CHECK_OK(fsync(dir));
    CHECK_EQ(posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED), 0);
    CHECK_EQ(posix_fadvise(pipes[0], 0, 0, POSIX_FADV_NORMAL), ESPIPE);
    CHECK_EQ(posix_fadvise(fd, 0, 0, 99), EINVAL);
    CHECK_OK(readahead(fd, 0, 4096));
    return 0;
}
