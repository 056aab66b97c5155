// A controlling terminal: ^C to the foreground group, SIGWINCH, SIGHUP when it goes.
#include "check.h"
#include <sys/ioctl.h>
#include <termios.h>

static volatile sig_atomic_t got;
static void handler(int sig) { got = sig; }

int main(void) {
    int master = posix_openpt(O_RDWR | O_NOCTTY);
    if (master < 0) return 0;
    CHECK_OK(grantpt(master));
    CHECK_OK(unlockpt(master));
    if (access(ptsname(master), R_OK)) return 0;
    int pipes[2];
    CHECK_OK(pipe(pipes));
    pid_t pid;
    CHILD(pid) {
        CHECK_OK(setsid());
        int slave = CHECK_OK(open(ptsname(master), O_RDWR));  // Becomes the session's by being opened.
        CHECK_OK(close(master));
        CHECK_OK(close(pipes[0]));
        CHECK_EQ(tcgetpgrp(slave), getpid());
        CHECK_EQ(tcgetsid(slave), getpid());
        CHECK_OK(close(CHECK_OK(open("/dev/tty", O_RDWR))));
        on_signal(SIGINT, handler, 0);
        on_signal(SIGWINCH, handler, 0);
        on_signal(SIGHUP, handler, 0);
        // A child in the background is stopped when it reads.
        pid_t background;
        CHILD(background) {
            CHECK_OK(setpgid(0, 0));
            char byte;
            if (read(slave, &byte, 1)) {}
        }
        int status;
        CHECK_EQ(waitpid(background, &status, WUNTRACED), background);
        CHECK(WIFSTOPPED(status));
        CHECK_EQ(WSTOPSIG(status), SIGTTIN);
        CHECK_OK(kill(background, SIGKILL));
        CHECK_KILLED(background, SIGKILL);
        CHECK_EQ(write(pipes[1], "1", 1), 1);
        WAIT_UNTIL(got == SIGINT);
        CHECK_EQ(write(pipes[1], "2", 1), 1);
        WAIT_UNTIL(got == SIGWINCH);
        CHECK_EQ(write(pipes[1], "3", 1), 1);
        WAIT_UNTIL(got == SIGHUP);
        char byte;
        CHECK_EQ(read(slave, &byte, 1), 0);
    }
    char byte;
    CHECK_EQ(read(pipes[0], &byte, 1), 1);
    CHECK_EQ(write(master, "\003", 1), 1);
    CHECK_EQ(read(pipes[0], &byte, 1), 1);
    struct winsize size = {50, 132, 0, 0};
    CHECK_OK(ioctl(master, TIOCSWINSZ, &size));
    CHECK_EQ(read(pipes[0], &byte, 1), 1);
    CHECK_OK(close(master));
    CHECK_EXIT(pid, 0);
    return 0;
}
