// Writes move mtime, chmod moves ctime only, a new name moves its folder's mtime.
#include "check.h"

static struct stat look(const char *path) {
    struct stat st;
    CHECK_OK(stat(path, &st));
    return st;
}

static bool later(struct timespec a, struct timespec b) {
    return a.tv_sec > b.tv_sec || (a.tv_sec == b.tv_sec && a.tv_nsec > b.tv_nsec);
}

int main(void) {
    enter_tmp();
    CHECK_OK(mkdir("d", 0755));
    struct stat dir = look("d");
    sleep_ms(20);
    write_file("d/f", "a");
    CHECK(later(look("d").st_mtim, dir.st_mtim));
    struct stat before = look("d/f");
    dir = look("d");
    sleep_ms(20);
    CHECK_OK(chmod("d/f", 0600));
    struct stat after = look("d/f");
    CHECK(later(after.st_ctim, before.st_ctim));
    CHECK(!later(after.st_mtim, before.st_mtim));
    sleep_ms(20);
    int fd = CHECK_OK(open("d/f", O_WRONLY));
    CHECK_EQ(write(fd, "b", 1), 1);
    CHECK_OK(close(fd));
    CHECK(later(look("d/f").st_mtim, after.st_mtim));
    CHECK(!later(look("d").st_mtim, dir.st_mtim));
    sleep_ms(20);
    CHECK_OK(unlink("d/f"));
    CHECK(later(look("d").st_mtim, dir.st_mtim));
    return 0;
}
