// ITIMER_VIRTUAL and ITIMER_PROF count the time the process runs.
#include "check.h"
#include <sys/time.h>

static volatile int virtual_hits, prof_hits;
static void handler(int sig) { *(sig == SIGVTALRM ? &virtual_hits : &prof_hits) += 1; }

int main(void) {
    on_signal(SIGVTALRM, handler, 0);
    on_signal(SIGPROF, handler, 0);
    struct itimerval timer = {{0, 5000}, {0, 5000}}, none = {{0, 0}, {0, 0}};
    CHECK_OK(setitimer(ITIMER_PROF, &timer, NULL));
    while (prof_hits < 3)
        for (int i = 0; i < 100; i++) syscall(SYS_getppid);
    CHECK_OK(setitimer(ITIMER_PROF, &none, NULL));
    CHECK_OK(setitimer(ITIMER_VIRTUAL, &timer, NULL));
    int before = virtual_hits;
    sleep_ms(50);
    CHECK(virtual_hits - before <= 2);  // Sleeping costs no such time.
    while (virtual_hits < before + 2)
        for (volatile int i = 0; i < 10000; i++) {
            if (i % 100 == 0) syscall(SYS_getppid);
        }
    CHECK_OK(setitimer(ITIMER_VIRTUAL, &none, NULL));
    return 0;
}
