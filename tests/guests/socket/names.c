// getifaddrs knows the loopback device; getaddrinfo knows localhost and numbers.
#include "net.h"
#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>

int main(void) {
    struct ifaddrs *list;
    CHECK_OK(getifaddrs(&list));
    bool found = false;
    for (struct ifaddrs *at = list; at; at = at->ifa_next) {
        if (!at->ifa_addr || at->ifa_addr->sa_family != AF_INET) continue;
        struct sockaddr_in *address = (void *)at->ifa_addr;
        if (address->sin_addr.s_addr != htonl(INADDR_LOOPBACK)) continue;
        found = true;
        CHECK(at->ifa_flags & IFF_LOOPBACK && at->ifa_flags & IFF_UP);
        CHECK_STR(at->ifa_name, "lo");
    }
    CHECK(found);
    freeifaddrs(list);
    unsigned index = if_nametoindex("lo");
    CHECK(index > 0);
    char name[IF_NAMESIZE];
    CHECK_STR(if_indextoname(index, name), "lo");
    CHECK_EQ(if_nametoindex("no-such-device"), 0);

    struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM}, *result;
    CHECK_EQ(getaddrinfo("127.0.0.1", "80", &hints, &result), 0);
    CHECK_EQ(((struct sockaddr_in *)result->ai_addr)->sin_port, htons(80));
    freeaddrinfo(result);
    CHECK_EQ(getaddrinfo("localhost", NULL, &hints, &result), 0);
    CHECK_EQ(((struct sockaddr_in *)result->ai_addr)->sin_addr.s_addr, htonl(INADDR_LOOPBACK));
    freeaddrinfo(result);
    hints.ai_flags = AI_NUMERICHOST;
    CHECK_EQ(getaddrinfo("not-a-number", NULL, &hints, &result), EAI_NONAME);
    struct ifreq request = {.ifr_name = "lo"};
    int fd = CHECK_OK(socket(AF_INET, SOCK_DGRAM, 0));
    CHECK_OK(ioctl(fd, SIOCGIFFLAGS, &request));
    CHECK(request.ifr_flags & IFF_LOOPBACK);
    return 0;
}
