// Three hundred zombies at once, and all of them waited for.
#include "check.h"

int main(void) {
    pid_t pids[300];
    for (int i = 0; i < 300; i++) {
        pids[i] = CHECK_OK(fork());
        if (!pids[i]) _exit(i & 0x7f);
    }
    sleep_ms(20);
    for (int i = 299; i >= 0; i--) CHECK_EXIT(pids[i], i & 0x7f);
    CHECK_ERRNO(wait(NULL), ECHILD);
    return 0;
}
