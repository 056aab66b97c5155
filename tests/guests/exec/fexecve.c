// fexecve and execveat: a program by its descriptor, relative to a folder, without following links.
#include "check.h"

extern char **environ;

int main(int argc, char **argv) {
    if (argc > 1) return 8;
    char self[PATH_MAX] = {0};
    CHECK_OK(readlink("/proc/self/exe", self, sizeof self - 1));
    char *words[] = {argv[0], "child", NULL};
    pid_t pid;
    CHILD(pid) {
        int fd = CHECK_OK(open(self, O_RDONLY | O_CLOEXEC));
        fexecve(fd, words, environ);
        FAIL("fexecve: %d", errno);
    }
    CHECK_EXIT(pid, 8);
    CHILD(pid) {
        int fd = CHECK_OK(open(self, O_PATH));
        CHECK_OK(syscall(SYS_execveat, fd, "", words, environ, AT_EMPTY_PATH));
    }
    CHECK_EXIT(pid, 8);
    char *slash = strrchr(self, '/');
    *slash = 0;
    CHILD(pid) {
        int dir = CHECK_OK(open(self, O_RDONLY | O_DIRECTORY));
        CHECK_OK(syscall(SYS_execveat, dir, slash + 1, words, environ, 0));
    }
    CHECK_EXIT(pid, 8);
    enter_tmp();
    CHECK_OK(symlink("/bin/true", "l"));
    CHECK_ERRNO(syscall(SYS_execveat, AT_FDCWD, "l", words, environ, AT_SYMLINK_NOFOLLOW), ELOOP);
    CHECK_ERRNO(syscall(SYS_execveat, 9999, "l", words, environ, 0), EBADF);
    // From memory alone.
    int memory = CHECK_OK(memfd_create("program", 0));
    CHECK_EQ(write(memory, "#!/bin/sh\nexit 4\n", 17), 17);
    CHILD(pid) {
        CHECK_OK(syscall(SYS_execveat, memory, "", words, environ, AT_EMPTY_PATH));
    }
    CHECK_EXIT(pid, 4);
    return 0;
}
