// swarm ADDRESS HOSTS COUNT: sends as many datagrams to random ones of the hosts, whose addresses follow each other from
// the given one, and reads what has come.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int count, char **texts) {
    if (count != 4) return 2;
    uint32_t first = ntohl(inet_addr(texts[1])), hosts = atoi(texts[2]);
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(9000)};
    if (bind(fd, (struct sockaddr *)&address, sizeof address)) return 1;
    // Every host draws its own numbers.
    char name[65] = "";
    gethostname(name, sizeof name);
    uint64_t random = 1;
    for (char *c = name; *c; c++) random = random * 31 + *c;
    char message[64] = "datagram";
    for (long left = atol(texts[3]); left > 0; left--) {
        random = random * 6364136223846793005u + 1442695040888963407u;
        address.sin_addr.s_addr = htonl(first + (random >> 33) % hosts);
        if (sendto(fd, message, sizeof message, 0, (struct sockaddr *)&address, sizeof address) < 0) return 1;
        while (recv(fd, message, sizeof message, 0) > 0) {}
    }
    return 0;
}
