// Ports that the kernel chooses are of ip_local_port_range; one remote end never has two connections of one port.
#include "hosts.h"

enum { COUNT = 300 };

int main(void) {
    begin();
    char range[64];
    read_file("/proc/sys/net/ipv4/ip_local_port_range", range, sizeof range);
    int low, high;
    CHECK_EQ(sscanf(range, "%d %d", &low, &high), 2);
    say("range %d to %d", low, high);
    if (is_server) {
        int listener = listening_at(7122, COUNT);
        meet();
        for (int i = 0; i < COUNT; i++) CHECK_OK(accept(listener, NULL, NULL));
    } else {
        static bool seen[65536];
        int within = 0, new = 0;
        meet();
        for (int i = 0; i < COUNT; i++) {
            int fd = connected_to("server", 7122);
            struct sockaddr_in own;
            socklen_t length = sizeof own;
            CHECK_OK(getsockname(fd, (void *)&own, &length));
            int port = ntohs(own.sin_port);
            within += port >= low && port <= high;
            new += !seen[port];
            seen[port] = true;
        }
        say("within %d, different %d", within, new);
    }
    int within = 0;
    for (int i = 0; i < 20; i++) {
        int fd = bound_to(SOCK_DGRAM, 0);
        struct sockaddr_in own;
        socklen_t length = sizeof own;
        CHECK_OK(getsockname(fd, (void *)&own, &length));
        within += ntohs(own.sin_port) >= low && ntohs(own.sin_port) <= high;
    }
    say("bound to any: %d within", within);
    meet();
    return 0;
}
