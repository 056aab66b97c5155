// recv(2) with MSG_WAITALL: it waits for all, but for signals, ends, errors and the time-out.
#include "net.h"

static void nothing(int sig) { (void)sig; }

static void streams(int pair[2]) {
    char bytes[10];
    pid_t pid;
    CHILD(pid) {
        for (int i = 0; i < 5; i++) {
            CHECK_EQ(send(pair[1], "ab", 2, 0), 2);
            sleep_ms(5);
        }
    }
    CHECK_EQ(recv(pair[0], bytes, 10, MSG_WAITALL), 10);
    CHECK_EXIT(pid, 0);
    // A signal ends it with what there is, or with EINTR when there is nothing.
    on_signal(SIGUSR1, nothing, 0);
    CHECK_EQ(send(pair[1], "abc", 3, 0), 3);
    pid = hit_parent(SIGUSR1);
    CHECK_EQ(recv(pair[0], bytes, 10, MSG_WAITALL), 3);
    CHECK_ERRNO(recv(pair[0], bytes, 10, MSG_WAITALL), EINTR);
    stop_hitting(pid);
    // The time-out ends it likewise.
    struct timeval limit = {0, 20000};
    CHECK_OK(setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit));
    CHECK_EQ(send(pair[1], "abcd", 4, 0), 4);
    CHECK_EQ(recv(pair[0], bytes, 10, MSG_WAITALL), 4);
    CHECK_ERRNO(recv(pair[0], bytes, 10, MSG_WAITALL), EAGAIN);
    CHECK_EQ(send(pair[1], "ab", 2, 0), 2);
    CHECK_EQ(recv(pair[0], bytes, 10, MSG_WAITALL | MSG_DONTWAIT), 2);
    // And the end.
    CHECK_EQ(send(pair[1], "abcde", 5, 0), 5);
    CHECK_OK(close(pair[1]));
    CHECK_EQ(recv(pair[0], bytes, 10, MSG_WAITALL), 5);
    CHECK_EQ(recv(pair[0], bytes, 10, MSG_WAITALL), 0);
    CHECK_OK(close(pair[0]));
}

int main(void) {
    int pair[2];
    tcp_pair(pair);
    streams(pair);
    CHECK_OK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
    streams(pair);
    // A message is all that one call gets.
    CHECK_OK(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair));
    char bytes[10];
    CHECK_EQ(send(pair[1], "abc", 3, 0), 3);
    CHECK_EQ(recv(pair[0], bytes, 10, MSG_WAITALL), 3);
}
