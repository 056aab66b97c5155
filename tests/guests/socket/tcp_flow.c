// A sender without a reader stops at full buffers and goes on when there is room.
#include "net.h"

int main(void) {
    int pair[2];
    tcp_pair(pair);
    CHECK_OK(fcntl(pair[0], F_SETFL, O_NONBLOCK));
    char block[16384] = {0};
    long long sent = 0;
    ssize_t got;
    // Full twice in a row, with time in between for the other end to take more.
    for (int full = 0; full < 2;) {
        got = send(pair[0], block, sizeof block, 0);
        if (got > 0) {
            sent += got;
            full = 0;
        } else {
            CHECK_EQ(errno, EAGAIN);
            full++;
            sleep_ms(20);
        }
        CHECK(sent < 100 << 20);
    }
    CHECK(sent > 10000);
    CHECK_EQ(poll_one(pair[0], POLLOUT, 0), 0);
    long long received = 0;
    while (received < sent) received += CHECK_OK(recv(pair[1], block, sizeof block, 0));
    CHECK_EQ(received, sent);
    CHECK_EQ(poll_one(pair[0], POLLOUT, 5000), POLLOUT);
    return 0;
}
