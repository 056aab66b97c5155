// A listener of AF_UNIX whose queue is full: who does not wait is told so, others wait, and time-outs and closing end it.
#include "net.h"

static struct sockaddr_un name = {.sun_family = AF_UNIX};
static socklen_t length = sizeof name;

static void *waits(void *unused) {
    int fd = CHECK_OK(socket(AF_UNIX, SOCK_STREAM, 0));
    int result = connect(fd, (void *)&name, length) ? errno : 0;
    return (void *)(intptr_t)result + (intptr_t)unused;
}

int main(void) {
    int listener = CHECK_OK(socket(AF_UNIX, SOCK_STREAM, 0));
    CHECK_OK(bind(listener, (void *)&name, sizeof(sa_family_t)));
    CHECK_OK(getsockname(listener, (void *)&name, &length));
    CHECK_OK(listen(listener, 1));
    for (int i = 0; i < 2; i++) {  // One more than it says.
        int fd = CHECK_OK(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0));
        CHECK_OK(connect(fd, (void *)&name, length));
    }
    int fd = CHECK_OK(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0));
    CHECK_ERRNO(connect(fd, (void *)&name, length), EAGAIN);
    CHECK_OK(fcntl(fd, F_SETFL, 0));
    struct timeval limit = {0, 20000};
    CHECK_OK(setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit));
    long long start = now_ms();
    CHECK_ERRNO(connect(fd, (void *)&name, length), EAGAIN);
    CHECK(now_ms() - start >= 19);
    pthread_t one = thread_start(waits, NULL);
    sleep_ms(10);
    CHECK_OK(accept(listener, NULL, NULL));
    CHECK_EQ((intptr_t)thread_join(one), 0);
    one = thread_start(waits, NULL);
    sleep_ms(10);
    CHECK_OK(close(listener));
    CHECK_EQ((intptr_t)thread_join(one), ECONNREFUSED);
}
