// SO_PEERCRED and SCM_CREDENTIALS: who is at the other end.
#include "net.h"

int main(void) {
    int pair[2];
    CHECK_OK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
    struct ucred peer;
    socklen_t length = sizeof peer;
    CHECK_OK(getsockopt(pair[0], SOL_SOCKET, SO_PEERCRED, &peer, &length));
    CHECK_EQ(peer.pid, getpid());
    CHECK_EQ(peer.uid, geteuid());
    CHECK_EQ(peer.gid, getegid());
    int on = 1;
    CHECK_OK(setsockopt(pair[1], SOL_SOCKET, SO_PASSCRED, &on, sizeof on));
    pid_t pid;
    CHILD(pid) CHECK_EQ(write(pair[0], "x", 1), 1);
    char byte, control[CMSG_SPACE(sizeof(struct ucred))];
    struct iovec part = {&byte, 1};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    CHECK_EQ(recvmsg(pair[1], &message, 0), 1);
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    CHECK(header && header->cmsg_type == SCM_CREDENTIALS);
    memcpy(&peer, CMSG_DATA(header), sizeof peer);
    CHECK_EQ(peer.pid, pid);
    CHECK_EQ(peer.uid, getuid());
    CHECK_EXIT(pid, 0);

    // By path: the listener's credentials for the client, the connecting process's for the server.
    enter_tmp();
    struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "s"};
    int listener = CHECK_OK(socket(AF_UNIX, SOCK_STREAM, 0));
    CHECK_OK(bind(listener, (void *)&address, sizeof address));
    CHECK_OK(listen(listener, 1));
    pid_t parent = getpid();
    CHILD(pid) {
        int fd = CHECK_OK(socket(AF_UNIX, SOCK_STREAM, 0));
        CHECK_OK(connect(fd, (void *)&address, sizeof address));
        CHECK_OK(getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length));
        CHECK_EQ(peer.pid, parent);
        CHECK_EQ(read(fd, &byte, 1), 1);
    }
    int server = CHECK_OK(accept(listener, NULL, NULL));
    CHECK_OK(getsockopt(server, SOL_SOCKET, SO_PEERCRED, &peer, &length));
    CHECK_EQ(peer.pid, pid);
    CHECK_EQ(write(server, "x", 1), 1);
    CHECK_EXIT(pid, 0);
    return 0;
}
