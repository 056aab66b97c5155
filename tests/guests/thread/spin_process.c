// A process that polls memory it shares with its child, which is busy too.
#include "check.h"
#include <stdatomic.h>

int main(void) {
    struct { atomic_int ping, pong; } *shared = shared_memory(4096);
    pid_t pid;
    CHILD(pid) {
        for (int i = 1; i <= 20; i++) {
            while (shared->ping != i) {}
            shared->pong = i;
        }
    }
    for (int i = 1; i <= 20; i++) {
        shared->ping = i;
        while (shared->pong != i) {}
    }
    CHECK_EXIT(pid, 0);
    return 0;
}
