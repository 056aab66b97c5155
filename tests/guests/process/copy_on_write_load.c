// Thirty forks of a process with thirty-two megabytes, each child changing a part of it.
#include "check.h"

int main(void) {
    const size_t size = 32 << 20;
    char *data = malloc(size);
    CHECK(data);
    for (size_t i = 0; i < size; i += 4096) data[i] = 1;
    for (int round = 0; round < 30; round++) {
        pid_t pid;
        CHILD(pid) {
            for (size_t i = (size_t)round << 20; i < (size_t)(round + 2) << 20; i += 4096) {
                CHECK_EQ(data[i], 1);
                data[i] = 2;
            }
        }
        CHECK_EXIT(pid, 0);
    }
    for (size_t i = 0; i < size; i += 4096) CHECK_EQ(data[i], 1);
    return 0;
}
