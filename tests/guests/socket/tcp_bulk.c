// Megabytes both ways at once through TCP, in odd pieces.
#include "net.h"

static const size_t size = 2 << 20;
static unsigned char pattern(size_t at, int seed) { return (at * 2654435761u >> 13) + seed; }

static void *sender(void *fd) {
    unsigned char block[9999];
    size_t at = 0;
    while (at < size) {
        size_t part = size - at < sizeof block ? size - at : sizeof block;
        for (size_t i = 0; i < part; i++) block[i] = pattern(at + i, *(int *)fd % 2);
        ssize_t sent = CHECK_OK(send(*(int *)fd, block, part, 0));
        at += sent;
    }
    CHECK_OK(shutdown(*(int *)fd, SHUT_WR));
    return NULL;
}

int main(void) {
    int pair[2];
    tcp_pair(pair);
    CHECK_EQ(dup2(pair[0], 100), 100);
    CHECK_EQ(dup2(pair[1], 101), 101);
    int fds[2] = {100, 101};
    pthread_t a = thread_start(sender, &fds[0]), b = thread_start(sender, &fds[1]);
    size_t at[2] = {0, 0};
    bool ended[2] = {0};
    unsigned char block[12345];
    while (!ended[0] || !ended[1]) {
        for (int i = 0; i < 2; i++) {
            if (ended[i] || !poll_one(fds[i], POLLIN, 1)) continue;
            ssize_t got = CHECK_OK(recv(fds[i], block, sizeof block, 0));
            for (ssize_t k = 0; k < got; k++) CHECK_EQ(block[k], pattern(at[i] + k, !i) & 0xff);
            at[i] += got;
            ended[i] = got == 0;
        }
    }
    CHECK(at[0] == size && at[1] == size);
    thread_join(a);
    thread_join(b);
    return 0;
}
