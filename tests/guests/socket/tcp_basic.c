// A TCP connection on loopback: names of both ends, bytes both ways, end of file.
#include "net.h"

int main(void) {
    int listener = listening(), port = port_of(listener);
    pid_t pid;
    CHILD(pid) {
        int fd = connect_to(SOCK_STREAM, port);
        CHECK_EQ(send(fd, "question", 8, 0), 8);
        char text[16] = {0};
        CHECK_EQ(recv(fd, text, 6, MSG_WAITALL), 6);
        CHECK_STR(text, "answer");
        CHECK_EQ(recv(fd, text, 6, 0), 0);
    }
    struct sockaddr_in peer, again;
    socklen_t length = sizeof peer;
    int fd = CHECK_OK(accept(listener, (void *)&peer, &length));
    CHECK_EQ(length, sizeof peer);
    CHECK_EQ(peer.sin_addr.s_addr, htonl(INADDR_LOOPBACK));
    length = sizeof again;
    CHECK_OK(getpeername(fd, (void *)&again, &length));
    CHECK_EQ(again.sin_port, peer.sin_port);
    CHECK_EQ(port_of(fd), port);
    char text[16] = {0};
    CHECK_EQ(recv(fd, text, 8, MSG_WAITALL), 8);
    CHECK_STR(text, "question");
    CHECK_EQ(write(fd, "answer", 6), 6);
    CHECK_OK(close(fd));
    CHECK_EXIT(pid, 0);
    return 0;
}
