// What is held back (TCP_CORK, MSG_MORE) and when it goes; what has not been sent (SIOCOUTQNSD); data before a connection is
// accepted (TCP_DEFER_ACCEPT) or even made (MSG_FASTOPEN).
#include "net.h"
#include <linux/sockios.h>

static void set(int fd, int option, int value) { CHECK_OK(setsockopt(fd, IPPROTO_TCP, option, &value, sizeof value)); }

static int get(int fd, int option) {
    int value = -1;
    socklen_t length = sizeof value;
    CHECK_OK(getsockopt(fd, IPPROTO_TCP, option, &value, &length));
    return value;
}

static int unsent(int fd) {
    int value = -1;
    CHECK_OK(ioctl(fd, SIOCOUTQNSD, &value));
    return value;
}

static void expect(int fd, const char *text) {
    char got[64] = {0};
    CHECK_EQ(poll_one(fd, POLLIN, 5000), POLLIN);
    CHECK_EQ(recv(fd, got, sizeof got - 1, 0), strlen(text));
    CHECK_STR(got, text);
}

static void corked(void) {
    int pair[2];
    tcp_pair(pair);
    set(pair[0], TCP_CORK, 1);
    CHECK_EQ(send(pair[0], "corked", 6, 0), 6);
    CHECK_EQ(unsent(pair[0]), 6);
    CHECK_EQ(poll_one(pair[1], POLLIN, 100), 0);
    // The cork holds for 200 ms and a little.
    expect(pair[1], "corked");
    CHECK_EQ(unsent(pair[0]), 0);
    CHECK_EQ(send(pair[0], "one ", 4, 0), 4);
    CHECK_EQ(send(pair[0], "two", 3, 0), 3);
    CHECK_EQ(poll_one(pair[1], POLLIN, 50), 0);
    set(pair[0], TCP_CORK, 0);
    expect(pair[1], "one two");
    // What is more than a segment goes all the same.
    set(pair[0], TCP_CORK, 1);
    static char block[200000], in[200000];
    CHECK_EQ(send(pair[0], block, sizeof block, 0), sizeof block);
    CHECK_EQ(poll_one(pair[1], POLLIN, 100), POLLIN);
    CHECK_OK(shutdown(pair[0], SHUT_WR));
    CHECK_EQ(recv(pair[1], in, sizeof in, MSG_WAITALL), sizeof in);
    CHECK_EQ(recv(pair[1], in, 1, 0), 0);
}

static void more(void) {
    int pair[2];
    tcp_pair(pair);
    CHECK_EQ(send(pair[0], "head ", 5, MSG_MORE), 5);
    CHECK_EQ(poll_one(pair[1], POLLIN, 50), 0);
    CHECK_EQ(unsent(pair[0]), 5);
    CHECK_EQ(send(pair[0], "body", 4, 0), 4);
    expect(pair[1], "head body");
    CHECK_EQ(send(pair[0], "last", 4, MSG_MORE), 4);
    CHECK_OK(close(pair[0]));
    expect(pair[1], "last");
}

static void deferred(void) {
    int fd = CHECK_OK(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
    const int rounded[][2] = {{0, 0}, {1, 1}, {2, 3}, {3, 3}, {4, 7}, {-1, 0}};
    for (size_t i = 0; i < sizeof rounded / sizeof *rounded; i++) {
        set(fd, TCP_DEFER_ACCEPT, rounded[i][0]);
        CHECK_EQ(get(fd, TCP_DEFER_ACCEPT), rounded[i][1]);
    }
    set(fd, TCP_DEFER_ACCEPT, 5);
    struct sockaddr_in address = loopback(0);
    CHECK_OK(bind(fd, (void *)&address, sizeof address));
    CHECK_OK(listen(fd, 5));
    int client = connect_to(SOCK_STREAM, port_of(fd));
    CHECK_EQ(poll_one(fd, POLLIN, 50), 0);
    CHECK_ERRNO(accept(fd, NULL, NULL), EAGAIN);
    CHECK_EQ(send(client, "now", 3, 0), 3);
    CHECK_EQ(poll_one(fd, POLLIN, 5000), POLLIN);
    expect(CHECK_OK(accept(fd, NULL, NULL)), "now");
}

static void opened_by_sending(void) {
    int listener = listening();
    struct sockaddr_in address = loopback(port_of(listener));
    int fd = CHECK_OK(socket(AF_INET, SOCK_STREAM, 0));
    CHECK_EQ(sendto(fd, "first", 5, MSG_FASTOPEN, (void *)&address, sizeof address), 5);
    int accepted = CHECK_OK(accept(listener, NULL, NULL));
    expect(accepted, "first");
    fd = CHECK_OK(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
    CHECK_ERRNO(sendto(fd, "first", 5, MSG_FASTOPEN, (void *)&address, sizeof address), EINPROGRESS);
    CHECK_EQ(poll_one(fd, POLLOUT, 5000), POLLOUT);
    CHECK_EQ(send(fd, "second", 6, 0), 6);
    expect(CHECK_OK(accept(listener, NULL, NULL)), "second");
    CHECK_ERRNO(setsockopt(accepted, IPPROTO_TCP, TCP_FASTOPEN, &(int){5}, sizeof(int)), EINVAL);
}

int main(void) {
    corked();
    more();
    deferred();
    opened_by_sending();
    return 0;
}
