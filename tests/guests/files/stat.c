// stat, lstat, fstat, fstatat: kinds, sizes, links.
#include "check.h"

int main(void) {
    enter_tmp();
    write_file("f", "hello");
    CHECK_OK(symlink("f", "l"));
    CHECK_OK(mkdir("d", 0755));
    struct stat st, again;
    CHECK_OK(stat("f", &st));
    CHECK(S_ISREG(st.st_mode));
    CHECK_EQ(st.st_size, 5);
    CHECK_EQ(st.st_nlink, 1);
    CHECK_EQ(st.st_uid, geteuid());
    CHECK_OK(stat("l", &again));
    CHECK_EQ(again.st_ino, st.st_ino);
    CHECK_OK(lstat("l", &again));
    CHECK(S_ISLNK(again.st_mode));
    CHECK_EQ(again.st_size, 1);
    CHECK_EQ(again.st_mode & 0777, 0777);
    CHECK_OK(stat("d", &again));
    CHECK(S_ISDIR(again.st_mode));
    CHECK(again.st_ino != st.st_ino);
    CHECK_EQ(again.st_dev, st.st_dev);

    int fd = CHECK_OK(open("f", O_RDONLY));
    CHECK_OK(fstat(fd, &again));
    CHECK_EQ(again.st_ino, st.st_ino);
    CHECK_OK(fstatat(fd, "", &again, AT_EMPTY_PATH));
    CHECK_EQ(again.st_ino, st.st_ino);
    CHECK_OK(fstatat(AT_FDCWD, "l", &again, AT_SYMLINK_NOFOLLOW));
    CHECK(S_ISLNK(again.st_mode));
    CHECK_ERRNO(fstatat(fd, "x", &again, 0), ENOTDIR);
    CHECK_ERRNO(fstatat(AT_FDCWD, "f", &again, 0x40000000), EINVAL);
    CHECK_ERRNO(stat("", &again), ENOENT);
    CHECK_ERRNO(stat("nothing", &again), ENOENT);
    CHECK_ERRNO(fstat(9999, &again), EBADF);
    CHECK_ERRNO(syscall(SYS_stat, "f", 8L), EFAULT);
    CHECK_ERRNO(syscall(SYS_stat, 8L, &again), EFAULT);

    CHECK_OK(stat("/dev/null", &st));
    CHECK(S_ISCHR(st.st_mode));
    int pipes[2];
    CHECK_OK(pipe(pipes));
    CHECK_OK(fstat(pipes[0], &st));
    CHECK(S_ISFIFO(st.st_mode));
    return 0;
}
