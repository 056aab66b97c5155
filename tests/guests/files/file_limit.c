// RLIMIT_FSIZE: SIGXFSZ and EFBIG at the limit, a short write up to it.
#include "check.h"
#include <sys/resource.h>

static volatile int hits;
static void handler(int sig) { hits++; }

int main(void) {
    enter_tmp();
    struct rlimit limit = {1000, RLIM_INFINITY};
    CHECK_OK(setrlimit(RLIMIT_FSIZE, &limit));
    on_signal(SIGXFSZ, handler, 0);
    int fd = CHECK_OK(open("f", O_RDWR | O_CREAT, 0600));
    char block[800] = {0};
    CHECK_EQ(write(fd, block, 800), 800);
    CHECK_EQ(write(fd, block, 800), 200);
    CHECK_EQ(hits, 0);
    CHECK_ERRNO(write(fd, block, 1), EFBIG);
    CHECK_EQ(hits, 1);
    CHECK_ERRNO(ftruncate(fd, 2000), EFBIG);
    CHECK_EQ(hits, 2);
    CHECK_ERRNO(fallocate(fd, 0, 0, 2000), EFBIG);
    CHECK_EQ(hits, 3);
    CHECK_OK(fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, 2000));  // The file stays within the limit.
    CHECK_OK(fallocate(fd, 0, 0, 1000));
    CHECK_EQ(hits, 3);
    pid_t pid;
    CHILD(pid) {
        signal(SIGXFSZ, SIG_DFL);
        if (write(fd, block, 1)) {}
    }
    CHECK_KILLED(pid, SIGXFSZ);
    return 0;
}
