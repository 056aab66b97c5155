// A shell's work: a job in the foreground is stopped and goes on, one in the background may not touch the terminal.
// link: -lutil
#include "check.h"
#include <pty.h>
#include <sys/ioctl.h>
#include <termios.h>

static pid_t stopped_by(pid_t pid, int sig) {
    int status;
    CHECK_EQ(waitpid(pid, &status, WUNTRACED), pid);
    CHECK(WIFSTOPPED(status));
    CHECK_EQ(WSTOPSIG(status), sig);
    return pid;
}

static void shell(int report) {
    signal(SIGTTOU, SIG_IGN);
    pid_t job;
    CHILD(job) {
        signal(SIGTTOU, SIG_DFL);
        CHECK_OK(setpgid(0, 0));
        // From the background: settings are not its to change.
        struct termios settings;
        CHECK_OK(tcgetattr(0, &settings));
        CHECK_OK(tcsetattr(0, TCSANOW, &settings));
        char byte;
        CHECK_EQ(read(0, &byte, 1), 1);
        CHECK_EQ(byte, 'x');
        CHECK_EQ(write(report, "r", 1), 1);
        for (;;) pause();
    }
    stopped_by(job, SIGTTOU);
    CHECK_OK(kill(-job, SIGCONT));
    stopped_by(job, SIGTTOU);  // The call is made again, and stopped again.
    CHECK_OK(tcsetpgrp(0, job));
    CHECK_OK(kill(-job, SIGCONT));
    CHECK_EQ(write(report, "1", 1), 1);
    stopped_by(job, SIGTSTP);
    CHECK_OK(tcsetpgrp(0, getpgrp()));
    CHECK_OK(tcsetpgrp(0, job));
    CHECK_OK(kill(-job, SIGCONT));
    CHECK_EQ(write(report, "2", 1), 1);
    CHECK_KILLED(job, SIGINT);
    CHECK_OK(tcsetpgrp(0, getpgrp()));
    CHECK_ERRNO(tcsetpgrp(0, 999999), ESRCH);
    _exit(0);
}

int main(void) {
    int master, pipes[2];
    CHECK_OK(pipe(pipes));
    pid_t pid = forkpty(&master, NULL, NULL, NULL);
    if (pid < 0) return 0;  // A machine without pseudo-terminals.
    if (pid == 0) {
        alarm(20);
        shell(pipes[1]);
    }
    char byte;
    CHECK_EQ(read(pipes[0], &byte, 1), 1);
    CHECK_EQ(write(master, "x\n", 2), 2);
    // Once the job has read its line: a suspend character throws away what was typed.
    CHECK_EQ(read(pipes[0], &byte, 1), 1);
    CHECK_EQ(write(master, "\032", 1), 1);
    CHECK_EQ(read(pipes[0], &byte, 1), 1);
    CHECK_EQ(write(master, "\003", 1), 1);
    CHECK_EXIT(pid, 0);
    return 0;
}
