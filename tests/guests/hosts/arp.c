// SIOCGARP tells the hardware address of a host with which packets were exchanged, by the interface to it.
#include "hosts.h"
#include <net/if_arp.h>

static int asked(const char *name, const char *device, struct arpreq *question) {
    memset(question, 0, sizeof *question);
    struct sockaddr_in to = at(name, 0);
    memcpy(&question->arp_pa, &to, sizeof to);
    strcpy(question->arp_dev, device);
    return ioctl(meet_fd, SIOCGARP, question);
}

int main(void) {
    begin();
    struct arpreq question;
    const char *other = is_server ? "client" : "server", *own = is_server ? "server" : "client";
    CHECK_OK(asked(other, "eth0", &question));
    struct in_addr address = ((struct sockaddr_in *)&question.arp_pa)->sin_addr;
    unsigned char *mac = (void *)question.arp_ha.sa_data;
    say("type %d, flags %d", question.arp_ha.sa_family, question.arp_flags);
    say("an address: %d", mac[0] || mac[1] || mac[2] || mac[3] || mac[4] || mac[5]);
    say("of who was asked for: %d", address.s_addr == address_of(other).s_addr);
    say("by another interface: %s", error_text(asked(other, "lo", &question)));
    say("of oneself: %s", error_text(asked(own, "eth0", &question)));
    meet();
}
