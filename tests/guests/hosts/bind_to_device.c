// SO_BINDTODEVICE: only the named interface is used, both ways.
#include "hosts.h"

static int with_device(int kind, const char *name) {
    int fd = CHECK_OK(socket(AF_INET, kind, 0));
    CHECK_OK(setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, name, strlen(name)));
    return fd;
}

int main(void) {
    begin();
    if (is_server) {
        int good = with_device(SOCK_DGRAM, "eth0"), bad = with_device(SOCK_DGRAM, "lo");
        struct sockaddr_in any = {.sin_family = AF_INET, .sin_port = htons(7130)};
        CHECK_OK(bind(good, (void *)&any, sizeof any));
        say("same port on another device: %s", error_text(bind(bad, (void *)&any, sizeof any)));
        meet();
        char buffer[8];
        say("eth0: %zd", CHECK_OK(recv(good, buffer, sizeof buffer, 0)));
        say("lo: %s", error_text(recv(bad, buffer, sizeof buffer, MSG_DONTWAIT)));
        int listener = with_device(SOCK_STREAM, "lo");
        any.sin_port = htons(7131);
        CHECK_OK(bind(listener, (void *)&any, sizeof any));
        CHECK_OK(listen(listener, 4));
        meet();
        meet();
    } else {
        struct sockaddr_in to = at("server", 7130);
        meet();
        int good = with_device(SOCK_DGRAM, "eth0");
        CHECK_EQ(sendto(good, "abc", 3, 0, (void *)&to, sizeof to), 3);
        char name[IF_NAMESIZE] = "";
        socklen_t length = sizeof name;
        CHECK_OK(getsockopt(good, SOL_SOCKET, SO_BINDTODEVICE, name, &length));
        say("device %s, length %d", name, (int)length);
        int none = CHECK_OK(socket(AF_INET, SOCK_DGRAM, 0));
        say("no such device: %s", error_text(setsockopt(none, SOL_SOCKET, SO_BINDTODEVICE, "eth9", 4)));
        meet();
        to.sin_port = htons(7131);
        int stream = CHECK_OK(socket(AF_INET, SOCK_STREAM, 0));
        say("a listener of lo: %s", error_text(connect(stream, (void *)&to, sizeof to)));
        meet();
    }
    meet();
    return 0;
}
