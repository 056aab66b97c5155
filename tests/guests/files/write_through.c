// O_SYNC, O_DSYNC, RWF_SYNC and RWF_DSYNC: what is written is what is read, and the flags are shown as they were given.
#include "check.h"
#include <sys/uio.h>

static void writes(int flags) {
    int fd = CHECK_OK(open("f", O_RDWR | O_CREAT | O_TRUNC | flags, 0600));
    CHECK_EQ(fcntl(fd, F_GETFL) & (O_SYNC | O_DSYNC), flags);
    CHECK_EQ(write(fd, "0123456789", 10), 10);
    CHECK_EQ(pwrite(fd, "ab", 2, 4), 2);
    struct iovec iov[2] = {{"XY", 2}, {"Z", 1}};
    CHECK_EQ(writev(fd, iov, 2), 3);
    char text[16] = "";
    CHECK_EQ(pread(fd, text, 15, 0), 13);
    CHECK(!strcmp(text, "0123ab6789XYZ"));
    // fcntl(2) does not change these.
    CHECK_OK(fcntl(fd, F_SETFL, 0));
    CHECK_EQ(fcntl(fd, F_GETFL) & (O_SYNC | O_DSYNC), flags);
    CHECK_OK(close(fd));
}

int main(void) {
    enter_tmp();
    writes(O_SYNC);
    writes(O_DSYNC);
    writes(0);
    int fd = CHECK_OK(open("g", O_RDWR | O_CREAT, 0600));
    struct iovec one = {"data", 4};
    CHECK_EQ(pwritev2(fd, &one, 1, 0, RWF_DSYNC), 4);
    CHECK_EQ(pwritev2(fd, &one, 1, 4, RWF_SYNC), 4);
    CHECK_EQ(pwritev2(fd, &one, 1, -1, RWF_SYNC | RWF_APPEND), 4);
    CHECK_EQ(lseek(fd, 0, SEEK_CUR), 12);
    char text[16] = "";
    CHECK_EQ(pread(fd, text, 15, 0), 12);
    CHECK(!strcmp(text, "datadatadata"));
    int reader = CHECK_OK(open("g", O_RDONLY));
    CHECK_ERRNO(pwritev2(reader, &one, 1, 0, RWF_SYNC), EBADF);
    return 0;
}
