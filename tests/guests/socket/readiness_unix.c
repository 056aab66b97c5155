// Readiness of AF_UNIX sockets and of UDP: streams, datagrams, sequenced packets; full queues and peers that are gone.
#include "readiness.h"

static struct sockaddr_un name_of(int fd, socklen_t *length) {
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    CHECK_OK(bind(fd, (void *)&name, sizeof(sa_family_t)));
    *length = sizeof name;
    CHECK_OK(getsockname(fd, (void *)&name, length));
    return name;
}

static void fill(int fd) {
    static char bytes[4096];
    while (send(fd, bytes, sizeof bytes, MSG_DONTWAIT) > 0) {}
}

static void drain(int fd) {
    static char bytes[65536];
    while (recv(fd, bytes, sizeof bytes, MSG_DONTWAIT) > 0) {}
}

static void pairs(int kind, const char *kind_name, const char *const *expected) {
    char state[100];
    int at = 0;
#define SEE(what, fd) snprintf(state, sizeof state, "%s: %s", kind_name, what), see(state, fd, expected[at++])
    int pair[2];
    CHECK_OK(socketpair(AF_UNIX, kind, 0, pair));
    SEE("pair", pair[0]);
    CHECK_EQ(send(pair[0], "x", 1, 0), 1);
    SEE("data", pair[1]);
    drain(pair[1]);
    fill(pair[0]);
    SEE("full", pair[0]);
    SEE("full, the other end", pair[1]);
    char bytes[4096];
    CHECK(recv(pair[1], bytes, sizeof bytes, 0) > 0);
    SEE("one taken", pair[0]);
    drain(pair[1]);
    SEE("drained", pair[0]);
    CHECK_OK(shutdown(pair[0], SHUT_WR));
    SEE("shut for writing", pair[0]);
    SEE("shut for writing, the other end", pair[1]);
    CHECK_OK(shutdown(pair[0], SHUT_RD));
    SEE("shut", pair[0]);
    SEE("shut, the other end", pair[1]);
    close(pair[0]);
    SEE("peer closed", pair[1]);
    close(pair[1]);
    CHECK_OK(socketpair(AF_UNIX, kind, 0, pair));
    CHECK_OK(shutdown(pair[0], SHUT_RD));
    SEE("shut for reading", pair[0]);
    SEE("shut for reading, the other end", pair[1]);
    CHECK_EQ(send(pair[0], "x", 1, 0), 1);
    close(pair[1]);
    SEE("closed with unread data", pair[0]);
    close(pair[0]);
    CHECK_OK(socketpair(AF_UNIX, kind, 0, pair));
    CHECK_EQ(send(pair[0], "x", 1, 0), 1);
    close(pair[0]);
    SEE("data and the end", pair[1]);
    close(pair[1]);
}

static void listeners(int kind, const char *kind_name) {
    char state[100];
    int fd = CHECK_OK(socket(AF_UNIX, kind, 0)), client = CHECK_OK(socket(AF_UNIX, kind, 0));
    socklen_t length;
    snprintf(state, sizeof state, "%s: new", kind_name);
    see(state, fd, "OUT HUP WRBAND");
    struct sockaddr_un name = name_of(fd, &length);
    CHECK_OK(listen(fd, 1));
    snprintf(state, sizeof state, "%s: listening", kind_name);
    see(state, fd, "-");
    CHECK_OK(connect(client, (void *)&name, length));
    snprintf(state, sizeof state, "%s: a connection waits", kind_name);
    see(state, fd, "IN");
    snprintf(state, sizeof state, "%s: not accepted", kind_name);
    see(state, client, "OUT WRBAND");
    close(fd);
    snprintf(state, sizeof state, "%s: never accepted", kind_name);
    see(state, client, "IN OUT ERR HUP WRBAND RDHUP");
    CHECK_EQ(socket_error(client), ECONNRESET);
    close(client);
}

