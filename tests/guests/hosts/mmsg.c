// Many datagrams by one call each way: lengths, order, sources.
#include "hosts.h"

enum { COUNT = 8 };

int main(void) {
    begin();
    char data[COUNT][64];
    struct iovec iov[COUNT];
    struct mmsghdr messages[COUNT];
    struct sockaddr_in from[COUNT];
    memset(messages, 0, sizeof messages);
    for (int i = 0; i < COUNT; i++) {
        iov[i] = (struct iovec){data[i], sizeof data[i]};
        messages[i].msg_hdr.msg_iov = &iov[i];
        messages[i].msg_hdr.msg_iovlen = 1;
    }
    if (is_server) {
        int fd = bound_to(SOCK_DGRAM, 7126);
        meet();
        meet();
        let_arrive();
        for (int i = 0; i < COUNT; i++) {
            messages[i].msg_hdr.msg_name = &from[i];
            messages[i].msg_hdr.msg_namelen = sizeof from[i];
        }
        iov[5].iov_len = 2;
        int n = CHECK_OK(recvmmsg(fd, messages, COUNT, MSG_DONTWAIT, NULL));
        say("got %d", n);
        for (int i = 0; i < n; i++)
            say("%u %.*s%s%s", messages[i].msg_len, (int)messages[i].msg_len, data[i],
                messages[i].msg_hdr.msg_flags & MSG_TRUNC ? " cut" : "",
                from[i].sin_addr.s_addr == address_of("client").s_addr ? "" : " of another");
        say("then: %s", error_text(recvmmsg(fd, messages, COUNT, MSG_DONTWAIT, NULL)));
    } else {
        int fd = CHECK_OK(socket(AF_INET, SOCK_DGRAM, 0));
        struct sockaddr_in to = at("server", 7126);
        for (int i = 0; i < COUNT; i++) {
            iov[i].iov_len = snprintf(data[i], sizeof data[i], "%.*s", i, "datagram");
            messages[i].msg_hdr.msg_name = &to;
            messages[i].msg_hdr.msg_namelen = sizeof to;
        }
        meet();
        say("sent %d", CHECK_OK(sendmmsg(fd, messages, COUNT, 0)));
        for (int i = 0; i < COUNT; i++) CHECK_EQ(messages[i].msg_len, i);
        meet();
    }
    meet();
    return 0;
}
