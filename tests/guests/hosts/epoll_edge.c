// What an edge-triggered epoll tells as data, an end and a reset arrive.
#include "hosts.h"

static void next(int epoll, const char *when) {
    struct epoll_event event = {0};
    int n = CHECK_OK(epoll_wait(epoll, &event, 1, 1000));
    // The bits of poll and epoll are the same.
    say("%s: %d event, %s", when, n, poll_text(event.events));
}

static void nothing(int epoll, const char *when) {
    struct epoll_event event;
    say("%s: %d events", when, CHECK_OK(epoll_wait(epoll, &event, 1, 50)));
}

int main(void) {
    begin();
    for (int reset = 0; reset < 2; reset++) {
        int fd = stream_between(7119 + reset);
        if (is_server) {
            meet();
            CHECK_EQ(send(fd, "one", 3, 0), 3);
            meet();
            CHECK_EQ(send(fd, "two", 3, 0), 3);
            meet();
            if (reset) {
                struct linger linger = {1, 0};
                CHECK_OK(setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger));
                CHECK_OK(close(fd));
                meet();
            } else {
                CHECK_OK(shutdown(fd, SHUT_WR));
                meet();
                CHECK_OK(close(fd));
            }
        } else {
            char buffer[8];
            int epoll = CHECK_OK(epoll_create1(0));
            struct epoll_event want = {EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, {.fd = fd}};
            CHECK_OK(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &want));
            next(epoll, "at first");
            nothing(epoll, "no edge");
            meet();
            let_arrive();
            next(epoll, "data");
            nothing(epoll, "not read, no edge");
            meet();
            let_arrive();
            next(epoll, "more data");
            CHECK_EQ(recv(fd, buffer, 3, 0), 3);
            nothing(epoll, "some left, no edge");
            CHECK_EQ(recv(fd, buffer, 8, 0), 3);
            meet();
            let_arrive();
            if (reset) meet(), let_arrive();
            next(epoll, reset ? "reset" : "end");
            nothing(epoll, "no more");
            if (!reset) {
                CHECK_OK(shutdown(fd, SHUT_WR));
                next(epoll, "both ends");
                meet();
            }
        }
        meet();
    }
    return 0;
}
