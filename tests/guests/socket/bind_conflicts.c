// Who may have a port besides whom: every pair of addresses and options, by the family, for datagrams, streams and
// listeners. Each digit is the outcome of the second bind (for listeners of its listen too): 1 is EADDRINUSE.
#include "net.h"

enum { REUSE_ADDRESS = 1, REUSE_PORT = 2 };

static const char *const addresses[] = {"0.0.0.0", "127.0.0.1", "127.0.0.2", "::", "::only", "::1", "::ffff:127.0.0.1"};
enum { ADDRESSES = sizeof addresses / sizeof *addresses };

static int make(int kind, const char *text, int port, int options, struct sockaddr_storage *address, socklen_t *length) {
    bool six = strchr(text, ':'), only = strcmp(text, "::only") == 0;
    int fd = CHECK_OK(socket(six ? AF_INET6 : AF_INET, kind, 0)), on = 1;
    if (only) CHECK_OK(setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on));
    if (options & REUSE_ADDRESS) CHECK_OK(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on));
    if (options & REUSE_PORT) CHECK_OK(setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on));
    memset(address, 0, sizeof *address);
    if (six) {
        struct sockaddr_in6 *a = (void *)address;
        *a = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = htons(port)};
        CHECK_EQ(inet_pton(AF_INET6, only ? "::" : text, &a->sin6_addr), 1);
        *length = sizeof *a;
    } else {
        struct sockaddr_in *a = (void *)address;
        *a = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(port)};
        CHECK_EQ(inet_pton(AF_INET, text, &a->sin_addr), 1);
        *length = sizeof *a;
    }
    return fd;
}

static int port_of_any(int fd) {
    struct sockaddr_storage address;
    socklen_t length = sizeof address;
    CHECK_OK(getsockname(fd, (void *)&address, &length));
    return ntohs(((struct sockaddr_in *)&address)->sin_port);  // At the same place in both families.
}

// The outcome of one pair.
static char outcome(int kind, bool listens, int first, int second, int options, int others) {
    struct sockaddr_storage address;
    socklen_t length;
    int a = make(kind, addresses[first], 0, options, &address, &length);
    CHECK_OK(bind(a, (void *)&address, length));
    if (listens) CHECK_OK(listen(a, 1));
    int b = make(kind, addresses[second], port_of_any(a), others, &address, &length);
    int failed = bind(b, (void *)&address, length);
    if (failed) CHECK_EQ(errno, EADDRINUSE);
    if (!failed && listens && listen(b, 1)) {
        CHECK_EQ(errno, EADDRINUSE);
        failed = 2;
    }
    close(a), close(b);
    return failed == 2 ? '2' : failed ? '1' : '0';
}

// What another socket keeps from whom, where their options do not agree: by the first's address, then the second's.
static const char *const taken[ADDRESSES] = {"1111001", "1101001", "1011000", "1111111", "0001110", "0001110", "1101001"};

static void table(int kind, bool listens, int options, int others) {
    bool agreed = options & others & REUSE_PORT || (options & others & REUSE_ADDRESS && !listens);
    for (int first = 0; first < ADDRESSES; first++) {
        char line[ADDRESSES + 1] = "";
        for (int second = 0; second < ADDRESSES; second++) line[second] = outcome(kind, listens, first, second, options, others);
        if (strcmp(line, agreed ? "0000000" : taken[first]))
            FAIL("kind %d listens %d options %d and %d, after %s: %s", kind, listens, options, others, addresses[first], line);
    }
}

int main(void) {
    for (int options = 0; options < 4; options++) {
        for (int others = 0; others < 4; others++) {
            table(SOCK_DGRAM, false, options, others);
            table(SOCK_STREAM, false, options, others);
            table(SOCK_STREAM, true, options, others);
        }
    }
}
