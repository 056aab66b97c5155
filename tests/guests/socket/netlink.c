// AF_NETLINK: requests, dumps of many messages, small buffers, errors and acknowledgements, groups, and other protocols.
#include "net.h"
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>

static char buffer[65536];

static int opened(int protocol) {
    int fd = CHECK_OK(socket(AF_NETLINK, SOCK_RAW, protocol));
    struct sockaddr_nl own = {.nl_family = AF_NETLINK};
    CHECK_OK(bind(fd, (void *)&own, sizeof own));
    return fd;
}

static void ask(int fd, int type, int flags, int family) {
    struct { struct nlmsghdr head; struct ifinfomsg body; } request = {
        {sizeof request, type, NLM_F_REQUEST | flags, 7, 0}, {.ifi_family = family}};
    CHECK_EQ(send(fd, &request, sizeof request, 0), sizeof request);
}

// The messages of a dump: how many of the type there are.
static int dumped(int fd, int request, int type, int family) {
    ask(fd, request, NLM_F_DUMP, family);
    for (int count = 0;;) {
        int length = CHECK_OK(recv(fd, buffer, sizeof buffer, 0));
        for (struct nlmsghdr *m = (void *)buffer; NLMSG_OK(m, length); m = NLMSG_NEXT(m, length)) {
            CHECK_EQ(m->nlmsg_seq, 7);
            CHECK(m->nlmsg_flags & NLM_F_MULTI);
            if (m->nlmsg_type == NLMSG_DONE) return count;
            CHECK_EQ(m->nlmsg_type, type);
            count++;
        }
    }
}

// The bytes of an attribute of the first link of a dump; -1 without it.
static int link_attribute(int fd, int type) {
    ask(fd, RTM_GETLINK, NLM_F_DUMP, AF_UNSPEC);
    for (int found = -2;;) {
        int length = CHECK_OK(recv(fd, buffer, sizeof buffer, 0));
        for (struct nlmsghdr *m = (void *)buffer; NLMSG_OK(m, length); m = NLMSG_NEXT(m, length)) {
            if (m->nlmsg_type == NLMSG_DONE) return found;
            if (found != -2) continue;
            found = -1;
            int room = IFLA_PAYLOAD(m);
            for (struct rtattr *a = IFLA_RTA(NLMSG_DATA(m)); RTA_OK(a, room); a = RTA_NEXT(a, room))
                if (a->rta_type == type) found = RTA_PAYLOAD(a);
        }
    }
}

static int error_of(int fd) {
    CHECK_OK(recv(fd, buffer, sizeof buffer, 0));
    struct nlmsghdr *m = (void *)buffer;
    CHECK_EQ(m->nlmsg_type, NLMSG_ERROR);
    return -((struct nlmsgerr *)NLMSG_DATA(m))->error;
}

