// getppid COUNT: as many raw system calls, with nothing between them.
#include <stdlib.h>
#include <sys/syscall.h>

int main(int count, char **texts) {
    if (count != 2) return 2;
    for (long left = atol(texts[1]); left > 0; left--) {
        long result;
        __asm__ volatile("syscall" : "=a"(result) : "a"(SYS_getppid) : "rcx", "r11", "memory");
    }
    return 0;
}
