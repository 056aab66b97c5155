// watch SOCKETS COUNT: waits as many times by epoll on so many sockets, of which one has something to say each time.
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int count, char **texts) {
    if (count != 3) return 2;
    int sockets = atoi(texts[1]);
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    int epoll = epoll_create1(0), pair[2];
    for (int i = 0; i < sockets; i++) {
        if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair)) return 1;
        struct epoll_event event = {.events = EPOLLIN, .data.fd = pair[0]};
        if (epoll_ctl(epoll, EPOLL_CTL_ADD, pair[0], &event)) return 1;
    }
    for (long left = atol(texts[2]); left > 0; left--) {
        struct epoll_event event;
        char byte = 0;
        if (write(pair[1], &byte, 1) != 1 || epoll_wait(epoll, &event, 1, -1) != 1) return 1;
        if (read(event.data.fd, &byte, 1) != 1) return 1;
    }
    return 0;
}
