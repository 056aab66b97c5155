// A writer that is faster than the reader is held back, loses nothing, and is told when there is room.
#include "hosts.h"
#include <linux/sockios.h>

enum { TOTAL = 8 << 20 };

static unsigned char byte_at(long i) { return (unsigned char)(i * 31 + i / 251); }

int main(void) {
    begin();
    int fd = stream_between(7127);
    static unsigned char buffer[65536];
    if (is_server) {
        meet();
        let_arrive();
        long got = 0;
        for (ssize_t n; (n = CHECK_OK(recv(fd, buffer, sizeof buffer, 0))) > 0; got += n) {
            for (ssize_t i = 0; i < n; i++) CHECK_EQ(buffer[i], byte_at(got + i));
            if (got % (1 << 20) < 65536) sleep_ms(2);
        }
        say("got %ld", got);
    } else {
        CHECK_OK(fcntl(fd, F_SETFL, O_NONBLOCK));
        long sent = 0;
        int held_back = 0;
        while (sent < TOTAL) {
            for (size_t i = 0; i < sizeof buffer; i++) buffer[i] = byte_at(sent + i);
            size_t left = TOTAL - sent < (long)sizeof buffer ? TOTAL - sent : (long)sizeof buffer;
            ssize_t n = send(fd, buffer, left, MSG_NOSIGNAL);
            if (n > 0) {
                sent += n;
                continue;
            }
            CHECK_EQ(errno, EAGAIN);
            if (!held_back++) {
                say("held back, poll %s", poll_text(polled(fd, POLLOUT, 0)));
                meet();
            }
            CHECK(polled(fd, POLLOUT, 10000) & POLLOUT);
        }
        int left;
        WAIT_UNTIL((CHECK_OK(ioctl(fd, SIOCOUTQ, &left)), left == 0));
        say("sent %ld, all acknowledged", sent);
        CHECK_OK(close(fd));
    }
    meet();
    return 0;
}
