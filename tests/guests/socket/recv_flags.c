// MSG_PEEK, MSG_WAITALL, MSG_DONTWAIT, MSG_TRUNC, FIONREAD.
#include "net.h"

int main(void) {
    int pair[2];
    char text[16] = {0};
    tcp_pair(pair);
    CHECK_ERRNO(recv(pair[1], text, 1, MSG_DONTWAIT), EAGAIN);
    CHECK_EQ(send(pair[0], "abcdef", 6, 0), 6);
    CHECK(poll_one(pair[1], POLLIN, 5000) & POLLIN);
    CHECK_EQ(recv(pair[1], text, 4, MSG_PEEK), 4);
    CHECK_STR(text, "abcd");
    int waiting;
    CHECK_OK(ioctl(pair[1], FIONREAD, &waiting));
    CHECK_EQ(waiting, 6);
    CHECK_EQ(recv(pair[1], text, 2, 0), 2);
    CHECK_EQ(recv(pair[1], text, 16, MSG_PEEK), 4);
    pid_t pid;
    CHILD(pid) {
        sleep_ms(20);
        CHECK_EQ(send(pair[0], "ghij", 4, 0), 4);
    }
    CHECK_EQ(recv(pair[1], text, 8, MSG_WAITALL), 8);
    CHECK(!memcmp(text, "cdefghij", 8));
    CHECK_EXIT(pid, 0);
    CHECK_EQ(send(pair[0], "thrown", 6, 0), 6);
    CHECK(poll_one(pair[1], POLLIN, 5000) & POLLIN);
    CHECK_EQ(recv(pair[1], NULL, 6, MSG_TRUNC), 6);  // TCP throws them away uncopied.
    CHECK_ERRNO(recv(pair[1], text, 1, MSG_DONTWAIT), EAGAIN);

    int a = bound(SOCK_DGRAM), b = connect_to(SOCK_DGRAM, port_of(a));
    CHECK_EQ(send(b, "datagram", 8, 0), 8);
    CHECK_EQ(recv(a, text, 3, MSG_PEEK | MSG_TRUNC), 8);  // The true length.
    CHECK_OK(ioctl(a, FIONREAD, &waiting));
    CHECK_EQ(waiting, 8);
    CHECK_EQ(recv(a, text, 3, 0), 3);
    CHECK_ERRNO(recv(a, text, 3, MSG_DONTWAIT), EAGAIN);
    return 0;
}
