// What a program forbids itself is forbidden: by the strict mode, and by filters, of which the strictest counts.
#include "check.h"
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>

#define NR offsetof(struct seccomp_data, nr)
#define SAYS(verdict) BPF_STMT(BPF_RET | BPF_K, verdict)
#define LENGTH(array) (sizeof array / sizeof *array)

static int install(struct sock_filter *steps, unsigned short count) {
    struct sock_fprog program = {count, steps};
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

// For one call the verdict, for all others SECCOMP_RET_ALLOW.
static void only(unsigned nr, unsigned verdict) {
    struct sock_filter steps[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 1, 0),
        SAYS(SECCOMP_RET_KILL_PROCESS),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, NR),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, nr, 0, 1),
        SAYS(verdict),
        SAYS(SECCOMP_RET_ALLOW),
    };
    CHECK_OK(install(steps, LENGTH(steps)));
}

static volatile sig_atomic_t trapped;

static void on_trap(int sig, siginfo_t *info, void *context) {
    (void)context;
    CHECK_EQ(sig, SIGSYS);
    CHECK_EQ(info->si_code, 1);  // SYS_SECCOMP
    CHECK_EQ(info->si_errno, 77);
    CHECK_EQ(info->si_syscall, SYS_getppid);
    CHECK_EQ(info->si_arch, AUDIT_ARCH_X86_64);
    trapped = 1;
}

static void *ends_alone(void *argument) {
    only(SYS_getppid, SECCOMP_RET_KILL_THREAD);
    syscall(SYS_getppid);
    return argument;
}

// Counts down through memory, registers and a loop's worth of jumps: allows getuid with 6 * 7 as its first argument.
static void computes(void) {
    struct sock_filter steps[] = {
        BPF_STMT(BPF_LD | BPF_IMM, 6),
        BPF_STMT(BPF_ST, 3),
        BPF_STMT(BPF_LDX | BPF_IMM, 7),
        BPF_STMT(BPF_LD | BPF_MEM, 3),
        BPF_STMT(BPF_ALU | BPF_MUL | BPF_X, 0),
        BPF_STMT(BPF_MISC | BPF_TAX, 0),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, NR),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getuid, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0])),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_X, 0, 1, 0),
        SAYS(SECCOMP_RET_ERRNO | ERANGE),
        SAYS(SECCOMP_RET_ALLOW),
    };
    CHECK_OK(install(steps, LENGTH(steps)));
    CHECK_OK(syscall(SYS_getuid, 42));
    CHECK_ERRNO(syscall(SYS_getuid, 41), ERANGE);
}

static void refused(void) {
    struct sock_filter allow = SAYS(SECCOMP_RET_ALLOW);
    CHECK_ERRNO(prctl(PR_SET_SECCOMP, 99, &allow), EINVAL);
    CHECK_ERRNO(install(&allow, 0), EINVAL);
    struct sock_filter no_end[] = {BPF_STMT(BPF_LD | BPF_IMM, 0)};
    CHECK_ERRNO(install(no_end, 1), EINVAL);
    struct sock_filter far[] = {BPF_STMT(BPF_JMP | BPF_JA, 1), SAYS(0)};
    CHECK_ERRNO(install(far, 2), EINVAL);
    struct sock_filter outside[] = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, sizeof(struct seccomp_data)), SAYS(0)};
    CHECK_ERRNO(install(outside, 2), EINVAL);
    struct sock_filter zero[] = {BPF_STMT(BPF_ALU | BPF_DIV | BPF_K, 0), SAYS(0)};
    CHECK_ERRNO(install(zero, 2), EINVAL);
}

int main(void) {
    pid_t pid, inner;
    CHILD(pid) {
        CHECK_EQ(prctl(PR_GET_SECCOMP), 0);
        CHECK_OK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
        refused();
        only(SYS_getppid, SECCOMP_RET_ERRNO | 5000);
        CHECK_EQ(prctl(PR_GET_SECCOMP), 2);
        CHECK_ERRNO(syscall(SYS_getppid), 4095);
        // A looser filter changes nothing, a stricter one does, for children and programs too.
        only(SYS_getppid, SECCOMP_RET_ALLOW);
        CHECK_ERRNO(syscall(SYS_getppid), 4095);
        only(SYS_getppid, SECCOMP_RET_TRAP | 77);
        on_siginfo(SIGSYS, on_trap, 0);
        CHECK_EQ(syscall(SYS_getppid), SYS_getppid);
        CHECK(trapped);
        computes();
        CHILD(inner) {
            only(SYS_uname, SECCOMP_RET_KILL_PROCESS);
            CHECK_OK(execl("/bin/uname", "uname", NULL));
        }
        CHECK_KILLED(inner, SIGSYS);
        CHILD(inner) CHECK_OK(execl("/bin/true", "true", NULL));
        CHECK_EXIT(inner, 0);
        only(SYS_getsid, SECCOMP_RET_TRACE);
        CHECK_ERRNO(getsid(0), ENOSYS);
    }
    CHECK_EXIT(pid, 0);

    CHILD(pid) {
        CHECK_OK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
        pthread_t thread = thread_start(ends_alone, NULL);
        // Its tid is cleared when it ends by force as well.
        thread_join(thread);
        CHECK_OK(getppid());
    }
    CHECK_EXIT(pid, 0);

    CHILD(pid) {
        CHECK_OK(prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT));
        CHECK_EQ(write(1, "", 0), 0);
        syscall(SYS_exit, 3);
    }
    CHECK_EXIT(pid, 3);
    CHILD(pid) {
        CHECK_OK(prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT));
        syscall(SYS_getpid);
    }
    CHECK_KILLED(pid, SIGKILL);

    // Without the right to be fooled, only who gives up new rights may filter.
    CHILD(pid) {
        if (geteuid() == 0) CHECK_OK(setuid(65534));
        struct sock_filter allow = SAYS(SECCOMP_RET_ALLOW);
        CHECK_ERRNO(install(&allow, 1), EACCES);
    }
    CHECK_EXIT(pid, 0);
    return 0;
}
