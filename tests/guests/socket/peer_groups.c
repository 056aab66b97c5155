// SO_PEERGROUPS: the supplementary groups of who is at the other end, as they were when it called; and getgroups(2), in order.
#include "net.h"
#include <grp.h>
#ifndef SO_PEERGROUPS
#define SO_PEERGROUPS 59
#endif

static gid_t got[8];

static int groups_of_peer(int fd, socklen_t room) {
    socklen_t length = room;
    int result = getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, got, &length);
    return result < 0 && errno != ERANGE ? -1 : (int)(length / sizeof *got);
}

static void pair_and_order(void) {
    int pair[2];
    CHECK_OK(setgroups(4, (gid_t[]){50, 30, 40, 30}));
    CHECK_EQ(getgroups(8, got), 4);
    CHECK(got[0] == 30 && got[1] == 30 && got[2] == 40 && got[3] == 50);
    CHECK_OK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
    CHECK_OK(setgroups(0, NULL));
    memset(got, 0, sizeof got);
    CHECK_EQ(groups_of_peer(pair[0], sizeof got), 4);
    CHECK(got[0] == 30 && got[1] == 30 && got[2] == 40 && got[3] == 50);
    // Who has too little room is told how much it takes.
    got[0] = 0;
    CHECK_EQ(groups_of_peer(pair[1], 8), 4);
    CHECK(errno == ERANGE && got[0] == 0);
}

static void listener_and_caller(void) {
    int listener = CHECK_OK(socket(AF_UNIX, SOCK_STREAM, 0)), caller = CHECK_OK(socket(AF_UNIX, SOCK_STREAM, 0));
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    socklen_t length = sizeof name;
    CHECK_OK(bind(listener, (void *)&name, sizeof(sa_family_t)));
    CHECK_OK(getsockname(listener, (void *)&name, &length));
    CHECK_ERRNO(groups_of_peer(caller, sizeof got), ENODATA);
    CHECK_OK(setgroups(1, (gid_t[]){7}));
    CHECK_OK(listen(listener, 1));
    CHECK_OK(setgroups(2, (gid_t[]){8, 9}));
    CHECK_OK(connect(caller, (void *)&name, length));
    CHECK_OK(setgroups(0, NULL));
    int accepted = CHECK_OK(accept(listener, NULL, NULL));
    CHECK_EQ(groups_of_peer(accepted, sizeof got), 2);
    CHECK(got[0] == 8 && got[1] == 9);
    CHECK_EQ(groups_of_peer(caller, sizeof got), 1);
    CHECK_EQ(got[0], 7);
}

int main(void) {
    CHECK_ERRNO(groups_of_peer(CHECK_OK(socket(AF_INET, SOCK_STREAM, 0)), sizeof got), ENODATA);
    if (setgroups(0, NULL) < 0) return 0;
    pair_and_order();
    listener_and_caller();
}
