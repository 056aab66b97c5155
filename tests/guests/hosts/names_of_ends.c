// getsockname and getpeername: the two ends of a connection name the same four things.
#include "hosts.h"

static void names(int fd, struct sockaddr_in *own, struct sockaddr_in *peer) {
    socklen_t length = sizeof *own;
    CHECK_OK(getsockname(fd, (void *)own, &length));
    length = sizeof *peer;
    CHECK_OK(getpeername(fd, (void *)peer, &length));
}

int main(void) {
    begin();
    int fd = stream_between(7121);
    struct sockaddr_in own, peer;
    names(fd, &own, &peer);
    say("own is %s: %d", is_server ? "server" : "client", own.sin_addr.s_addr == address_of(is_server ? "server" : "client").s_addr);
    say("peer is the other: %d", peer.sin_addr.s_addr == address_of(is_server ? "client" : "server").s_addr);
    tell(ntohs(own.sin_port));
    tell(ntohs(peer.sin_port));
    say("ports agree: %d", hear() == ntohs(peer.sin_port) && hear() == ntohs(own.sin_port));
    say("server's port: %d", ntohs(is_server ? own.sin_port : peer.sin_port));
    // Too small a buffer gets a part and the whole length.
    socklen_t length = 4;
    CHECK_OK(getsockname(fd, (void *)&own, &length));
    say("whole length %d", (int)length);
    int loose = CHECK_OK(socket(AF_INET, SOCK_STREAM, 0));
    length = sizeof peer;
    say("unconnected: %s", error_text(getpeername(loose, (void *)&peer, &length)));
    CHECK_OK(getsockname(loose, (void *)&own, &length));
    say("unbound: %s port %d", text_of(own.sin_addr), ntohs(own.sin_port));
    // A datagram socket's own address is known once it is connected.
    int datagrams = CHECK_OK(socket(AF_INET, SOCK_DGRAM, 0));
    struct sockaddr_in to = at(is_server ? "client" : "server", 7121);
    CHECK_OK(connect(datagrams, (void *)&to, sizeof to));
    names(datagrams, &own, &peer);
    say("datagrams: own %d, port %d", own.sin_addr.s_addr == address_of(is_server ? "server" : "client").s_addr, own.sin_port != 0);
    meet();
    return 0;
}
