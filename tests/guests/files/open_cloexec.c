// O_CLOEXEC sets the descriptor's flag, not the file's; the lowest free number is given.
#include "check.h"

int main(void) {
    int plain = CHECK_OK(open("/dev/null", O_RDWR));
    int closing = CHECK_OK(open("/dev/null", O_RDWR | O_CLOEXEC));
    CHECK_EQ(closing, plain + 1);
    CHECK_EQ(fcntl(plain, F_GETFD), 0);
    CHECK_EQ(fcntl(closing, F_GETFD), FD_CLOEXEC);
    CHECK_EQ(fcntl(closing, F_GETFL) & O_CLOEXEC, 0);
    CHECK_OK(fcntl(plain, F_SETFD, FD_CLOEXEC));
    CHECK_EQ(fcntl(plain, F_GETFD), FD_CLOEXEC);
    CHECK_OK(fcntl(plain, F_SETFD, 0));
    CHECK_EQ(fcntl(plain, F_GETFD), 0);
    CHECK_OK(close(plain));
    CHECK_EQ(open("/dev/null", O_RDONLY), plain);
    return 0;
}
