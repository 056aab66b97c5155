// copy_file_range: with offsets, at the end, onto itself.
#include "check.h"

int main(void) {
    enter_tmp();
    write_file("in", "0123456789");
    int in = CHECK_OK(open("in", O_RDWR)), out = CHECK_OK(open("out", O_RDWR | O_CREAT, 0600));
    off_t from = 2, to = 1;
    CHECK_EQ(copy_file_range(in, &from, out, &to, 4, 0), 4);
    CHECK_EQ(from, 6);
    CHECK_EQ(to, 5);
    CHECK_EQ(lseek(in, 0, SEEK_CUR), 0);
    char text[16];
    CHECK_EQ(read_file("out", text, sizeof text), 5);
    CHECK(!memcmp(text, "\0" "2345", 5));
    CHECK_EQ(copy_file_range(in, NULL, out, NULL, 100, 0), 10);
    CHECK_EQ(copy_file_range(in, NULL, out, NULL, 100, 0), 0);
    CHECK_EQ(lseek(in, 0, SEEK_CUR), 10);
    CHECK_EQ(read_file("out", text, sizeof text), 10);
    CHECK_STR(text, "0123456789");
    off_t here = 0, there = 2;
    CHECK_ERRNO(copy_file_range(in, &here, in, &there, 5, 0), EINVAL);
    CHECK_ERRNO(copy_file_range(in, NULL, out, NULL, 1, 7), EINVAL);
    int reader = CHECK_OK(open("out", O_RDONLY));
    CHECK_ERRNO(copy_file_range(in, NULL, reader, NULL, 1, 0), EBADF);
    return 0;
}
