//! System calls by name, and how a call is shown: the one place that knows.

use std::fmt::Write;

use snowglobe_abi::Errno;

/// Names by number on x86-64; an empty one where there is no call.
const NAMES: [&str; 335] = [
    "read",
    "write",
    "open",
    "close",
    "stat",
    "fstat",
    "lstat",
    "poll",
    "lseek",
    "mmap",
    "mprotect",
    "munmap",
    "brk",
    "rt_sigaction",
    "rt_sigprocmask",
    "rt_sigreturn",
    "ioctl",
    "pread64",
    "pwrite64",
    "readv",
    "writev",
    "access",
    "pipe",
    "select",
    "sched_yield",
    "mremap",
    "msync",
    "mincore",
    "madvise",
    "shmget",
    "shmat",
    "shmctl",
    "dup",
    "dup2",
    "pause",
    "nanosleep",
    "getitimer",
    "alarm",
    "setitimer",
    "getpid",
    "sendfile",
    "socket",
    "connect",
    "accept",
    "sendto",
    "recvfrom",
    "sendmsg",
    "recvmsg",
    "shutdown",
    "bind",
    "listen",
    "getsockname",
    "getpeername",
    "socketpair",
    "setsockopt",
    "getsockopt",
    "clone",
    "fork",
    "vfork",
    "execve",
    "exit",
    "wait4",
    "kill",
    "uname",
    "semget",
    "semop",
    "semctl",
    "shmdt",
    "msgget",
    "msgsnd",
    "msgrcv",
    "msgctl",
    "fcntl",
    "flock",
    "fsync",
    "fdatasync",
    "truncate",
    "ftruncate",
    "getdents",
    "getcwd",
    "chdir",
    "fchdir",
    "rename",
    "mkdir",
    "rmdir",
    "creat",
    "link",
    "unlink",
    "symlink",
    "readlink",
    "chmod",
    "fchmod",
    "chown",
    "fchown",
    "lchown",
    "umask",
    "gettimeofday",
    "getrlimit",
    "getrusage",
    "sysinfo",
    "times",
    "ptrace",
    "getuid",
    "syslog",
    "getgid",
    "setuid",
    "setgid",
    "geteuid",
    "getegid",
    "setpgid",
    "getppid",
    "getpgrp",
    "setsid",
    "setreuid",
    "setregid",
    "getgroups",
    "setgroups",
    "setresuid",
    "getresuid",
    "setresgid",
    "getresgid",
    "getpgid",
    "setfsuid",
    "setfsgid",
    "getsid",
    "capget",
    "capset",
    "rt_sigpending",
    "rt_sigtimedwait",
    "rt_sigqueueinfo",
    "rt_sigsuspend",
    "sigaltstack",
    "utime",
    "mknod",
    "uselib",
    "personality",
    "ustat",
    "statfs",
    "fstatfs",
    "sysfs",
    "getpriority",
    "setpriority",
    "sched_setparam",
    "sched_getparam",
    "sched_setscheduler",
    "sched_getscheduler",
    "sched_get_priority_max",
    "sched_get_priority_min",
    "sched_rr_get_interval",
    "mlock",
    "munlock",
    "mlockall",
    "munlockall",
    "vhangup",
    "modify_ldt",
    "pivot_root",
    "_sysctl",
    "prctl",
    "arch_prctl",
    "adjtimex",
    "setrlimit",
    "chroot",
    "sync",
    "acct",
    "settimeofday",
    "mount",
    "umount2",
    "swapon",
    "swapoff",
    "reboot",
    "sethostname",
    "setdomainname",
    "iopl",
    "ioperm",
    "create_module",
    "init_module",
    "delete_module",
    "get_kernel_syms",
    "query_module",
    "quotactl",
    "nfsservctl",
    "getpmsg",
    "putpmsg",
    "afs_syscall",
    "tuxcall",
    "security",
    "gettid",
    "readahead",
    "setxattr",
    "lsetxattr",
    "fsetxattr",
    "getxattr",
    "lgetxattr",
    "fgetxattr",
    "listxattr",
    "llistxattr",
    "flistxattr",
    "removexattr",
    "lremovexattr",
    "fremovexattr",
    "tkill",
    "time",
    "futex",
    "sched_setaffinity",
    "sched_getaffinity",
    "set_thread_area",
    "io_setup",
    "io_destroy",
    "io_getevents",
    "io_submit",
    "io_cancel",
    "get_thread_area",
    "lookup_dcookie",
    "epoll_create",
    "epoll_ctl_old",
    "epoll_wait_old",
    "remap_file_pages",
    "getdents64",
    "set_tid_address",
    "restart_syscall",
    "semtimedop",
    "fadvise64",
    "timer_create",
    "timer_settime",
    "timer_gettime",
    "timer_getoverrun",
    "timer_delete",
    "clock_settime",
    "clock_gettime",
    "clock_getres",
    "clock_nanosleep",
    "exit_group",
    "epoll_wait",
    "epoll_ctl",
    "tgkill",
    "utimes",
    "vserver",
    "mbind",
    "set_mempolicy",
    "get_mempolicy",
    "mq_open",
    "mq_unlink",
    "mq_timedsend",
    "mq_timedreceive",
    "mq_notify",
    "mq_getsetattr",
    "kexec_load",
    "waitid",
    "add_key",
    "request_key",
    "keyctl",
    "ioprio_set",
    "ioprio_get",
    "inotify_init",
    "inotify_add_watch",
    "inotify_rm_watch",
    "migrate_pages",
    "openat",
    "mkdirat",
    "mknodat",
    "fchownat",
    "futimesat",
    "newfstatat",
    "unlinkat",
    "renameat",
    "linkat",
    "symlinkat",
    "readlinkat",
    "fchmodat",
    "faccessat",
    "pselect6",
    "ppoll",
    "unshare",
    "set_robust_list",
    "get_robust_list",
    "splice",
    "tee",
    "sync_file_range",
    "vmsplice",
    "move_pages",
    "utimensat",
    "epoll_pwait",
    "signalfd",
    "timerfd_create",
    "eventfd",
    "fallocate",
    "timerfd_settime",
    "timerfd_gettime",
    "accept4",
    "signalfd4",
    "eventfd2",
    "epoll_create1",
    "dup3",
    "pipe2",
    "inotify_init1",
    "preadv",
    "pwritev",
    "rt_tgsigqueueinfo",
    "perf_event_open",
    "recvmmsg",
    "fanotify_init",
    "fanotify_mark",
    "prlimit64",
    "name_to_handle_at",
    "open_by_handle_at",
    "clock_adjtime",
    "syncfs",
    "sendmmsg",
    "setns",
    "getcpu",
    "process_vm_readv",
    "process_vm_writev",
    "kcmp",
    "finit_module",
    "sched_setattr",
    "sched_getattr",
    "renameat2",
    "seccomp",
    "getrandom",
    "memfd_create",
    "kexec_file_load",
    "bpf",
    "execveat",
    "userfaultfd",
    "membarrier",
    "mlock2",
    "copy_file_range",
    "preadv2",
    "pwritev2",
    "pkey_mprotect",
    "pkey_alloc",
    "pkey_free",
    "statx",
    "io_pgetevents",
    "rseq",
];

