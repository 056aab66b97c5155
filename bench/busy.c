// Computes for some minutes, with a call now and then, so that the world's clock stands still while its memory is measured.
#include <unistd.h>

int main(void) {
    volatile unsigned long number = 1;
    for (int round = 0; round < 1000; round++) {
        for (long i = 0; i < 100000000; i++) number = number * 6364136223846793005ul + 1442695040888963407ul;
        getppid();
    }
    return 0;
}
