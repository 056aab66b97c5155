// Clocks need no call: the shared object is there, is mapped where the auxiliary vector says, and its clocks move on.
#include "check.h"
#include <elf.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/auxv.h>
#include <sys/wait.h>

static atomic_int seen;

static void *other(void *unused) {
    (void)unused;
    atomic_store(&seen, 1);
    return NULL;
}

int main(void) {
    unsigned long at = getauxval(AT_SYSINFO_EHDR);
    CHECK(at != 0);
    CHECK(memcmp((void *)at, ELFMAG, SELFMAG) == 0);
    char line[512], name[64] = "";
    FILE *maps = fopen("/proc/self/maps", "r");
    CHECK(maps != NULL);
    while (fgets(line, sizeof line, maps)) {
        unsigned long from, to;
        char rights[8];
        if (sscanf(line, "%lx-%lx %7s %*s %*s %*s %63s", &from, &to, rights, name) == 4 && from == at) {
            CHECK(strcmp(name, "[vdso]") == 0 && strcmp(rights, "r-xp") == 0);
            at = 0;
        }
    }
    CHECK_OK(fclose(maps));
    CHECK_EQ(at, 0);
    // A loop that only reads the clock ends, and others get their turn meanwhile.
    pthread_t thread;
    CHECK_OK(pthread_create(&thread, NULL, other, NULL));
    long long begin = clock_ns(CLOCK_MONOTONIC);
    while (clock_ns(CLOCK_MONOTONIC) < begin + 50000000) {}
    CHECK_OK(pthread_join(thread, NULL));
    CHECK_EQ(atomic_load(&seen), 1);
    // What one process reads is not before what another has read.
    int pipes[2];
    CHECK_OK(pipe(pipes));
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        long long now = clock_ns(CLOCK_MONOTONIC);
        _exit(write(pipes[1], &now, sizeof now) == sizeof now ? 0 : 1);
    }
    long long theirs;
    CHECK_EQ(read(pipes[0], &theirs, sizeof theirs), sizeof theirs);
    CHECK(theirs >= begin && clock_ns(CLOCK_MONOTONIC) >= theirs);
    int status;
    CHECK_EQ(waitpid(child, &status, 0), child);
    CHECK_EQ(status, 0);
    return 0;
}