/// Names from 424 on, where all architectures count alike.
const NEWER: [&str; 46] = [
    "pidfd_send_signal",
    "io_uring_setup",
    "io_uring_enter",
    "io_uring_register",
    "open_tree",
    "move_mount",
    "fsopen",
    "fsconfig",
    "fsmount",
    "fspick",
    "pidfd_open",
    "clone3",
    "close_range",
    "openat2",
    "pidfd_getfd",
    "faccessat2",
    "process_madvise",
    "epoll_pwait2",
    "mount_setattr",
    "quotactl_fd",
    "landlock_create_ruleset",
    "landlock_add_rule",
    "landlock_restrict_self",
    "memfd_secret",
    "process_mrelease",
    "futex_waitv",
    "set_mempolicy_home_node",
    "cachestat",
    "fchmodat2",
    "map_shadow_stack",
    "futex_wake",
    "futex_wait",
    "futex_requeue",
    "statmount",
    "listmount",
    "lsm_get_self_attr",
    "lsm_set_self_attr",
    "lsm_list_modules",
    "mseal",
    "setxattrat",
    "getxattrat",
    "listxattrat",
    "removexattrat",
    "open_tree_attr",
    "file_getattr",
    "file_setattr",
];

/// Number of the first of [`NEWER`].
const NEWER_FROM: u64 = 424;

/// A call's name, or its number where it has none.
pub fn name(nr: u64) -> String {
    known(nr).map_or_else(|| format!("syscall_{nr}"), str::to_owned)
}

