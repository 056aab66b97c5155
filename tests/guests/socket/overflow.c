// socket(7), SO_RXQ_OVFL: a message tells how many before it found the queue full.
#include "net.h"

int main(void) {
    int to = bound(SOCK_DGRAM), from = connect_to(SOCK_DGRAM, port_of(to)), on = 1, small = 1;
    CHECK_OK(setsockopt(to, SOL_SOCKET, SO_RXQ_OVFL, &on, sizeof on));
    CHECK_OK(setsockopt(to, SOL_SOCKET, SO_RCVBUF, &small, sizeof small));
    char bytes[1000] = "", control[64];
    for (int i = 0; i < 50; i++) CHECK_EQ(send(from, bytes, sizeof bytes, 0), 1000);
    int got = 0;
    while (recv(to, bytes, sizeof bytes, MSG_DONTWAIT) > 0) got++;
    CHECK(got > 0 && got < 10);
    CHECK_EQ(send(from, bytes, 10, 0), 10);
    struct iovec vector = {bytes, sizeof bytes};
    struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    CHECK_EQ(recvmsg(to, &message, 0), 10);
    struct cmsghdr *c = CMSG_FIRSTHDR(&message);
    CHECK(c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SO_RXQ_OVFL);
    CHECK_EQ(*(unsigned *)CMSG_DATA(c), 50 - got);
    unsigned memory[9];
    socklen_t length = sizeof memory;
    CHECK_OK(getsockopt(to, SOL_SOCKET, SO_MEMINFO, memory, &length));
    CHECK_EQ(length, 36);
    CHECK_EQ(memory[8], 50 - got);
}
