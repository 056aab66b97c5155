// Every process of a tree forks two more; all are counted in shared memory.
#include "check.h"
#include <stdatomic.h>

int main(void) {
    atomic_int *count = shared_memory(4096);
    int level = 0;
    pid_t first = 0, second = 0;
    for (level = 0; level < 6; level++) {
        first = fork_child();
        if (first == 0) continue;
        second = fork_child();
        if (second == 0) continue;
        break;
    }
    atomic_fetch_add(count, 1);
    if (level < 6) {
        CHECK_EXIT(first, 0);
        CHECK_EXIT(second, 0);
    }
    if (level == 0) CHECK_EQ(*count, 127);
    return 0;
}
