// The process at the other end is killed: its connections end as if closed, its listener refuses, its datagram port is gone.
#include "hosts.h"

int main(void) {
    begin();
    char buffer[16];
    if (is_server) {
        pid_t child;
        int ready[2];
        CHECK_OK(pipe(ready));
        CHILD(child) {
            int listener = listening_at(7115, 4);
            CHECK_EQ(write(ready[1], "r", 1), 1);
            int first = CHECK_OK(accept(listener, NULL, NULL));
            int second = CHECK_OK(accept(listener, NULL, NULL));
            CHECK_EQ(recv(first, buffer, 5, MSG_WAITALL), 5);
            CHECK_EQ(send(second, "unfinished", 10, 0), 10);
            CHECK_EQ(write(ready[1], "r", 1), 1);
            for (;;) pause();
        }
        CHECK_EQ(read(ready[0], buffer, 1), 1);
        meet();
        CHECK_EQ(read(ready[0], buffer, 1), 1);
        CHECK_OK(kill(child, SIGKILL));
        CHECK_KILLED(child, SIGKILL);
        meet();
    } else {
        meet();
        int first = connected_to("server", 7115), second = connected_to("server", 7115);
        CHECK_EQ(send(first, "read!", 5, 0), 5);
        meet();
        let_arrive();
        say("poll %s", poll_text(polled(first, POLLIN | POLLOUT | POLLRDHUP, 1000)));
        say("read: %zd", recv(first, buffer, sizeof buffer, 0));
        say("second read: %zd, then %zd", recv(second, buffer, sizeof buffer, 0), recv(second, buffer, sizeof buffer, 0));
        say("send: %zd", send(first, "x", 1, MSG_NOSIGNAL));
        let_arrive();
        say("send then: %s", error_text(send(first, "x", 1, MSG_NOSIGNAL)));
        say("poll %s", poll_text(polled(first, POLLIN | POLLOUT | POLLRDHUP, 0)));
        struct sockaddr_in to = at("server", 7115);
        int late = CHECK_OK(socket(AF_INET, SOCK_STREAM, 0));
        say("connect: %s", error_text(connect(late, (void *)&to, sizeof to)));
    }
    meet();
    return 0;
}
