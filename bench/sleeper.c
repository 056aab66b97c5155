// Waits for longer than any world lasts.
#include <unistd.h>

int main(void) {
    for (;;) sleep(1000000);
}
