// truncate and ftruncate: cutting, growing, and what they refuse.
#include "check.h"

int main(void) {
    enter_tmp();
    write_file("f", "0123456789");
    CHECK_OK(truncate("f", 4));
    char text[32];
    CHECK_EQ(read_file("f", text, sizeof text), 4);
    CHECK_STR(text, "0123");
    int fd = CHECK_OK(open("f", O_RDWR));
    CHECK_OK(ftruncate(fd, 10));
    CHECK_EQ(read(fd, text, sizeof text), 10);
    CHECK(!memcmp(text, "0123\0\0\0\0\0\0", 10));
    // The offset does not move, so a write after a cut leaves a hole.
    CHECK_OK(ftruncate(fd, 0));
    CHECK_EQ(lseek(fd, 0, SEEK_CUR), 10);
    CHECK_EQ(write(fd, "x", 1), 1);
    struct stat st;
    CHECK_OK(fstat(fd, &st));
    CHECK_EQ(st.st_size, 11);
    CHECK_ERRNO(ftruncate(fd, -1), EINVAL);
    CHECK_ERRNO(truncate("none", 0), ENOENT);
    CHECK_OK(mkdir("d", 0755));
    CHECK_ERRNO(truncate("d", 0), EISDIR);
    int reader = CHECK_OK(open("f", O_RDONLY));
    CHECK_ERRNO(ftruncate(reader, 0), EINVAL);
    int pipes[2];
    CHECK_OK(pipe(pipes));
    CHECK_ERRNO(ftruncate(pipes[1], 0), EINVAL);
    return 0;
}
