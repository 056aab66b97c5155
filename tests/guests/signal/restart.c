// A handler with SA_RESTART: read, write, wait, accept, flock go on; poll, select, epoll, pause and sleep do not.
#include "check.h"
#include <netinet/in.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/select.h>
#include <sys/socket.h>

static volatile int hits;
static void handler(int sig) { hits++; }

// Hits the parent a few times, and then lets it go on.
#define LATER(...) \
    do { \
        hits = 0; \
        CHILD(pid) { \
            for (int i = 0; i < 3; i++) { \
                sleep_ms(10); \
                CHECK_OK(kill(parent, SIGUSR1)); \
            } \
            sleep_ms(10); \
            __VA_ARGS__; \
        } \
    } while (0)

int main(void) {
    enter_tmp();
    on_signal(SIGUSR1, handler, SA_RESTART);
    pid_t parent = getpid(), pid;
    int pipes[2], pair[2];
    char byte, block[65536] = {0};
    CHECK_OK(pipe(pipes));
    CHECK_OK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));

    LATER(CHECK_EQ(write(pipes[1], "x", 1), 1));
    CHECK_EQ(read(pipes[0], &byte, 1), 1);
    CHECK(hits > 0);
    CHECK_EXIT(pid, 0);

    LATER(CHECK_EQ(write(pair[1], "x", 1), 1));
    CHECK_EQ(recv(pair[0], &byte, 1, 0), 1);
    CHECK_EXIT(pid, 0);

    CHECK_EQ(write(pipes[1], block, sizeof block), sizeof block);
    LATER(CHECK_EQ(read(pipes[0], block, sizeof block), sizeof block));
    CHECK_EQ(write(pipes[1], "y", 1), 1);
    CHECK_EXIT(pid, 0);

    LATER((void)0);
    CHECK_EQ(waitpid(pid, NULL, 0), pid);
    CHECK(hits > 0);

    int listener = CHECK_OK(socket(AF_INET, SOCK_STREAM, 0));
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    CHECK_OK(bind(listener, (void *)&address, sizeof address));
    CHECK_OK(listen(listener, 1));
    CHECK_OK(getsockname(listener, (void *)&address, &length));
    LATER({
        int client = CHECK_OK(socket(AF_INET, SOCK_STREAM, 0));
        CHECK_OK(connect(client, (void *)&address, sizeof address));
    });
    CHECK_OK(accept(listener, NULL, NULL));
    CHECK_EXIT(pid, 0);

    write_file("f", "");
    int a = CHECK_OK(open("f", O_RDONLY));
    LATER(CHECK_OK(flock(a, LOCK_UN)));
    CHECK_OK(flock(a, LOCK_EX));
    int b = CHECK_OK(open("f", O_RDONLY));
    CHECK_OK(flock(b, LOCK_EX));
    CHECK_EXIT(pid, 0);

    // These end with EINTR all the same.
    pid = hit_parent(SIGUSR1);
    struct pollfd none = {pipes[0], 0, 0};
    CHECK_ERRNO(poll(&none, 1, 5000), EINTR);
    struct timeval long_time = {5, 0};
    CHECK_ERRNO(select(0, NULL, NULL, NULL, &long_time), EINTR);
    int epoll = CHECK_OK(epoll_create1(0));
    struct epoll_event event;
    CHECK_ERRNO(epoll_wait(epoll, &event, 1, 5000), EINTR);
    CHECK_ERRNO(pause(), EINTR);
    struct timespec time = {5, 0}, left = {0};
    CHECK_ERRNO(nanosleep(&time, &left), EINTR);
    CHECK(left.tv_sec == 4 && left.tv_nsec > 0);
    // A receive with a time limit is not restarted.
    struct timeval limit = {5, 0};
    CHECK_OK(setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit));
    CHECK_ERRNO(recv(pair[0], &byte, 1, 0), EINTR);
    stop_hitting(pid);
    return 0;
}
