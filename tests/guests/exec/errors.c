// What exec refuses, and that the caller goes on unharmed.
#include "check.h"

extern char **environ;

static int run(const char *path) {
    char *words[] = {"x", NULL};
    return execve(path, words, environ);
}

int main(void) {
    enter_tmp();
    CHECK_ERRNO(run("/nonexistent"), ENOENT);
    CHECK_ERRNO(run(""), ENOENT);
    CHECK_ERRNO(run("/"), EACCES);
    CHECK_ERRNO(run("/dev/null"), EACCES);
    write_file("plain", "#!/bin/sh\n");
    CHECK_ERRNO(run("plain"), EACCES);
    CHECK_OK(chmod("plain", 0755));
    CHECK_ERRNO(run("plain/x"), ENOTDIR);
    write_file("text", "echo no interpreter line\n");
    CHECK_OK(chmod("text", 0755));
    CHECK_ERRNO(run("text"), ENOEXEC);
    write_file("empty", "");
    CHECK_OK(chmod("empty", 0755));
    CHECK_ERRNO(run("empty"), ENOEXEC);
    write_file("bad", "#!/nonexistent/interpreter\n");
    CHECK_OK(chmod("bad", 0755));
    CHECK_ERRNO(run("bad"), ENOENT);
    CHECK_OK(symlink("loop", "loop"));
    CHECK_ERRNO(run("loop"), ELOOP);
    CHECK_ERRNO(syscall(SYS_execve, 8L, NULL, NULL), EFAULT);
    CHECK_ERRNO(syscall(SYS_execve, "/bin/true", 8L, NULL), EFAULT);

    // A program that is open for writing.
    int fd = CHECK_OK(open("plain", O_WRONLY));
    CHECK_ERRNO(run("plain"), ETXTBSY);
    CHECK_OK(close(fd));
    pid_t pid;
    write_file("plain", "#!/bin/sh\nexit 3\n");
    CHILD(pid) run("plain");
    CHECK_EXIT(pid, 3);
    // And a running program cannot be opened for writing.
    if (access("/proc/self/exe", W_OK) == 0) CHECK_ERRNO(open("/proc/self/exe", O_WRONLY), ETXTBSY);
    return 0;
}
