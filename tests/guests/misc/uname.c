// uname, host names, and what may not be changed without privilege.
#include "check.h"
#include <sys/utsname.h>

int main(void) {
    struct utsname name;
    CHECK_OK(uname(&name));
    CHECK_STR(name.sysname, "Linux");
    CHECK_STR(name.machine, "x86_64");
    CHECK(name.release[0] >= '3' && name.release[0] <= '9');
    char host[256], text[256];
    CHECK_OK(gethostname(host, sizeof host));
    CHECK_STR(host, name.nodename);
    read_file("/proc/sys/kernel/hostname", text, sizeof text);
    text[strcspn(text, "\n")] = 0;
    CHECK_STR(host, text);
    read_file("/proc/sys/kernel/osrelease", text, sizeof text);
    text[strcspn(text, "\n")] = 0;
    CHECK_STR(name.release, text);
    CHECK_ERRNO(syscall(SYS_uname, 8L), EFAULT);
    if (geteuid()) CHECK_ERRNO(sethostname("x", 1), EPERM);
    return 0;
}
