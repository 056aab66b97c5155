// vmsplice puts memory into a pipe and takes it out.
#include "check.h"
#include <sys/uio.h>

int main(void) {
    int pipes[2];
    CHECK_OK(pipe(pipes));
    char first[] = "one ", second[] = "two", text[16] = {0};
    struct iovec parts[2] = {{first, 4}, {second, 3}};
    CHECK_EQ(vmsplice(pipes[1], parts, 2, 0), 7);
    CHECK_EQ(read(pipes[0], text, sizeof text), 7);
    CHECK_STR(text, "one two");
    CHECK_EQ(write(pipes[1], "back", 4), 4);
    struct iovec in = {text, sizeof text};
    CHECK_EQ(vmsplice(pipes[0], &in, 1, 0), 4);
    CHECK(!memcmp(text, "back", 4));
    CHECK_EQ(vmsplice(pipes[1], parts, 0, 0), 0);
    // It waits for room, but not for room for all.
    static char much[1 << 17];
    struct iovec all = {much, sizeof much};
    ssize_t fits = CHECK_OK(vmsplice(pipes[1], &all, 1, 0));
    CHECK(fits > 0 && fits < (ssize_t)sizeof much);
    CHECK_ERRNO(vmsplice(pipes[1], &all, 1, SPLICE_F_NONBLOCK), EAGAIN);
    CHECK_ERRNO(vmsplice(0x7000, parts, 1, 0), EBADF);
    return 0;
}
