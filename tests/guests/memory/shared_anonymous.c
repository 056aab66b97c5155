// Shared anonymous memory: of parent, children and grandchildren, and still so after an unmap of one.
#include "check.h"

int main(void) {
    int *shared = shared_memory(3 * 4096);
    pid_t pid, inner;
    CHILD(pid) {
        shared[0] = 1;
        CHILD(inner) shared[2000] = shared[0] + 1;
        CHECK_EXIT(inner, 0);
        CHECK_OK(munmap(shared, 3 * 4096));
    }
    CHECK_EXIT(pid, 0);
    CHECK(shared[0] == 1 && shared[2000] == 2);
    for (int i = 0; i < 10; i++) {
        CHILD(pid) shared[i]++;
        CHECK_EXIT(pid, 0);
    }
    CHECK(shared[0] == 2 && shared[9] == 1);
    // Pages that nobody has touched before the fork are shared too.
    char *late = shared_memory(1 << 20);
    CHILD(pid) late[(1 << 20) - 1] = 'l';
    CHECK_EXIT(pid, 0);
    CHECK_EQ(late[(1 << 20) - 1], 'l');
    return 0;
}