int main(void) {
    int fd = opened(NETLINK_ROUTE);
    struct sockaddr_nl own, from;
    socklen_t length = sizeof own;
    CHECK_OK(getsockname(fd, (void *)&own, &length));
    CHECK_EQ(own.nl_pid, getpid());
    int second = opened(NETLINK_ROUTE);
    CHECK_OK(getsockname(second, (void *)&from, &length));
    CHECK(from.nl_pid != own.nl_pid);
    CHECK(dumped(fd, RTM_GETLINK, RTM_NEWLINK, AF_UNSPEC) >= 1);
    CHECK(dumped(fd, RTM_GETADDR, RTM_NEWADDR, AF_INET) >= 1);
    CHECK(dumped(fd, RTM_GETADDR, RTM_NEWADDR, AF_UNSPEC) >= 2);
    CHECK(dumped(fd, RTM_GETROUTE, RTM_NEWROUTE, AF_INET) >= 1);
    CHECK(dumped(fd, RTM_GETRULE, RTM_NEWRULE, AF_INET) >= 1);
    CHECK(dumped(fd, RTM_GETNEIGH, RTM_NEWNEIGH, AF_INET) >= 0);
    // Links tell unasked what they have counted.
    CHECK_EQ(link_attribute(fd, IFLA_STATS), 24 * 4);
    CHECK(link_attribute(fd, IFLA_STATS64) >= 24 * 8);
    // A buffer that is too small cuts, and says how much there was; a look at the length takes nothing.
    ask(fd, RTM_GETLINK, NLM_F_DUMP, AF_UNSPEC);
    int whole = CHECK_OK(recv(fd, NULL, 0, MSG_PEEK | MSG_TRUNC));
    CHECK(whole > 100);
    struct iovec vector = {buffer, 20};
    struct msghdr message = {&from, sizeof from, &vector, 1, NULL, 0, 0};
    CHECK_EQ(recvmsg(fd, &message, 0), 20);
    CHECK(message.msg_flags & MSG_TRUNC);
    CHECK_EQ(from.nl_pid, 0);
    CHECK_OK(close(fd));
    fd = opened(NETLINK_ROUTE);
    // One link by its index, an acknowledgement, and errors.
    struct { struct nlmsghdr head; struct ifinfomsg body; } one = {
        {sizeof one, RTM_GETLINK, NLM_F_REQUEST | NLM_F_ACK, 9, 0}, {.ifi_index = if_nametoindex("lo")}};
    CHECK_EQ(send(fd, &one, sizeof one, 0), sizeof one);
    CHECK_OK(recv(fd, buffer, sizeof buffer, 0));
    CHECK_EQ(((struct nlmsghdr *)buffer)->nlmsg_type, RTM_NEWLINK);
    CHECK_EQ(((struct nlmsghdr *)buffer)->nlmsg_flags, 0);
    CHECK_EQ(error_of(fd), 0);
    one.body.ifi_index = 9999;
    CHECK_EQ(send(fd, &one, sizeof one, 0), sizeof one);
    CHECK_EQ(error_of(fd), ENODEV);
    CHECK_EQ(((struct nlmsghdr *)buffer)->nlmsg_len, NLMSG_LENGTH(4 + sizeof one));  // An error quotes the request.
    int on = 1;
    CHECK_OK(setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof on));
    CHECK_EQ(send(fd, &one, sizeof one, 0), sizeof one);
    CHECK_EQ(error_of(fd), ENODEV);
    CHECK_EQ(((struct nlmsghdr *)buffer)->nlmsg_len, NLMSG_LENGTH(4 + sizeof(struct nlmsghdr)));
    // Groups.
    int group = RTNLGRP_LINK;
    CHECK_OK(setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof group));
    CHECK_OK(getsockname(fd, (void *)&own, &length));
    CHECK_EQ(own.nl_groups, RTMGRP_LINK);
    group = 0;
    CHECK_ERRNO(setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof group), EINVAL);
    CHECK_EQ(poll_one(fd, POLLIN | POLLOUT, 0), POLLOUT);
    // Others.
    CHECK_ERRNO(socket(AF_NETLINK, SOCK_STREAM, 0), ESOCKTNOSUPPORT);
    CHECK_ERRNO(socket(AF_NETLINK, SOCK_RAW, 31), EPROTONOSUPPORT);
    struct sockaddr_nl somebody = {.nl_family = AF_NETLINK, .nl_pid = 0x7ffffff0};
    CHECK_ERRNO(sendto(fd, &one, sizeof one, 0, (void *)&somebody, sizeof somebody), ECONNREFUSED);
    int uevent = CHECK_OK(socket(AF_NETLINK, SOCK_DGRAM, NETLINK_KOBJECT_UEVENT));
    own = (struct sockaddr_nl){.nl_family = AF_NETLINK, .nl_groups = 1};
    CHECK_OK(bind(uevent, (void *)&own, sizeof own));
    CHECK_EQ(poll_one(uevent, POLLIN, 0), 0);
    // The family that finds families.
    int generic = opened(NETLINK_GENERIC);
    struct { struct nlmsghdr head; struct genlmsghdr body; struct nlattr name; char text[8]; } find = {
        {sizeof find, GENL_ID_CTRL, NLM_F_REQUEST, 3, 0}, {CTRL_CMD_GETFAMILY, 1}, {11, CTRL_ATTR_FAMILY_NAME}, "nlctrl"};
    CHECK_EQ(send(generic, &find, sizeof find, 0), sizeof find);
    CHECK_OK(recv(generic, buffer, sizeof buffer, 0));
    CHECK_EQ(((struct nlmsghdr *)buffer)->nlmsg_type, GENL_ID_CTRL);
    strcpy(find.text, "nosuch");
    CHECK_EQ(send(generic, &find, sizeof find, 0), sizeof find);
    CHECK_EQ(error_of(generic), ENOENT);
}
