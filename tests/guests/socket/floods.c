// Floods fill every queue and no more: senders are told, and what was taken is all there.
#include "net.h"

static char bytes[60000];

// How much a socket takes when nobody reads, at most `limit`.
static long flood(int fd, size_t size, long limit) {
    long total = 0;
    while (total < limit) {
        ssize_t sent = send(fd, bytes, size, MSG_DONTWAIT);
        if (sent < 0) {
            CHECK_EQ(errno, EAGAIN);
            return total;
        }
        total += sent;
    }
    FAIL("%ld bytes taken, and nobody reads", total);
}

static long drain(int fd) {
    long total = 0, got;
    while ((got = recv(fd, bytes, sizeof bytes, MSG_DONTWAIT)) > 0) total += got;
    return total;
}

int main(void) {
    int pair[2];
    const long most = 64 << 20;
    tcp_pair(pair);
    for (int i = 0; i < 3; i++) {
        long taken = flood(pair[0], sizeof bytes, most), got = 0;
        WAIT_UNTIL((got += drain(pair[1])) == taken);
    }
    const int kinds[] = {SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET};
    for (int i = 0; i < 3; i++) {
        CHECK_OK(socketpair(AF_UNIX, kinds[i], 0, pair));
        for (size_t size = 1; size <= 10000; size *= 100) {
            long taken = flood(pair[0], size, most);
            CHECK_EQ(drain(pair[1]), taken);
        }
    }
    // Datagrams that nobody reads are lost, and cost nothing.
    int to = bound(SOCK_DGRAM), from = connect_to(SOCK_DGRAM, port_of(to));
    for (int i = 0; i < 20000; i++) CHECK_EQ(send(from, bytes, 1000, 0), 1000);
    long got = drain(to);
    CHECK(got > 0 && got < 400000);
    // Errors that nobody reads, and descriptors on their way.
    int closed = bound(SOCK_DGRAM), on = 1;
    struct sockaddr_in nobody = loopback(port_of(closed));
    CHECK_OK(close(closed));
    from = bound(SOCK_DGRAM);
    CHECK_OK(setsockopt(from, IPPROTO_IP, IP_RECVERR, &on, sizeof on));
    for (int i = 0; i < 20000; i++) sendto(from, bytes, 1000, 0, (void *)&nobody, sizeof nobody);
    for (got = 0; recv(from, bytes, sizeof bytes, MSG_ERRQUEUE) >= 0;) got++;
    CHECK(got > 0 && got < 1000);
    CHECK_OK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
    char control[CMSG_SPACE(sizeof(int))] = "";
    struct iovec vector = {"x", 1};
    struct msghdr m = {.msg_iov = &vector, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    *CMSG_FIRSTHDR(&m) = (struct cmsghdr){CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS};
    for (got = 0; got < 100000 && sendmsg(pair[0], &m, MSG_DONTWAIT) == 1;) got++;
    CHECK(got < 100000);
    CHECK(errno == EAGAIN || errno == ETOOMANYREFS);
}
