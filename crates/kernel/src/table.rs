//! The one table of system calls: dispatch, trace, filter and the support page are all read from it.
//!
//! Numbers are those of x86-64. A number that is not here is answered with ENOSYS and reported, like one whose level is
//! [`Level::Missing`].

use crate::calls::*;
use crate::{Answer, Cx};

/// How well a call is supported.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Level {
    /// As Linux answers it.
    Full,
    /// As Linux answers it, but for what the note says.
    Partial,
    /// Always refused, with the errno that the note gives.
    Refused,
    /// Not there: ENOSYS, and a line in the run's report.
    Missing,
}

/// What an argument is, for the trace.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Arg {
    /// A descriptor.
    Fd,
    /// A signed number.
    Int,
    /// Flags, an address, anything best read in hexadecimal.
    Hex,
    /// A file mode.
    Oct,
    /// A signal.
    Signal,
    /// An address.
    Ptr,
    /// The address of a string.
    Path,
    /// The address of data going in; its length is the argument with this index.
    In(usize),
    /// The address of data coming out; its length is the result, at most the argument with this index.
    Out(usize),
}

/// One system call.
pub struct Entry {
    /// Its number.
    pub nr: u32,
    /// Its name.
    pub name: &'static str,
    /// Its arguments.
    pub args: &'static [Arg],
    /// See [`Level`].
    pub level: Level,
    /// Who answers it.
    pub handler: fn(&mut Cx) -> Answer,
    /// What is short.
    pub note: &'static str,
}

macro_rules! table {
    ($($nr:literal $name:ident [$($arg:expr),*] $level:ident $handler:path, $note:literal;)*) => {
        /// All known calls, by number.
        pub static TABLE: &[Entry] = &[$(Entry {
            nr: $nr,
            name: stringify!($name),
            args: &[$($arg),*],
            level: Level::$level,
            handler: $handler,
            note: $note,
        }),*];
    };
}

/// Highest number in the table.
const LAST: usize = {
    let mut last = 0;
    let mut i = 0;
    while i < TABLE.len() {
        assert!(i == 0 || TABLE[i].nr as usize > last, "the table is in the order of numbers");
        last = TABLE[i].nr as usize;
        i += 1;
    }
    last
};

/// Index into [`TABLE`] plus one by number; 0 where there is none.
static INDEX: [u16; LAST + 1] = {
    let mut index = [0; LAST + 1];
    let mut i = 0;
    while i < TABLE.len() {
        index[TABLE[i].nr as usize] = i as u16 + 1;
        i += 1;
    }
    index
};

/// The entry of a number.
#[inline]
pub fn entry(nr: u64) -> Option<&'static Entry> {
    let index = *INDEX.get(usize::try_from(nr).ok()?)?;
    TABLE.get((index as usize).wrapping_sub(1))
}

/// The name of a number.
pub fn name(nr: u64) -> &'static str {
    entry(nr).map_or("?", |e| e.name)
}

