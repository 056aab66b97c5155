// /proc lists this process and its children; their folders come and go with them.
#include "check.h"
#include <dirent.h>

static bool listed(pid_t pid) {
    DIR *dir = opendir("/proc");
    CHECK(dir);
    struct dirent *entry;
    bool found = false;
    while ((entry = readdir(dir))) found |= atoi(entry->d_name) == pid;
    closedir(dir);
    return found;
}

int main(void) {
    CHECK(listed(getpid()));
    pid_t pid;
    CHILD(pid) for (;;) pause();
    CHECK(listed(pid));
    char path[64], text[4096];
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    WAIT_UNTIL((read_file(path, text, sizeof text), strrchr(text, ')')[2] == 'S'));
    CHECK_OK(kill(pid, SIGSTOP));
    WAIT_UNTIL((read_file(path, text, sizeof text), strrchr(text, ')')[2] == 'T'));
    snprintf(path, sizeof path, "/proc/%d/status", pid);
    read_file(path, text, sizeof text);
    char parent[32];
    snprintf(parent, sizeof parent, "\nPPid:\t%d\n", getpid());
    CHECK(strstr(text, parent));
    CHECK_OK(kill(pid, SIGKILL));
    CHECK_KILLED(pid, SIGKILL);
    CHECK(!listed(pid));
    CHECK_ERRNO(open(path, O_RDONLY), ENOENT);
    return 0;
}
