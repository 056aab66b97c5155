// Vectors are filled in order; a bad one fails as a whole.
#include "check.h"
#include <sys/uio.h>

int main(void) {
    enter_tmp();
    int fd = CHECK_OK(open("f", O_RDWR | O_CREAT, 0600));
    struct iovec out[4] = {{"one", 3}, {"", 0}, {"two", 3}, {"three", 5}};
    CHECK_EQ(writev(fd, out, 4), 11);
    CHECK_OK(lseek(fd, 0, SEEK_SET));
    char a[2], b[7], c[50];
    struct iovec in[3] = {{a, sizeof a}, {b, sizeof b}, {c, sizeof c}};
    CHECK_EQ(readv(fd, in, 3), 11);
    CHECK(!memcmp(a, "on", 2) && !memcmp(b, "etwothr", 7) && !memcmp(c, "ee", 2));
    CHECK_EQ(readv(fd, in, 3), 0);
    CHECK_EQ(readv(fd, in, 0), 0);
    CHECK_ERRNO(readv(fd, in, -1), EINVAL);
    CHECK_ERRNO(writev(fd, out, IOV_MAX + 1), EINVAL);
    struct iovec negative[2] = {{a, 1}, {a, -1}};
    CHECK_ERRNO(writev(fd, negative, 2), EINVAL);
    struct iovec wild[2] = {{a, 1}, {a, SSIZE_MAX}};
    CHECK_ERRNO(writev(fd, wild, 2), EFAULT);
    CHECK_ERRNO(syscall(SYS_writev, fd, 16L, 1L), EFAULT);

    struct iovec many[IOV_MAX];
    for (int i = 0; i < IOV_MAX; i++) many[i] = (struct iovec){"z", 1};
    CHECK_EQ(writev(fd, many, IOV_MAX), IOV_MAX);
    return 0;
}
