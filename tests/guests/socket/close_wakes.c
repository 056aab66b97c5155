// shutdown in one thread ends a receive and an accept that wait in others.
#include "net.h"

static void *receiver(void *fd) {
    char byte;
    return (void *)(intptr_t)recv(*(int *)fd, &byte, 1, 0);
}
static void *acceptor(void *fd) {
    int got = accept(*(int *)fd, NULL, NULL);
    return (void *)(intptr_t)(got < 0 ? errno : 0);
}

int main(void) {
    int pair[2], listener = listening();
    tcp_pair(pair);
    pthread_t a = thread_start(receiver, &pair[0]), b = thread_start(acceptor, &listener);
    sleep_ms(20);
    CHECK_OK(shutdown(pair[0], SHUT_RDWR));
    CHECK_EQ((intptr_t)thread_join(a), 0);
    CHECK_OK(shutdown(listener, SHUT_RD));
    CHECK_EQ((intptr_t)thread_join(b), EINVAL);
    return 0;
}
