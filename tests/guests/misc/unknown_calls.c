// Numbers that no call has give ENOSYS and nothing else.
#include "check.h"

int main(void) {
    const long numbers[] = {380, 400, 423, 1000, 4096, 100000, -1, -100, 0x3fffffff, LONG_MAX};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) CHECK_ERRNO(syscall(numbers[i], 1, 2, 3, 4, 5, 6), ENOSYS);
    // The gap between the old calls and those that all architectures count alike; and behind the newest.
    for (long number = 337; number < 424; number++) CHECK_ERRNO(syscall(number, -1, -1, -1, -1, -1, -1), ENOSYS);
    for (long number = 512; number < 4096; number++) CHECK_ERRNO(syscall(number, -1, -1, -1, -1, -1, -1), ENOSYS);
    // The x32 interface is not there.
    for (long number = 0; number < 600; number++)
        CHECK_ERRNO(syscall(0x40000000 + number, -1, -1, -1, -1, -1, -1), ENOSYS);
    // Only the lower half of the number counts.
    CHECK_EQ(syscall(0x100000000 + SYS_getpid), getpid());
    // Long gone ones.
    const long gone[] = {SYS_create_module, SYS_get_kernel_syms, SYS_query_module, SYS_nfsservctl, SYS_getpmsg, SYS_putpmsg,
                         SYS_afs_syscall, SYS_tuxcall, SYS_security, SYS_vserver, SYS__sysctl};
    for (size_t i = 0; i < sizeof gone / sizeof *gone; i++) CHECK_ERRNO(syscall(gone[i], 0, 0, 0, 0, 0, 0), ENOSYS);
    return 0;
}
