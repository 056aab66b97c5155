// socket(7), SO_BROADCAST: who has not asked for it may not send to all. All that listen hear it.
#include "net.h"

int main(void) {
    int on = 1, fds[2], port = 0;
    for (int i = 0; i < 2; i++) {
        fds[i] = CHECK_OK(socket(AF_INET, SOCK_DGRAM, 0));
        CHECK_OK(setsockopt(fds[i], SOL_SOCKET, SO_REUSEADDR, &on, sizeof on));
        struct sockaddr_in any = {.sin_family = AF_INET, .sin_port = htons(port)};
        CHECK_OK(bind(fds[i], (void *)&any, sizeof any));
        port = port_of(fds[i]);
    }
    int from = CHECK_OK(socket(AF_INET, SOCK_DGRAM, 0));
    struct sockaddr_in all = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(0x7fffffff)};
    CHECK_ERRNO(sendto(from, "x", 1, 0, (void *)&all, sizeof all), EACCES);
    CHECK_ERRNO(connect(from, (void *)&all, sizeof all), EACCES);
    CHECK_OK(setsockopt(from, SOL_SOCKET, SO_BROADCAST, &on, sizeof on));
    CHECK_EQ(sendto(from, "x", 1, 0, (void *)&all, sizeof all), 1);
    char byte;
    for (int i = 0; i < 2; i++) CHECK_EQ(recv(fds[i], &byte, 1, MSG_DONTWAIT), 1);
}