static void datagrams(void) {
    int to = CHECK_OK(socket(AF_UNIX, SOCK_DGRAM, 0)), from = CHECK_OK(socket(AF_UNIX, SOCK_DGRAM, 0));
    socklen_t length;
    see("datagram: new", to, "OUT WRBAND");
    struct sockaddr_un name = name_of(to, &length);
    CHECK_OK(connect(from, (void *)&name, length));
    see("datagram: connected", from, "OUT WRBAND");
    fill(from);
    see("datagram: the receiver is full", from, "-");
    see("datagram: full", to, "IN OUT WRBAND");
    drain(to);
    see("datagram: drained", from, "OUT WRBAND");
    close(to);
    see("datagram: the receiver is gone", from, "OUT WRBAND");
    CHECK_ERRNO(send(from, "x", 1, 0), ECONNREFUSED);
    see("datagram: and was missed", from, "OUT WRBAND");
    close(from);
}

static void udp(void) {
    int fd = CHECK_OK(socket(AF_INET, SOCK_DGRAM, 0));
    see("udp: new", fd, "OUT WRBAND");
    int to = bound(SOCK_DGRAM), from = connect_to(SOCK_DGRAM, port_of(to));
    CHECK_EQ(send(from, "", 0, 0), 0);
    see("udp: an empty message", to, "IN OUT WRBAND");
    CHECK_OK(shutdown(from, SHUT_WR));
    see("udp: shut for writing", from, "OUT WRBAND");
    CHECK_OK(shutdown(from, SHUT_RD));
    see("udp: shut", from, "IN OUT HUP WRBAND RDHUP");
    close(from);
    from = connect_to(SOCK_DGRAM, port_of(to));
    close(to);
    CHECK_EQ(send(from, "x", 1, 0), 1);
    see("udp: refused", from, "OUT ERR WRBAND");
    CHECK_EQ(socket_error(from), ECONNREFUSED);
    see("udp: refused and told", from, "OUT WRBAND");
    close(from), close(fd);
}

int main(void) {
    const char *const connected[] = {
        "OUT WRBAND",                          // pair
        "IN OUT WRBAND",                       // data
        "-",                                   // full
        "IN OUT WRBAND",                       // full, the other end
        "-",                                   // one taken
        "OUT WRBAND",                          // drained
        "OUT WRBAND",                          // shut for writing
        "IN OUT WRBAND RDHUP",                 // shut for writing, the other end
        "IN OUT HUP WRBAND RDHUP",             // shut
        "IN OUT HUP WRBAND RDHUP",             // shut, the other end
        "IN OUT HUP WRBAND RDHUP",             // peer closed
        "IN OUT WRBAND RDHUP",                 // shut for reading
        "OUT WRBAND",                          // shut for reading, the other end
        "IN OUT ERR HUP WRBAND RDHUP",         // closed with unread data
        "IN OUT HUP WRBAND RDHUP",             // data and the end
    };
    const char *const datagrams_say[] = {
        "OUT WRBAND",                          // pair
        "IN OUT WRBAND",                       // data
        "-",                                   // full
        "IN OUT WRBAND",                       // full, the other end
        "-",                                   // one taken
        "OUT WRBAND",                          // drained
        "OUT WRBAND",                          // shut for writing
        "OUT WRBAND",                          // shut for writing, the other end
        "IN OUT HUP WRBAND RDHUP",             // shut
        "OUT WRBAND",                          // shut, the other end
        "OUT WRBAND",                          // peer closed
        "IN OUT WRBAND RDHUP",                 // shut for reading
        "OUT WRBAND",                          // shut for reading, the other end
        "IN OUT WRBAND RDHUP",                 // closed with unread data
        "IN OUT WRBAND",                       // data and the end
    };
    pairs(SOCK_STREAM, "stream", connected);
    pairs(SOCK_SEQPACKET, "seqpacket", connected);
    pairs(SOCK_DGRAM, "datagram", datagrams_say);
    listeners(SOCK_STREAM, "stream");
    listeners(SOCK_SEQPACKET, "seqpacket");
    datagrams();
    udp();
}
