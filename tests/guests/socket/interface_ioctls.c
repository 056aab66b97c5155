// netdevice(7): what ioctls tell of the loopback interface, and what they refuse.
#include "net.h"
#include <linux/sockios.h>
#include <net/if.h>
#include <net/if_arp.h>

static struct ifreq request;

static int ask(int fd, unsigned long number, const char *name) {
    memset(&request, 0x55, sizeof request);
    strcpy(request.ifr_name, name);
    return ioctl(fd, number, &request);
}

// arp(7): SIOCGARP of an address by an interface.
static int arp(int fd, int family, int flags, const char *name) {
    struct arpreq question = {.arp_flags = flags};
    *(struct sockaddr_in *)&question.arp_pa = (struct sockaddr_in){.sin_family = family, .sin_addr.s_addr = htonl(0x7f000009)};
    strcpy(question.arp_dev, name);
    return ioctl(fd, SIOCGARP, &question);
}

static unsigned address_of(int fd, unsigned long number) {
    CHECK_OK(ask(fd, number, "lo"));
    CHECK_EQ(request.ifr_addr.sa_family, AF_INET);
    return ntohl(((struct sockaddr_in *)&request.ifr_addr)->sin_addr.s_addr);
}

int main(void) {
    int fd = CHECK_OK(socket(AF_INET, SOCK_DGRAM, 0));
    CHECK_OK(ask(fd, SIOCGIFINDEX, "lo"));
    CHECK_EQ(request.ifr_ifindex, 1);
    request.ifr_name[0] = 0;
    CHECK_OK(ioctl(fd, SIOCGIFNAME, &request));
    CHECK_STR(request.ifr_name, "lo");
    CHECK_OK(ask(fd, SIOCGIFFLAGS, "lo"));
    CHECK_EQ(request.ifr_flags & (IFF_UP | IFF_LOOPBACK | IFF_RUNNING | IFF_BROADCAST), IFF_UP | IFF_LOOPBACK | IFF_RUNNING);
    CHECK_EQ(address_of(fd, SIOCGIFADDR), INADDR_LOOPBACK);
    CHECK_EQ(address_of(fd, SIOCGIFNETMASK), 0xff000000);
    CHECK_OK(ask(fd, SIOCGIFMTU, "lo"));
    CHECK_EQ(request.ifr_mtu, 65536);
    CHECK_OK(ask(fd, SIOCGIFHWADDR, "lo"));
    CHECK_EQ(request.ifr_hwaddr.sa_family, 772);
    CHECK_OK(ask(fd, SIOCGIFMETRIC, "lo"));
    CHECK_EQ(request.ifr_metric, 0);
    CHECK_OK(ask(fd, SIOCGIFTXQLEN, "lo"));
    CHECK_EQ(request.ifr_qlen, 1000);
    CHECK_ERRNO(ask(fd, SIOCGIFFLAGS, "nothing"), ENODEV);
    CHECK_ERRNO(ioctl(fd, SIOCGIFFLAGS, (void *)8), EFAULT);
    request.ifr_ifindex = 9999;
    CHECK_ERRNO(ioctl(fd, SIOCGIFNAME, &request), ENODEV);
    // The list: how long it is, and what fits.
    struct ifconf list = {0};
    CHECK_OK(ioctl(fd, SIOCGIFCONF, &list));
    CHECK(list.ifc_len >= (int)sizeof request && list.ifc_len % sizeof request == 0);
    struct ifreq entries[16];
    list = (struct ifconf){sizeof request + 3, {(void *)entries}};
    CHECK_OK(ioctl(fd, SIOCGIFCONF, &list));
    CHECK_EQ(list.ifc_len, sizeof request);
    CHECK_STR(entries[0].ifr_name, "lo");
    // Nobody's hardware address is known here.
    CHECK_ERRNO(arp(fd, AF_INET, 0, "lo"), ENXIO);
    CHECK_ERRNO(arp(fd, AF_INET, 0, ""), ENODEV);
    CHECK_ERRNO(arp(fd, AF_INET, 0, "nothing"), ENODEV);
    CHECK_ERRNO(arp(fd, AF_INET6, 0, "lo"), EPFNOSUPPORT);
    CHECK_ERRNO(arp(fd, AF_INET, ATF_NETMASK, "lo"), EINVAL);
    CHECK_ERRNO(ioctl(fd, SIOCGARP, (void *)8), EFAULT);
    // Any socket will do; a regular file will not.
    int pair[2];
    CHECK_OK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
    CHECK_OK(ask(pair[0], SIOCGIFINDEX, "lo"));
    CHECK_ERRNO(ask(CHECK_OK(open("/dev/null", O_RDWR)), SIOCGIFINDEX, "lo"), ENOTTY);
    CHECK_EQ(if_nametoindex("lo"), 1);
    if (geteuid() == 0) CHECK_OK(setuid(65534));
    CHECK_OK(ask(fd, SIOCGIFFLAGS, "lo"));
    CHECK_ERRNO(ioctl(fd, SIOCSIFFLAGS, &request), EPERM);
    CHECK_ERRNO(ioctl(fd, SIOCSIFMTU, &request), EPERM);
}
