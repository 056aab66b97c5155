// capget and capset: versions, and that dropping is for good.
#include "check.h"
#include <linux/capability.h>

int main(void) {
    struct __user_cap_header_struct header = {0, 0};
    struct __user_cap_data_struct data[2], again[2];
    CHECK_ERRNO(syscall(SYS_capget, &header, data), EINVAL);
    CHECK_EQ(header.version, _LINUX_CAPABILITY_VERSION_3);  // The kernel tells what it wants.
    CHECK_OK(syscall(SYS_capget, &header, data));
    CHECK_EQ(data[0].effective & ~data[0].permitted, 0);
    CHECK_OK(syscall(SYS_capset, &header, data));
    memset(data, 0, sizeof data);
    CHECK_OK(syscall(SYS_capset, &header, data));
    CHECK_OK(syscall(SYS_capget, &header, again));
    CHECK_EQ(again[0].permitted, 0);
    data[0].effective = data[0].permitted = 1;
    CHECK_ERRNO(syscall(SYS_capset, &header, data), EPERM);
    header.pid = 99999999;
    CHECK_ERRNO(syscall(SYS_capget, &header, data), ESRCH);
    return 0;
}
