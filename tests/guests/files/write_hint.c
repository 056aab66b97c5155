// How long data will live is a hint that a file keeps; a lease is asked for regular files only.
#include "check.h"
#include <fcntl.h>
#include <stdint.h>

#define GET_HINT 1035
#define SET_HINT 1036

int main(void) {
    enter_tmp();
    int fd = CHECK_OK(open("file", O_CREAT | O_RDWR, 0600)), again = CHECK_OK(open("file", O_RDONLY)), p[2];
    CHECK_OK(pipe(p));
    uint64_t hint = 9;
    CHECK_OK(fcntl(fd, GET_HINT, &hint));
    CHECK_EQ(hint, 0);
    CHECK_ERRNO(fcntl(fd, SET_HINT, &(uint64_t){6}), EINVAL);
    CHECK_OK(fcntl(fd, SET_HINT, &(uint64_t){3}));
    CHECK_OK(fcntl(again, GET_HINT, &hint));
    CHECK_EQ(hint, 3);
    CHECK_ERRNO(fcntl(fd, GET_HINT, 8), EFAULT);
    CHECK_ERRNO(fcntl(fd, SET_HINT, 8), EFAULT);
    CHECK_OK(fcntl(p[0], GET_HINT, &hint));
    CHECK_EQ(hint, 0);
    CHECK_EQ(fcntl(fd, F_GETLEASE), F_UNLCK);
    CHECK_ERRNO(fcntl(fd, F_SETLEASE, F_UNLCK), EAGAIN);
    CHECK_ERRNO(fcntl(fd, F_SETLEASE, F_RDLCK), EAGAIN);  // It is open to be written.
    CHECK_ERRNO(fcntl(fd, F_SETLEASE, 5), EINVAL);
    CHECK_ERRNO(fcntl(p[0], F_SETLEASE, F_RDLCK), EINVAL);
    CHECK_ERRNO(fcntl(fd, F_NOTIFY, DN_CREATE), ENOTDIR);
    CHECK_EQ(fcntl(fd, F_NOTIFY, 0), 0);
    return 0;
}
