// An unlinked file lives as long as it is open; its name can be another's.
#include "check.h"

int main(void) {
    enter_tmp();
    int fd = CHECK_OK(open("f", O_RDWR | O_CREAT, 0600));
    CHECK_EQ(write(fd, "old", 3), 3);
    CHECK_OK(unlink("f"));
    struct stat st;
    CHECK_OK(fstat(fd, &st));
    CHECK_EQ(st.st_nlink, 0);
    write_file("f", "new");
    char buffer[8] = {0};
    CHECK_EQ(pread(fd, buffer, 8, 0), 3);
    CHECK_STR(buffer, "old");
    CHECK_EQ(write(fd, "er", 2), 2);
    char path[64], target[PATH_MAX] = {0};
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    CHECK_OK(readlink(path, target, sizeof target - 1));
    CHECK(strstr(target, "/f (deleted)"));
    pid_t pid;
    CHILD(pid) {
        char inner[8] = {0};
        CHECK_EQ(pread(fd, inner, 8, 0), 5);
        CHECK_STR(inner, "older");
    }
    CHECK_EXIT(pid, 0);
    // A folder too, though nothing can be made in it.
    CHECK_OK(mkdir("d", 0755));
    int dir = CHECK_OK(open("d", O_RDONLY | O_DIRECTORY));
    CHECK_OK(rmdir("d"));
    CHECK_ERRNO(openat(dir, "x", O_CREAT | O_WRONLY, 0600), ENOENT);
    return 0;
}
