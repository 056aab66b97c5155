// O_PATH: a place in the file tree, not an open file.
#include "check.h"
#include <sys/vfs.h>

int main(void) {
    enter_tmp();
    write_file("f", "text");
    int fd = CHECK_OK(open("f", O_PATH));
    char byte;
    CHECK_ERRNO(read(fd, &byte, 1), EBADF);
    CHECK_ERRNO(write(fd, "x", 1), EBADF);
    CHECK_ERRNO(fchmod(fd, 0600), EBADF);
    CHECK_ERRNO(lseek(fd, 0, SEEK_SET), EBADF);
    CHECK_ERRNO(ftruncate(fd, 0), EBADF);
    struct stat st;
    CHECK_OK(fstat(fd, &st));
    CHECK_EQ(st.st_size, 4);
    CHECK(fcntl(fd, F_GETFL) & O_PATH);
    int copy = CHECK_OK(dup(fd));
    CHECK_OK(close(copy));

    CHECK_OK(symlink("f", "l"));
    int link_fd = CHECK_OK(open("l", O_PATH | O_NOFOLLOW));
    CHECK_OK(fstat(link_fd, &st));
    CHECK(S_ISLNK(st.st_mode));
    char target[8] = {0};
    CHECK_EQ(readlinkat(link_fd, "", target, sizeof target), 1);
    CHECK_STR(target, "f");

    // It can be opened anew through /proc.
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    int real = CHECK_OK(open(path, O_RDONLY));
    CHECK_EQ(read(real, &byte, 1), 1);
    CHECK_EQ(byte, 't');

    CHECK_OK(mkdir("d", 0700));
    int dir = CHECK_OK(open("d", O_PATH | O_DIRECTORY));
    int inner = CHECK_OK(openat(dir, "new", O_CREAT | O_WRONLY, 0600));
    CHECK_OK(close(inner));
    CHECK_OK(fchdir(dir));
    CHECK_OK(access("new", F_OK));
    return 0;
}
