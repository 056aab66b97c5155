// socket(7), SO_BINDTODEVICE: by name and by index, what it says, and what it does to routes and ports.
#include "net.h"
#include <net/if.h>

int main(void) {
    int fd = CHECK_OK(socket(AF_INET, SOCK_DGRAM, 0)), index = -1;
    char name[IFNAMSIZ] = "?";
    socklen_t length = sizeof name;
    CHECK_OK(getsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, name, &length));
    CHECK_EQ(length, 0);
    CHECK_ERRNO(setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "nothing", 8), ENODEV);
    CHECK_OK(setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "lo", 3));
    length = sizeof name;
    CHECK_OK(getsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, name, &length));
    CHECK_STR(name, "lo");
    CHECK_EQ(length, 3);
    length = 4;
    CHECK_ERRNO(getsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, name, &length), EINVAL);
    length = sizeof index;
    CHECK_OK(getsockopt(fd, SOL_SOCKET, SO_BINDTOIFINDEX, &index, &length));
    CHECK_EQ(index, if_nametoindex("lo"));
    struct sockaddr_in any = {.sin_family = AF_INET};
    CHECK_OK(bind(fd, (void *)&any, sizeof any));
    int from = connect_to(SOCK_DGRAM, port_of(fd));
    CHECK_EQ(send(from, "x", 1, 0), 1);
    char byte;
    CHECK_EQ(recv(fd, &byte, 1, 0), 1);
    // Another on the port, of no device, is refused.
    int other = CHECK_OK(socket(AF_INET, SOCK_DGRAM, 0));
    any.sin_port = htons(port_of(fd));
    CHECK_ERRNO(bind(other, (void *)&any, sizeof any), EADDRINUSE);
    CHECK_OK(setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "", 0));
    length = sizeof name;
    CHECK_OK(getsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, name, &length));
    CHECK_EQ(length, 0);
}
