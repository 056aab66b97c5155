// TCP_NOTSENT_LOWAT: who has so much waiting that has not been sent can write no more, and is told when half of it is left.
#include "check.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#ifndef SIOCOUTQNSD
#define SIOCOUTQNSD 0x894B
#endif

static int unsent(int fd) {
    int n = -1;
    CHECK_OK(ioctl(fd, SIOCOUTQNSD, &n));
    return n;
}

int main(void) {
    struct sockaddr_in addr = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof addr;
    int listener, client, server, low = 16384, got;
    CHECK((listener = socket(AF_INET, SOCK_STREAM, 0)) >= 0);
    CHECK_OK(bind(listener, (struct sockaddr *)&addr, sizeof addr));
    CHECK_OK(listen(listener, 1));
    CHECK_OK(getsockname(listener, (struct sockaddr *)&addr, &len));
    CHECK((client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) >= 0);
    CHECK_OK(setsockopt(client, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &low, sizeof low));
    len = sizeof got;
    CHECK_OK(getsockopt(client, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &got, &len));
    CHECK_EQ(got, low);
    CHECK_OK(connect(client, (struct sockaddr *)&addr, sizeof addr));
    CHECK((server = accept(listener, NULL, NULL)) >= 0);

    static char buf[65536];
    struct pollfd p = {.fd = client, .events = POLLOUT};
    CHECK_EQ(poll(&p, 1, 0), 1);
    long sent = 0, n;
    while ((n = send(client, buf, 4096, MSG_DONTWAIT)) > 0) sent += n;
    CHECK_EQ(errno, EAGAIN);
    CHECK(unsent(client) >= low);
    CHECK(unsent(client) < low + 2 * 65536);
    CHECK_EQ(poll(&p, 1, 0), 0);

    // Reading makes room by and by; when poll says so, less than half of it is left.
    long seen = 0;
    while (poll(&p, 1, 0) == 0) {
        n = recv(server, buf, sizeof buf, MSG_DONTWAIT);
        if (n > 0) seen += n;
        else poll(&p, 1, 10);
    }
    CHECK(seen > 0 && seen < sent);
    CHECK(unsent(client) * 2 < low);
    CHECK((n = send(client, buf, 100, MSG_DONTWAIT)) == 100);
    sent += n;
    CHECK_OK(shutdown(client, SHUT_WR));
    while ((n = recv(server, buf, sizeof buf, 0)) > 0) seen += n;
    CHECK_EQ(seen, sent);
    return 0;
}
