// A deadly signal that one thread of several brings about ends the whole process, by that signal.
#include "check.h"

static int sig;
static void *wait_for_end(void *unused) {
    for (;;) sleep_ms(1000);
}
static void *die(void *unused) {
    if (sig == SIGSEGV) *(volatile int *)16 = 1;
    else if (sig == SIGILL) __asm__ volatile("ud2");
    else if (sig == SIGABRT) abort();
    else if (sig == SIGTRAP) __asm__ volatile("int3");
    else pthread_kill(pthread_self(), sig);
    return NULL;
}

int main(void) {
    const int signals[] = {SIGSEGV, SIGILL, SIGABRT, SIGTRAP, SIGTERM, SIGKILL, SIGUSR1, SIGPIPE};
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
        pid_t pid;
        sig = signals[i];
        CHILD(pid) {
            thread_start(wait_for_end, NULL);
            thread_start(wait_for_end, NULL);
            thread_join(thread_start(die, NULL));
        }
        CHECK_KILLED(pid, sig);
    }
    return 0;
}
