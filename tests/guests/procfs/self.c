// What /proc/self says of the process: exe, cwd, cmdline, environ, comm, stat.
#include "check.h"

int main(int argc, char **argv) {
    if (argc == 1) {
        pid_t pid;
        CHILD(pid) {
            char *words[] = {"zero", "one", "", "three three", NULL}, *environment[] = {"A=1", "B=", NULL};
            CHECK_OK(execve("/proc/self/exe", words, environment));
        }
        CHECK_EXIT(pid, 0);
        return 0;
    }
    char text[4096], path[PATH_MAX] = {0}, target[PATH_MAX] = {0};
    CHECK_EQ(read_file("/proc/self/cmdline", text, sizeof text), 22);
    CHECK(!memcmp(text, "zero\0one\0\0three three\0", 22));
    CHECK_EQ(read_file("/proc/self/environ", text, sizeof text), 7);
    CHECK(!memcmp(text, "A=1\0B=\0", 7));
    CHECK_OK(readlink("/proc/self", target, sizeof target - 1));
    CHECK_EQ(atoi(target), getpid());
    CHECK_OK(readlink("/proc/self/exe", path, sizeof path - 1));
    CHECK(path[0] == '/');
    struct stat link, file;
    CHECK_OK(stat("/proc/self/exe", &link));
    CHECK_OK(stat(path, &file));
    CHECK(link.st_ino == file.st_ino && link.st_dev == file.st_dev);
    CHECK_OK(chdir("/"));
    memset(target, 0, sizeof target);
    CHECK_OK(readlink("/proc/self/cwd", target, sizeof target - 1));
    CHECK_STR(target, "/");
    CHECK_OK(readlink("/proc/self/root", target, sizeof target - 1));

    read_file("/proc/self/stat", text, sizeof text);
    int pid, ppid, group, session;
    char name[32], state;
    CHECK_EQ(sscanf(text, "%d (%30[^)]) %c %d %d %d", &pid, name, &state, &ppid, &group, &session), 6);
    CHECK_EQ(pid, getpid());
    CHECK_STR(name, "exe");
    CHECK_EQ(state, 'R');
    CHECK_EQ(ppid, getppid());
    CHECK_EQ(group, getpgrp());
    CHECK_EQ(session, getsid(0));
    snprintf(path, sizeof path, "/proc/%d/stat", getpid());
    CHECK_OK(access(path, R_OK));
    CHECK_ERRNO(access("/proc/99999999", F_OK), ENOENT);
    CHECK_OK(readlink("/proc/thread-self", target, sizeof target - 1));
    return 0;
}
