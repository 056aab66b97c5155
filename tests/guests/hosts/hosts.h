// Two hosts, `server` and `client`, that run one program: each knows its part by its host name. What both print is compared
// between the layouts, so only what Linux fixes is printed.
#ifndef HOSTS_H
#define HOSTS_H
#include "check.h"
#include <arpa/inet.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>

static bool is_server;
static int meet_fd = -1;

__attribute__((format(printf, 1, 2)))
CHECK_API void say(const char *format, ...) {
    va_list args;
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    putchar('\n');
    fflush(stdout);
}

CHECK_API struct in_addr address_of(const char *name) {
    struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM}, *found = NULL;
    int error = getaddrinfo(name, NULL, &hints, &found);
    if (error) FAIL("getaddrinfo(%s): %s", name, gai_strerror(error));
    struct in_addr address = ((struct sockaddr_in *)found->ai_addr)->sin_addr;
    freeaddrinfo(found);
    return address;
}

CHECK_API struct sockaddr_in at(const char *name, int port) {
    return (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = address_of(name)};
}

CHECK_API const char *text_of(struct in_addr address) {
    static char text[4][INET_ADDRSTRLEN];
    static int next;
    char *into = text[next++ % 4];
    CHECK(inet_ntop(AF_INET, &address, into, INET_ADDRSTRLEN));
    return into;
}

CHECK_API void option(int fd, int level, int name, int value) {
    CHECK_OK(setsockopt(fd, level, name, &value, sizeof value));
}

CHECK_API int option_of(int fd, int level, int name) {
    int value = -1;
    socklen_t length = sizeof value;
    CHECK_OK(getsockopt(fd, level, name, &value, &length));
    return value;
}

CHECK_API int bound_to(int kind, int port) {
    int fd = CHECK_OK(socket(AF_INET, kind, 0));
    option(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    struct sockaddr_in any = {.sin_family = AF_INET, .sin_port = htons(port)};
    CHECK_OK(bind(fd, (void *)&any, sizeof any));
    return fd;
}

CHECK_API int listening_at(int port, int backlog) {
    int fd = bound_to(SOCK_STREAM, port);
    CHECK_OK(listen(fd, backlog));
    return fd;
}

// Connects when the other side is ready to take it.
CHECK_API int connected_to(const char *name, int port) {
    struct sockaddr_in to = at(name, port);
    for (int tries = 0;; tries++) {
        int fd = CHECK_OK(socket(AF_INET, SOCK_STREAM, 0));
        if (connect(fd, (void *)&to, sizeof to) == 0) return fd;
        if (tries > 2000) FAIL("connect to %s:%d: errno %d: %s", name, port, errno, strerror(errno));
        CHECK_OK(close(fd));
        sleep_ms(5);
    }
}

// Both parts have come here.
CHECK_API void meet(void) {
    char byte = 'm';
    CHECK_EQ(send(meet_fd, &byte, 1, MSG_NOSIGNAL), 1);
    CHECK_EQ(recv(meet_fd, &byte, 1, 0), 1);
}

// A number for the other part.
CHECK_API void tell(int value) { CHECK_EQ(send(meet_fd, &value, sizeof value, MSG_NOSIGNAL), sizeof value); }

CHECK_API int hear(void) {
    int value;
    CHECK_EQ(recv(meet_fd, &value, sizeof value, MSG_WAITALL), sizeof value);
    return value;
}

CHECK_API void begin(void) {
    char name[65];
    CHECK_OK(gethostname(name, sizeof name));
    is_server = !strcmp(name, "server");
    CHECK(is_server || !strcmp(name, "client"));
    if (is_server) {
        int listener = listening_at(7000, 1);
        meet_fd = CHECK_OK(accept(listener, NULL, NULL));
        CHECK_OK(close(listener));
    } else {
        meet_fd = connected_to("server", 7000);
    }
    option(meet_fd, IPPROTO_TCP, TCP_NODELAY, 1);
    meet();
}

// One TCP connection between the hosts: each part gets its end.
CHECK_API int stream_between(int port) {
    if (!is_server) {
        meet();
        return connected_to("server", port);
    }
    int listener = listening_at(port, 8);
    meet();
    int fd = CHECK_OK(accept(listener, NULL, NULL));
    CHECK_OK(close(listener));
    return fd;
}

// Long enough for what was sent to have arrived, and its answer.
CHECK_API void let_arrive(void) { sleep_ms(100); }

CHECK_API int polled(int fd, int events, int timeout) {
    struct pollfd one = {fd, events, 0};
    CHECK_OK(poll(&one, 1, timeout));
    return one.revents;
}

CHECK_API const char *poll_text(int events) {
    static char text[128];
    text[0] = 0;
    const struct { int bit; const char *name; } names[] = {
        {POLLIN, "IN "}, {POLLPRI, "PRI "}, {POLLOUT, "OUT "}, {POLLRDHUP, "RDHUP "}, {POLLERR, "ERR "}, {POLLHUP, "HUP "},
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (events & names[i].bit) strcat(text, names[i].name);
    return text;
}

CHECK_API const char *error_text(long long result) { return result < 0 ? strerrorname_np(errno) : "no error"; }
#endif
