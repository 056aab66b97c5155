// stream server PORT: takes one connection and reads all that comes.
// stream client HOST PORT COUNT: sends as many MiB.
#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static char buffer[256 << 10];

static int server(int port) {
    int on = 1, listener = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 1)) return 1;
    int fd = accept(listener, NULL, NULL);
    ssize_t got;
    while ((got = read(fd, buffer, sizeof buffer)) > 0) {}
    return got < 0;
}

static int client(const char *host, const char *port, long count) {
    struct addrinfo *found, want = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM};
    if (getaddrinfo(host, port, &want, &found)) return 1;
    int fd;
    for (int attempt = 0;; attempt++) {
        fd = socket(AF_INET, SOCK_STREAM, 0);
        if (connect(fd, found->ai_addr, found->ai_addrlen) == 0) break;
        close(fd);
        if (attempt == 1000) return 1;
        usleep(10000);
    }
    for (long left = count << 20; left > 0;) {
        ssize_t sent = write(fd, buffer, left < (long)sizeof buffer ? (size_t)left : sizeof buffer);
        if (sent < 0) return 1;
        left -= sent;
    }
    // The other end has read all when it closes.
    shutdown(fd, SHUT_WR);
    return read(fd, buffer, 1) != 0;
}

int main(int count, char **texts) {
    if (count == 3 && !strcmp(texts[1], "server")) return server(atoi(texts[2]));
    if (count == 5 && !strcmp(texts[1], "client")) return client(texts[2], texts[3], atol(texts[4]));
    return 2;
}
