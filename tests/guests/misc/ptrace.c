// A debugger in small: stops, memory, registers, single steps; where ptrace is allowed at all.
#include "check.h"
#include <sys/ptrace.h>
#include <sys/user.h>

static volatile long word = 111;

int main(void) {
    pid_t pid;
    CHILD(pid) {
        if (ptrace(PTRACE_TRACEME, 0, 0, 0)) _exit(77);
        CHECK_OK(raise(SIGSTOP));
        if (word != 222) _exit(1);
    }
    int status;
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77) return 0;
    CHECK(WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP);
    errno = 0;
    CHECK_EQ(ptrace(PTRACE_PEEKDATA, pid, &word, 0), 111);
    CHECK_OK(ptrace(PTRACE_POKEDATA, pid, &word, 222));
    CHECK_EQ(word, 111);
    struct user_regs_struct regs;
    CHECK_OK(ptrace(PTRACE_GETREGS, pid, 0, &regs));
    CHECK(regs.rip && regs.rsp);
    CHECK_OK(ptrace(PTRACE_CONT, pid, 0, 0));
    CHECK_EXIT(pid, 0);
    return 0;
}
