// connections server PORT COUNT: takes as many connections, and closes each.
// connections client HOST PORT COUNT: opens as many, one after another, reads each to its end and closes it.
//
// Who closes first keeps the port for a minute. Were it the client, its kernel would soon search long for a port that is free,
// and that would be all that is measured.
#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int server(int port, long count) {
    int on = 1, listener = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 128)) return 1;
    for (; count > 0; count--) {
        int fd = accept(listener, NULL, NULL);
        if (fd < 0) return 1;
        close(fd);
    }
    return 0;
}

static int client(const char *host, const char *port, long count) {
    struct addrinfo *found, want = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM};
    if (getaddrinfo(host, port, &want, &found)) return 1;
    for (int attempts = 0; count > 0;) {
        int fd = socket(AF_INET, SOCK_STREAM, 0);
        if (connect(fd, found->ai_addr, found->ai_addrlen) == 0) {
            char byte;
            if (read(fd, &byte, 1) != 0) return 1;
            count--;
        } else {
            // The server may not be there yet.
            if (++attempts == 1000) return 1;
            usleep(10000);
        }
        close(fd);
    }
    return 0;
}

int main(int count, char **texts) {
    if (count == 4 && !strcmp(texts[1], "server")) return server(atoi(texts[2]), atol(texts[3]));
    if (count == 5 && !strcmp(texts[1], "client")) return client(texts[2], texts[3], atol(texts[4]));
    return 2;
}
