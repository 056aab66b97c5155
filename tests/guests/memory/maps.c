// /proc/self/maps: in order, without overlaps, with what is really there.
#include "check.h"

static char *probe;
static uintptr_t probe_start, probe_end;
static char probe_mode[8];

// Reads all of it, checks its form, and keeps the line that holds the probe.
static int scan(void) {
    FILE *maps = fopen("/proc/self/maps", "r");
    CHECK(maps);
    char line[PATH_MAX + 100];
    uintptr_t last = 0, start, end, offset;
    int lines = 0, found = 0, stacks = 0;
    while (fgets(line, sizeof line, maps)) {
        char mode[8];
        unsigned major, minor;
        unsigned long inode;
        CHECK(sscanf(line, "%lx-%lx %4s %lx %x:%x %lu", &start, &end, mode, &offset, &major, &minor, &inode) == 7);
        CHECK(start < end && start % 4096 == 0 && end % 4096 == 0);
        CHECK(start >= last);
        last = end;
        lines++;
        stacks += strstr(line, "[stack]") != NULL;
        if ((uintptr_t)probe >= start && (uintptr_t)probe < end) {
            probe_start = start, probe_end = end;
            strcpy(probe_mode, mode);
            found = 1;
        }
    }
    CHECK(lines > 3);
    CHECK_EQ(stacks, 1);
    fclose(maps);
    return found;
}

int main(void) {
    probe = mmap(NULL, 5 * 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(probe != MAP_FAILED);
    CHECK_OK(mprotect(probe, 4096, PROT_READ));
    CHECK_OK(mprotect(probe + 4096, 4096, PROT_READ | PROT_WRITE));
    CHECK(scan());
    CHECK_STR(probe_mode, "r--p");
    CHECK_EQ(probe_end, (uintptr_t)probe + 4096);
    probe += 4096;
    CHECK(scan());
    CHECK_STR(probe_mode, "rw-p");
    char *first = probe - 4096;
    CHECK_OK(munmap(first, 5 * 4096));
    probe = first;
    CHECK(!scan());
    probe = (char *)(uintptr_t)main;
    CHECK(scan());
    CHECK_STR(probe_mode, "r-xp");
    probe = shared_memory(4096);
    CHECK(scan());
    CHECK_STR(probe_mode, "rw-s");
    return 0;
}
