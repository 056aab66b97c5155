// getrusage, times and wait4's usage: never falling, children counted once waited for.
#include "check.h"
#include <sys/resource.h>
#include <sys/times.h>

static long long micros(struct timeval tv) { return tv.tv_sec * 1000000ll + tv.tv_usec; }

static void burn(void) {
    // System calls too, so that it costs time wherever it runs.
    for (volatile int i = 0; i < 200000; i++)
        if (i % 10 == 0) syscall(SYS_getppid);
}

int main(void) {
    struct rusage before, after, children;
    CHECK_OK(getrusage(RUSAGE_SELF, &before));
    burn();
    CHECK_OK(getrusage(RUSAGE_SELF, &after));
    CHECK(micros(after.ru_utime) + micros(after.ru_stime) >= micros(before.ru_utime) + micros(before.ru_stime));
    CHECK(after.ru_maxrss > 0);
    CHECK_OK(getrusage(RUSAGE_THREAD, &after));
    CHECK_OK(getrusage(RUSAGE_CHILDREN, &children));
    CHECK_EQ(micros(children.ru_utime), 0);
    CHECK_ERRNO(getrusage(99, &after), EINVAL);
    pid_t pid;
    CHILD(pid) burn();
    int status;
    CHECK_EQ(wait4(pid, &status, 0, &children), pid);
    CHECK_EQ(status, 0);
    CHECK_OK(getrusage(RUSAGE_CHILDREN, &after));
    CHECK_EQ(micros(after.ru_utime), micros(children.ru_utime));
    CHECK_EQ(micros(after.ru_stime), micros(children.ru_stime));
    struct tms tms;
    clock_t ticks = times(&tms);
    CHECK(ticks != -1 && tms.tms_utime >= 0 && tms.tms_cutime >= 0);
    sleep_ms(30);
    CHECK(times(&tms) - ticks >= 2);  // A hundred each second.
    CHECK_EQ(sysconf(_SC_CLK_TCK), 100);
    return 0;
}
