// getrandom: lengths, flags, and that it does not repeat itself, also after a fork.
#include "check.h"
#include <sys/random.h>

int main(void) {
    unsigned char a[256], b[256];
    CHECK_EQ(getrandom(a, sizeof a, 0), sizeof a);
    CHECK_EQ(getrandom(b, sizeof b, GRND_NONBLOCK), sizeof b);
    CHECK(memcmp(a, b, sizeof a));
    CHECK_EQ(getrandom(a, 0, 0), 0);
    CHECK_EQ(getrandom(a, 16, GRND_RANDOM), 16);
    CHECK_ERRNO(getrandom(a, 16, 0x100), EINVAL);
    CHECK_ERRNO(syscall(SYS_getrandom, 8L, 16L, 0), EFAULT);
    CHECK_OK(getentropy(a, 256));
    CHECK_ERRNO(getentropy(a, 257), EIO);
    unsigned char *shared = shared_memory(4096);
    pid_t pid;
    CHILD(pid) CHECK_EQ(getrandom(shared, 64, 0), 64);
    CHECK_EXIT(pid, 0);
    CHECK_EQ(getrandom(a, 64, 0), 64);
    CHECK(memcmp(a, shared, 64));
    int ones = 0;
    CHECK_EQ(getrandom(a, sizeof a, 0), sizeof a);
    for (size_t i = 0; i < sizeof a; i++) ones += __builtin_popcount(a[i]);
    CHECK(ones > 800 && ones < 1248);  // 1024, give or take ten standard deviations.
    return 0;
}
