// An alarm set before exec goes off after it.
#include "check.h"
#include <sys/time.h>

static void handler(int sig) { _exit(5); }

int main(int argc, char **argv) {
    if (argc > 1) {
        // check.h has replaced the alarm (it is the same timer): set again from what is told here.
        struct itimerval left;
        CHECK_OK(getitimer(ITIMER_VIRTUAL, &left));
        CHECK(left.it_value.tv_sec > 0 && left.it_value.tv_sec <= 1000);
        CHECK_EQ(left.it_interval.tv_sec, 7);
        on_signal(SIGALRM, handler, 0);
        ualarm(20000, 0);
        pause();
        return 1;
    }
    pid_t pid;
    CHILD(pid) {
        struct itimerval timer = {{7, 0}, {1000, 0}};
        CHECK_OK(setitimer(ITIMER_VIRTUAL, &timer, NULL));
        CHECK_OK(execl("/proc/self/exe", argv[0], "child", NULL));
    }
    CHECK_EXIT(pid, 5);
    return 0;
}
