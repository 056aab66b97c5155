// IP_PKTINFO says to which address and by which interface a datagram came, and chooses the source of an answer.
#include "hosts.h"

int main(void) {
    begin();
    if (is_server) {
        int fd = bound_to(SOCK_DGRAM, 7114);
        option(fd, IPPROTO_IP, IP_PKTINFO, 1);
        option(fd, IPPROTO_IP, IP_RECVTTL, 1);
        meet();
        char data[32], control[128];
        struct sockaddr_in from;
        struct iovec iov = {data, sizeof data};
        struct msghdr message = {&from, sizeof from, &iov, 1, control, sizeof control, 0};
        CHECK_OK(recvmsg(fd, &message, 0));
        struct in_pktinfo info = {0};
        for (struct cmsghdr *c = CMSG_FIRSTHDR(&message); c; c = CMSG_NXTHDR(&message, c)) {
            int ttl;
            if (c->cmsg_type == IP_TTL) memcpy(&ttl, CMSG_DATA(c), sizeof ttl), say("ttl %d", ttl);
            if (c->cmsg_type != IP_PKTINFO) continue;
            memcpy(&info, CMSG_DATA(c), sizeof info);
            char name[IF_NAMESIZE];
            CHECK(if_indextoname(info.ipi_ifindex, name));
            say("to %s, local %s, by %s", text_of(info.ipi_addr), text_of(info.ipi_spec_dst), name);
        }
        // The answer has the address that was asked.
        struct { struct cmsghdr head; struct in_pktinfo info; } out = {
            {CMSG_LEN(sizeof info), IPPROTO_IP, IP_PKTINFO}, {.ipi_spec_dst = info.ipi_addr}};
        message.msg_control = &out, message.msg_controllen = sizeof out;
        iov.iov_len = 2;
        CHECK_EQ(sendmsg(fd, &message, 0), 2);
        out.info.ipi_spec_dst.s_addr = htonl(0x01020304);
        say("a source that is not ours: %s", error_text(sendmsg(fd, &message, 0)));
    } else {
        meet();
        int fd = CHECK_OK(socket(AF_INET, SOCK_DGRAM, 0));
        struct sockaddr_in to = at("server", 7114), from;
        CHECK_EQ(sendto(fd, "hi", 2, 0, (void *)&to, sizeof to), 2);
        socklen_t length = sizeof from;
        char data[8];
        CHECK_EQ(recvfrom(fd, data, sizeof data, 0, (void *)&from, &length), 2);
        say("from %s", text_of(from.sin_addr));
    }
    meet();
    return 0;
}
