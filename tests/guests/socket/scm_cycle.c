// Sockets that are on their way to each other, and that nobody holds besides, let go of what they hold.
#include "net.h"

static void give(int over, int fd) {
    char control[CMSG_SPACE(sizeof fd)] = "";
    struct iovec vector = {"x", 1};
    struct msghdr m = {.msg_iov = &vector, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    *c = (struct cmsghdr){CMSG_LEN(sizeof fd), SOL_SOCKET, SCM_RIGHTS};
    memcpy(CMSG_DATA(c), &fd, sizeof fd);
    CHECK_EQ(sendmsg(over, &m, 0), 1);
}

// Closing any AF_UNIX socket makes Linux look for them.
static void stir(void) {
    int pair[2];
    CHECK_OK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
    CHECK_OK(close(pair[0]));
    CHECK_OK(close(pair[1]));
}

static bool ended(int fd) {
    stir();
    return poll_one(fd, POLLIN, 0) & POLLHUP;
}

int main(void) {
    for (int kind = SOCK_STREAM; kind <= SOCK_DGRAM; kind++) {
        int pair[2], pipes[2];
        CHECK_OK(socketpair(AF_UNIX, kind, 0, pair));
        CHECK_OK(pipe(pipes));
        give(pair[0], pair[1]);
        give(pair[1], pair[0]);
        give(pair[0], pipes[1]);
        CHECK_OK(close(pipes[1]));
        CHECK_OK(close(pair[0]));
        CHECK(!ended(pipes[0]));  // One end is held still.
        CHECK_OK(close(pair[1]));
        WAIT_UNTIL(ended(pipes[0]));
        CHECK_OK(close(pipes[0]));
    }
    // A listener that was sent to the client of one whom it has not accepted.
    int listener = CHECK_OK(socket(AF_UNIX, SOCK_STREAM, 0)), pipes[2];
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    socklen_t length = sizeof name;
    CHECK_OK(bind(listener, (void *)&name, sizeof(sa_family_t)));
    CHECK_OK(getsockname(listener, (void *)&name, &length));
    CHECK_OK(listen(listener, 3));
    int client = CHECK_OK(socket(AF_UNIX, SOCK_STREAM, 0));
    CHECK_OK(connect(client, (void *)&name, length));
    CHECK_OK(pipe(pipes));
    give(client, listener);
    give(client, pipes[1]);
    CHECK_OK(close(pipes[1]));
    CHECK_OK(close(client));
    CHECK(!ended(pipes[0]));
    CHECK_OK(close(listener));
    WAIT_UNTIL(ended(pipes[0]));
}
