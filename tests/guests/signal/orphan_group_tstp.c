// The terminal's stops do nothing in an orphaned process group; SIGSTOP still does.
#include "check.h"

int main(void) {
    pid_t pid;
    CHILD(pid) {
        CHECK_OK(setsid());  // Its group has no parent in its session: orphaned.
        CHECK_OK(raise(SIGTSTP));
        CHECK_OK(raise(SIGTTIN));
        CHECK_OK(raise(SIGSTOP));
        _exit(3);
    }
    int status;
    CHECK_EQ(waitpid(pid, &status, WUNTRACED), pid);
    CHECK(WIFSTOPPED(status));
    CHECK_EQ(WSTOPSIG(status), SIGSTOP);
    CHECK_OK(kill(pid, SIGCONT));
    CHECK_EXIT(pid, 3);
    return 0;
}
