// A handler interrupts an open that waits for the other side.
#include "check.h"

static void handler(int sig) {}

int main(void) {
    enter_tmp();
    CHECK_OK(mkfifo("p", 0600));
    on_signal(SIGUSR1, handler, 0);
    pid_t pid = hit_parent(SIGUSR1);
    CHECK_ERRNO(open("p", O_RDONLY), EINTR);
    CHECK_ERRNO(open("p", O_WRONLY), EINTR);
    stop_hitting(pid);
    return 0;
}
