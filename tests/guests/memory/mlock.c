// mlock and its relatives, within their limit.
#include "check.h"

int main(void) {
    char *area = mmap(NULL, 16 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(area != MAP_FAILED);
    struct rlimit limit;
    CHECK_OK(getrlimit(RLIMIT_MEMLOCK, &limit));
    if (mlock(area, 4 * 4096) == 0) {
        unsigned char vec[4];
        CHECK_OK(mincore(area, 4 * 4096, vec));
        for (int i = 0; i < 4; i++) CHECK(vec[i] & 1);
        CHECK_OK(munlock(area, 4 * 4096));
    } else {
        CHECK(errno == EPERM || errno == ENOMEM);
    }
    CHECK_OK(munmap(area + 4096, 4096));
    CHECK_ERRNO(mlock(area, 3 * 4096), ENOMEM);
    CHECK_ERRNO(mlockall(0), EINVAL);
    CHECK_OK(munlockall());
    return 0;
}
