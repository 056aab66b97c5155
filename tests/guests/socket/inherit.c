// A connection lives as long as one process has it, and passes through exec by its number.
#include "net.h"

int main(int argc, char **argv) {
    if (argc > 1) {
        CHECK_EQ(send(9, "from exec", 9, 0), 9);
        return 0;
    }
    int pair[2];
    tcp_pair(pair);
    pid_t pid;
    CHILD(pid) {
        CHECK_OK(dup2(pair[1], 9));
        CHECK_OK(execl("/proc/self/exe", argv[0], "x", NULL));
    }
    char text[16] = {0};
    CHECK_EQ(recv(pair[0], text, 9, MSG_WAITALL), 9);
    CHECK_STR(text, "from exec");
    CHECK_EXIT(pid, 0);
    CHECK_ERRNO(recv(pair[0], text, 1, MSG_DONTWAIT), EAGAIN);  // We have the other end too.
    CHECK_OK(close(pair[1]));
    CHECK_EQ(recv(pair[0], text, 1, 0), 0);
    return 0;
}
