// What poll, epoll and select say of one descriptor in one state, against what Linux says.
#ifndef READINESS_H
#define READINESS_H
#include "net.h"
#include <sys/epoll.h>
#include <sys/select.h>

#define ALL_BITS \
    (EPOLLIN | EPOLLPRI | EPOLLOUT | EPOLLRDNORM | EPOLLRDBAND | EPOLLWRNORM | EPOLLWRBAND | EPOLLMSG | EPOLLRDHUP)

// Bits by their names: those of data, which go in pairs, by the first of the pair.
CHECK_API const char *bits_text(unsigned bits) {
    static char text[128];
    const struct { unsigned bit; const char *name; } names[] = {
        {EPOLLIN, "IN"}, {EPOLLPRI, "PRI"}, {EPOLLOUT, "OUT"}, {EPOLLERR, "ERR"}, {EPOLLHUP, "HUP"},
        {EPOLLRDBAND, "RDBAND"}, {EPOLLWRBAND, "WRBAND"}, {EPOLLRDHUP, "RDHUP"}};
    text[0] = 0;
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
        if (!(bits & names[i].bit)) continue;
        if (text[0]) strcat(text, " ");
        strcat(text, names[i].name);
    }
    if (!(bits & EPOLLIN) != !(bits & EPOLLRDNORM)) strcat(text, " rdnorm?");
    if (!(bits & EPOLLOUT) != !(bits & EPOLLWRNORM)) strcat(text, " wrnorm?");
    return text[0] ? text : "-";
}

CHECK_API unsigned epoll_bits(int epoll) {
    struct epoll_event event = {0};
    return CHECK_OK(epoll_wait(epoll, &event, 1, 0)) ? event.events : 0;
}

CHECK_API bool selected(int fd, int which) {
    fd_set sets[3];
    for (int i = 0; i < 3; i++) {
        FD_ZERO(&sets[i]);
        if (i == which) FD_SET(fd, &sets[i]);
    }
    struct timeval now = {0, 0};
    return CHECK_OK(select(fd + 1, &sets[0], &sets[1], &sets[2], &now)) == 1;
}

// In this state `fd` is ready for what `expected` says, to all that ask.
CHECK_API void see(const char *state, int fd, const char *expected) {
    unsigned bits = (unsigned short)poll_one(fd, ALL_BITS, 0);
    if (getenv("PRINT")) printf("%s: %s\n", state, bits_text(bits));
    else if (strcmp(bits_text(bits), expected)) FAIL("%s: %s, expected %s", state, bits_text(bits), expected);
    for (int edge = 0; edge < 2; edge++) {
        int epoll = CHECK_OK(epoll_create1(0));
        struct epoll_event event = {.events = ALL_BITS | (edge ? EPOLLET : 0)};
        CHECK_OK(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event));
        unsigned first = epoll_bits(epoll), second = epoll_bits(epoll);
        if (first != bits) FAIL("%s: epoll says %s", state, bits_text(first));
        if (second != (edge ? 0 : bits)) FAIL("%s: epoll says then %s", state, bits_text(second));
        CHECK_OK(close(epoll));
    }
    CHECK_EQ(selected(fd, 0), !!(bits & (POLLIN | POLLRDNORM | POLLRDBAND | POLLHUP | POLLERR)));
    CHECK_EQ(selected(fd, 1), !!(bits & (POLLOUT | POLLWRNORM | POLLWRBAND | POLLERR)));
    CHECK_EQ(selected(fd, 2), !!(bits & POLLPRI));
}
#endif
