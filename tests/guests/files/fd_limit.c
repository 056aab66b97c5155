// RLIMIT_NOFILE bounds descriptor numbers: EMFILE from every call that makes one.
#include "check.h"
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>

int main(void) {
    struct rlimit limit = {20, 20};
    CHECK_OK(setrlimit(RLIMIT_NOFILE, &limit));
    int last = -1, fd;
    while ((fd = open("/dev/null", O_RDONLY)) >= 0) last = fd;
    CHECK_EQ(errno, EMFILE);
    CHECK_EQ(last, 19);
    int pipes[2];
    CHECK_ERRNO(dup(0), EMFILE);
    CHECK_ERRNO(pipe(pipes), EMFILE);
    CHECK_ERRNO(socket(AF_INET, SOCK_STREAM, 0), EMFILE);
    CHECK_ERRNO(socketpair(AF_UNIX, SOCK_STREAM, 0, pipes), EMFILE);
    CHECK_ERRNO(eventfd(0, 0), EMFILE);
    CHECK_ERRNO(epoll_create1(0), EMFILE);
    CHECK_ERRNO(dup2(0, 20), EBADF);
    CHECK_ERRNO(fcntl(0, F_DUPFD, 20), EINVAL);
    CHECK_ERRNO(fcntl(0, F_DUPFD, 3), EMFILE);
    CHECK_OK(close(7));
    CHECK_ERRNO(pipe(pipes), EMFILE);  // One free number is not two, and none leaks.
    CHECK_EQ(dup(0), 7);
    CHECK_EQ(sysconf(_SC_OPEN_MAX), 20);
    return 0;
}
