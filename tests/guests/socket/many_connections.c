// Twenty thousand connections at once, and an epoll instance that watches one end of each.
#include "net.h"
#include <sys/epoll.h>

enum { CONNECTIONS = 20000 };
static int clients[CONNECTIONS], servers[CONNECTIONS];

int main(void) {
    struct rlimit limit;
    CHECK_OK(getrlimit(RLIMIT_NOFILE, &limit));
    limit.rlim_cur = limit.rlim_max;
    CHECK_OK(setrlimit(RLIMIT_NOFILE, &limit));
    int count = CONNECTIONS;
    if (limit.rlim_max < 2 * CONNECTIONS + 100) count = (limit.rlim_max - 100) / 2;
    CHECK(count >= 500);
    int listener = listening(), port = port_of(listener), epoll = CHECK_OK(epoll_create1(0));
    for (int i = 0; i < count; i++) {
        clients[i] = connect_to(SOCK_STREAM, port);
        servers[i] = CHECK_OK(accept(listener, NULL, NULL));
        struct epoll_event event = {.events = EPOLLIN, .data.u32 = i};
        CHECK_OK(epoll_ctl(epoll, EPOLL_CTL_ADD, servers[i], &event));
    }
    struct epoll_event event;
    for (int i = 0; i < count; i += 97) {
        CHECK_EQ(send(clients[i], "x", 1, 0), 1);
        CHECK_EQ(epoll_wait(epoll, &event, 1, 5000), 1);
        CHECK_EQ(event.data.u32, i);
        char byte;
        CHECK_EQ(recv(servers[i], &byte, 1, 0), 1);
    }
    CHECK_EQ(epoll_wait(epoll, &event, 1, 0), 0);
    for (int i = 0; i < count; i++) {
        CHECK_OK(close(clients[i]));
        CHECK_OK(close(servers[i]));
    }
}
