// Exit codes are cut to eight bits; atexit runs for exit and not for _exit; main's value is exit's.
#include "check.h"

static int fd;
static void note(void) { if (write(fd, "a", 1)) {} }
static void on_exit_note(int status, void *text) { if (write(fd, text, status == 256 + 7)) {} }

int main(void) {
    int pipes[2];
    CHECK_OK(pipe(pipes));
    fd = pipes[1];
    pid_t pid;
    CHILD(pid) _exit(256 + 7);
    CHECK_EXIT(pid, 7);
    CHILD(pid) _exit(-1);
    CHECK_EXIT(pid, 255);
    CHILD(pid) {
        atexit(note);
        on_exit(on_exit_note, "o");
        exit(256 + 7);
    }
    CHECK_EXIT(pid, 7);
    CHILD(pid) {
        atexit(note);
        _exit(1);
    }
    CHECK_EXIT(pid, 1);
    // The raw exit of the only thread ends the process too.
    CHILD(pid) syscall(SYS_exit, 11);
    CHECK_EXIT(pid, 11);
    CHILD(pid) abort();
    CHECK_KILLED(pid, SIGABRT);
    char text[8] = {0};
    CHECK_EQ(read(pipes[0], text, sizeof text), 2);
    CHECK_STR(text, "oa");
    return 0;
}
