// Interpreter lines that are too long, empty, or name themselves.
#include "check.h"

extern char **environ;
static int run(const char *line, size_t length) {
    unlink("s");
    int fd = CHECK_OK(open("s", O_WRONLY | O_CREAT | O_CLOEXEC, 0755));
    CHECK_EQ(write(fd, line, length), length);
    CHECK_OK(close(fd));
    char *words[] = {"s", NULL};
    return execve("./s", words, environ);
}

int main(void) {
    enter_tmp();
    // Without so much as a line end the name is empty, which some kernels take for the working directory.
    CHECK_EQ(run("#!", 2), -1);
    CHECK(errno == EACCES || errno == ENOEXEC || errno == ENOENT);
    CHECK_ERRNO(run("#!\n", 3), ENOEXEC);
    CHECK_ERRNO(run("#!   \n", 6), ENOEXEC);
    CHECK_ERRNO(run("#!./s\n", 6), ELOOP);
    CHECK_ERRNO(run("#!/\n", 4), EACCES);
    CHECK_ERRNO(run("#!/dev/null\n", 12), EACCES);
    char line[5000] = "#!/";
    memset(line + 3, 'x', sizeof line - 3);
    CHECK_ERRNO(run(line, sizeof line), ENOEXEC);  // The name is cut: not run at all.
    return 0;
}
