// An address of the network that nobody has, and one of no network: two errors.
#include "hosts.h"

int main(void) {
    begin();
    if (!is_server) {
        struct sockaddr_in nobody = at("server", 7103);
        nobody.sin_addr.s_addr = htonl((ntohl(nobody.sin_addr.s_addr) & 0xffffff00) | 200);
        int fd = CHECK_OK(socket(AF_INET, SOCK_STREAM, 0));
        long long before = now_ms();
        say("nobody's address: %s", error_text(connect(fd, (void *)&nobody, sizeof nobody)));
        long long took = now_ms() - before;
        // Three questions for the hardware address, a second each.
        say("after about three seconds: %d", took > 2000 && took < 5000);
        struct sockaddr_in elsewhere = {.sin_family = AF_INET, .sin_port = htons(80), .sin_addr.s_addr = htonl(0x08080808)};
        int other = CHECK_OK(socket(AF_INET, SOCK_STREAM, 0));
        say("no network's address: %s", error_text(connect(other, (void *)&elsewhere, sizeof elsewhere)));
        int datagrams = CHECK_OK(socket(AF_INET, SOCK_DGRAM, 0));
        say("a datagram there: %s", error_text(sendto(datagrams, "x", 1, 0, (void *)&elsewhere, sizeof elsewhere)));
        // It cannot be known yet that nobody has the address.
        say("a datagram to nobody: %s", error_text(sendto(datagrams, "x", 1, 0, (void *)&nobody, sizeof nobody)));
    }
    meet();
    return 0;
}
