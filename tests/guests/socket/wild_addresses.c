// Addresses of wrong lengths and families, names too long, and calls on what is no socket.
#include "net.h"

static void ip(int kind) {
    int fd = CHECK_OK(socket(AF_INET, kind, 0));
    struct sockaddr_in good = loopback(0);
    char room[300] = "";
    memcpy(room, &good, sizeof good);
    CHECK_ERRNO(bind(fd, (void *)room, 0), EINVAL);
    CHECK_ERRNO(bind(fd, (void *)room, 15), EINVAL);
    CHECK_ERRNO(bind(fd, (void *)room, 129), EINVAL);
    CHECK_ERRNO(bind(fd, (void *)room, -1), EINVAL);
    CHECK_ERRNO(bind(fd, NULL, 16), EFAULT);
    CHECK_ERRNO(connect(fd, (void *)room, 1), EINVAL);
    CHECK_ERRNO(connect(fd, (void *)room, 129), EINVAL);
    CHECK_ERRNO(connect(fd, NULL, 16), EFAULT);
    for (int family = 0; family < 50; family++) {
        if (family == AF_INET || family == AF_UNSPEC) continue;
        ((struct sockaddr_in *)room)->sin_family = family;
        CHECK_ERRNO(bind(fd, (void *)room, 16), EAFNOSUPPORT);
        CHECK_ERRNO(connect(fd, (void *)room, 16), EAFNOSUPPORT);
    }
    // A datagram socket has a port by now, for connect gives it one before it looks at the address.
    close(fd);
    fd = CHECK_OK(socket(AF_INET, kind, 0));
    memcpy(room, &good, sizeof good);
    CHECK_OK(bind(fd, (void *)room, 128));  // More than needed is no mistake.
    struct sockaddr_in6 six = {.sin6_family = AF_INET6};
    int own = CHECK_OK(socket(AF_INET6, kind, 0));
    CHECK_ERRNO(bind(own, (void *)&six, 23), EINVAL);
    CHECK_ERRNO(bind(own, (void *)&good, sizeof good), EINVAL);
    CHECK_OK(bind(own, (void *)&six, 24));  // As it was before there were scopes.
    // What is told is cut, and its whole length told.
    socklen_t length = 3;
    memset(room, 0x55, sizeof room);
    CHECK_OK(getsockname(fd, (void *)room, &length));
    CHECK(length == 16 && room[3] == 0x55);
    length = -1;
    CHECK_ERRNO(getsockname(fd, (void *)room, &length), EINVAL);
    CHECK_ERRNO(getsockname(fd, (void *)room, NULL), EFAULT);
    CHECK_ERRNO(getpeername(fd, (void *)room, &length), ENOTCONN);
    close(fd), close(own);
}

static void sends(void) {
    int fd = bound(SOCK_DGRAM);
    struct sockaddr_in to = loopback(port_of(fd));
    CHECK_ERRNO(sendto(fd, "x", 1, 0, (void *)&to, 15), EINVAL);
    CHECK_ERRNO(sendto(fd, "x", 1, 0, (void *)&to, 0), EINVAL);
    CHECK_ERRNO(sendto(fd, "x", 1, 0, NULL, 0), EDESTADDRREQ);
    to.sin_family = 33;
    CHECK_ERRNO(sendto(fd, "x", 1, 0, (void *)&to, sizeof to), EAFNOSUPPORT);
    to = loopback(0);
    CHECK_ERRNO(sendto(fd, "x", 1, 0, (void *)&to, sizeof to), EINVAL);
    CHECK_ERRNO(sendto(fd, NULL, 1, 0, (void *)&to, sizeof to), EINVAL);
    to = loopback(port_of(fd));
    CHECK_ERRNO(sendto(fd, NULL, 1, 0, (void *)&to, sizeof to), EFAULT);
    CHECK_ERRNO(send(fd, "x", 1, MSG_OOB), EOPNOTSUPP);
    struct msghdr message = {.msg_name = &to, .msg_namelen = -1};
    CHECK_ERRNO(sendmsg(fd, &message, 0), EINVAL);
    message = (struct msghdr){.msg_iovlen = 1025};
    CHECK_ERRNO(sendmsg(fd, &message, 0), EMSGSIZE);
    CHECK_ERRNO(recvmsg(fd, &message, 0), EMSGSIZE);
    CHECK_ERRNO(recvmsg(fd, NULL, 0), EFAULT);
    message = (struct msghdr){.msg_control = (void *)8, .msg_controllen = 64};
    CHECK_ERRNO(sendmsg(fd, &message, 0), EFAULT);
    message.msg_controllen = 1 << 30;
    CHECK_ERRNO(sendmsg(fd, &message, 0), ENOBUFS);
}

