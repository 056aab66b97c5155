// A handler that makes failing calls does not disturb the result of the call it interrupted.
#include "check.h"

static int pipes[2];
static void handler(int sig) {
    int kept = errno;
    close(-1);
    syscall(100000);
    if (write(pipes[1], "from handler", 12)) {}
    errno = kept;
}

int main(void) {
    CHECK_OK(pipe(pipes));
    on_signal(SIGALRM, handler, SA_RESTART);
    ualarm(15000, 0);
    char text[32] = {0};
    CHECK_EQ(read(pipes[0], text, sizeof text), 12);
    CHECK_STR(text, "from handler");
    on_signal(SIGALRM, handler, 0);
    ualarm(15000, 15000);
    for (int i = 0; i < 3; i++) CHECK_ERRNO(pause(), EINTR);
    return 0;
}
