// Every call with arguments that are nonsense: an error or a death, and the parent goes on.
#include "check.h"
#include <sys/socket.h>

// Calls that would change the machine, or other processes, were they taken at their word.
static const short skipped[] = {
    SYS_fork, SYS_vfork, SYS_clone, SYS_clone3, SYS_kill, SYS_tkill, SYS_tgkill, SYS_rt_sigqueueinfo, SYS_rt_tgsigqueueinfo,
    SYS_pidfd_send_signal, SYS_ptrace, SYS_reboot, SYS_kexec_load, SYS_kexec_file_load, SYS_init_module, SYS_finit_module,
    SYS_delete_module, SYS_mount, SYS_umount2, SYS_pivot_root, SYS_chroot, SYS_swapon, SYS_swapoff, SYS_sethostname,
    SYS_setdomainname, SYS_settimeofday, SYS_adjtimex, SYS_clock_settime, SYS_clock_adjtime, SYS_acct, SYS_syslog, SYS_vhangup,
    SYS_quotactl, SYS_quotactl_fd, SYS_unshare, SYS_setns, SYS_sync, SYS_syncfs, SYS_bpf, SYS_perf_event_open, SYS_open_tree,
    SYS_move_mount, SYS_fsopen, SYS_fsconfig, SYS_fsmount, SYS_fspick, SYS_mount_setattr, SYS_add_key, SYS_request_key,
    SYS_keyctl, SYS_msgget, SYS_semget, SYS_shmget, SYS_iopl, SYS_ioperm, SYS_setpriority, SYS_ioprio_set, SYS_setrlimit,
    SYS_prlimit64, SYS_sched_setattr, SYS_sched_setparam, SYS_sched_setscheduler, SYS_sched_setaffinity, SYS_migrate_pages,
    SYS_move_pages, SYS_userfaultfd, SYS_exit, SYS_exit_group,
};
static const unsigned long values[] = {0, 16, 0xdeadbeef000, 0x7fffffffffff, 0x8000000000000000, 0xffff800000000000, -1ul};
enum { VALUES = sizeof values / sizeof *values, LAST = 480 };

static bool skip(int number) {
    for (size_t i = 0; i < sizeof skipped / sizeof *skipped; i++)
        if (skipped[i] == number) return true;
    return false;
}

int main(void) {
    int *progress = shared_memory(4096);
    int memory = CHECK_OK(memfd_create("target", 0)), pair[2];
    CHECK_OK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair));
    // The values are descriptors too: fchmod(0, 0) must not meet a device of the machine's.
    CHECK_OK(dup2(memory, 0));
    CHECK_OK(dup2(memory, 1));
    CHECK_OK(dup2(memory, 16));
    const long firsts[] = {0, memory, pair[0], AT_FDCWD};
    for (int number = 0; number <= LAST; number++) {
        if (skip(number)) continue;
        // A child goes through all the vectors; when one kills it, the next child goes on behind that one.
        for (*progress = 0; *progress < VALUES * 4;) {
            pid_t pid;
            CHILD(pid) {
                while (*progress < VALUES * 4) {
                    int vector = (*progress)++;
                    unsigned long v = values[vector % VALUES];
                    long first = vector / VALUES ? firsts[vector / VALUES] : (long)v;
                    signal(SIGALRM, SIG_DFL);
                    ualarm(50000, 0);
                    syscall(number, first, v, v, v, v, v);
                }
            }
            int status = wait_status(pid);
            CHECK(WIFEXITED(status) || WIFSIGNALED(status));
            if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM) break;  // It waits: it would wait again.
        }
    }
    CHECK_OK(access("/proc/self", F_OK));
    return 0;
}
