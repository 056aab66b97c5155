// Datagrams from empty to the largest, cut ones, and one too large.
#include "hosts.h"

int main(void) {
    begin();
    static char buffer[70000];
    if (is_server) {
        int fd = bound_to(SOCK_DGRAM, 7132);
        meet();
        for (int i = 0; i < 5; i++) {
            struct iovec iov = {buffer, i == 3 ? 10 : sizeof buffer};
            struct msghdr message = {.msg_iov = &iov, .msg_iovlen = 1};
            ssize_t n = CHECK_OK(recvmsg(fd, &message, i == 3 ? MSG_TRUNC : 0));
            say("%zd%s", n, message.msg_flags & MSG_TRUNC ? " cut" : "");
        }
    } else {
        int fd = CHECK_OK(socket(AF_INET, SOCK_DGRAM, 0));
        struct sockaddr_in to = at("server", 7132);
        meet();
        for (int i = 0; i < 5; i++) {
            const size_t sizes[] = {0, 1, 1472, 5000, 65507};
            CHECK_EQ(sendto(fd, buffer, sizes[i], 0, (void *)&to, sizeof to), sizes[i]);
        }
        say("too large: %s", error_text(sendto(fd, buffer, 65508, 0, (void *)&to, sizeof to)));
    }
    meet();
    return 0;
}
