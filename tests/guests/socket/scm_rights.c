// Descriptors sent over a unix socket: several at once, closed when not taken, cut when there is no room.
#include "net.h"

static void send_fds(int socket, const int *fds, int count) {
    char control[CMSG_SPACE(8 * sizeof(int))] = {0};
    struct iovec part = {"f", 1};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control,
                             .msg_controllen = CMSG_SPACE(count * sizeof(int))};
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    *header = (struct cmsghdr){CMSG_LEN(count * sizeof(int)), SOL_SOCKET, SCM_RIGHTS};
    memcpy(CMSG_DATA(header), fds, count * sizeof(int));
    CHECK_EQ(sendmsg(socket, &message, 0), 1);
}
static int receive_fds(int socket, int *fds, int room, int flags, int *told) {
    char control[CMSG_SPACE(8 * sizeof(int))], byte;
    struct iovec part = {&byte, 1};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control,
                             .msg_controllen = room ? CMSG_LEN(room * sizeof(int)) : 0};
    CHECK_EQ(recvmsg(socket, &message, flags), 1);
    *told = message.msg_flags;
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    if (!header) return 0;
    CHECK(header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS);
    int count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    memcpy(fds, CMSG_DATA(header), count * sizeof(int));
    return count;
}

int main(void) {
    int pair[2], pipes[2], fds[8], flags;
    CHECK_OK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
    CHECK_OK(pipe(pipes));
    pid_t pid;
    CHILD(pid) {
        CHECK_OK(close(pipes[0]));
        CHECK_OK(close(pipes[1]));
        CHECK_EQ(receive_fds(pair[1], fds, 2, MSG_CMSG_CLOEXEC, &flags), 2);
        CHECK_EQ(fcntl(fds[0], F_GETFD), FD_CLOEXEC);
        CHECK_EQ(write(fds[1], "through", 7), 7);
    }
    send_fds(pair[0], pipes, 2);
    char text[16];
    CHECK_EQ(read(pipes[0], text, 16), 7);
    CHECK_EXIT(pid, 0);
    // Room for one of two: the other is closed, and that is said.
    send_fds(pair[0], pipes, 2);
    CHECK_EQ(receive_fds(pair[1], fds, 1, 0, &flags), 1);
    CHECK(flags & MSG_CTRUNC);
    CHECK_OK(close(fds[0]));
    send_fds(pair[0], &pipes[1], 1);
    CHECK_EQ(receive_fds(pair[1], fds, 0, 0, &flags), 0);
    CHECK(flags & MSG_CTRUNC);
    // In flight it keeps the file open; thrown away with the socket it is closed.
    send_fds(pair[0], &pipes[1], 1);
    CHECK_OK(close(pipes[1]));
    CHECK_EQ(poll_one(pipes[0], POLLIN, 0), 0);
    CHECK_OK(close(pair[0]));
    CHECK_OK(close(pair[1]));
    WAIT_UNTIL(poll_one(pipes[0], POLLIN, 0) & POLLHUP);
    int bad = 0x7000;
    CHECK_OK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
    char control[CMSG_SPACE(sizeof(int))] = {0};
    struct iovec part = {"f", 1};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    *CMSG_FIRSTHDR(&message) = (struct cmsghdr){CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS};
    memcpy(CMSG_DATA(CMSG_FIRSTHDR(&message)), &bad, sizeof bad);
    CHECK_ERRNO(sendmsg(pair[0], &message, 0), EBADF);
    return 0;
}
