// Copy on write both ways: heap, stack, globals and private mappings; shared ones stay shared.
#include "check.h"

static int global = 10;

int main(void) {
    int local = 20;
    int *heap = malloc(sizeof *heap * 100000);
    for (int i = 0; i < 100000; i++) heap[i] = i;
    int *private = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int *shared = shared_memory(1 << 20);
    private[5] = 50;
    int go[2], back[2];
    CHECK_OK(pipe(go));
    CHECK_OK(pipe(back));
    char byte = 0;
    pid_t pid;
    CHILD(pid) {
        CHECK_EQ(read(go[0], &byte, 1), 1);  // The parent has changed everything by now.
        CHECK(global == 10 && local == 20 && heap[99999] == 99999 && private[5] == 50);
        CHECK_EQ(shared[5], 77);
        global = local = heap[99999] = private[5] = -1;
        shared[6] = 88;
    }
    global = 11, local = 21, heap[99999] = 1, private[5] = 51, shared[5] = 77;
    CHECK_EQ(write(go[1], &byte, 1), 1);
    CHECK_EXIT(pid, 0);
    CHECK(global == 11 && local == 21 && heap[99999] == 1 && private[5] == 51);
    CHECK_EQ(shared[6], 88);
    return 0;
}
