// Random calls on AF_UNIX sockets of every kind, the same in every run: what each gives is folded into one number, which
// is that of Linux. With PRINT in the environment each call is shown, so that two lists can be compared.
#include "net.h"
#include <linux/sockios.h>

enum { SLOTS = 12, CALLS = 10000 };

static int fds[SLOTS];
static unsigned long long hash = 14695981039346656037ull, state;

static unsigned draw(unsigned below) {
    state ^= state << 13, state ^= state >> 7, state ^= state << 17;
    return (state >> 20) % below;
}

static void fold(long long value) {
    hash = (hash ^ (unsigned long long)value) * 1099511628211ull;
}

static struct sockaddr_un name_of(unsigned n, socklen_t *length) {
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    int text = sprintf(name.sun_path + 1, "fuzz-%d-%u", getpid(), n);
    *length = sizeof(sa_family_t) + 1 + text;
    return name;
}

static void open_one(unsigned slot) {
    static const int kinds[] = {SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET};
    if (fds[slot] >= 0) close(fds[slot]);
    fds[slot] = CHECK_OK(socket(AF_UNIX, kinds[draw(3)] | SOCK_NONBLOCK, 0));
}

static void open_pair(unsigned slot) {
    static const int kinds[] = {SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET};
    unsigned other = (slot + 1 + draw(SLOTS - 1)) % SLOTS;
    int pair[2];
    CHECK_OK(socketpair(AF_UNIX, kinds[draw(3)] | SOCK_NONBLOCK, 0, pair));
    if (fds[slot] >= 0) close(fds[slot]);
    if (fds[other] >= 0) close(fds[other]);
    fds[slot] = pair[0], fds[other] = pair[1];
}

// One call; what it gives is folded, and of data what came.
static void call(void) {
    static char bytes[8192];
    unsigned slot = draw(SLOTS);
    int fd = fds[slot];
    socklen_t length;
    struct sockaddr_un name = name_of(draw(6), &length);
    long result = 0, more = 0;
    struct pollfd ready = {-1, POLLIN | POLLOUT | POLLPRI | POLLRDHUP, 0};
    errno = 0;
    unsigned what = draw(16);
    switch (what) {
    case 0: open_one(slot); break;
    case 1: open_pair(slot); break;
    case 2: result = bind(fd, (void *)&name, length); break;
    case 3: result = listen(fd, draw(4)); break;
    case 4: case 5: result = connect(fd, (void *)&name, length); break;
    case 6: {
        int got = accept4(fd, NULL, NULL, SOCK_NONBLOCK);
        result = got < 0 ? -1 : 0;
        if (got >= 0) {
            unsigned to = draw(SLOTS);
            if (fds[to] >= 0) close(fds[to]);
            fds[to] = got;
        }
        break;
    }
    case 7: case 8: result = send(fd, bytes, draw(draw(4) ? 100 : 8192), MSG_NOSIGNAL); break;
    case 9: result = sendto(fd, bytes, draw(200), MSG_NOSIGNAL, (void *)&name, length); break;
    case 10: case 11: {
        result = recv(fd, bytes, draw(draw(4) ? 200 : 8192), draw(4) ? 0 : MSG_PEEK | (draw(2) ? MSG_TRUNC : 0));
        break;
    }
    case 12: result = shutdown(fd, draw(4)); break;
    case 13: {
        int value = 0;
        result = ioctl(fd, SIOCINQ, &value);
        more = value;
        break;
    }
    case 14: {
        struct sockaddr_un got;
        socklen_t room = sizeof got;
        result = getpeername(fd, (void *)&got, &room);
        more = result ? 0 : room > 2;
        break;
    }
    case 15: result = fd >= 0 ? socket_error(fd) : 0; break;
    }
    int error = result < 0 ? errno : 0;
    fold(result), fold(error), fold(more);
    if (fds[slot] >= 0) {
        ready.fd = fds[slot];
        CHECK_OK(poll(&ready, 1, 0));
    }
    fold(ready.revents);
    if (getenv("PRINT")) printf("%u: %u %ld %d %ld %x %llx\n", slot, what, result, error, more, ready.revents, hash);
}

int main(void) {
    for (int i = 0; i < SLOTS; i++) fds[i] = -1;
    for (unsigned seed = 1; seed <= 12; seed++) {
        state = seed * 0x9e3779b97f4a7c15ull;
        for (int i = 0; i < CALLS; i++) call();
    }
    const unsigned long long expected = 0x6b85e59f8c0d065c;
    if (hash != expected) FAIL("the results' hash is %#llx, expected %#llx", hash, expected);
}
