// ping_pong server PORT: sends back what one client sends, until it goes.
// ping_pong client HOST PORT COUNT: as many round trips of 64 bytes.
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { SIZE = 64 };

// Reads one message. Gives 0 at the end of the stream.
static int receive(int fd, char *message) {
    for (int have = 0; have < SIZE;) {
        ssize_t got = read(fd, message + have, SIZE - have);
        if (got <= 0) return 0;
        have += got;
    }
    return 1;
}

static void no_delay(int fd) {
    int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

static int server(int port) {
    int on = 1, listener = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_ANY)};
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 1)) return 1;
    int fd = accept(listener, NULL, NULL);
    no_delay(fd);
    char message[SIZE];
    while (receive(fd, message)) {
        if (write(fd, message, SIZE) != SIZE) return 1;
    }
    return 0;
}

static int client(const char *host, const char *port, long count) {
    struct addrinfo *found, want = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM};
    if (getaddrinfo(host, port, &want, &found)) return 1;
    int fd;
    // The server may not be there yet.
    for (int attempt = 0;; attempt++) {
        fd = socket(AF_INET, SOCK_STREAM, 0);
        if (connect(fd, found->ai_addr, found->ai_addrlen) == 0) break;
        close(fd);
        if (attempt == 1000) return 1;
        usleep(10000);
    }
    no_delay(fd);
    char message[SIZE] = {0};
    for (; count > 0; count--) {
        if (write(fd, message, SIZE) != SIZE || !receive(fd, message)) return 1;
    }
    return 0;
}

int main(int count, char **texts) {
    if (count == 3 && !strcmp(texts[1], "server")) return server(atoi(texts[2]));
    if (count == 5 && !strcmp(texts[1], "client")) return client(texts[2], texts[3], atol(texts[4]));
    return 2;
}
