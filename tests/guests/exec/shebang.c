// Interpreter lines: one argument at most, blanks cut, interpreters of interpreters.
#include "check.h"

extern char **environ;

static char self[PATH_MAX];

static void script(const char *name, const char *format, const char *path) {
    char line[PATH_MAX + 64];
    snprintf(line, sizeof line, format, path);
    write_file(name, line);
    CHECK_OK(chmod(name, 0755));
}

static void run(const char *name, const char *argument) {
    pid_t pid;
    CHILD(pid) {
        char *words[] = {"lost", (char *)argument, NULL};
        CHECK_OK(execve(name, words, environ));
    }
    CHECK_EXIT(pid, 0);
}

int main(int argc, char **argv) {
    if (argc > 1 && strstr(argv[argc - 1], "check-")) {
        // argv[0] is the interpreter's path; then its argument, the script, the caller's arguments.
        if (!strcmp(argv[argc - 1], "check-one")) {
            CHECK_EQ(argc, 4);
            CHECK_STR(argv[1], "one  argument");
            CHECK_STR(argv[2], "./one");
        } else if (!strcmp(argv[argc - 1], "check-none")) {
            CHECK_EQ(argc, 3);
            CHECK_STR(argv[1], "./none");
        } else {
            CHECK_EQ(argc, 5);
            CHECK_STR(argv[1], "one  argument");
            CHECK_STR(argv[2], "./one");
            CHECK_STR(argv[3], "./nested");
        }
        return 0;
    }
    CHECK_OK(readlink("/proc/self/exe", self, sizeof self - 1));
    enter_tmp();
    CHECK_OK(symlink(self, "i"));  // The line is cut at 255 bytes: a short name.
    char path[PATH_MAX + 8];
    snprintf(path, sizeof path, "%s/i", check_tmp);
    script("one", "#! %s  one  argument \t\nrest", path);
    script("none", "#!%s", path);
    script("nested", "#!%s", "./one");
    run("./one", "check-one");
    run("./none", "check-none");
    run("./nested", "check-nested");

    // Interpreters of interpreters end somewhere.
    script("s0", "#!%s", path);
    for (int i = 1; i < 9; i++) {
        char name[8], before[8];
        snprintf(name, sizeof name, "s%d", i);
        snprintf(before, sizeof before, "./s%d", i - 1);
        script(name, "#!%s", before);
    }
    char *words[] = {"x", NULL};
    CHECK_ERRNO(execve("./s8", words, environ), ELOOP);
    return 0;
}
