// socket(7), SO_PEERCRED: who connected, and who called listen; and descriptors for them.
#include "net.h"
#include <sys/pidfd.h>
#ifndef SO_PASSPIDFD
#define SO_PASSPIDFD 76
#define SO_PEERPIDFD 77
#endif

static struct ucred peer(int fd) {
    struct ucred cred;
    socklen_t length = sizeof cred;
    CHECK_OK(getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &length));
    return cred;
}

int main(void) {
    int listener = CHECK_OK(socket(AF_UNIX, SOCK_STREAM, 0)), early = CHECK_OK(socket(AF_UNIX, SOCK_STREAM, 0));
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    CHECK_OK(bind(listener, (void *)&name, sizeof(sa_family_t)));  // Autobind.
    socklen_t length = sizeof name;
    CHECK_OK(getsockname(listener, (void *)&name, &length));
    CHECK(length == sizeof(sa_family_t) + 6 && name.sun_path[0] == 0);
    CHECK_EQ(peer(early).pid, 0);
    CHECK_EQ((int)peer(early).uid, -1);
    pid_t listens, connects;
    CHILD(listens) CHECK_OK(listen(listener, 3));
    CHECK_EXIT(listens, 0);
    // The socket was made here; who connects is the child.
    int ready[2];
    CHECK_OK(pipe(ready));
    CHILD(connects) {
        CHECK_OK(connect(early, (void *)&name, length));
        char byte;
        CHECK_EQ(read(ready[0], &byte, 1), 1);
    }
    int fd = CHECK_OK(accept(listener, NULL, NULL));
    CHECK_EQ(peer(fd).pid, connects);
    CHECK_EQ(peer(early).pid, listens);
    int pidfd = -1;
    length = sizeof pidfd;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERPIDFD, &pidfd, &length) == 0) {
        CHECK(fcntl(pidfd, F_GETFD) & FD_CLOEXEC);
        CHECK_OK(pidfd_send_signal(pidfd, 0, NULL, 0));
    } else {
        CHECK_EQ(errno, ENOPROTOOPT);  // Before Linux 6.5.
    }
    CHECK_EQ(write(ready[1], "x", 1), 1);
    CHECK_EXIT(connects, 0);
    int on = 1, pair[2];
    CHECK_OK(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair));
    if (setsockopt(pair[1], SOL_SOCKET, SO_PASSPIDFD, &on, sizeof on) == 0) {
        CHECK_EQ(send(pair[0], "x", 1, 0), 1);
        char control[64], byte;
        struct iovec vector = {&byte, 1};
        struct msghdr m = {.msg_iov = &vector, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
        CHECK_EQ(recvmsg(pair[1], &m, 0), 1);
        struct cmsghdr *c = CMSG_FIRSTHDR(&m);
        CHECK(c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == 4 && c->cmsg_len == CMSG_LEN(4));
        CHECK_OK(pidfd_send_signal(*(int *)CMSG_DATA(c), 0, NULL, 0));
    }
}
