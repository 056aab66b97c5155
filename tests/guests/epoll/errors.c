// What epoll's calls refuse.
#include "check.h"
#include <sys/epoll.h>

int main(void) {
    enter_tmp();
    int epoll = CHECK_OK(epoll_create1(0)), pipes[2];
    CHECK_OK(pipe(pipes));
    struct epoll_event event = {EPOLLIN, {0}};
    CHECK_ERRNO(epoll_create(0), EINVAL);
    CHECK_ERRNO(epoll_create1(1), EINVAL);
    CHECK_ERRNO(epoll_ctl(epoll, EPOLL_CTL_MOD, pipes[0], &event), ENOENT);
    CHECK_ERRNO(epoll_ctl(epoll, EPOLL_CTL_DEL, pipes[0], &event), ENOENT);
    CHECK_OK(epoll_ctl(epoll, EPOLL_CTL_ADD, pipes[0], &event));
    CHECK_ERRNO(epoll_ctl(epoll, EPOLL_CTL_ADD, pipes[0], &event), EEXIST);
    CHECK_ERRNO(epoll_ctl(epoll, 99, pipes[0], &event), EINVAL);
    CHECK_ERRNO(epoll_ctl(epoll, EPOLL_CTL_ADD, epoll, &event), EINVAL);
    CHECK_ERRNO(epoll_ctl(epoll, EPOLL_CTL_ADD, 9999, &event), EBADF);
    CHECK_ERRNO(epoll_ctl(9999, EPOLL_CTL_ADD, pipes[1], &event), EBADF);
    CHECK_ERRNO(epoll_ctl(pipes[0], EPOLL_CTL_ADD, pipes[1], &event), EINVAL);
    write_file("f", "");
    int file = CHECK_OK(open("f", O_RDONLY));
    CHECK_ERRNO(epoll_ctl(epoll, EPOLL_CTL_ADD, file, &event), EPERM);
    CHECK_ERRNO(epoll_wait(epoll, &event, 0, 0), EINVAL);
    CHECK_ERRNO(epoll_wait(epoll, &event, -1, 0), EINVAL);
    CHECK_ERRNO(epoll_wait(pipes[0], &event, 1, 0), EINVAL);
    CHECK_ERRNO(syscall(SYS_epoll_ctl, epoll, EPOLL_CTL_ADD, pipes[1], 8L), EFAULT);
    char byte;
    CHECK_ERRNO(read(epoll, &byte, 1), EINVAL);
    return 0;
}
