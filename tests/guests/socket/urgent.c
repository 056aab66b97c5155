// One byte of urgent data: SIGURG, SIOCATMARK, MSG_OOB.
#include "net.h"
#include <linux/sockios.h>

static volatile int hits;
static void handler(int sig) { hits++; }

int main(void) {
    int pair[2];
    tcp_pair(pair);
    on_signal(SIGURG, handler, 0);
    CHECK_OK(fcntl(pair[1], F_SETOWN, getpid()));
    CHECK_EQ(send(pair[0], "ab", 2, 0), 2);
    int sent = send(pair[0], "!", 1, MSG_OOB);
    if (sent < 0) {
        CHECK_EQ(errno, EOPNOTSUPP);
        return 0;
    }
    CHECK_EQ(send(pair[0], "cd", 2, 0), 2);
    WAIT_UNTIL(hits == 1);
    CHECK(poll_one(pair[1], POLLPRI, 5000) & POLLPRI);
    char text[8] = {0};
    CHECK_EQ(recv(pair[1], text, 8, 0), 2);  // Up to the mark.
    CHECK_STR(text, "ab");
    int at_mark;
    CHECK_OK(ioctl(pair[1], SIOCATMARK, &at_mark));
    CHECK_EQ(at_mark, 1);
    CHECK_EQ(recv(pair[1], text, 1, MSG_OOB), 1);
    CHECK_EQ(text[0], '!');
    CHECK_EQ(recv(pair[1], text, 8, 0), 2);
    CHECK(!memcmp(text, "cd", 2));
    return 0;
}
