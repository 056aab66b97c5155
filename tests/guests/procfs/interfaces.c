// What /sys/class/net has of the loopback interface (sysfs(5)): each interface is a link to a directory of files.
#include "check.h"
#include <net/if.h>

static char text[4096];

static const char *told(const char *file) {
    char path[128];
    snprintf(path, sizeof path, "/sys/class/net/lo/%s", file);
    read_file(path, text, sizeof text);
    return text;
}

int main(void) {
    char link[128] = "";
    CHECK_OK(readlink("/sys/class/net/lo", link, sizeof link - 1));
    CHECK_STR(link, "../../devices/virtual/net/lo");
    CHECK_STR(told("address"), "00:00:00:00:00:00\n");
    CHECK_STR(told("broadcast"), "00:00:00:00:00:00\n");
    CHECK_STR(told("addr_len"), "6\n");
    CHECK_STR(told("mtu"), "65536\n");
    CHECK_STR(told("type"), "772\n");
    CHECK_STR(told("flags"), "0x9\n");
    CHECK_STR(told("operstate"), "unknown\n");
    CHECK_STR(told("carrier"), "1\n");
    CHECK_STR(told("tx_queue_len"), "1000\n");
    CHECK_EQ(atoi(told("ifindex")), if_nametoindex("lo"));
    CHECK_EQ(atoi(told("iflink")), if_nametoindex("lo"));
    CHECK_STR(told("uevent"), "INTERFACE=lo\nIFINDEX=1\n");
    CHECK(atol(told("statistics/rx_bytes")) >= 0);
    CHECK_EQ(atol(told("statistics/tx_errors")), 0);
    // The loopback has no speed.
    int fd = CHECK_OK(open("/sys/class/net/lo/speed", O_RDONLY));
    CHECK_ERRNO(read(fd, text, sizeof text), EINVAL);
    CHECK_ERRNO(open("/sys/class/net/no-such/mtu", O_RDONLY), ENOENT);
    CHECK_ERRNO(open("/sys/class/net/lo/no-such", O_RDONLY), ENOENT);
    CHECK_ERRNO(open("/sys/class/net/lo/mtu/more", O_RDONLY), ENOTDIR);
    return 0;
}
