// A static, position-independent program: files, pipes, children, signals, threads and clocks without a dynamic linker.
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void must(int ok, const char *what) {
    if (!ok) {
        fprintf(stderr, "%s: %s\n", what, strerror(errno));
        exit(1);
    }
}

static volatile sig_atomic_t caught;
static void on_signal(int signal) { caught = signal; }

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static long total;
static void *adds(void *argument) {
    for (long i = 0; i < 10000; i++) {
        pthread_mutex_lock(&lock);
        total += (long)argument;
        pthread_mutex_unlock(&lock);
    }
    return NULL;
}

static void files(void) {
    char path[] = "/tmp/static-pie-XXXXXX";
    int fd = mkstemp(path);
    must(fd >= 0, "mkstemp");
    must(write(fd, "0123456789", 10) == 10, "write");
    char *map = mmap(NULL, 10, PROT_READ, MAP_SHARED, fd, 0);
    must(map != MAP_FAILED, "mmap");
    char back[4] = {0};
    must(pread(fd, back, 3, 7) == 3, "pread");
    printf("mapped %.3s, read %s\n", map, back);
    must(unlink(path) == 0 && open(path, O_RDONLY) < 0 && errno == ENOENT, "unlink");
}

static void children(void) {
    int ends[2];
    must(pipe(ends) == 0, "pipe");
    for (int i = 0; i < 100; i++) {
        pid_t child = fork();
        must(child >= 0, "fork");
        if (child == 0) {
            must(write(ends[1], &i, sizeof i) == sizeof i, "write");
            _exit(i);
        }
    }
    int sum = 0, statuses = 0;
    for (int i = 0; i < 100; i++) {
        int number, status;
        must(read(ends[0], &number, sizeof number) == sizeof number, "read");
        must(wait(&status) > 0, "wait");
        sum += number;
        statuses += WEXITSTATUS(status);
    }
    must(wait(NULL) < 0 && errno == ECHILD, "no child is left");
    printf("children sent %d and ended with %d\n", sum, statuses);
}

static void signals(void) {
    struct sigaction action = {.sa_handler = on_signal};
    sigaction(SIGALRM, &action, NULL);
    alarm(1);
    pause();
    printf("caught %s\n", caught == SIGALRM ? "SIGALRM" : "something else");
    pid_t child = fork();
    if (child == 0) {
        volatile int *wild = (volatile int *)(uintptr_t)caught;
        *wild = 1;
        _exit(0);
    }
    int status;
    waitpid(child, &status, 0);
    printf("a wild write ends with signal %d\n", WTERMSIG(status));
}

static void threads(void) {
    pthread_t ids[8];
    for (long i = 0; i < 8; i++) pthread_create(&ids[i], NULL, adds, (void *)(i + 1));
    for (int i = 0; i < 8; i++) pthread_join(ids[i], NULL);
    printf("threads added %ld\n", total);
}

static void clocks(void) {
    struct timespec before, after, nap = {.tv_sec = 1, .tv_nsec = 500000000};
    clock_gettime(CLOCK_MONOTONIC, &before);
    must(nanosleep(&nap, NULL) == 0, "nanosleep");
    clock_gettime(CLOCK_MONOTONIC, &after);
    long ms = (after.tv_sec - before.tv_sec) * 1000 + (after.tv_nsec - before.tv_nsec) / 1000000;
    printf("slept %ld.%ld s\n", ms / 1000, ms % 1000 / 100);
}

int main(void) {
    setvbuf(stdout, NULL, _IOLBF, 0);
    files();
    children();
    signals();
    threads();
    clocks();
    return 0;
}