static void local(void) {
    enter_tmp();
    int fd = CHECK_OK(socket(AF_UNIX, SOCK_STREAM, 0));
    struct { struct sockaddr_un name; char more[100]; } address = {{.sun_family = AF_UNIX}};
    memset(address.name.sun_path, 'x', 200);
    CHECK_ERRNO(bind(fd, (void *)&address, 111), EINVAL);
    CHECK_ERRNO(connect(fd, (void *)&address, 111), EINVAL);
    CHECK_ERRNO(connect(fd, (void *)&address, 2), EINVAL);
    CHECK_ERRNO(connect(fd, (void *)&address, 20), ENOENT);
    address.name.sun_family = AF_INET;
    CHECK_ERRNO(bind(fd, (void *)&address, 20), EINVAL);
    CHECK_ERRNO(connect(fd, (void *)&address, 20), EINVAL);
    address.name.sun_family = AF_UNIX;
    CHECK_OK(bind(fd, (void *)&address, 110));  // All 108 bytes, without a zero at the end.
    socklen_t length = sizeof address;
    CHECK_OK(getsockname(fd, (void *)&address, &length));
    CHECK_EQ(length, 111);
    address.name.sun_path[108] = 0;
    struct stat st;
    CHECK_OK(stat(address.name.sun_path, &st));
    CHECK(S_ISSOCK(st.st_mode));
    CHECK_ERRNO(open(address.name.sun_path, O_RDONLY), ENXIO);
    CHECK_ERRNO(bind(fd, (void *)&address, 30), EINVAL);
    int other = CHECK_OK(socket(AF_UNIX, SOCK_STREAM, 0));
    CHECK_ERRNO(bind(other, (void *)&address, 110), EADDRINUSE);
    CHECK_ERRNO(connect(other, (void *)&address, 110), ECONNREFUSED);
    write_file("plain", "");
    strcpy(address.name.sun_path, "plain");
    CHECK_ERRNO(connect(other, (void *)&address, 8), ECONNREFUSED);
    CHECK_ERRNO(bind(other, (void *)&address, 8), EADDRINUSE);
    strcpy(address.name.sun_path, "no/where");
    CHECK_ERRNO(bind(other, (void *)&address, 12), ENOENT);
}

static void kinds(void) {
    CHECK_ERRNO(socket(999, SOCK_STREAM, 0), EAFNOSUPPORT);
    CHECK_ERRNO(socket(-1, SOCK_STREAM, 0), EAFNOSUPPORT);
    CHECK_ERRNO(socket(AF_INET, 11, 0), EINVAL);
    CHECK_ERRNO(socket(AF_INET, SOCK_STREAM | 0x100, 0), EINVAL);
    CHECK_ERRNO(socket(AF_INET, SOCK_STREAM, IPPROTO_UDP), EPROTONOSUPPORT);
    CHECK_ERRNO(socket(AF_INET, SOCK_DGRAM, IPPROTO_TCP), EPROTONOSUPPORT);
    CHECK_ERRNO(socket(AF_INET, SOCK_SEQPACKET, 0), ESOCKTNOSUPPORT);
    CHECK_ERRNO(socket(AF_INET, SOCK_STREAM, -1), EINVAL);
    CHECK_ERRNO(socket(AF_INET, SOCK_STREAM, 5000), EINVAL);
    CHECK_ERRNO(socket(AF_UNIX, SOCK_STREAM, 7), EPROTONOSUPPORT);
    CHECK_ERRNO(socket(AF_UNIX, SOCK_RDM, 0), ESOCKTNOSUPPORT);
    int pair[2];
    CHECK_ERRNO(socketpair(AF_INET, SOCK_STREAM, 0, pair), EOPNOTSUPP);
    CHECK_ERRNO(socketpair(AF_UNIX, SOCK_STREAM, 0, NULL), EFAULT);
    CHECK_ERRNO(listen(1000, 1), EBADF);
    int null = CHECK_OK(open("/dev/null", O_RDWR));
    CHECK_ERRNO(listen(null, 1), ENOTSOCK);
    CHECK_ERRNO(send(null, "x", 1, 0), ENOTSOCK);
    int path = CHECK_OK(open("/tmp", O_PATH));
    CHECK_ERRNO(listen(path, 1), EBADF);
    int udp = bound(SOCK_DGRAM);
    CHECK_ERRNO(listen(udp, 1), EOPNOTSUPP);
    CHECK_ERRNO(accept(udp, NULL, NULL), EOPNOTSUPP);
    CHECK_ERRNO(shutdown(udp, 3), EINVAL);
    CHECK_ERRNO(shutdown(udp, SHUT_RD), ENOTCONN);
}

int main(void) {
    ip(SOCK_STREAM);
    ip(SOCK_DGRAM);
    sends();
    local();
    kinds();
}