fn known(nr: u64) -> Option<&'static str> {
    match nr {
        NEWER_FROM.. => NEWER.get((nr - NEWER_FROM) as usize).copied(),
        _ => NAMES.get(nr as usize).copied(),
    }
}

/// A call's number.
pub fn number(name: &str) -> Option<u64> {
    (0..NEWER_FROM + NEWER.len() as u64).find(|nr| known(*nr) == Some(name))
}

/// All names.
pub fn names() -> impl Iterator<Item = &'static str> + Clone {
    NAMES.into_iter().chain(NEWER)
}

/// Longest piece of captured data that is shown.
const SHOWN_BYTES: usize = 64;

/// A call as it begins: name, arguments, and what was captured of the memory that they point to.
pub fn format_call(nr: u64, args: &[u64], captured: &[Vec<u8>]) -> String {
    let mut out = name(nr);
    out.push('(');
    for (i, arg) in args.iter().enumerate() {
        if i > 0 {
            out.push_str(", ");
        }
        out.push_str(&argument(*arg));
    }
    for (i, bytes) in captured.iter().enumerate() {
        out.push_str(if i > 0 || !args.is_empty() { ", " } else { "" });
        out.push_str(&quoted(bytes));
    }
    out.push(')');
    out
}

/// What a call returned.
pub fn format_return(value: i64, captured: &[Vec<u8>]) -> String {
    let mut out = match u16::try_from(value.wrapping_neg()) {
        Ok(number) if (1..4096).contains(&number) => format!("-1 {}", Errno(number)),
        _ if value.unsigned_abs() < 0x1_0000_0000 => value.to_string(),
        _ => format!("{:#x}", value as u64),
    };
    for bytes in captured {
        let _ = write!(out, ", {}", quoted(bytes));
    }
    out
}

/// Small numbers as people write them, addresses and flags in hexadecimal.
fn argument(value: u64) -> String {
    match value as i64 {
        small @ -4095..=65_535 => small.to_string(),
        // A descriptor or AT_FDCWD that was passed in 32 bits.
        _ if value >> 32 == 0 && (value as i32) < 0 && (value as i32) > -4096 => (value as i32).to_string(),
        _ => format!("{value:#x}"),
    }
}

/// Bytes as strace shows them.
pub fn quoted(bytes: &[u8]) -> String {
    let mut out = String::from("\"");
    for byte in bytes.iter().take(SHOWN_BYTES) {
        match byte {
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            b'"' => out.push_str("\\\""),
            b'\\' => out.push_str("\\\\"),
            0x20..0x7f => out.push(char::from(*byte)),
            _ => {
                let _ = write!(out, "\\x{byte:02x}");
            }
        }
    }
    out.push('"');
    if bytes.len() > SHOWN_BYTES {
        let _ = write!(out, "... ({} bytes)", bytes.len());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_names_agree_with_the_x86_64_table() {
        for (nr, want) in [
            (0, "read"),
            (59, "execve"),
            (101, "ptrace"),
            (158, "arch_prctl"),
            (202, "futex"),
            (228, "clock_gettime"),
            (231, "exit_group"),
            (257, "openat"),
            (281, "epoll_pwait"),
            (318, "getrandom"),
            (334, "rseq"),
            (424, "pidfd_send_signal"),
            (435, "clone3"),
            (449, "futex_waitv"),
            (462, "mseal"),
            (469, "file_setattr"),
        ] {
            assert_eq!(name(nr), want);
            assert_eq!(number(want), Some(nr));
        }
        assert_eq!(name(400), "syscall_400");
        assert_eq!(number("nope"), None);
    }

    #[test]
    fn a_call_shows_its_arguments_and_what_they_point_to() {
        let shown = format_call(257, &[0xffff_ff9c, 0x7fff_0000_1000, 0x80000], &[b"/etc/hosts".to_vec()]);
        assert_eq!(shown, "openat(-100, 0x7fff00001000, 0x80000, \"/etc/hosts\")");
        assert_eq!(format_return(-2, &[]), "-1 ENOENT (No such file or directory)");
        assert_eq!(format_return(3, &[b"a\n\xff".to_vec()]), "3, \"a\\n\\xff\"");
        assert_eq!(format_return(0x7100_0000_0000, &[]), "0x710000000000");
        assert_eq!(format_return(i64::MIN, &[]), "0x8000000000000000");
        assert_eq!(format_call(39, &[], &[]), "getpid()");
    }
}