table! {
    0 read [Arg::Fd, Arg::Out(2), Arg::Int] Full rw::read, "";
    1 write [Arg::Fd, Arg::In(2), Arg::Int] Full rw::write, "";
    2 open [Arg::Path, Arg::Hex, Arg::Oct] Full open::open, "";
    3 close [Arg::Fd] Full fd::close, "";
    4 stat [Arg::Path, Arg::Ptr] Full stat::stat, "";
    5 fstat [Arg::Fd, Arg::Ptr] Full stat::fstat, "";
    6 lstat [Arg::Path, Arg::Ptr] Full stat::lstat, "";
    7 poll [Arg::Ptr, Arg::Int, Arg::Int] Full poll::poll, "";
    8 lseek [Arg::Fd, Arg::Int, Arg::Int] Full rw::lseek, "";
    9 mmap [Arg::Hex, Arg::Int, Arg::Hex, Arg::Hex, Arg::Fd, Arg::Hex] Full memory::mmap, "";
    10 mprotect [Arg::Hex, Arg::Int, Arg::Hex] Full memory::mprotect, "";
    11 munmap [Arg::Hex, Arg::Int] Full memory::munmap, "";
    12 brk [Arg::Hex] Full memory::brk, "";
    13 rt_sigaction [Arg::Signal, Arg::Ptr, Arg::Ptr, Arg::Int] Full signals::rt_sigaction, "";
    14 rt_sigprocmask [Arg::Int, Arg::Ptr, Arg::Ptr, Arg::Int] Full signals::rt_sigprocmask, "";
    15 rt_sigreturn [] Full signals::rt_sigreturn, "";
    16 ioctl [Arg::Fd, Arg::Hex, Arg::Hex] Partial fd::ioctl, "requests of files, pipes, sockets and terminals";
    17 pread64 [Arg::Fd, Arg::Out(2), Arg::Int, Arg::Int] Full rw::pread64, "";
    18 pwrite64 [Arg::Fd, Arg::In(2), Arg::Int, Arg::Int] Full rw::pwrite64, "";
    19 readv [Arg::Fd, Arg::Ptr, Arg::Int] Full rw::readv, "";
    20 writev [Arg::Fd, Arg::Ptr, Arg::Int] Full rw::writev, "";
    21 access [Arg::Path, Arg::Int] Full attributes::access, "";
    22 pipe [Arg::Ptr] Full fd::pipe, "";
    23 select [Arg::Int, Arg::Ptr, Arg::Ptr, Arg::Ptr, Arg::Ptr] Full poll::select, "";
    24 sched_yield [] Full misc::sched_yield, "";
    25 mremap [Arg::Hex, Arg::Int, Arg::Int, Arg::Hex, Arg::Hex] Full memory::mremap, "";
    26 msync [Arg::Hex, Arg::Int, Arg::Hex] Full memory::msync, "";
    27 mincore [Arg::Hex, Arg::Int, Arg::Ptr] Full memory::mincore, "";
    28 madvise [Arg::Hex, Arg::Int, Arg::Int] Full memory::madvise, "";
    29 shmget [Arg::Hex, Arg::Int, Arg::Hex] Full shm::shmget, "";
    30 shmat [Arg::Int, Arg::Hex, Arg::Hex] Full shm::shmat, "";
    31 shmctl [Arg::Int, Arg::Int, Arg::Ptr] Full shm::shmctl, "";
    32 dup [Arg::Fd] Full fd::dup, "";
    33 dup2 [Arg::Fd, Arg::Fd] Full fd::dup2, "";
    34 pause [] Full signals::pause, "";
    35 nanosleep [Arg::Ptr, Arg::Ptr] Full time::nanosleep, "";
    36 getitimer [Arg::Int, Arg::Ptr] Full time::getitimer, "";
    37 alarm [Arg::Int] Full time::alarm, "";
    38 setitimer [Arg::Int, Arg::Ptr, Arg::Ptr] Full time::setitimer, "";
    39 getpid [] Full ids::getpid, "";
    40 sendfile [Arg::Fd, Arg::Fd, Arg::Ptr, Arg::Int] Full rw::sendfile, "";
    41 socket [Arg::Int, Arg::Hex, Arg::Int] Partial net::socket, "AF_INET, AF_INET6, AF_UNIX and AF_NETLINK; raw sockets speak ICMP only";
    42 connect [Arg::Fd, Arg::Ptr, Arg::Int] Full net::connect, "";
    43 accept [Arg::Fd, Arg::Ptr, Arg::Ptr] Full net::accept, "";
    44 sendto [Arg::Fd, Arg::In(2), Arg::Int, Arg::Hex, Arg::Ptr, Arg::Int] Full net::sendto, "";
    45 recvfrom [Arg::Fd, Arg::Out(2), Arg::Int, Arg::Hex, Arg::Ptr, Arg::Ptr] Full net::recvfrom, "";
    46 sendmsg [Arg::Fd, Arg::Ptr, Arg::Hex] Full net::sendmsg, "";
    47 recvmsg [Arg::Fd, Arg::Ptr, Arg::Hex] Full net::recvmsg, "";
    48 shutdown [Arg::Fd, Arg::Int] Full net::shutdown, "";
    49 bind [Arg::Fd, Arg::Ptr, Arg::Int] Full net::bind, "";
    50 listen [Arg::Fd, Arg::Int] Full net::listen, "";
    51 getsockname [Arg::Fd, Arg::Ptr, Arg::Ptr] Full net::getsockname, "";
    52 getpeername [Arg::Fd, Arg::Ptr, Arg::Ptr] Full net::getpeername, "";
    53 socketpair [Arg::Int, Arg::Hex, Arg::Int, Arg::Ptr] Full net::socketpair, "";
    54 setsockopt [Arg::Fd, Arg::Int, Arg::Int, Arg::Ptr, Arg::Int] Partial net::setsockopt, "options that are not known are ENOPROTOOPT and reported";
    55 getsockopt [Arg::Fd, Arg::Int, Arg::Int, Arg::Ptr, Arg::Ptr] Partial net::getsockopt, "options that are not known are ENOPROTOOPT and reported";
    56 clone [Arg::Hex, Arg::Hex, Arg::Ptr, Arg::Ptr, Arg::Hex] Full process::clone, "";
    57 fork [] Full process::fork, "";
    58 vfork [] Full process::vfork, "";
    59 execve [Arg::Path, Arg::Ptr, Arg::Ptr] Full process::execve, "";
    60 exit [Arg::Int] Full process::exit, "";
    61 wait4 [Arg::Int, Arg::Ptr, Arg::Hex, Arg::Ptr] Full wait::wait4, "";
    62 kill [Arg::Int, Arg::Signal] Full signals::kill, "";
    63 uname [Arg::Ptr] Full misc::uname, "";
    64 semget [Arg::Hex, Arg::Int, Arg::Hex] Full sem::semget, "";
    65 semop [Arg::Int, Arg::Ptr, Arg::Int] Full sem::semop, "";
    66 semctl [Arg::Int, Arg::Int, Arg::Int, Arg::Hex] Full sem::semctl, "";
    67 shmdt [Arg::Hex] Full shm::shmdt, "";
    68 msgget [Arg::Hex, Arg::Hex] Full msg::msgget, "";
    69 msgsnd [Arg::Int, Arg::In(2), Arg::Int, Arg::Hex] Full msg::msgsnd, "";
    70 msgrcv [Arg::Int, Arg::Ptr, Arg::Int, Arg::Int, Arg::Hex] Full msg::msgrcv, "";
    71 msgctl [Arg::Int, Arg::Int, Arg::Ptr] Full msg::msgctl, "";
    72 fcntl [Arg::Fd, Arg::Int, Arg::Hex] Full fd::fcntl, "";
    73 flock [Arg::Fd, Arg::Int] Full fd::flock, "";
    74 fsync [Arg::Fd] Full rw::fsync, "";
    75 fdatasync [Arg::Fd] Full rw::fsync, "";
    76 truncate [Arg::Path, Arg::Int] Full size::truncate, "";
    77 ftruncate [Arg::Fd, Arg::Int] Full size::ftruncate, "";
    78 getdents [Arg::Fd, Arg::Ptr, Arg::Int] Full dirs::getdents, "";
    79 getcwd [Arg::Ptr, Arg::Int] Full dirs::getcwd, "";
    80 chdir [Arg::Path] Full dirs::chdir, "";
    81 fchdir [Arg::Fd] Full dirs::fchdir, "";
    82 rename [Arg::Path, Arg::Path] Full names::rename, "";
    83 mkdir [Arg::Path, Arg::Oct] Full names::mkdir, "";
    84 rmdir [Arg::Path] Full names::rmdir, "";
    85 creat [Arg::Path, Arg::Oct] Full open::creat, "";
    86 link [Arg::Path, Arg::Path] Full names::link, "";
    87 unlink [Arg::Path] Full names::unlink, "";
    88 symlink [Arg::Path, Arg::Path] Full names::symlink, "";
    89 readlink [Arg::Path, Arg::Ptr, Arg::Int] Full names::readlink, "";
    90 chmod [Arg::Path, Arg::Oct] Full attributes::chmod, "";
    91 fchmod [Arg::Fd, Arg::Oct] Full attributes::fchmod, "";
    92 chown [Arg::Path, Arg::Int, Arg::Int] Full attributes::chown, "";
    93 fchown [Arg::Fd, Arg::Int, Arg::Int] Full attributes::fchown, "";
    94 lchown [Arg::Path, Arg::Int, Arg::Int] Full attributes::lchown, "";
    95 umask [Arg::Oct] Full attributes::umask, "";
    96 gettimeofday [Arg::Ptr, Arg::Ptr] Full time::gettimeofday, "";
    97 getrlimit [Arg::Int, Arg::Ptr] Full misc::getrlimit, "";
    98 getrusage [Arg::Int, Arg::Ptr] Full misc::getrusage, "";
    99 sysinfo [Arg::Ptr] Full misc::sysinfo, "";
    100 times [Arg::Ptr] Full process::times, "";
    101 ptrace [Arg::Hex, Arg::Int, Arg::Hex, Arg::Hex] Refused misc::ptrace, "EPERM, as in an unprivileged container";
    102 getuid [] Full cred::getuid, "";
    103 syslog [Arg::Int, Arg::Ptr, Arg::Int] Partial misc::syslog, "an empty log";
    104 getgid [] Full cred::getgid, "";
    105 setuid [Arg::Int] Full cred::setuid, "";
    106 setgid [Arg::Int] Full cred::setgid, "";
    107 geteuid [] Full cred::geteuid, "";
    108 getegid [] Full cred::getegid, "";
    109 setpgid [Arg::Int, Arg::Int] Full ids::setpgid, "";
    110 getppid [] Full ids::getppid, "";
    111 getpgrp [] Full ids::getpgrp, "";
    112 setsid [] Full ids::setsid, "";
    113 setreuid [Arg::Int, Arg::Int] Full cred::setreuid, "";
    114 setregid [Arg::Int, Arg::Int] Full cred::setregid, "";
    115 getgroups [Arg::Int, Arg::Ptr] Full cred::getgroups, "";
    116 setgroups [Arg::Int, Arg::Ptr] Full cred::setgroups, "";
    117 setresuid [Arg::Int, Arg::Int, Arg::Int] Full cred::setresuid, "";
    118 getresuid [Arg::Ptr, Arg::Ptr, Arg::Ptr] Full cred::getresuid, "";
    119 setresgid [Arg::Int, Arg::Int, Arg::Int] Full cred::setresgid, "";
    120 getresgid [Arg::Ptr, Arg::Ptr, Arg::Ptr] Full cred::getresgid, "";
    121 getpgid [Arg::Int] Full ids::getpgid, "";
    122 setfsuid [Arg::Int] Full cred::setfsuid, "";
    123 setfsgid [Arg::Int] Full cred::setfsgid, "";
    124 getsid [Arg::Int] Full ids::getsid, "";
    125 capget [Arg::Ptr, Arg::Ptr] Full cred::capget, "";
    126 capset [Arg::Ptr, Arg::Ptr] Full cred::capset, "";
    127 rt_sigpending [Arg::Ptr, Arg::Int] Full signals::rt_sigpending, "";
    128 rt_sigtimedwait [Arg::Ptr, Arg::Ptr, Arg::Ptr, Arg::Int] Full signals::rt_sigtimedwait, "";
    129 rt_sigqueueinfo [Arg::Int, Arg::Signal, Arg::Ptr] Full signals::rt_sigqueueinfo, "";
    130 rt_sigsuspend [Arg::Ptr, Arg::Int] Full signals::rt_sigsuspend, "";
    131 sigaltstack [Arg::Ptr, Arg::Ptr] Full signals::sigaltstack, "";
    132 utime [Arg::Path, Arg::Ptr] Full attributes::utime, "";
    133 mknod [Arg::Path, Arg::Oct, Arg::Hex] Full names::mknod, "";
    134 uselib [Arg::Hex, Arg::Hex, Arg::Hex, Arg::Hex] Refused misc::missing, "ENOSYS on Linux too";
    135 personality [Arg::Hex] Partial misc::personality, "addresses are fixed already";
    136 ustat [Arg::Hex, Arg::Ptr] Full stat::ustat, "";
    137 statfs [Arg::Path, Arg::Ptr] Full stat::statfs, "";
    138 fstatfs [Arg::Fd, Arg::Ptr] Full stat::fstatfs, "";
    139 sysfs [Arg::Hex, Arg::Hex, Arg::Hex] Refused misc::missing, "ENOSYS, as where CONFIG_SYSFS_SYSCALL is off";
    140 getpriority [Arg::Int, Arg::Int] Full misc::getpriority, "";
    141 setpriority [Arg::Int, Arg::Int, Arg::Int] Partial misc::setpriority, "kept and shown; who runs is the seed's to say";
    142 sched_setparam [Arg::Int, Arg::Ptr] Partial misc::sched_setparam, "kept and shown; who runs is the seed's to say";
    143 sched_getparam [Arg::Int, Arg::Ptr] Full misc::sched_getparam, "";
    144 sched_setscheduler [Arg::Int, Arg::Int, Arg::Ptr] Partial misc::sched_setscheduler, "kept and shown; who runs is the seed's to say";
    145 sched_getscheduler [Arg::Int] Full misc::sched_getscheduler, "";
    146 sched_get_priority_max [Arg::Int] Full misc::sched_get_priority_max, "";
    147 sched_get_priority_min [Arg::Int] Full misc::sched_get_priority_min, "";
    148 sched_rr_get_interval [Arg::Int, Arg::Ptr] Full misc::sched_rr_get_interval, "";
    149 mlock [Arg::Hex, Arg::Int] Full memory::mlock, "";
    150 munlock [Arg::Hex, Arg::Int] Full memory::mlock, "";
    151 mlockall [Arg::Hex] Full memory::mlockall, "";
    152 munlockall [] Full rw::nothing, "";
    153 vhangup [Arg::Hex, Arg::Hex, Arg::Hex, Arg::Hex] Refused misc::not_permitted, "EPERM, as in an unprivileged container";
    154 modify_ldt [Arg::Hex, Arg::Hex, Arg::Hex, Arg::Hex] Refused misc::not_permitted, "EPERM, as in an unprivileged container";
    155 pivot_root [Arg::Hex, Arg::Hex, Arg::Hex, Arg::Hex] Refused misc::not_permitted, "EPERM, as in an unprivileged container";
    156 _sysctl [Arg::Hex, Arg::Hex, Arg::Hex, Arg::Hex] Refused misc::missing, "ENOSYS on Linux too";
    157 prctl [Arg::Int, Arg::Hex, Arg::Hex, Arg::Hex, Arg::Hex] Partial misc::prctl, "options that programs use; others EINVAL";
    158 arch_prctl [Arg::Hex, Arg::Hex] Partial misc::arch_prctl, "the gs base is the layer's: ARCH_SET_GS is EPERM";
    159 adjtimex [Arg::Hex, Arg::Hex, Arg::Hex, Arg::Hex] Refused misc::not_permitted, "EPERM, as in an unprivileged container";
    160 setrlimit [Arg::Int, Arg::Ptr] Full misc::setrlimit, "";
    161 chroot [Arg::Path] Full dirs::chroot, "";
    162 sync [] Full rw::nothing, "";
    163 acct [Arg::Hex, Arg::Hex, Arg::Hex, Arg::Hex] Refused misc::not_permitted, "EPERM, as in an unprivileged container";
    164 settimeofday [Arg::Ptr, Arg::Ptr] Partial time::settimeofday, "a host's clock is the world's to set: EPERM";
    165 mount [Arg::Path, Arg::Path, Arg::Path, Arg::Hex, Arg::Ptr] Refused misc::mount, "EPERM, as in an unprivileged container";
    166 umount2 [Arg::Hex, Arg::Hex, Arg::Hex, Arg::Hex] Refused misc::not_permitted, "EPERM, as in an unprivileged container";
    167 swapon [Arg::Hex, Arg::Hex, Arg::Hex, Arg::Hex] Refused misc::not_permitted, "EPERM, as in an unprivileged container";
    168 swapoff [Arg::Hex, Arg::Hex, Arg::Hex, Arg::Hex] Refused misc::not_permitted, "EPERM, as in an unprivileged container";
    169 reboot [Arg::Hex, Arg::Hex, Arg::Hex, Arg::Hex] Refused misc::not_permitted, "EPERM, as in an unprivileged container";
    170 sethostname [Arg::Path, Arg::Int] Full misc::sethostname, "";
    171 setdomainname [Arg::Path, Arg::Int] Full misc::setdomainname, "";
    172 iopl [Arg::Hex, Arg::Hex, Arg::Hex, Arg::Hex] Refused misc::not_permitted, "EPERM, as in an unprivileged container";
    173 ioperm [Arg::Hex, Arg::Hex, Arg::Hex, Arg::Hex] Refused misc::not_permitted, "EPERM, as in an unprivileged container";
    174 create_module [Arg::Hex, Arg::Hex, Arg::Hex, Arg::Hex] Refused misc::missing, "ENOSYS on Linux too";
    175 init_module [Arg::Hex, Arg::Hex, Arg::Hex, Arg::Hex] Refused misc::not_permitted, "EPERM, as in an unprivileged container";
    176 delete_module [Arg::Hex, Arg::Hex, Arg::Hex, Arg::Hex] Refused misc::not_permitted, "EPERM, as in an unprivileged container";
    177 get_kernel_syms [Arg::Hex, Arg::Hex, Arg::Hex, Arg::Hex] Refused misc::missing, "ENOSYS on Linux too";
    178 query_module [Arg::Hex, Arg::Hex, Arg::Hex, Arg::Hex] Refused misc::missing, "ENOSYS on Linux too";
    179 quotactl [Arg::Hex, Arg::Hex, Arg::Hex, Arg::Hex] Refused misc::not_permitted, "EPERM, as in an unprivileged container";
    180 nfsservctl [Arg::Hex, Arg::Hex, Arg::Hex, Arg::Hex] Refused misc::missing, "ENOSYS on Linux too";
    181 getpmsg [Arg::Hex, Arg::Hex, Arg::Hex, Arg::Hex] Refused misc::missing, "ENOSYS on Linux too";
    182 putpmsg [Arg::Hex, Arg::Hex, Arg::Hex, Arg::Hex] Refused misc::missing, "ENOSYS on Linux too";
    183 afs_syscall [Arg::Hex, Arg::Hex, Arg::Hex, Arg::Hex] Refused misc::missing, "ENOSYS on Linux too";
    184 tuxcall [Arg::Hex, Arg::Hex, Arg::Hex, Arg::Hex] Refused misc::missing, "ENOSYS on Linux too";
    185 security [Arg::Hex, Arg::Hex, Arg::Hex, Arg::Hex] Refused misc::missing, "ENOSYS on Linux too";
    186 gettid [] Full ids::gettid, "";
    187 readahead [Arg::Fd, Arg::Int, Arg::Int] Full rw::readahead, "";
    188 setxattr [Arg::Path, Arg::Ptr, Arg::Ptr, Arg::Int, Arg::Hex] Full xattr::setxattr, "";
    189 lsetxattr [Arg::Path, Arg::Ptr, Arg::Ptr, Arg::Int, Arg::Hex] Full xattr::lsetxattr, "";
    190 fsetxattr [Arg::Fd, Arg::Ptr, Arg::Ptr, Arg::Int, Arg::Hex] Full xattr::fsetxattr, "";
    191 getxattr [Arg::Path, Arg::Ptr, Arg::Ptr, Arg::Int] Full xattr::getxattr, "";
    192 lgetxattr [Arg::Path, Arg::Ptr, Arg::Ptr, Arg::Int] Full xattr::lgetxattr, "";
    193 fgetxattr [Arg::Fd, Arg::Ptr, Arg::Ptr, Arg::Int] Full xattr::fgetxattr, "";
    194 listxattr [Arg::Path, Arg::Ptr, Arg::Int] Full xattr::listxattr, "";
    195 llistxattr [Arg::Path, Arg::Ptr, Arg::Int] Full xattr::llistxattr, "";
    196 flistxattr [Arg::Fd, Arg::Ptr, Arg::Int] Full xattr::flistxattr, "";
    197 removexattr [Arg::Path, Arg::Ptr] Full xattr::removexattr, "";
    198 lremovexattr [Arg::Path, Arg::Ptr] Full xattr::lremovexattr, "";
    199 fremovexattr [Arg::Fd, Arg::Ptr] Full xattr::fremovexattr, "";
    200 tkill [Arg::Int, Arg::Signal] Full signals::tkill, "";
    201 time [Arg::Ptr] Full time::time, "";
    202 futex [Arg::Ptr, Arg::Hex, Arg::Int, Arg::Ptr, Arg::Ptr, Arg::Int] Partial sync::futex, "FUTEX_WAIT_REQUEUE_PI and FUTEX_FD are ENOSYS; PI without priority inheritance";
    203 sched_setaffinity [Arg::Int, Arg::Int, Arg::Ptr] Full misc::sched_setaffinity, "";
    204 sched_getaffinity [Arg::Int, Arg::Int, Arg::Ptr] Full misc::sched_getaffinity, "";
    205 set_thread_area [Arg::Hex, Arg::Hex, Arg::Hex, Arg::Hex] Refused misc::missing, "ENOSYS on Linux too";
    206 io_setup [Arg::Int, Arg::Ptr] Full aio::io_setup, "";
    207 io_destroy [Arg::Hex] Full aio::io_destroy, "";
    208 io_getevents [Arg::Hex, Arg::Int, Arg::Int, Arg::Ptr, Arg::Ptr] Full aio::io_getevents, "";
    209 io_submit [Arg::Hex, Arg::Int, Arg::Ptr] Partial aio::io_submit, "requests are done at once; polling is EINVAL, and what would wait gives EAGAIN";
    210 io_cancel [Arg::Hex, Arg::Ptr, Arg::Ptr] Full aio::io_cancel, "";
    211 get_thread_area [Arg::Hex, Arg::Hex, Arg::Hex, Arg::Hex] Refused misc::missing, "ENOSYS on Linux too";
    212 lookup_dcookie [Arg::Hex, Arg::Hex, Arg::Hex, Arg::Hex] Refused misc::not_permitted, "EPERM, as in an unprivileged container";
    213 epoll_create [Arg::Int] Full poll::epoll_create, "";
    214 epoll_ctl_old [Arg::Hex, Arg::Hex, Arg::Hex, Arg::Hex] Refused misc::missing, "ENOSYS on Linux too";
    215 epoll_wait_old [Arg::Hex, Arg::Hex, Arg::Hex, Arg::Hex] Refused misc::missing, "ENOSYS on Linux too";
    216 remap_file_pages [Arg::Hex, Arg::Int, Arg::Hex, Arg::Int, Arg::Hex] Full pages::remap_file_pages, "";
    217 getdents64 [Arg::Fd, Arg::Ptr, Arg::Int] Full dirs::getdents64, "";
    218 set_tid_address [Arg::Ptr] Full process::set_tid_address, "";
    219 restart_syscall [] Full signals::restart_syscall, "";
    220 semtimedop [Arg::Int, Arg::Ptr, Arg::Int, Arg::Ptr] Full sem::semtimedop, "";
    221 fadvise64 [Arg::Fd, Arg::Int, Arg::Int, Arg::Int] Full rw::fadvise64, "";
    222 timer_create [Arg::Int, Arg::Ptr, Arg::Ptr] Full time::timer_create, "";
    223 timer_settime [Arg::Int, Arg::Hex, Arg::Ptr, Arg::Ptr] Full time::timer_settime, "";
    224 timer_gettime [Arg::Int, Arg::Ptr] Full time::timer_gettime, "";
    225 timer_getoverrun [Arg::Int] Full time::timer_getoverrun, "";
    226 timer_delete [Arg::Int] Full time::timer_delete, "";
    227 clock_settime [Arg::Int, Arg::Ptr] Partial time::clock_settime, "a host's clock is the world's to set: EPERM";
    228 clock_gettime [Arg::Int, Arg::Ptr] Full time::clock_gettime, "";
    229 clock_getres [Arg::Int, Arg::Ptr] Full time::clock_getres, "";
    230 clock_nanosleep [Arg::Int, Arg::Hex, Arg::Ptr, Arg::Ptr] Full time::clock_nanosleep, "";
    231 exit_group [Arg::Int] Full process::exit_group, "";
    232 epoll_wait [Arg::Fd, Arg::Ptr, Arg::Int, Arg::Int] Full poll::epoll_wait, "";
    233 epoll_ctl [Arg::Fd, Arg::Int, Arg::Fd, Arg::Ptr] Full poll::epoll_ctl, "";
    234 tgkill [Arg::Int, Arg::Int, Arg::Signal] Full signals::tgkill, "";
    235 utimes [Arg::Path, Arg::Ptr] Full attributes::utimes, "";
    236 vserver [Arg::Hex, Arg::Hex, Arg::Hex, Arg::Hex] Refused misc::missing, "ENOSYS on Linux too";
    237 mbind [Arg::Hex, Arg::Int, Arg::Int, Arg::Ptr, Arg::Int, Arg::Hex] Partial rw::nothing, "one memory node";
    238 set_mempolicy [Arg::Int, Arg::Ptr, Arg::Int] Partial rw::nothing, "one memory node";
    239 get_mempolicy [Arg::Ptr, Arg::Ptr, Arg::Int, Arg::Hex, Arg::Hex] Partial pages::get_mempolicy, "one memory node";
    240 mq_open [Arg::Path, Arg::Hex, Arg::Oct, Arg::Ptr] Full mqueue::mq_open, "";
    241 mq_unlink [Arg::Path] Full mqueue::mq_unlink, "";
    242 mq_timedsend [Arg::Fd, Arg::In(2), Arg::Int, Arg::Int, Arg::Ptr] Full mqueue::mq_timedsend, "";
    243 mq_timedreceive [Arg::Fd, Arg::Out(2), Arg::Int, Arg::Ptr, Arg::Ptr] Full mqueue::mq_timedreceive, "";
    244 mq_notify [Arg::Fd, Arg::Ptr] Partial mqueue::mq_notify, "SIGEV_THREAD is ENOSYS";
    245 mq_getsetattr [Arg::Fd, Arg::Ptr, Arg::Ptr] Full mqueue::mq_getsetattr, "";
    246 kexec_load [Arg::Hex, Arg::Hex, Arg::Hex, Arg::Hex] Refused misc::not_permitted, "EPERM, as in an unprivileged container";
    247 waitid [Arg::Int, Arg::Int, Arg::Ptr, Arg::Hex, Arg::Ptr] Full wait::waitid, "";
    248 add_key [Arg::Hex, Arg::Hex, Arg::Hex, Arg::Hex] Refused misc::not_permitted, "EPERM, as in an unprivileged container";
    249 request_key [Arg::Hex, Arg::Hex, Arg::Hex, Arg::Hex] Refused misc::not_permitted, "EPERM, as in an unprivileged container";
    250 keyctl [Arg::Hex, Arg::Hex, Arg::Hex, Arg::Hex] Refused misc::not_permitted, "EPERM, as in an unprivileged container";
    251 ioprio_set [Arg::Int, Arg::Int, Arg::Int] Partial rw::nothing, "accepted";
    252 ioprio_get [Arg::Int, Arg::Int] Full misc::ioprio_get, "";
    253 inotify_init [] Full event::inotify_init, "";
    254 inotify_add_watch [Arg::Fd, Arg::Path, Arg::Hex] Full event::inotify_add_watch, "";
    255 inotify_rm_watch [Arg::Fd, Arg::Int] Full event::inotify_rm_watch, "";
    256 migrate_pages [Arg::Int, Arg::Int, Arg::Ptr, Arg::Ptr] Partial pages::migrate_pages, "one memory node";
    257 openat [Arg::Fd, Arg::Path, Arg::Hex, Arg::Oct] Full open::openat, "";
    258 mkdirat [Arg::Fd, Arg::Path, Arg::Oct] Full names::mkdirat, "";
    259 mknodat [Arg::Fd, Arg::Path, Arg::Oct, Arg::Hex] Full names::mknodat, "";
    260 fchownat [Arg::Fd, Arg::Path, Arg::Int, Arg::Int, Arg::Hex] Full attributes::fchownat, "";
    261 futimesat [Arg::Fd, Arg::Path, Arg::Ptr] Full attributes::futimesat, "";
    262 newfstatat [Arg::Fd, Arg::Path, Arg::Ptr, Arg::Hex] Full stat::newfstatat, "";
    263 unlinkat [Arg::Fd, Arg::Path, Arg::Hex] Full names::unlinkat, "";
    264 renameat [Arg::Fd, Arg::Path, Arg::Fd, Arg::Path] Full names::renameat, "";
    265 linkat [Arg::Fd, Arg::Path, Arg::Fd, Arg::Path, Arg::Hex] Full names::linkat, "";
    266 symlinkat [Arg::Path, Arg::Fd, Arg::Path] Full names::symlinkat, "";
    267 readlinkat [Arg::Fd, Arg::Path, Arg::Ptr, Arg::Int] Full names::readlinkat, "";
    268 fchmodat [Arg::Fd, Arg::Path, Arg::Oct] Full attributes::fchmodat, "";
    269 faccessat [Arg::Fd, Arg::Path, Arg::Int] Full attributes::faccessat, "";
    270 pselect6 [Arg::Int, Arg::Ptr, Arg::Ptr, Arg::Ptr, Arg::Ptr, Arg::Ptr] Full poll::pselect6, "";
    271 ppoll [Arg::Ptr, Arg::Int, Arg::Ptr, Arg::Ptr, Arg::Int] Full poll::ppoll, "";
    272 unshare [Arg::Hex, Arg::Hex, Arg::Hex, Arg::Hex] Refused misc::not_permitted, "EPERM, as in an unprivileged container";
    273 set_robust_list [Arg::Ptr, Arg::Int] Full sync::set_robust_list, "";
    274 get_robust_list [Arg::Int, Arg::Ptr, Arg::Ptr] Full sync::get_robust_list, "";
    275 splice [Arg::Fd, Arg::Ptr, Arg::Fd, Arg::Ptr, Arg::Int, Arg::Hex] Full rw::splice, "";
    276 tee [Arg::Fd, Arg::Fd, Arg::Int, Arg::Hex] Full rw::tee, "";
    277 sync_file_range [Arg::Fd, Arg::Int, Arg::Int, Arg::Hex] Full rw::sync_file_range, "";
    278 vmsplice [Arg::Fd, Arg::Ptr, Arg::Int, Arg::Hex] Full rw::vmsplice, "";
    279 move_pages [Arg::Int, Arg::Int, Arg::Ptr, Arg::Ptr, Arg::Ptr, Arg::Hex] Partial pages::move_pages, "one memory node";
    280 utimensat [Arg::Fd, Arg::Path, Arg::Ptr, Arg::Hex] Full attributes::utimensat, "";
    281 epoll_pwait [Arg::Fd, Arg::Ptr, Arg::Int, Arg::Int, Arg::Ptr, Arg::Int] Full poll::epoll_pwait, "";
    282 signalfd [Arg::Fd, Arg::Ptr, Arg::Int] Full signals::signalfd, "";
    283 timerfd_create [Arg::Int, Arg::Hex] Full time::timerfd_create, "";
    284 eventfd [Arg::Int] Full event::eventfd, "";
    285 fallocate [Arg::Fd, Arg::Hex, Arg::Int, Arg::Int] Partial size::fallocate, "collapse, insert and unshare are EOPNOTSUPP";
    286 timerfd_settime [Arg::Fd, Arg::Hex, Arg::Ptr, Arg::Ptr] Full time::timerfd_settime, "";
    287 timerfd_gettime [Arg::Fd, Arg::Ptr] Full time::timerfd_gettime, "";
    288 accept4 [Arg::Fd, Arg::Ptr, Arg::Ptr, Arg::Hex] Full net::accept4, "";
    289 signalfd4 [Arg::Fd, Arg::Ptr, Arg::Int, Arg::Hex] Full signals::signalfd4, "";
    290 eventfd2 [Arg::Int, Arg::Hex] Full event::eventfd2, "";
    291 epoll_create1 [Arg::Hex] Full poll::epoll_create1, "";
    292 dup3 [Arg::Fd, Arg::Fd, Arg::Hex] Full fd::dup3, "";
    293 pipe2 [Arg::Ptr, Arg::Hex] Full fd::pipe2, "";
    294 inotify_init1 [Arg::Hex] Full event::inotify_init1, "";
    295 preadv [Arg::Fd, Arg::Ptr, Arg::Int, Arg::Int, Arg::Int] Full rw::preadv, "";
    296 pwritev [Arg::Fd, Arg::Ptr, Arg::Int, Arg::Int, Arg::Int] Full rw::pwritev, "";
    297 rt_tgsigqueueinfo [Arg::Int, Arg::Int, Arg::Signal, Arg::Ptr] Full signals::rt_tgsigqueueinfo, "";
    298 perf_event_open [Arg::Hex, Arg::Hex, Arg::Hex, Arg::Hex] Refused misc::not_permitted, "EPERM, as in an unprivileged container";
    299 recvmmsg [Arg::Fd, Arg::Ptr, Arg::Int, Arg::Hex, Arg::Ptr] Full net::recvmmsg, "";
    300 fanotify_init [Arg::Hex, Arg::Hex, Arg::Hex, Arg::Hex] Refused misc::not_permitted, "EPERM, as in an unprivileged container";
    301 fanotify_mark [Arg::Hex, Arg::Hex, Arg::Hex, Arg::Hex] Refused misc::not_permitted, "EPERM, as in an unprivileged container";
    302 prlimit64 [Arg::Int, Arg::Int, Arg::Ptr, Arg::Ptr] Full misc::prlimit64, "";
    303 name_to_handle_at [Arg::Fd, Arg::Path, Arg::Ptr, Arg::Ptr, Arg::Hex] Refused misc::not_supported, "EOPNOTSUPP, as on a file system without handles";
    304 open_by_handle_at [Arg::Hex, Arg::Hex, Arg::Hex, Arg::Hex] Refused misc::not_permitted, "EPERM, as in an unprivileged container";
    305 clock_adjtime [Arg::Hex, Arg::Hex, Arg::Hex, Arg::Hex] Refused misc::not_permitted, "EPERM, as in an unprivileged container";
    306 syncfs [Arg::Fd] Full rw::syncfs, "";
    307 sendmmsg [Arg::Fd, Arg::Ptr, Arg::Int, Arg::Hex] Full net::sendmmsg, "";
    308 setns [Arg::Hex, Arg::Hex, Arg::Hex, Arg::Hex] Refused misc::not_permitted, "EPERM, as in an unprivileged container";
    309 getcpu [Arg::Ptr, Arg::Ptr, Arg::Ptr] Full misc::getcpu, "";
    310 process_vm_readv [Arg::Int, Arg::Ptr, Arg::Int, Arg::Ptr, Arg::Int, Arg::Hex] Partial misc::process_vm, "the caller's own memory only";
    311 process_vm_writev [Arg::Int, Arg::Ptr, Arg::Int, Arg::Ptr, Arg::Int, Arg::Hex] Partial misc::process_vm, "the caller's own memory only";
    312 kcmp [Arg::Int, Arg::Int, Arg::Int, Arg::Hex, Arg::Hex] Partial process::kcmp, "KCMP_EPOLL_TFD is EOPNOTSUPP";
    313 finit_module [Arg::Hex, Arg::Hex, Arg::Hex, Arg::Hex] Refused misc::not_permitted, "EPERM, as in an unprivileged container";
    314 sched_setattr [Arg::Int, Arg::Ptr, Arg::Hex] Partial misc::sched_setattr, "kept and shown; who runs is the seed's to say";
    315 sched_getattr [Arg::Int, Arg::Ptr, Arg::Int, Arg::Hex] Full misc::sched_getattr, "";
    316 renameat2 [Arg::Fd, Arg::Path, Arg::Fd, Arg::Path, Arg::Hex] Partial names::renameat2, "whiteouts are EINVAL";
    317 seccomp [Arg::Int, Arg::Hex, Arg::Ptr] Partial misc::seccomp, "a guest's filter is accepted and not applied";
    318 getrandom [Arg::Ptr, Arg::Int, Arg::Hex] Full misc::getrandom, "";
    319 memfd_create [Arg::Path, Arg::Hex] Full memory::memfd_create, "";
    320 kexec_file_load [Arg::Hex, Arg::Hex, Arg::Hex, Arg::Hex] Refused misc::not_permitted, "EPERM, as in an unprivileged container";
    321 bpf [Arg::Hex, Arg::Hex, Arg::Hex, Arg::Hex] Refused misc::not_permitted, "EPERM, as in an unprivileged container";
    322 execveat [Arg::Fd, Arg::Path, Arg::Ptr, Arg::Ptr, Arg::Hex] Full process::execveat, "";
    323 userfaultfd [Arg::Hex, Arg::Hex, Arg::Hex, Arg::Hex] Refused misc::not_permitted, "EPERM, as in an unprivileged container";
    324 membarrier [Arg::Int, Arg::Hex, Arg::Int] Full memory::membarrier, "";
    325 mlock2 [Arg::Hex, Arg::Int, Arg::Hex] Full memory::mlock, "";
    326 copy_file_range [Arg::Fd, Arg::Ptr, Arg::Fd, Arg::Ptr, Arg::Int, Arg::Hex] Full rw::copy_file_range, "";
    327 preadv2 [Arg::Fd, Arg::Ptr, Arg::Int, Arg::Int, Arg::Int, Arg::Hex] Full rw::preadv2, "";
    328 pwritev2 [Arg::Fd, Arg::Ptr, Arg::Int, Arg::Int, Arg::Int, Arg::Hex] Full rw::pwritev2, "";
    329 pkey_mprotect [Arg::Hex, Arg::Int, Arg::Hex, Arg::Int] Full pages::pkey_mprotect, "";
    330 pkey_alloc [Arg::Hex, Arg::Hex] Refused pages::pkey_alloc, "ENOSPC, as on a processor without protection keys";
    331 pkey_free [Arg::Int] Refused pages::pkey_free, "EINVAL: no key has been given out";
    332 statx [Arg::Fd, Arg::Path, Arg::Hex, Arg::Hex, Arg::Ptr] Full stat::statx, "";
    333 io_pgetevents [Arg::Hex, Arg::Int, Arg::Int, Arg::Ptr, Arg::Ptr, Arg::Ptr] Full aio::io_pgetevents, "";
    334 rseq [Arg::Ptr, Arg::Int, Arg::Hex, Arg::Int] Refused misc::missing, "ENOSYS: the C library does without";
    424 pidfd_send_signal [Arg::Fd, Arg::Signal, Arg::Ptr, Arg::Hex] Full signals::pidfd_send_signal, "";
    425 io_uring_setup [Arg::Hex, Arg::Hex, Arg::Hex, Arg::Hex] Refused misc::missing, "ENOSYS, as where it is disabled";
    426 io_uring_enter [Arg::Hex, Arg::Hex, Arg::Hex, Arg::Hex] Refused misc::missing, "ENOSYS, as where it is disabled";
    427 io_uring_register [Arg::Hex, Arg::Hex, Arg::Hex, Arg::Hex] Refused misc::missing, "ENOSYS, as where it is disabled";
    428 open_tree [Arg::Hex, Arg::Hex, Arg::Hex, Arg::Hex] Refused misc::not_permitted, "EPERM, as in an unprivileged container";
    429 move_mount [Arg::Hex, Arg::Hex, Arg::Hex, Arg::Hex] Refused misc::not_permitted, "EPERM, as in an unprivileged container";
    430 fsopen [Arg::Hex, Arg::Hex, Arg::Hex, Arg::Hex] Refused misc::not_permitted, "EPERM, as in an unprivileged container";
    431 fsconfig [Arg::Hex, Arg::Hex, Arg::Hex, Arg::Hex] Refused misc::not_permitted, "EPERM, as in an unprivileged container";
    432 fsmount [Arg::Hex, Arg::Hex, Arg::Hex, Arg::Hex] Refused misc::not_permitted, "EPERM, as in an unprivileged container";
    433 fspick [Arg::Hex, Arg::Hex, Arg::Hex, Arg::Hex] Refused misc::not_permitted, "EPERM, as in an unprivileged container";
    434 pidfd_open [Arg::Int, Arg::Hex] Full process::pidfd_open, "";
    435 clone3 [Arg::Ptr, Arg::Int] Partial process::clone3, "set_tid is EPERM, and CLONE_INTO_CGROUP EBADF";
    436 close_range [Arg::Fd, Arg::Fd, Arg::Hex] Full fd::close_range, "";
    437 openat2 [Arg::Fd, Arg::Path, Arg::Ptr, Arg::Int] Full open::openat2, "";
    438 pidfd_getfd [Arg::Fd, Arg::Int, Arg::Hex] Full process::pidfd_getfd, "";
    439 faccessat2 [Arg::Fd, Arg::Path, Arg::Int, Arg::Hex] Full attributes::faccessat2, "";
    440 process_madvise [Arg::Hex, Arg::Hex, Arg::Hex, Arg::Hex] Refused misc::not_permitted, "EPERM, as in an unprivileged container";
    441 epoll_pwait2 [Arg::Fd, Arg::Ptr, Arg::Int, Arg::Ptr, Arg::Ptr, Arg::Int] Full poll::epoll_pwait2, "";
    442 mount_setattr [Arg::Hex, Arg::Hex, Arg::Hex, Arg::Hex] Refused misc::not_permitted, "EPERM, as in an unprivileged container";
    443 quotactl_fd [Arg::Hex, Arg::Hex, Arg::Hex, Arg::Hex] Refused misc::not_permitted, "EPERM, as in an unprivileged container";
    444 landlock_create_ruleset [Arg::Hex, Arg::Hex, Arg::Hex, Arg::Hex] Refused misc::not_supported, "EOPNOTSUPP, as where Landlock is disabled";
    445 landlock_add_rule [Arg::Hex, Arg::Hex, Arg::Hex, Arg::Hex] Refused misc::not_supported, "EOPNOTSUPP, as where Landlock is disabled";
    446 landlock_restrict_self [Arg::Hex, Arg::Hex, Arg::Hex, Arg::Hex] Refused misc::not_supported, "EOPNOTSUPP, as where Landlock is disabled";
    447 memfd_secret [Arg::Hex] Refused misc::missing, "ENOSYS, as where it is disabled";
    448 process_mrelease [Arg::Fd, Arg::Hex] Full process::process_mrelease, "";
    449 futex_waitv [Arg::Ptr, Arg::Int, Arg::Hex, Arg::Ptr, Arg::Int] Full sync::futex_waitv, "";
    450 set_mempolicy_home_node [Arg::Hex, Arg::Int, Arg::Int, Arg::Hex] Partial rw::nothing, "one memory node";
    451 cachestat [Arg::Fd, Arg::Ptr, Arg::Ptr, Arg::Hex] Partial pages::cachestat, "all of a file is in the cache, and none of it dirty";
    452 fchmodat2 [Arg::Fd, Arg::Path, Arg::Oct, Arg::Hex] Full attributes::fchmodat2, "";
    453 map_shadow_stack [Arg::Hex, Arg::Hex, Arg::Hex, Arg::Hex] Refused misc::missing, "ENOSYS, as before Linux 6.6";
    454 futex_wake [Arg::Ptr, Arg::Hex, Arg::Int, Arg::Hex] Full sync::futex_wake, "";
    455 futex_wait [Arg::Ptr, Arg::Int, Arg::Hex, Arg::Hex, Arg::Ptr, Arg::Int] Full sync::futex_wait, "";
    456 futex_requeue [Arg::Ptr, Arg::Hex, Arg::Int, Arg::Int] Full sync::futex_requeue, "";
    457 statmount [Arg::Hex, Arg::Hex, Arg::Hex, Arg::Hex] Refused misc::missing, "ENOSYS, as before Linux 6.8";
    458 listmount [Arg::Hex, Arg::Hex, Arg::Hex, Arg::Hex] Refused misc::missing, "ENOSYS, as before Linux 6.8";
    459 lsm_get_self_attr [Arg::Hex, Arg::Hex, Arg::Hex, Arg::Hex] Refused misc::missing, "ENOSYS, as before Linux 6.8";
    460 lsm_set_self_attr [Arg::Hex, Arg::Hex, Arg::Hex, Arg::Hex] Refused misc::missing, "ENOSYS, as before Linux 6.8";
    461 lsm_list_modules [Arg::Hex, Arg::Hex, Arg::Hex, Arg::Hex] Refused misc::missing, "ENOSYS, as before Linux 6.8";
    462 mseal [Arg::Hex, Arg::Int, Arg::Hex] Full pages::mseal, "";
    463 setxattrat [Arg::Fd, Arg::Path, Arg::Hex, Arg::Path, Arg::Ptr, Arg::Int] Full xattr::setxattrat, "";
    464 getxattrat [Arg::Fd, Arg::Path, Arg::Hex, Arg::Path, Arg::Ptr, Arg::Int] Full xattr::getxattrat, "";
    465 listxattrat [Arg::Fd, Arg::Path, Arg::Hex, Arg::Ptr, Arg::Int] Full xattr::listxattrat, "";
    466 removexattrat [Arg::Fd, Arg::Path, Arg::Hex, Arg::Path] Full xattr::removexattrat, "";
    467 open_tree_attr [Arg::Hex, Arg::Hex, Arg::Hex, Arg::Hex] Refused misc::missing, "ENOSYS, as before Linux 6.15";
    468 file_getattr [Arg::Hex, Arg::Hex, Arg::Hex, Arg::Hex] Refused misc::missing, "ENOSYS, as before Linux 6.17";
    469 file_setattr [Arg::Hex, Arg::Hex, Arg::Hex, Arg::Hex] Refused misc::missing, "ENOSYS, as before Linux 6.17";
}
