// /proc/self/task lists the threads, and tids go when threads end.
#include "check.h"
#include <dirent.h>

static int count(void) {
    DIR *dir = opendir("/proc/self/task");
    CHECK(dir);
    int number = 0;
    struct dirent *entry;
    while ((entry = readdir(dir))) number += entry->d_name[0] != '.';
    closedir(dir);
    return number;
}
static int pipes[2];
static void *wait_for_end(void *tid) {
    *(pid_t *)tid = gettid();
    char byte;
    CHECK_EQ(read(pipes[0], &byte, 1), 0);
    return NULL;
}

int main(void) {
    CHECK_OK(pipe(pipes));
    CHECK_EQ(count(), 1);
    pthread_t threads[5];
    pid_t tids[5] = {0};
    for (int i = 0; i < 5; i++) threads[i] = thread_start(wait_for_end, &tids[i]);
    CHECK_EQ(count(), 6);
    CHECK_OK(close(pipes[1]));
    for (int i = 0; i < 5; i++) thread_join(threads[i]);
    WAIT_UNTIL(count() == 1);
    for (int i = 0; i < 5; i++) CHECK_ERRNO(tgkill(getpid(), tids[i], 0), ESRCH);
    return 0;
}
