// The old way in, int 0x80: answered, refused or deadly, but never a hang.
#include "check.h"

int main(void) {
    pid_t pid;
    CHILD(pid) {
        long result = 20;  // getpid, there.
        __asm__ volatile("int $0x80" : "+a"(result)::"memory", "r8", "r9", "r10", "r11");
        CHECK(result == getpid() || (int)result == -ENOSYS);
    }
    int status = wait_status(pid);
    CHECK((WIFEXITED(status) && WEXITSTATUS(status) == 0) || WIFSIGNALED(status));
    return 0;
}
