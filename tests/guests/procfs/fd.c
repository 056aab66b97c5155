// /proc/self/fd: a link for each descriptor, fdinfo beside it.
#include "check.h"
#include <dirent.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

static char target[PATH_MAX];
static const char *link_of(int fd) {
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    memset(target, 0, sizeof target);
    CHECK_OK(readlink(path, target, sizeof target - 1));
    return target;
}

int main(void) {
    enter_tmp();
    int file = CHECK_OK(open("f", O_RDWR | O_CREAT | O_CLOEXEC, 0600)), pipes[2], pair[2];
    CHECK_OK(pipe(pipes));
    CHECK_OK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
    int event = CHECK_OK(eventfd(0, 0));
    char expected[PATH_MAX + 8];
    snprintf(expected, sizeof expected, "%s/f", check_tmp);
    CHECK_STR(link_of(file), expected);
    CHECK(!strncmp(link_of(pipes[0]), "pipe:[", 6));
    char kept[64];
    snprintf(kept, sizeof kept, "%.60s", target);
    CHECK_STR(link_of(pipes[1]), kept);  // Both ends have one number.
    CHECK(!strncmp(link_of(pair[0]), "socket:[", 8));
    CHECK_STR(link_of(event), "anon_inode:[eventfd]");
    // The link opens the file anew, with its own offset.
    CHECK_EQ(write(file, "contents", 8), 8);
    char path[64], text[512];
    snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    CHECK_EQ(read_file(path, text, sizeof text), 8);
    CHECK_EQ(lseek(file, 0, SEEK_CUR), 8);
    snprintf(path, sizeof path, "/proc/self/fdinfo/%d", file);
    read_file(path, text, sizeof text);
    CHECK(!strncmp(text, "pos:\t8\nflags:\t0", 15));
    CHECK(strtol(strstr(text, "flags:\t") + 7, NULL, 8) & O_CLOEXEC);

    DIR *dir = opendir("/proc/self/fd");
    CHECK(dir);
    struct dirent *entry;
    int seen = 0;
    while ((entry = readdir(dir))) {
        int fd = atoi(entry->d_name);
        if (entry->d_name[0] == '.') continue;
        CHECK_OK(fcntl(fd, F_GETFD));
        seen += fd == file || fd == pipes[0] || fd == pipes[1] || fd == event || fd == dirfd(dir);
    }
    CHECK_EQ(seen, 5);
    CHECK_ERRNO(readlink("/proc/self/fd/9999", target, sizeof target), ENOENT);
    return 0;
}
