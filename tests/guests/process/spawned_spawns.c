// A program that is started by posix_spawn or vfork starts another in the same way at once, often before its parent has had
// its turn again. Each goes on with registers of its own.
#include "check.h"
#include <spawn.h>

extern char **environ;

int main(int argc, char **argv) {
    (void)argc;
    char *sh[] = {"sh", "-c", "/bin/true; /bin/true", NULL};
    if (argc > 1) {  // The second generation: vfork in C, too.
        pid_t pid = vfork();
        CHECK(pid >= 0);
        if (!pid) {
            execl("/bin/true", "true", NULL);
            _exit(127);
        }
        CHECK_EXIT(pid, 0);
        return 0;
    }
    char *again[] = {argv[0], "again", NULL};
    for (int i = 0; i < 300; i++) {
        pid_t pid;
        char **args = i % 2 ? again : sh;
        CHECK_EQ(posix_spawn(&pid, i % 2 ? "/proc/self/exe" : "/bin/sh", NULL, NULL, args, environ), 0);
        CHECK_EXIT(pid, 0);
    }
    return 0;
}
