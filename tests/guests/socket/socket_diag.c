// sock_diag(7): a listener, a connection, a datagram socket and AF_UNIX ones are found by NETLINK_SOCK_DIAG.
#include "net.h"
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>

static char buffer[65536];
static int diag;

static ino_t inode(int fd) {
    struct stat st;
    CHECK_OK(fstat(fd, &st));
    return st.st_ino;
}

// Calls `each` with every answer to a request, until the end; an error ends it too, and is returned.
static int dump(void *request, size_t size, int flags, void (*each)(void *, void *), void *what) {
    char out[256];
    struct nlmsghdr head = {NLMSG_LENGTH(size), SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST | flags, 5, 0};
    memcpy(out, &head, sizeof head);
    memcpy(out + NLMSG_HDRLEN, request, size);
    CHECK_EQ(send(diag, out, head.nlmsg_len, 0), head.nlmsg_len);
    for (;;) {
        int length = CHECK_OK(recv(diag, buffer, sizeof buffer, 0));
        for (struct nlmsghdr *m = (void *)buffer; NLMSG_OK(m, length); m = NLMSG_NEXT(m, length)) {
            if (m->nlmsg_type == NLMSG_DONE) return 0;
            if (m->nlmsg_type == NLMSG_ERROR) return -((struct nlmsgerr *)NLMSG_DATA(m))->error;
            each(NLMSG_DATA(m), what);
            if (!flags) return 0;
        }
    }
}

struct wanted { ino_t inode; int found, state, rqueue, wqueue; };

static void inet(void *data, void *what) {
    struct inet_diag_msg *m = data;
    struct wanted *w = what;
    if (m->idiag_inode != w->inode) return;
    *w = (struct wanted){w->inode, w->found + 1, m->idiag_state, m->idiag_rqueue, m->idiag_wqueue};
}

static struct wanted look(int family, int protocol, int fd) {
    struct inet_diag_req_v2 request = {.sdiag_family = family, .sdiag_protocol = protocol, .idiag_states = -1};
    struct wanted wanted = {inode(fd)};
    CHECK_EQ(dump(&request, sizeof request, NLM_F_DUMP, inet, &wanted), 0);
    return wanted;
}

static void names(void *data, void *what) {
    struct unix_diag_msg *m = data;
    struct wanted *w = what;
    if (m->udiag_ino == w->inode) *w = (struct wanted){w->inode, w->found + 1, m->udiag_state, m->udiag_type};
}

int main(void) {
    diag = CHECK_OK(socket(AF_NETLINK, SOCK_DGRAM, NETLINK_SOCK_DIAG));
    int listener = listening(), client = connect_to(SOCK_STREAM, port_of(listener));
    struct wanted w = look(AF_INET, IPPROTO_TCP, listener);
    CHECK(w.found == 1 && w.state == TCP_LISTEN && w.rqueue == 1 && w.wqueue == 16);
    int server = CHECK_OK(accept(listener, NULL, NULL));
    CHECK_EQ(send(client, "hello", 5, 0), 5);
    w = look(AF_INET, IPPROTO_TCP, server);
    CHECK(w.found == 1 && w.state == TCP_ESTABLISHED && w.rqueue == 5);
    int datagrams = bound(SOCK_DGRAM);
    w = look(AF_INET, IPPROTO_UDP, datagrams);
    CHECK(w.found == 1 && w.state == TCP_CLOSE);
    CHECK_EQ(look(AF_INET6, IPPROTO_TCP, client).found, 0);
    // One, by its addresses.
    struct inet_diag_req_v2 one = {.sdiag_family = AF_INET, .sdiag_protocol = IPPROTO_TCP, .idiag_states = -1};
    one.id.idiag_cookie[0] = one.id.idiag_cookie[1] = INET_DIAG_NOCOOKIE;
    one.id.idiag_sport = htons(port_of(client));
    one.id.idiag_dport = htons(port_of(listener));
    one.id.idiag_src[0] = one.id.idiag_dst[0] = htonl(INADDR_LOOPBACK);
    w = (struct wanted){inode(client)};
    CHECK_EQ(dump(&one, sizeof one, 0, inet, &w), 0);
    CHECK_EQ(w.found, 1);
    one.id.idiag_dport = htons(1);
    CHECK_EQ(dump(&one, sizeof one, 0, inet, &w), ENOENT);
    int pair[2];
    CHECK_OK(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair));
    struct unix_diag_req request = {.sdiag_family = AF_UNIX, .udiag_states = -1, .udiag_show = UDIAG_SHOW_NAME | UDIAG_SHOW_PEER};
    w = (struct wanted){inode(pair[0])};
    CHECK_EQ(dump(&request, sizeof request, NLM_F_DUMP, names, &w), 0);
    CHECK(w.found == 1 && w.state == TCP_ESTABLISHED && w.rqueue == SOCK_SEQPACKET);
    CHECK_EQ(dump(&request, 3, NLM_F_DUMP, names, &w), EINVAL);
}
