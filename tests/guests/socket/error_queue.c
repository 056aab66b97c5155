// ip(7), IP_RECVERR: what ICMP tells of a datagram waits in the error queue, with the datagram, and is an error of the
// socket until it has been read. Without it only who is connected is told.
#include "net.h"
#include <linux/errqueue.h>
#include <netinet/ip_icmp.h>

// Reads one report; the datagram's bytes go to `text`.
static struct sock_extended_err report(int fd, int level, int option, char *text, struct sockaddr_storage *offender,
                                       struct sockaddr_storage *to) {
    char control[512];
    struct iovec vector = {text, 100};
    struct msghdr message = {to, sizeof *to, &vector, 1, control, sizeof control, 0};
    ssize_t length = CHECK_OK(recvmsg(fd, &message, MSG_ERRQUEUE));
    text[length] = 0;
    CHECK(message.msg_flags & MSG_ERRQUEUE);
    for (struct cmsghdr *c = CMSG_FIRSTHDR(&message); c; c = CMSG_NXTHDR(&message, c)) {
        if (c->cmsg_level != level || c->cmsg_type != option) continue;
        struct sock_extended_err error;
        memcpy(&error, CMSG_DATA(c), sizeof error);
        memset(offender, 0, sizeof *offender);
        memcpy(offender, CMSG_DATA(c) + sizeof error, c->cmsg_len - CMSG_LEN(sizeof error));
        return error;
    }
    FAIL("no control message");
}

static void told_of_a_port(void) {
    int closed = bound(SOCK_DGRAM), port = port_of(closed);
    CHECK_OK(close(closed));
    struct sockaddr_in to = loopback(port);
    int fd = bound(SOCK_DGRAM), on = 1;
    CHECK_EQ(sendto(fd, "quiet", 5, 0, (void *)&to, sizeof to), 5);
    CHECK_EQ(socket_error(fd), 0);  // Not connected, and did not ask.
    CHECK_OK(setsockopt(fd, IPPROTO_IP, IP_RECVERR, &on, sizeof on));
    char text[128];
    CHECK_ERRNO(recv(fd, text, 1, MSG_ERRQUEUE), EAGAIN);  // Nobody waits for it, though the socket blocks.
    CHECK_EQ(sendto(fd, "first", 5, 0, (void *)&to, sizeof to), 5);
    CHECK_EQ(poll_one(fd, POLLIN, 5000), POLLERR);
    CHECK_ERRNO(sendto(fd, "second", 6, 0, (void *)&to, sizeof to), ECONNREFUSED);  // Told once, and cleared.
    CHECK_EQ(poll_one(fd, POLLIN, 0), POLLERR);                                      // The queue is there still.
    CHECK_EQ(sendto(fd, "third", 5, 0, (void *)&to, sizeof to), 5);
    struct sockaddr_storage offender, dest;
    struct sock_extended_err error = report(fd, IPPROTO_IP, IP_RECVERR, text, &offender, &dest);
    CHECK_STR(text, "first");
    CHECK_EQ(error.ee_errno, ECONNREFUSED);
    CHECK_EQ(error.ee_origin, SO_EE_ORIGIN_ICMP);
    CHECK_EQ(error.ee_type, ICMP_DEST_UNREACH);
    CHECK_EQ(error.ee_code, ICMP_PORT_UNREACH);
    CHECK_EQ(offender.ss_family, AF_INET);
    CHECK_EQ(((struct sockaddr_in *)&offender)->sin_addr.s_addr, htonl(INADDR_LOOPBACK));
    CHECK_EQ(((struct sockaddr_in *)&dest)->sin_port, htons(port));
    error = report(fd, IPPROTO_IP, IP_RECVERR, text, &offender, &dest);
    CHECK_STR(text, "third");
    CHECK_EQ(poll_one(fd, POLLIN, 0), 0);
    CHECK_EQ(socket_error(fd), 0);
    CHECK_ERRNO(recv(fd, text, 1, MSG_ERRQUEUE), EAGAIN);
    // Who does not want reports any more loses those that are there.
    CHECK_EQ(sendto(fd, "lost", 4, 0, (void *)&to, sizeof to), 4);
    on = 0;
    CHECK_OK(setsockopt(fd, IPPROTO_IP, IP_RECVERR, &on, sizeof on));
    CHECK_ERRNO(recv(fd, text, 1, MSG_ERRQUEUE), EAGAIN);
    CHECK_OK(close(fd));
}

static void told_of_a_port_by_the_newer_version(void) {
    int fd = CHECK_OK(socket(AF_INET6, SOCK_DGRAM, 0)), on = 1;
    struct sockaddr_in6 own = {.sin6_family = AF_INET6, .sin6_addr = in6addr_loopback};
    socklen_t length = sizeof own;
    CHECK_OK(bind(fd, (void *)&own, sizeof own));
    CHECK_OK(getsockname(fd, (void *)&own, &length));
    CHECK_OK(close(fd));
    fd = CHECK_OK(socket(AF_INET6, SOCK_DGRAM, 0));
    CHECK_OK(setsockopt(fd, IPPROTO_IPV6, IPV6_RECVERR, &on, sizeof on));
    CHECK_EQ(sendto(fd, "six", 3, 0, (void *)&own, sizeof own), 3);
    char text[128];
    struct sockaddr_storage offender, dest;
    CHECK_EQ(poll_one(fd, 0, 5000), POLLERR);
    struct sock_extended_err error = report(fd, IPPROTO_IPV6, IPV6_RECVERR, text, &offender, &dest);
    CHECK_STR(text, "six");
    CHECK_EQ(error.ee_errno, ECONNREFUSED);
    CHECK_EQ(error.ee_origin, SO_EE_ORIGIN_ICMP6);
    CHECK_EQ(error.ee_type, 1);
    CHECK_EQ(error.ee_code, 4);
    CHECK_EQ(((struct sockaddr_in6 *)&dest)->sin6_port, own.sin6_port);
    CHECK_EQ(((struct sockaddr_in6 *)&offender)->sin6_addr.s6_addr[15], 1);
    CHECK_OK(close(fd));
}

// Who forbids fragments is told by his own host what does not fit.
static void too_long(void) {
    int fd = connect_to(SOCK_DGRAM, port_of(bound(SOCK_DGRAM))), on = 1, discover = IP_PMTUDISC_DO;
    CHECK_OK(setsockopt(fd, IPPROTO_IP, IP_RECVERR, &on, sizeof on));
    CHECK_OK(setsockopt(fd, IPPROTO_IP, IP_MTU_DISCOVER, &discover, sizeof discover));
    static char long_one[65508];
    CHECK_ERRNO(send(fd, long_one, 65508, 0), EMSGSIZE);  // Longer than any datagram: no report of it.
    CHECK_EQ(send(fd, long_one, 60000, 0), 60000);
    char text[128];
    struct sockaddr_storage offender, dest;
    if (send(fd, long_one, 65507, 0) < 0) {
        CHECK_EQ(errno, EMSGSIZE);
        CHECK_EQ(poll_one(fd, 0, 0), POLLERR);
        struct sock_extended_err error = report(fd, IPPROTO_IP, IP_RECVERR, text, &offender, &dest);
        CHECK_EQ(error.ee_errno, EMSGSIZE);
        CHECK_EQ(error.ee_origin, SO_EE_ORIGIN_LOCAL);
    }
}

int main(void) {
    told_of_a_port();
    told_of_a_port_by_the_newer_version();
    too_long();
}
