// Calls of one line each: getcpu, personality, membarrier, syslog, ioprio, sync, times of nothing.
#include "check.h"
#include <linux/membarrier.h>
#include <sys/klog.h>
#include <sys/personality.h>

int main(void) {
    unsigned cpu = 9999, node = 9999;
    CHECK_OK(syscall(SYS_getcpu, &cpu, &node, NULL));
    CHECK(cpu < 9999 && node < 9999);
    CHECK_OK(syscall(SYS_getcpu, NULL, NULL, NULL));
    int persona = CHECK_OK(personality(0xffffffff));
    CHECK_EQ(personality(0xffffffff), persona);
    long supported = syscall(SYS_membarrier, MEMBARRIER_CMD_QUERY, 0, 0);
    CHECK(supported >= 0 || errno == ENOSYS);
    if (supported > 0) {
        CHECK_ERRNO(syscall(SYS_membarrier, 0x40000000, 0, 0), EINVAL);
        if (supported & MEMBARRIER_CMD_PRIVATE_EXPEDITED) {
            CHECK_OK(syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0));
            CHECK_OK(syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0));
        }
    }
    // Root of a container is not root of all: what is asked first differs.
    CHECK_EQ(klogctl(99, NULL, 0), -1);
    CHECK(errno == EINVAL || errno == EPERM);
    CHECK_EQ(syscall(SYS_reboot, 1, 2, 3, 0), -1);
    CHECK(errno == EINVAL || errno == EPERM);
    CHECK_ERRNO(syscall(SYS_mount, 8L, 8L, 8L, 0, 0), EFAULT);
    CHECK_EQ(syscall(SYS_umount2, "/nonexistent", 0), -1);
    CHECK(errno == ENOENT || errno == EPERM);
    CHECK_EQ(sysconf(_SC_PAGESIZE), 4096);
    CHECK_EQ(getpagesize(), 4096);
    CHECK(getdtablesize() > 0);
    CHECK(gethostid() != -1);
    CHECK_ERRNO(syscall(SYS_ptrace, 99999, 0, 0, 0), ESRCH);
    return 0;
}
