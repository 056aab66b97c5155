// open: what each flag asks for and what it refuses.
#include "check.h"

int main(void) {
    enter_tmp();
    CHECK_ERRNO(open("f", O_RDONLY), ENOENT);
    int fd = CHECK_OK(open("f", O_RDWR | O_CREAT | O_EXCL, 0600));
    CHECK_EQ(write(fd, "hello", 5), 5);
    CHECK_OK(close(fd));
    CHECK_ERRNO(open("f", O_RDWR | O_CREAT | O_EXCL, 0600), EEXIST);

    fd = CHECK_OK(open("f", O_RDONLY));
    CHECK_ERRNO(write(fd, "x", 1), EBADF);
    CHECK_EQ(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDONLY);
    CHECK_OK(close(fd));

    fd = CHECK_OK(open("f", O_WRONLY | O_APPEND));
    char byte;
    CHECK_ERRNO(read(fd, &byte, 1), EBADF);
    CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
    CHECK_EQ(write(fd, "++", 2), 2);
    CHECK_EQ(lseek(fd, 0, SEEK_CUR), 7);
    CHECK(fcntl(fd, F_GETFL) & O_APPEND);
    CHECK_OK(close(fd));

    fd = CHECK_OK(open("f", O_WRONLY | O_TRUNC));
    struct stat st;
    CHECK_OK(fstat(fd, &st));
    CHECK_EQ(st.st_size, 0);
    CHECK_OK(close(fd));

    CHECK_OK(mkdir("d", 0700));
    CHECK_ERRNO(open("d", O_WRONLY), EISDIR);
    CHECK_ERRNO(open("d", O_RDWR), EISDIR);
    CHECK_ERRNO(open("f", O_RDONLY | O_DIRECTORY), ENOTDIR);
    fd = CHECK_OK(open("d", O_RDONLY | O_DIRECTORY));
    CHECK_ERRNO(read(fd, &byte, 1), EISDIR);
    CHECK_OK(close(fd));

    CHECK_OK(symlink("f", "l"));
    CHECK_ERRNO(open("l", O_RDONLY | O_NOFOLLOW), ELOOP);
    fd = CHECK_OK(open("l", O_RDONLY));
    CHECK_OK(close(fd));
    CHECK_OK(symlink("d", "ld"));
    CHECK_ERRNO(open("ld", O_RDONLY | O_DIRECTORY | O_NOFOLLOW), ENOTDIR);
    // An exclusive creation does not follow a link, even one that leads nowhere.
    CHECK_OK(symlink("nowhere", "dangling"));
    CHECK_ERRNO(open("dangling", O_RDWR | O_CREAT | O_EXCL, 0600), EEXIST);
    fd = CHECK_OK(open("dangling", O_RDWR | O_CREAT, 0600));
    CHECK_OK(close(fd));
    CHECK_OK(stat("nowhere", &st));
    return 0;
}
