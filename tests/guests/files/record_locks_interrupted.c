// A handler interrupts a wait for a lock; locks go with their process, also when it is killed.
#include "check.h"

static void handler(int sig) {}

int main(void) {
    enter_tmp();
    write_file("f", "");
    int fd = CHECK_OK(open("f", O_RDWR)), pipes[2];
    CHECK_OK(pipe(pipes));
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    pid_t holder;
    CHILD(holder) {
        CHECK_OK(fcntl(fd, F_SETLK, &whole));
        CHECK_EQ(write(pipes[1], "x", 1), 1);
        for (;;) pause();
    }
    char byte;
    CHECK_EQ(read(pipes[0], &byte, 1), 1);
    on_signal(SIGUSR1, handler, 0);
    pid_t hitter = hit_parent(SIGUSR1);
    CHECK_ERRNO(fcntl(fd, F_SETLKW, &whole), EINTR);
    stop_hitting(hitter);
    CHECK_OK(kill(holder, SIGKILL));
    CHECK_OK(fcntl(fd, F_SETLKW, &whole));
    CHECK_KILLED(holder, SIGKILL);
    return 0;
}
