// execvp looks through PATH, goes past what is not there, and gives scripts without a line to the shell.
#include "check.h"

int main(void) {
    enter_tmp();
    CHECK_OK(mkdir("a", 0755));
    CHECK_OK(mkdir("b", 0755));
    write_file("b/prog", "exit 6\n");
    CHECK_OK(chmod("b/prog", 0755));
    char path[PATH_MAX * 2 + 64];
    snprintf(path, sizeof path, "/nonexistent:%s/a:%s/b", check_tmp, check_tmp);
    CHECK_OK(setenv("PATH", path, 1));
    pid_t pid;
    CHILD(pid) CHECK_OK(execlp("prog", "prog", NULL));
    CHECK_EXIT(pid, 6);
    CHECK_ERRNO(execlp("no-such-program", "x", NULL), ENOENT);
    write_file("a/prog", "exit 7\n");  // Not executable: the next one is taken.
    CHILD(pid) CHECK_OK(execlp("prog", "prog", NULL));
    CHECK_EXIT(pid, 6);
    CHECK_OK(unlink("b/prog"));
    CHECK_ERRNO(execlp("prog", "x", NULL), EACCES);
    return 0;
}
