// fcntl(2), F_NOTIFY: a directory tells its description's owner of changes by a signal, once or until it is closed.
#include "check.h"
#include <signal.h>

static sigset_t told;

// How many of them wait; all are about `fd`.
static int take(int fd) {
    siginfo_t info;
    struct timespec none = {0, 0};
    int n = 0;
    while (sigtimedwait(&told, &info, &none) > 0) {
        if (info.si_signo == SIGRTMIN) {
            CHECK_EQ(info.si_code, POLL_MSG);
            CHECK_EQ(info.si_fd, fd);
            CHECK_EQ(info.si_band, 0x440 | 1);
        } else {
            CHECK_EQ(info.si_code, SI_KERNEL);
        }
        n++;
    }
    return n;
}

static void refused(int dir) {
    int file = CHECK_OK(open("d/f", O_RDONLY));
    CHECK_ERRNO(fcntl(file, F_NOTIFY, DN_CREATE), ENOTDIR);
    CHECK_OK(fcntl(file, F_NOTIFY, 0));
    CHECK_OK(close(file));
    int path = CHECK_OK(open("d", O_PATH));
    CHECK_ERRNO(fcntl(path, F_NOTIFY, DN_CREATE), EBADF);
    CHECK_OK(close(path));
    CHECK_EQ(fcntl(dir, F_GETOWN), 0);
}

static void once(int dir) {
    CHECK_OK(fcntl(dir, F_NOTIFY, DN_CREATE));
    CHECK_EQ(fcntl(dir, F_GETOWN), getpid());
    CHECK_OK(mkdir("d/one", 0755));
    CHECK_EQ(take(dir), 1);
    CHECK_OK(rmdir("d/one"));
    CHECK_OK(mkdir("d/one", 0755));
    CHECK_EQ(take(dir), 0);
    CHECK_OK(rmdir("d/one"));
}

static void kinds(int dir) {
    CHECK_OK(fcntl(dir, F_SETSIG, SIGRTMIN));
    char byte;
    int file = CHECK_OK(open("d/f", O_RDWR));
    struct {
        long mask;
        int read, write, chmod, moved, out, in, made, gone;
    } table[] = {
        {DN_ACCESS, 1, 0, 0, 0, 0, 0, 0, 0}, {DN_MODIFY, 0, 1, 0, 0, 0, 0, 0, 0}, {DN_ATTRIB, 0, 0, 1, 0, 0, 0, 0, 0},
        {DN_RENAME, 0, 0, 0, 1, 0, 0, 0, 0}, {DN_CREATE, 0, 0, 0, 1, 0, 1, 1, 0}, {DN_DELETE, 0, 0, 0, 1, 1, 0, 0, 1},
    };
    for (unsigned i = 0; i < sizeof table / sizeof *table; i++) {
        CHECK_OK(fcntl(dir, F_NOTIFY, DN_MULTISHOT | table[i].mask));
        for (int again = 0; again < 2; again++) {
            CHECK_EQ(pread(file, &byte, 1, 0), 1);
            CHECK_EQ(take(dir), table[i].read);
            CHECK_EQ(pwrite(file, "y", 1, 0), 1);
            CHECK_EQ(take(dir), table[i].write);
            CHECK_OK(fchmod(file, 0600));
            CHECK_EQ(take(dir), table[i].chmod);
            CHECK_OK(rename("d/f", "d/g"));
            CHECK_EQ(take(dir), table[i].moved);
            CHECK_OK(rename("d/g", "g"));
            CHECK_EQ(take(dir), table[i].out);
            CHECK_OK(rename("g", "d/f"));
            CHECK_EQ(take(dir), table[i].in);
            CHECK_OK(mkdir("d/sub", 0755));
            CHECK_EQ(take(dir), table[i].made);
            CHECK_OK(rmdir("d/sub"));
            CHECK_EQ(take(dir), table[i].gone);
        }
        // Without a kind it is over.
        CHECK_OK(fcntl(dir, F_NOTIFY, DN_MULTISHOT));
    }
    CHECK_OK(close(file));
}

// What is asked for adds up, and goes with any close of the description in the process that asked.
static void ends(int dir) {
    CHECK_OK(fcntl(dir, F_NOTIFY, DN_MULTISHOT | DN_CREATE));
    int other = CHECK_OK(dup(dir));
    CHECK_OK(fcntl(other, F_NOTIFY, DN_DELETE));
    CHECK_OK(mkdir("d/sub", 0755));
    CHECK_EQ(take(other), 1);
    CHECK_OK(rmdir("d/sub"));
    CHECK_EQ(take(other), 1);
    pid_t child = CHECK_OK(fork());
    if (child == 0) {
        close(dir);
        _exit(0);
    }
    CHECK_EQ(waitpid(child, NULL, 0), child);
    CHECK_OK(mkdir("d/sub", 0755));
    CHECK_EQ(take(other), 1);
    CHECK_OK(close(other));
    CHECK_OK(rmdir("d/sub"));
    CHECK_EQ(take(dir), 0);
}

int main(void) {
    enter_tmp();
    sigemptyset(&told);
    sigaddset(&told, SIGIO);
    sigaddset(&told, SIGRTMIN);
    CHECK_OK(sigprocmask(SIG_BLOCK, &told, NULL));
    CHECK_OK(mkdir("d", 0755));
    write_file("d/f", "x");
    int dir = CHECK_OK(open("d", O_RDONLY));
    refused(dir);
    once(dir);
    kinds(dir);
    ends(dir);
    return 0;
}
