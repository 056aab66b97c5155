// A datagram to a port that nobody has: the ICMP error comes back to who can be told.
#include "hosts.h"
#include <linux/errqueue.h>

static void error_queue(int fd) {
    char data[32], control[512];
    struct iovec iov = {data, sizeof data};
    struct sockaddr_in to;
    struct msghdr message = {&to, sizeof to, &iov, 1, control, sizeof control, 0};
    ssize_t n = recvmsg(fd, &message, MSG_ERRQUEUE);
    say("error queue: %zd bytes, flags %s, for port %d", n, message.msg_flags & MSG_ERRQUEUE ? "ERRQUEUE" : "none",
        ntohs(to.sin_port));
    for (struct cmsghdr *c = CMSG_FIRSTHDR(&message); c; c = CMSG_NXTHDR(&message, c)) {
        if (c->cmsg_level != IPPROTO_IP || c->cmsg_type != IP_RECVERR) continue;
        struct sock_extended_err error;
        memcpy(&error, CMSG_DATA(c), sizeof error);
        struct sockaddr_in offender;
        memcpy(&offender, CMSG_DATA(c) + sizeof error, sizeof offender);
        say("%s from origin %d, type %d, code %d, of %s", strerrorname_np(error.ee_errno), error.ee_origin, error.ee_type,
            error.ee_code, text_of(offender.sin_addr));
    }
}

int main(void) {
    begin();
    if (!is_server) {
        struct sockaddr_in to = at("server", 7111);
        char byte;
        int connected = CHECK_OK(socket(AF_INET, SOCK_DGRAM, 0));
        CHECK_OK(connect(connected, (void *)&to, sizeof to));
        CHECK_EQ(send(connected, "x", 1, 0), 1);
        say("poll %s", poll_text(polled(connected, 0, 5000)));
        let_arrive();
        say("poll %s", poll_text(polled(connected, POLLIN | POLLOUT, 0)));
        say("recv: %s", error_text(recv(connected, &byte, 1, 0)));
        say("recv then: %s", error_text(recv(connected, &byte, 1, MSG_DONTWAIT)));
        int loose = CHECK_OK(socket(AF_INET, SOCK_DGRAM, 0));
        CHECK_EQ(sendto(loose, "x", 1, 0, (void *)&to, sizeof to), 1);
        let_arrive();
        say("unconnected recv: %s", error_text(recv(loose, &byte, 1, MSG_DONTWAIT)));
        option(loose, IPPROTO_IP, IP_RECVERR, 1);
        CHECK_EQ(sendto(loose, "hello", 5, 0, (void *)&to, sizeof to), 5);
        let_arrive();
        say("poll with IP_RECVERR %s", poll_text(polled(loose, POLLIN | POLLOUT, 0)));
        error_queue(loose);
        say("queue then: %s", error_text(recv(loose, &byte, 1, MSG_ERRQUEUE | MSG_DONTWAIT)));
    }
    meet();
    return 0;
}
