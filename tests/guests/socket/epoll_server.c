// A server on one epoll with twenty clients in one process, as event loops are.
#include "net.h"
#include <sys/epoll.h>

int main(void) {
    int listener = listening(), port = port_of(listener);
    pid_t pid;
    CHILD(pid) {
        int fds[20];
        for (int i = 0; i < 20; i++) fds[i] = connect_to(SOCK_STREAM, port);
        char out[32], in[32];
        for (int round = 0; round < 10; round++)
            for (int i = 0; i < 20; i++) {
                int length = snprintf(out, sizeof out, "client %d round %d", i, round);
                CHECK_EQ(send(fds[i], out, length, 0), length);
                CHECK_EQ(recv(fds[i], in, length, MSG_WAITALL), length);
                CHECK(!memcmp(in, out, length));
            }
        for (int i = 0; i < 20; i++) CHECK_OK(close(fds[i]));
    }
    int epoll = CHECK_OK(epoll_create1(0)), open = 0, accepted = 0;
    struct epoll_event event = {EPOLLIN, {.fd = listener}}, got[8];
    CHECK_OK(epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event));
    do {
        int count = CHECK_OK(epoll_wait(epoll, got, 8, 5000));
        CHECK(count > 0);
        for (int i = 0; i < count; i++) {
            int fd = got[i].data.fd;
            if (fd == listener) {
                fd = CHECK_OK(accept4(listener, NULL, NULL, SOCK_NONBLOCK));
                event = (struct epoll_event){EPOLLIN | EPOLLET, {.fd = fd}};
                CHECK_OK(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event));
                open++, accepted++;
                continue;
            }
            char block[64];
            ssize_t length;
            while ((length = recv(fd, block, sizeof block, 0)) > 0) CHECK_EQ(send(fd, block, length, 0), length);
            if (length == 0) {
                CHECK_OK(close(fd));
                open--;
            } else {
                CHECK_EQ(errno, EAGAIN);
            }
        }
    } while (open || accepted < 20);
    CHECK_EXIT(pid, 0);
    return 0;
}
