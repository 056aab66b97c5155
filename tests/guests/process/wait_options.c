// waitpid's choices: any, one, a group; not hanging; stops and continuations.
#include "check.h"

int main(void) {
    int status;
    CHECK_ERRNO(waitpid(-1, &status, WNOHANG), ECHILD);
    pid_t pid;
    CHILD(pid) {
        for (;;) pause();
    }
    CHECK_EQ(waitpid(-1, &status, WNOHANG), 0);
    CHECK_EQ(waitpid(pid, &status, WNOHANG | WUNTRACED | WCONTINUED), 0);
    CHECK_EQ(waitpid(0, &status, WNOHANG), 0);
    CHECK_ERRNO(waitpid(-99999, &status, WNOHANG), ECHILD);
    CHECK_ERRNO(waitpid(-1, &status, 0x1000), EINVAL);

    CHECK_OK(kill(pid, SIGSTOP));
    CHECK_EQ(waitpid(pid, &status, WUNTRACED), pid);
    CHECK(WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP);
    CHECK_EQ(waitpid(pid, &status, WUNTRACED | WNOHANG), 0);  // Told once.
    CHECK_OK(kill(pid, SIGCONT));
    CHECK_EQ(waitpid(pid, &status, WCONTINUED), pid);
    CHECK(WIFCONTINUED(status));
    CHECK_OK(kill(pid, SIGTERM));
    CHECK_EQ(waitpid(-getpgrp(), &status, 0), pid);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM && !WCOREDUMP(status));

    CHILD(pid) {
        CHECK_OK(setpgid(0, 0));
        _exit(1);
    }
    while ((CHECK_OK(kill(pid, 0)), getpgid(pid)) != pid) sched_yield();
    CHECK_ERRNO(waitpid(0, &status, 0), ECHILD);  // It is in another group.
    CHECK_EQ(waitpid(-pid, &status, 0), pid);
    CHECK_EQ(WEXITSTATUS(status), 1);
    return 0;
}
