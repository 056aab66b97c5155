// flock: shared and exclusive, bound to the open file, released at the last close.
#include "check.h"
#include <sys/file.h>

int main(void) {
    enter_tmp();
    write_file("f", "");
    int a = CHECK_OK(open("f", O_RDWR)), b = CHECK_OK(open("f", O_RDONLY));
    CHECK_OK(flock(a, LOCK_SH));
    CHECK_OK(flock(b, LOCK_SH | LOCK_NB));
    CHECK_ERRNO(flock(a, LOCK_EX | LOCK_NB), EWOULDBLOCK);
    CHECK_OK(flock(b, LOCK_UN));
    CHECK_OK(flock(a, LOCK_EX | LOCK_NB));
    CHECK_ERRNO(flock(b, LOCK_SH | LOCK_NB), EWOULDBLOCK);
    CHECK_ERRNO(flock(a, 0), EINVAL);
    CHECK_ERRNO(flock(9999, LOCK_EX), EBADF);

    // A duplicate and a child hold the same lock.
    int copy = CHECK_OK(dup(a));
    CHECK_OK(close(a));
    CHECK_ERRNO(flock(b, LOCK_EX | LOCK_NB), EWOULDBLOCK);
    pid_t pid;
    CHILD(pid) {
        CHECK_OK(flock(copy, LOCK_EX | LOCK_NB));
        sleep_ms(50);
        CHECK_OK(flock(copy, LOCK_UN));
    }
    CHECK_OK(flock(b, LOCK_EX));  // Until the child lets go.
    CHECK_EXIT(pid, 0);
    CHECK_OK(close(b));
    CHECK_OK(flock(copy, LOCK_EX | LOCK_NB));
    return 0;
}
