// Handlers inside handlers, each signal blocked while its own handler runs.
#include "check.h"

static char order[16];
static volatile int count;

static void first(int sig) {
    order[count++] = '(';
    CHECK_OK(raise(SIGUSR2));  // Not blocked here: runs inside.
    order[count++] = ')';
}
static void second(int sig) {
    order[count++] = '[';
    if (count < 4) CHECK_OK(raise(SIGUSR1));  // Blocked, as its handler is under way: runs after that has ended.
    order[count++] = ']';
}

int main(void) {
    on_signal(SIGUSR1, first, 0);
    on_signal(SIGUSR2, second, 0);
    CHECK_OK(raise(SIGUSR1));
    CHECK_STR(order, "([])([])");
    return 0;
}
