// posix_spawn: file actions, attributes, and the error of the exec itself.
#include "check.h"
#include <spawn.h>

extern char **environ;

int main(int argc, char **argv) {
    if (argc > 1) {
        sigset_t mask;
        CHECK_OK(sigprocmask(SIG_BLOCK, NULL, &mask));
        CHECK_EQ(sigismember(&mask, SIGUSR2), 1);
        CHECK_EQ(sigismember(&mask, SIGUSR1), 0);
        CHECK_EQ(getpgrp(), getpid());
        CHECK_ERRNO(fcntl(9, F_GETFD), EBADF);
        struct sigaction action;
        CHECK_OK(sigaction(SIGTERM, NULL, &action));
        CHECK(action.sa_handler == SIG_DFL);
        CHECK_EQ(write(1, "spawned", 7), 7);
        return 5;
    }
    enter_tmp();
    signal(SIGTERM, SIG_IGN);
    CHECK_OK(dup2(2, 9));
    posix_spawn_file_actions_t actions;
    CHECK_ZERO(posix_spawn_file_actions_init(&actions));
    CHECK_ZERO(posix_spawn_file_actions_addopen(&actions, 1, "out", O_WRONLY | O_CREAT, 0600));
    CHECK_ZERO(posix_spawn_file_actions_addclose(&actions, 9));
    posix_spawnattr_t attributes;
    CHECK_ZERO(posix_spawnattr_init(&attributes));
    sigset_t mask, defaults;
    sigemptyset(&mask);
    sigaddset(&mask, SIGUSR2);
    sigemptyset(&defaults);
    sigaddset(&defaults, SIGTERM);
    CHECK_ZERO(posix_spawnattr_setsigmask(&attributes, &mask));
    CHECK_ZERO(posix_spawnattr_setsigdefault(&attributes, &defaults));
    CHECK_ZERO(posix_spawnattr_setpgroup(&attributes, 0));
    CHECK_ZERO(posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP));
    char *words[] = {argv[0], "child", NULL};
    pid_t pid;
    CHECK_ZERO(posix_spawn(&pid, "/proc/self/exe", &actions, &attributes, words, environ));
    CHECK_EXIT(pid, 5);
    char text[16];
    read_file("out", text, sizeof text);
    CHECK_STR(text, "spawned");

    CHECK_EQ(posix_spawn(&pid, "/nonexistent", NULL, NULL, words, environ), ENOENT);
    CHECK_EQ(posix_spawn(&pid, "/", NULL, NULL, words, environ), EACCES);
    CHECK_ERRNO(waitpid(-1, NULL, 0), ECHILD);  // Nothing is left of the failed ones.
    return 0;
}
