// Unix stream sockets by path: bind makes a file, unlink takes the name, errors of both.
#include "net.h"

int main(void) {
    enter_tmp();
    int listener = CHECK_OK(socket(AF_UNIX, SOCK_STREAM, 0));
    struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "sock"}, got;
    CHECK_OK(bind(listener, (void *)&address, sizeof address));
    struct stat st;
    CHECK_OK(stat("sock", &st));
    CHECK(S_ISSOCK(st.st_mode));
    int fd = CHECK_OK(socket(AF_UNIX, SOCK_STREAM, 0));
    CHECK_ERRNO(connect(fd, (void *)&address, sizeof address), ECONNREFUSED);  // Not listening yet.
    CHECK_OK(listen(listener, 5));
    int other = CHECK_OK(socket(AF_UNIX, SOCK_STREAM, 0));
    CHECK_ERRNO(bind(other, (void *)&address, sizeof address), EADDRINUSE);
    CHECK_OK(connect(fd, (void *)&address, sizeof address));
    socklen_t length = sizeof got;
    int server = CHECK_OK(accept(listener, (void *)&got, &length));
    CHECK_EQ(length, sizeof(sa_family_t));  // The client has no name.
    length = sizeof got;
    CHECK_OK(getpeername(fd, (void *)&got, &length));
    CHECK_STR(got.sun_path, "sock");
    length = sizeof got;
    CHECK_OK(getsockname(server, (void *)&got, &length));
    CHECK_STR(got.sun_path, "sock");
    CHECK_EQ(write(fd, "hello", 5), 5);
    char text[8];
    CHECK_EQ(read(server, text, 8), 5);
    CHECK_OK(close(fd));
    CHECK_EQ(read(server, text, 8), 0);
    CHECK_ERRNO(send(server, "x", 1, MSG_NOSIGNAL), EPIPE);

    CHECK_OK(unlink("sock"));
    CHECK_ERRNO(connect(other, (void *)&address, sizeof address), ENOENT);
    CHECK_OK(bind(other, (void *)&address, sizeof address));
    CHECK_OK(close(listener));
    fd = CHECK_OK(socket(AF_UNIX, SOCK_STREAM, 0));
    CHECK_ERRNO(connect(fd, (void *)&address, sizeof address), ECONNREFUSED);
    write_file("plain", "");
    strcpy(address.sun_path, "plain");
    CHECK_ERRNO(connect(fd, (void *)&address, sizeof address), ECONNREFUSED);
    strcpy(address.sun_path, "none/sock");
    CHECK_ERRNO(bind(fd, (void *)&address, sizeof address), ENOENT);
    // A close with unread data is a reset here too.
    int pair[2];
    CHECK_OK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
    CHECK_EQ(write(pair[0], "unread", 6), 6);
    CHECK_OK(close(pair[1]));
    CHECK_ERRNO(read(pair[0], text, 8), ECONNRESET);
    return 0;
}
