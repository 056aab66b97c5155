// poll: what it tells of pipes, sockets, files, bad numbers; timeouts.
#include "check.h"
#include <poll.h>
#include <sys/socket.h>

int main(void) {
    enter_tmp();
    write_file("f", "");
    int pipes[2], pair[2], file = CHECK_OK(open("f", O_RDWR));
    CHECK_OK(pipe(pipes));
    CHECK_OK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
    struct pollfd fds[6] = {{pipes[0], POLLIN, 0}, {pipes[1], POLLOUT, 0}, {file, POLLIN | POLLOUT, 0},
                            {-1, POLLIN, 99},      {9999, POLLIN, 0},      {pair[0], POLLIN, 0}};
    CHECK_EQ(poll(fds, 6, -1), 3);
    CHECK_EQ(fds[0].revents, 0);
    CHECK_EQ(fds[1].revents, POLLOUT);
    CHECK_EQ(fds[2].revents, POLLIN | POLLOUT);
    CHECK_EQ(fds[3].revents, 0);
    CHECK_EQ(fds[4].revents, POLLNVAL);
    CHECK_EQ(write(pipes[1], "x", 1), 1);
    CHECK_OK(close(pipes[1]));
    CHECK_EQ(poll(fds, 1, -1), 1);
    CHECK_EQ(fds[0].revents, POLLIN | POLLHUP);
    char byte;
    CHECK_EQ(read(pipes[0], &byte, 1), 1);
    fds[0].events = 0;
    CHECK_EQ(poll(fds, 1, -1), 1);
    CHECK_EQ(fds[0].revents, POLLHUP);
    fds[5].events = POLLIN | POLLRDHUP;
    CHECK_OK(shutdown(pair[1], SHUT_WR));
    CHECK_EQ(poll(&fds[5], 1, -1), 1);
    CHECK_EQ(fds[5].revents, POLLIN | POLLRDHUP);
    long long start = now_ms();
    CHECK_EQ(poll(NULL, 0, 30), 0);
    CHECK(now_ms() - start >= 29);
    CHECK_ERRNO(syscall(SYS_poll, 8L, 1, 0), EFAULT);
    // A full pipe is not writable.
    CHECK_OK(pipe2(pipes, O_NONBLOCK));
    char block[4096] = {0};
    while (write(pipes[1], block, sizeof block) > 0) {}
    struct pollfd full = {pipes[1], POLLOUT, 0};
    CHECK_EQ(poll(&full, 1, 0), 0);
    CHECK_EQ(read(pipes[0], block, sizeof block), 4096);
    CHECK_EQ(poll(&full, 1, 0), 1);
    CHECK_OK(close(pipes[0]));
    CHECK_EQ(poll(&full, 1, 0), 1);
    CHECK(full.revents & POLLERR);
    return 0;
}
