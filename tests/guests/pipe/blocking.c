// A big write goes through piece by piece while another process reads; nothing is lost or turned around.
#include "check.h"

int main(void) {
    int pipes[2];
    CHECK_OK(pipe(pipes));
    const size_t size = 1 << 20;
    unsigned char *data = malloc(size);
    for (size_t i = 0; i < size; i++) data[i] = i * 2654435761u >> 24;
    pid_t pid;
    CHILD(pid) {
        CHECK_OK(close(pipes[0]));
        CHECK_EQ(write(pipes[1], data, size), size);
    }
    CHECK_OK(close(pipes[1]));
    size_t at = 0;
    unsigned char part[7777];
    ssize_t got;
    while ((got = CHECK_OK(read(pipes[0], part, sizeof part))) > 0) {
        CHECK(!memcmp(part, data + at, got));
        at += got;
    }
    CHECK_EQ(at, size);
    CHECK_EXIT(pid, 0);
    // The reader goes while the writer waits.
    CHECK_OK(pipe(pipes));
    CHILD(pid) {
        signal(SIGPIPE, SIG_IGN);
        CHECK_OK(close(pipes[0]));
        ssize_t wrote = write(pipes[1], data, size);
        CHECK(wrote == -1 ? errno == EPIPE : wrote == 65536);
        CHECK_ERRNO(write(pipes[1], data, 1), EPIPE);
    }
    sleep_ms(20);
    CHECK_OK(close(pipes[0]));
    CHECK_EXIT(pid, 0);
    return 0;
}
