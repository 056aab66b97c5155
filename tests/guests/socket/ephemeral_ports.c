// Ports that the kernel gives: within the range, odd ones to bind and even ones to connect, of streams; and who may have
// the privileged ones.
#include "net.h"

int main(void) {
    int low, high, odd = 0, even = 0;
    char text[64];
    read_file("/proc/sys/net/ipv4/ip_local_port_range", text, sizeof text);
    CHECK_EQ(sscanf(text, "%d %d", &low, &high), 2);
    int listener = listening();
    for (int i = 0; i < 20; i++) {
        int fd = bound(SOCK_STREAM), port = port_of(fd);
        CHECK(port >= low && port <= high);
        odd += port % 2;
        CHECK_OK(close(fd));
        fd = connect_to(SOCK_STREAM, port_of(listener)), port = port_of(fd);
        CHECK(port >= low && port <= high);
        even += !(port % 2);
        CHECK_OK(close(accept(listener, NULL, NULL)));
        CHECK_OK(close(fd));
        fd = bound(SOCK_DGRAM), port = port_of(fd);
        CHECK(port >= low && port <= high);
        CHECK_OK(close(fd));
    }
    CHECK_EQ(odd, 20);
    CHECK_EQ(even, 20);
    // Of a connection's own address no port is taken for itself before it connects, if it asks for that.
    int fd = CHECK_OK(socket(AF_INET, SOCK_STREAM, 0)), on = 1;
    CHECK_OK(setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on));
    struct sockaddr_in address = loopback(0);
    CHECK_OK(bind(fd, (void *)&address, sizeof address));
    CHECK_EQ(port_of(fd), 0);
    address = loopback(port_of(listener));
    CHECK_OK(connect(fd, (void *)&address, sizeof address));
    CHECK(port_of(fd) != 0);
    if (geteuid() == 0) {
        pid_t pid;
        CHILD(pid) {
            CHECK_OK(setuid(65534));
            int own = CHECK_OK(socket(AF_INET, SOCK_STREAM, 0));
            address = loopback(999);
            CHECK_ERRNO(bind(own, (void *)&address, sizeof address), EACCES);
        }
        CHECK_EXIT(pid, 0);
    }
}
