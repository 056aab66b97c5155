// Abstract names: no file, the exact bytes count, free again after the close; automatic names.
#include "net.h"
#include <stddef.h>

int main(void) {
    struct sockaddr_un address = {.sun_family = AF_UNIX}, got;
    int name = snprintf(address.sun_path + 1, sizeof address.sun_path - 1, "guest-%d", getpid());
    socklen_t length = offsetof(struct sockaddr_un, sun_path) + 1 + name;
    int listener = CHECK_OK(socket(AF_UNIX, SOCK_STREAM, 0)), other = CHECK_OK(socket(AF_UNIX, SOCK_STREAM, 0));
    CHECK_OK(bind(listener, (void *)&address, length));
    CHECK_OK(listen(listener, 1));
    CHECK_ERRNO(bind(other, (void *)&address, length), EADDRINUSE);
    CHECK_ERRNO(connect(other, (void *)&address, length + 1), ECONNREFUSED);
    CHECK_OK(connect(other, (void *)&address, length));
    socklen_t told = sizeof got;
    CHECK_OK(getpeername(other, (void *)&got, &told));
    CHECK_EQ(told, length);
    CHECK(!memcmp(&got, &address, length));
    CHECK_OK(close(listener));
    listener = CHECK_OK(socket(AF_UNIX, SOCK_STREAM, 0));
    CHECK_OK(bind(listener, (void *)&address, length));

    int automatic = CHECK_OK(socket(AF_UNIX, SOCK_DGRAM, 0));
    CHECK_OK(bind(automatic, (void *)&address, sizeof(sa_family_t)));
    told = sizeof got;
    CHECK_OK(getsockname(automatic, (void *)&got, &told));
    CHECK_EQ(told, sizeof(sa_family_t) + 6);
    CHECK_EQ(got.sun_path[0], 0);
    return 0;
}
