// Readiness of TCP sockets in every state that a program can bring about on one host.
#include "readiness.h"

static void fill(int fd) {
    static char bytes[65536];
    while (send(fd, bytes, sizeof bytes, MSG_DONTWAIT) > 0) {}
}

static void drain(int fd) {
    static char bytes[65536];
    while (recv(fd, bytes, sizeof bytes, MSG_DONTWAIT) > 0) {}
}

// A fresh pair whose ends are `a` and `b`.
#define PAIR int pair_[2]; tcp_pair(pair_); int a = pair_[0], b = pair_[1]
#define DONE close(a); close(b)

static void before_a_connection(void) {
    int fd = CHECK_OK(socket(AF_INET, SOCK_STREAM, 0));
    see("new", fd, "OUT HUP");
    struct sockaddr_in address = loopback(0);
    CHECK_OK(bind(fd, (void *)&address, sizeof address));
    see("bound", fd, "OUT HUP");
    CHECK_OK(listen(fd, 3));
    see("listening", fd, "-");
    int client = connect_to(SOCK_STREAM, port_of(fd));
    see("a connection waits", fd, "IN");
    see("connected, not accepted", client, "OUT");
    int server = CHECK_OK(accept(fd, NULL, NULL));
    see("accepted", fd, "-");
    see("connected", client, "OUT");
    see("accepted one", server, "OUT");
    CHECK_OK(shutdown(fd, SHUT_RD));
    see("listener shut", fd, "OUT HUP");
    int port = port_of(server);
    close(fd), close(client), close(server);
    (void)port;
}

static void refused(void) {
    int closed = bound(SOCK_STREAM), port = port_of(closed);
    close(closed);
    int fd = CHECK_OK(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
    struct sockaddr_in address = loopback(port);
    CHECK(connect(fd, (void *)&address, sizeof address) < 0);
    see("refused", fd, errno == EINPROGRESS ? "IN OUT ERR HUP RDHUP" : "OUT HUP");
    if (poll_one(fd, 0, 0) & POLLERR) {
        CHECK_EQ(socket_error(fd), ECONNREFUSED);
        see("refused and told", fd, "IN OUT HUP RDHUP");
    }
    close(fd);
}

static void half_closed(void) {
    {
        PAIR;
        CHECK_OK(shutdown(a, SHUT_WR));
        see("own end shut for writing", a, "OUT");
        see("other end shut for writing", b, "IN OUT RDHUP");
        CHECK_EQ(send(b, "x", 1, 0), 1);
        see("data for who has shut writing", a, "IN OUT");
        CHECK_OK(shutdown(b, SHUT_WR));
        see("both shut for writing", a, "IN OUT HUP RDHUP");
        see("both shut for writing, the other end", b, "IN OUT HUP RDHUP");
        drain(a);
        see("read to the end", a, "IN OUT HUP RDHUP");
        DONE;
    }
    {
        PAIR;
        CHECK_OK(shutdown(a, SHUT_RD));
        see("own end shut for reading", a, "IN OUT RDHUP");
        see("other end shut for reading", b, "OUT");
        CHECK_EQ(send(b, "x", 1, 0), 1);
        see("data for who has shut reading", a, "IN OUT RDHUP");
        DONE;
    }
    {
        PAIR;
        CHECK_OK(shutdown(a, SHUT_RDWR));
        see("own end shut", a, "IN OUT HUP RDHUP");
        see("other end shut", b, "IN OUT RDHUP");
        DONE;
    }
}

static void ends(void) {
    {
        PAIR;
        CHECK_EQ(send(a, "x", 1, 0), 1);
        see("data", b, "IN OUT");
        close(a);
        see("data and the end", b, "IN OUT RDHUP");
        drain(b);
        see("the end", b, "IN OUT RDHUP");
        CHECK_EQ(send(b, "x", 1, MSG_NOSIGNAL), 1);
        WAIT_UNTIL(poll_one(b, 0, 0) & POLLERR);
        see("sent into the void", b, "IN OUT ERR HUP RDHUP");
        CHECK_EQ(socket_error(b), EPIPE);
        see("sent into the void and told", b, "IN OUT HUP RDHUP");
        close(b);
    }
    {
        PAIR;
        struct linger hard = {1, 0};
        CHECK_OK(setsockopt(a, SOL_SOCKET, SO_LINGER, &hard, sizeof hard));
        close(a);
        see("reset", b, "IN OUT ERR HUP RDHUP");
        char byte;
        CHECK_ERRNO(recv(b, &byte, 1, 0), ECONNRESET);
        see("reset and told", b, "IN OUT HUP RDHUP");
        CHECK_EQ(recv(b, &byte, 1, 0), 0);
        close(b);
    }
    {
        PAIR;
        CHECK_EQ(send(b, "x", 1, 0), 1);
        close(a);  // With unread data: a reset.
        see("closed with unread data", b, "IN OUT ERR HUP RDHUP");
        close(b);
    }
}

static void full(void) {
    PAIR;
    fill(a);
    see("full", a, "-");
    see("full, the other end", b, "IN OUT");
    drain(b);
    WAIT_UNTIL(poll_one(a, POLLOUT, 0));
    see("drained", a, "OUT");
    fill(a);
    CHECK_OK(shutdown(a, SHUT_WR));
    see("full and shut for writing", a, "OUT");
    DONE;
}

static void urgent(void) {
    PAIR;
    CHECK_EQ(send(a, "u", 1, MSG_OOB), 1);
    see("urgent", b, "PRI OUT");
    CHECK_EQ(send(a, "x", 1, 0), 1);
    see("urgent and data", b, "IN PRI OUT");
    char byte;
    CHECK_EQ(recv(b, &byte, 1, MSG_OOB), 1);
    see("urgent taken", b, "IN OUT");
    DONE;
}

static void low_water(void) {
    PAIR;
    int low = 10;
    CHECK_OK(setsockopt(b, SOL_SOCKET, SO_RCVLOWAT, &low, sizeof low));
    CHECK_EQ(send(a, "123456789", 9, 0), 9);
    see("below the low water mark", b, "OUT");
    CHECK_EQ(send(a, "0", 1, 0), 1);
    see("at the low water mark", b, "IN OUT");
    DONE;
}

int main(void) {
    before_a_connection();
    refused();
    half_closed();
    ends();
    full();
    urgent();
    low_water();
}
