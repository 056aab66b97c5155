// A program that closes every descriptor, the standard ones too, and goes on.
#include "check.h"

int main(void) {
    pid_t pid;
    int *result = shared_memory(4096);
    CHILD(pid) {
        for (int fd = 0; fd < 1100; fd++) close(fd);
        *result = 1;
        if (write(1, "lost", 4) != -1 || errno != EBADF) _exit(2);
        if (open("/dev/null", O_RDWR) != 0) _exit(3);
        pid_t inner = fork();
        if (inner == 0) _exit(7);
        int status;
        if (waitpid(inner, &status, 0) != inner || WEXITSTATUS(status) != 7) _exit(4);
        int pipes[2];
        if (pipe(pipes) || pipes[0] != 1 || pipes[1] != 2) _exit(5);
        *result = 2;
    }
    CHECK_EXIT(pid, 0);
    CHECK_EQ(*result, 2);
    // Once more by close_range, in a process with threads, and an exec with nothing open.
    CHILD(pid) {
        CHECK_OK(close_range(0, ~0u, 0));
        execl("/bin/true", "true", NULL);
        _exit(9);
    }
    CHECK_EXIT(pid, 0);
    return 0;
}
