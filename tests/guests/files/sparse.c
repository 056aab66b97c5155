// A file of a terabyte with a few bytes in it.
#include "check.h"

int main(void) {
    enter_tmp();
    int fd = CHECK_OK(open("f", O_RDWR | O_CREAT, 0600));
    off_t far = 1ll << 40;
    CHECK_EQ(pwrite(fd, "end", 3, far), 3);
    struct stat st;
    CHECK_OK(fstat(fd, &st));
    CHECK_EQ(st.st_size, far + 3);
    CHECK(st.st_blocks < 1 << 20);
    char buffer[4096];
    memset(buffer, 1, sizeof buffer);
    CHECK_EQ(pread(fd, buffer, sizeof buffer, far - sizeof buffer), sizeof buffer);
    for (size_t i = 0; i < sizeof buffer; i++) CHECK_EQ(buffer[i], 0);
    CHECK_EQ(pread(fd, buffer, sizeof buffer, far), 3);
    CHECK_OK(ftruncate(fd, 1ll << 41));
    CHECK_EQ(pread(fd, buffer, 1, (1ll << 41) - 1), 1);
    return 0;
}
