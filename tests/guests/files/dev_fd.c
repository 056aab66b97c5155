// /dev/stdin and /dev/fd/N lead to the process's own descriptors.
#include "check.h"

int main(void) {
    int pipes[2];
    CHECK_OK(pipe(pipes));
    CHECK_EQ(write(pipes[1], "in", 2), 2);
    CHECK_OK(dup2(pipes[0], 0));
    int fd = CHECK_OK(open("/dev/stdin", O_RDONLY));
    char buffer[8] = {0};
    CHECK_EQ(read(fd, buffer, sizeof buffer), 2);
    CHECK_STR(buffer, "in");
    char path[32];
    snprintf(path, sizeof path, "/dev/fd/%d", pipes[1]);
    fd = CHECK_OK(open(path, O_WRONLY));
    CHECK_EQ(write(fd, "again", 5), 5);
    CHECK_EQ(read(0, buffer, sizeof buffer), 5);
    CHECK_ERRNO(open("/dev/fd/9999", O_RDONLY), ENOENT);
    return 0;
}
