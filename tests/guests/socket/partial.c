// Non-blocking streams: short writes, partial reads, readiness by what is left, in an event loop of one's own.
#include "net.h"

int main(void) {
    int pair[2];
    tcp_pair(pair);
    CHECK_OK(fcntl(pair[0], F_SETFL, O_NONBLOCK));
    CHECK_OK(fcntl(pair[1], F_SETFL, O_NONBLOCK));
    const size_t size = 3 << 20;
    unsigned char *out = malloc(size), *in = malloc(size);
    for (size_t i = 0; i < size; i++) out[i] = i * 31 >> 8;
    size_t sent = 0, got = 0;
    while (got < size) {
        struct pollfd fds[2] = {{pair[0], sent < size ? POLLOUT : 0, 0}, {pair[1], POLLIN, 0}};
        CHECK(poll(fds, 2, 5000) > 0);
        if (fds[0].revents & POLLOUT) {
            ssize_t wrote = send(pair[0], out + sent, size - sent, 0);
            CHECK(wrote > 0 || errno == EAGAIN);
            if (wrote > 0) sent += wrote;
        }
        if (fds[1].revents & POLLIN) got += CHECK_OK(recv(pair[1], in + got, 50001 < size - got ? 50001 : size - got, 0));
    }
    CHECK(!memcmp(in, out, size));
    return 0;
}
