// Unix datagram sockets: bounds kept, senders' names, order, connected ones filter.
#include "net.h"

int main(void) {
    enter_tmp();
    int a = CHECK_OK(socket(AF_UNIX, SOCK_DGRAM, 0)), b = CHECK_OK(socket(AF_UNIX, SOCK_DGRAM, 0));
    struct sockaddr_un at_a = {.sun_family = AF_UNIX, .sun_path = "a"}, at_b = {.sun_family = AF_UNIX, .sun_path = "b"}, from;
    CHECK_OK(bind(a, (void *)&at_a, sizeof at_a));
    CHECK_OK(bind(b, (void *)&at_b, sizeof at_b));
    CHECK_EQ(sendto(b, "one", 3, 0, (void *)&at_a, sizeof at_a), 3);
    CHECK_EQ(sendto(b, "", 0, 0, (void *)&at_a, sizeof at_a), 0);
    CHECK_EQ(sendto(b, "three", 5, 0, (void *)&at_a, sizeof at_a), 5);
    char text[16];
    socklen_t length = sizeof from;
    CHECK_EQ(recvfrom(a, text, 16, 0, (void *)&from, &length), 3);
    CHECK_STR(from.sun_path, "b");
    CHECK_EQ(recv(a, text, 16, 0), 0);
    CHECK_EQ(recv(a, text, 2, MSG_TRUNC), 5);
    CHECK_ERRNO(recv(a, text, 16, MSG_DONTWAIT), EAGAIN);
    CHECK_OK(connect(a, (void *)&at_b, sizeof at_b));
    int c = CHECK_OK(socket(AF_UNIX, SOCK_DGRAM, 0));
    CHECK_ERRNO(sendto(c, "x", 1, 0, (void *)&at_a, sizeof at_a), EPERM);
    CHECK_EQ(send(a, "to b", 4, 0), 4);
    CHECK_EQ(recv(b, text, 16, 0), 4);
    CHECK_OK(close(b));
    CHECK_ERRNO(send(a, "x", 1, 0), ECONNREFUSED);
    // A receiver's queue is bounded.
    int pair[2];
    CHECK_OK(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, pair));
    int count = 0;
    while (send(pair[0], "x", 1, 0) == 1) count++;
    CHECK_EQ(errno, EAGAIN);
    CHECK(count > 0 && count < 100000);
    CHECK_EQ(poll_one(pair[0], POLLOUT, 0), 0);
    return 0;
}
