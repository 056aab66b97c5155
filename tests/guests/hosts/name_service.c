// The world's name service, asked by hand at the address in resolv.conf and at 127.0.0.11.
// link: -lresolv
#include "hosts.h"
#include <resolv.h>

static void ask(struct in_addr server, const char *name, int kind) {
    unsigned char question[512], answer[512];
    int length = res_mkquery(QUERY, name, C_IN, kind, NULL, 0, NULL, question, sizeof question);
    CHECK(length > 0);
    int fd = CHECK_OK(socket(AF_INET, SOCK_DGRAM, 0));
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(53), .sin_addr = server};
    CHECK_OK(connect(fd, (void *)&to, sizeof to));
    CHECK_EQ(send(fd, question, length, 0), length);
    CHECK(polled(fd, POLLIN, 5000) & POLLIN);
    int n = CHECK_OK(recv(fd, answer, sizeof answer, 0));
    ns_msg message;
    CHECK_OK(ns_initparse(answer, n, &message));
    say("%s %d: code %d, %d answers", name, kind, ns_msg_getflag(message, ns_f_rcode), ns_msg_count(message, ns_s_an));
    ns_rr record;
    if (ns_msg_count(message, ns_s_an) && !ns_parserr(&message, ns_s_an, 0, &record) && ns_rr_type(record) == ns_t_a) {
        struct in_addr found;
        memcpy(&found, ns_rr_rdata(record), 4);
        say("%s, for %u s", text_of(found), ns_rr_ttl(record));
    }
    CHECK_OK(close(fd));
}

int main(void) {
    begin();
    char text[256], address[64];
    read_file("/etc/resolv.conf", text, sizeof text);
    CHECK_EQ(sscanf(text, "nameserver %63s", address), 1);
    struct in_addr servers[2] = {{htonl(0x7f00000b)}};
    CHECK_EQ(inet_pton(AF_INET, address, &servers[1]), 1);
    say("server %s", address);
    for (int i = 0; i < 2; i++) {
        ask(servers[i], "server", ns_t_a);
        ask(servers[i], "client", ns_t_aaaa);
        ask(servers[i], "CLIENT", ns_t_a);
        ask(servers[i], "nobody.example", ns_t_a);
        ask(servers[i], "server", ns_t_mx);
    }
    meet();
    return 0;
}
