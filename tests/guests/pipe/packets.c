// O_DIRECT pipes keep the writer's packets.
#include "check.h"

int main(void) {
    int pipes[2];
    CHECK_OK(pipe2(pipes, O_DIRECT | O_NONBLOCK));
    CHECK_EQ(write(pipes[1], "one", 3), 3);
    CHECK_EQ(write(pipes[1], "second", 6), 6);
    char text[16];
    CHECK_EQ(read(pipes[0], text, sizeof text), 3);
    CHECK_EQ(read(pipes[0], text, 2), 2);  // The rest of a packet is thrown away.
    CHECK_ERRNO(read(pipes[0], text, sizeof text), EAGAIN);
    char block[5000] = {0};
    CHECK_EQ(write(pipes[1], block, 5000), 5000);  // More than a page: several packets.
    CHECK_EQ(read(pipes[0], block, 5000), 4096);
    CHECK_EQ(read(pipes[0], block, 5000), 904);
    return 0;
}
