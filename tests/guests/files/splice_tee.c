// splice moves between a file and a pipe, tee copies between pipes.
#include "check.h"

// A packet of which a part was moved leaves its rest, as a packet of its own.
static void packets(void) {
    int a[2], b[2];
    char text[16] = {0};
    CHECK_OK(pipe2(a, O_DIRECT));
    CHECK_OK(pipe(b));
    CHECK_EQ(write(a[1], "abc", 3), 3);
    CHECK_EQ(write(a[1], "defg", 4), 4);
    CHECK_EQ(write(a[1], "hi", 2), 2);
    CHECK_EQ(splice(a[0], NULL, b[1], NULL, 2, 0), 2);
    CHECK_EQ(read(a[0], text, sizeof text), 1);
    CHECK_STR(text, "c");
    CHECK_EQ(read(a[0], text, 2), 2);  // What a packet has beyond what is asked for is gone.
    CHECK_EQ(read(a[0], text, sizeof text), 2);
    CHECK(!memcmp(text, "hi", 2));
}

int main(void) {
    enter_tmp();
    write_file("in", "0123456789");
    int in = CHECK_OK(open("in", O_RDONLY)), out = CHECK_OK(open("out", O_RDWR | O_CREAT, 0600));
    int a[2], b[2];
    CHECK_OK(pipe(a));
    CHECK_OK(pipe(b));
    off_t at = 2;
    CHECK_EQ(splice(in, &at, a[1], NULL, 6, 0), 6);
    CHECK_EQ(at, 8);
    CHECK_EQ(tee(a[0], b[1], 4, 0), 4);
    char text[16] = {0};
    CHECK_EQ(read(b[0], text, sizeof text), 4);
    CHECK_STR(text, "2345");
    at = 3;
    CHECK_EQ(splice(a[0], NULL, out, &at, 100, 0), 6);
    CHECK_EQ(at, 9);
    CHECK_EQ(pread(out, text, sizeof text, 3), 6);
    CHECK(!memcmp(text, "234567", 6));
    CHECK_ERRNO(splice(in, NULL, out, NULL, 1, 0), EINVAL);  // One of them must be a pipe.
    CHECK_ERRNO(tee(in, a[1], 1, 0), EINVAL);
    CHECK_ERRNO(tee(a[0], b[1], 1, 0x100), EINVAL);
    CHECK_EQ(tee(-1, -1, 0, 0), 0);  // No length, no question.
    CHECK_EQ(splice(-1, NULL, -1, NULL, 0, 0), 0);
    CHECK_ERRNO(splice(a[0], &at, b[1], NULL, 1, 0), ESPIPE);
    CHECK_ERRNO(splice(a[0], NULL, b[1], NULL, 1, SPLICE_F_NONBLOCK), EAGAIN);
    CHECK_EQ(write(a[1], "pipe", 4), 4);
    CHECK_EQ(splice(a[0], NULL, b[1], NULL, 10, 0), 4);
    CHECK_OK(close(a[1]));
    CHECK_EQ(splice(a[0], NULL, b[1], NULL, 10, 0), 0);
    packets();
    return 0;
}
