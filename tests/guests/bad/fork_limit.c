// Forks until EAGAIN, within a small limit and never more than a hundred, and all of them gone again.
#include "check.h"

static void *nothing(void *unused) { return NULL; }

int main(void) {
    pid_t pid;
    CHILD(pid) {
        if (geteuid() == 0 && setuid(54321)) _exit(0);  // The limit does not bind root.
        struct rlimit limit = {30, 30};
        CHECK_OK(setrlimit(RLIMIT_NPROC, &limit));
        pid_t pids[100];
        int count = 0;
        while (count < 100 && (pids[count] = fork()) >= 0) {
            if (pids[count] == 0) {
                alarm(20);
                for (;;) pause();
            }
            count++;
        }
        int error = errno;
        pthread_t thread;
        int threads = pthread_create(&thread, NULL, nothing, NULL);
        for (int i = 0; i < count; i++) {
            CHECK_OK(kill(pids[i], SIGKILL));
            CHECK_KILLED(pids[i], SIGKILL);
        }
        CHECK(count < 100);
        CHECK_EQ(error, EAGAIN);
        CHECK_EQ(threads, EAGAIN);
    }
    CHECK_EXIT(pid, 0);
    return 0;
}
