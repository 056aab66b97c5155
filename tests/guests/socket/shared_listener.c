// Several processes accept on one listener: each connection goes to exactly one.
#include "net.h"

int main(void) {
    int listener = listening(), port = port_of(listener);
    int *taken = shared_memory(4096);
    pid_t pids[3];
    for (int i = 0; i < 3; i++) {
        CHILD(pids[i]) {
            for (;;) {
                int fd = CHECK_OK(accept(listener, NULL, NULL));
                char byte;
                CHECK_EQ(recv(fd, &byte, 1, 0), 1);
                __atomic_add_fetch(taken, 1, __ATOMIC_SEQ_CST);
                CHECK_EQ(send(fd, "k", 1, 0), 1);
                CHECK_OK(close(fd));
                if (byte == 'q') break;
            }
        }
    }
    char byte;
    for (int i = 0; i < 33; i++) {
        int fd = connect_to(SOCK_STREAM, port);
        CHECK_EQ(send(fd, i < 30 ? "w" : "q", 1, 0), 1);
        CHECK_EQ(recv(fd, &byte, 1, 0), 1);
        CHECK_OK(close(fd));
    }
    for (int i = 0; i < 3; i++) CHECK_EXIT(pids[i], 0);
    CHECK_EQ(*taken, 33);
    return 0;
}
