// utimensat and futimens: exact times, now, omit.
#include "check.h"
#include <sys/time.h>
#include <utime.h>

int main(void) {
    enter_tmp();
    write_file("f", "");
    struct timespec times[2] = {{1000, 5}, {2000, 123456789}};
    CHECK_OK(utimensat(AT_FDCWD, "f", times, 0));
    struct stat st;
    CHECK_OK(stat("f", &st));
    CHECK_EQ(st.st_atim.tv_sec, 1000);
    CHECK_EQ(st.st_mtim.tv_sec, 2000);
    CHECK_EQ(st.st_mtim.tv_nsec, 123456789);

    struct timespec omit[2] = {{0, UTIME_OMIT}, {3000, 0}};
    CHECK_OK(utimensat(AT_FDCWD, "f", omit, 0));
    CHECK_OK(stat("f", &st));
    CHECK_EQ(st.st_atim.tv_sec, 1000);
    CHECK_EQ(st.st_mtim.tv_sec, 3000);

    int fd = CHECK_OK(open("f", O_RDONLY));
    struct timespec now[2] = {{0, UTIME_NOW}, {0, UTIME_OMIT}};
    CHECK_OK(futimens(fd, now));
    CHECK_OK(fstat(fd, &st));
    CHECK(st.st_atim.tv_sec > 1000000000);
    CHECK_EQ(st.st_mtim.tv_sec, 3000);

    struct timespec bad[2] = {{0, -5}, {0, 0}};
    CHECK_ERRNO(utimensat(AT_FDCWD, "f", bad, 0), EINVAL);
    CHECK_ERRNO(utimensat(AT_FDCWD, "g", times, 0), ENOENT);
    CHECK_OK(symlink("f", "l"));
    CHECK_OK(utimensat(AT_FDCWD, "l", times, AT_SYMLINK_NOFOLLOW));
    CHECK_OK(lstat("l", &st));
    CHECK_EQ(st.st_mtim.tv_sec, 2000);
    CHECK_OK(stat("f", &st));
    CHECK_EQ(st.st_mtim.tv_sec, 3000);

    struct utimbuf old = {11, 22};
    CHECK_OK(utime("f", &old));
    CHECK_OK(stat("f", &st));
    CHECK_EQ(st.st_mtim.tv_sec, 22);
    struct timeval tv[2] = {{5, 6}, {7, 8}};
    CHECK_OK(utimes("f", tv));
    CHECK_OK(stat("f", &st));
    CHECK_EQ(st.st_mtim.tv_nsec, 8000);
    CHECK_OK(utimes("f", NULL));
    CHECK_OK(stat("f", &st));
    CHECK(st.st_mtim.tv_sec > 1000000000);
    return 0;
}
