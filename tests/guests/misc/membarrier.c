// membarrier: what is expedited must be registered for.
#include "check.h"
#include <linux/membarrier.h>

static long barrier(int command, unsigned flags) { return syscall(SYS_membarrier, command, flags, 0); }

int main(void) {
    long known = CHECK_OK(barrier(MEMBARRIER_CMD_QUERY, 0));
    CHECK(known & MEMBARRIER_CMD_GLOBAL);
    CHECK_ERRNO(barrier(MEMBARRIER_CMD_QUERY, 1), EINVAL);
    CHECK_ERRNO(barrier(-1, 0), EINVAL);
    CHECK_OK(barrier(MEMBARRIER_CMD_GLOBAL, 0));
    CHECK_OK(barrier(MEMBARRIER_CMD_GLOBAL_EXPEDITED, 0));
    CHECK_ERRNO(barrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0), EPERM);
    CHECK_OK(barrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0));
    CHECK_OK(barrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0));
    return 0;
}
