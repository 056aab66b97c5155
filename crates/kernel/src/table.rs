//! The one table of system calls: dispatch, trace, filter and the support page are all read from it.
//!
//! Numbers are those of x86-64. A number that is not here is answered with ENOSYS and reported, like one whose level is
//! [`Level::Missing`].

use crate::calls::*;
use crate::words::{self, Names};
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

/// What an argument is: what the trace captures of it, and how it is shown.
#[derive(Clone, Copy, Debug)]
pub enum Arg {
    /// A descriptor.
    Fd,
    /// The descriptor of a directory, or the working directory.
    Dirfd,
    /// A signed number of 32 bits.
    Int,
    /// An unsigned number of 32 bits.
    Uint,
    /// A signed number of 64 bits.
    Long,
    /// An unsigned number of 64 bits.
    Size,
    /// A user or a group; -1 for none.
    Id,
    /// What is best read in hexadecimal.
    Hex,
    /// A signal.
    Signal,
    /// An address.
    Ptr,
    /// The address of a string; its bytes are captured.
    Path,
    /// The address of data going in, which is captured; its length is the argument with this index.
    In(usize),
    /// The address of data coming out, which is captured; its length is the result, at most the argument with this index.
    Out(usize),
    /// The key of a System V object.
    Key,
    /// A request of `ioctl`.
    Ioctl,
    /// The flags of `clone`, with a signal in their lowest byte.
    CloneFlags,
    /// Flags or constants with names.
    Named(&'static Names),
    /// What it is depends on the argument with this index.
    By(usize, &'static By),
    /// Linux does not look at it.
    Unused,
}

/// An argument whose meaning depends on another's.
#[derive(Debug)]
pub struct By {
    /// The bits of the other that matter.
    pub mask: u32,
    /// Meanings by what is in those bits.
    pub cases: &'static [(u32, Arg)],
    /// The meaning in all other cases.
    pub other: Arg,
}

/// How a result is shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ret {
    /// A number.
    Int,
    /// An address, or what is best read in hexadecimal.
    Hex,
    /// A file mode.
    Oct,
    /// A number of things that are ready; none means that the time was over.
    Timeout,
    /// What `fcntl` gives depends on what it was asked.
    Fcntl,
    /// Nobody hears of it.
    Never,
}

/// One system call.
pub struct Entry {
    /// Its number.
    pub nr: u32,
    /// Its name.
    pub name: &'static str,
    /// Its arguments.
    pub args: &'static [Arg],
    /// Its result.
    pub ret: Ret,
    /// See [`Level`].
    pub level: Level,
    /// Who answers it.
    pub handler: fn(&mut Cx) -> Answer,
    /// What is short, in words for a user.
    pub note: &'static str,
    /// Whether the trace shows data that goes in, and data that comes out.
    pub data: (bool, bool),
}

/// See [`Entry::data`].
const fn data(args: &[Arg]) -> (bool, bool) {
    let mut data = (false, false);
    let mut i = 0;
    while i < args.len() {
        match args[i] {
            Arg::Path | Arg::In(_) => data.0 = true,
            Arg::Out(_) => data.1 = true,
            _ => {}
        }
        i += 1;
    }
    data
}

macro_rules! table {
    ($($nr:literal $name:ident [$($arg:expr),*] $(=> $ret:ident)? $level:ident $handler:path, $note:literal;)*) => {
        /// All known calls, by number.
        pub static TABLE: &[Entry] = {
            use Arg::*;
            &[$(Entry {
                nr: $nr,
                name: stringify!($name),
                args: &[$($arg),*],
                ret: table!(@ret $($ret)?),
                level: Level::$level,
                handler: $handler,
                note: $note,
                data: data(&[$($arg),*]),
            }),*]
        };
    };
    (@ret $ret:ident) => { Ret::$ret };
    (@ret) => { Ret::Int };
}

/// `open` reads a mode only when it may make a file.
static MODE_OF_NEW: By = By { mask: 0x40_0040, cases: &[(0, Arg::Unused)], other: Arg::Named(&words::MODE) };
/// And `mq_open` the attributes.
static ATTRIBUTES_OF_NEW: By = By { mask: 0x40, cases: &[(0, Arg::Unused)], other: Arg::Ptr };
/// `mremap` reads the new address only with MREMAP_FIXED or MREMAP_DONTUNMAP.
static NEW_ADDRESS: By = By { mask: 6, cases: &[(0, Arg::Unused)], other: Arg::Ptr };
/// Only devices have a device number.
static DEVICE: By = By { mask: 0xf000, cases: &[(0x2000, Arg::Hex), (0x6000, Arg::Hex)], other: Arg::Unused };
/// -1 asks for the personality.
static PERSONALITY: By = By { mask: !0, cases: &[(!0, Arg::Hex)], other: Arg::Named(&words::PERSONALITY) };
/// A family has protocols of its own.
static PROTOCOL: By = By {
    mask: !0,
    cases: &[(2, Arg::Named(&words::IPPROTO)), (10, Arg::Named(&words::IPPROTO)), (16, Arg::Named(&words::NETLINK))],
    other: Arg::Int,
};
/// A level has options of its own.
static SOCKET_OPTION: By = By {
    mask: !0,
    cases: &[
        (0, Arg::Named(&words::IP)),
        (1, Arg::Named(&words::SO)),
        (6, Arg::Named(&words::TCP)),
        (17, Arg::Named(&words::UDP)),
        (41, Arg::Named(&words::IPV6)),
        (270, Arg::Named(&words::NETLINK_OPTION)),
    ],
    other: Arg::Int,
};
/// The third argument of `fcntl`.
static FCNTL_ARGUMENT: By = By {
    mask: !0,
    cases: &[
        // F_DUPFD, F_DUPFD_CLOEXEC, F_DUPFD_QUERY
        (0, Arg::Int),
        (1030, Arg::Int),
        (1027, Arg::Fd),
        // F_GETFD, F_GETFL, F_GETOWN, F_GETSIG, F_GETLEASE, F_GETPIPE_SZ, F_GET_SEALS
        (1, Arg::Unused),
        (3, Arg::Unused),
        (9, Arg::Unused),
        (11, Arg::Unused),
        (1025, Arg::Unused),
        (1032, Arg::Unused),
        (1034, Arg::Unused),
        // F_SETFD, F_SETFL, F_SETOWN, F_SETSIG, F_SETPIPE_SZ, F_ADD_SEALS
        (2, Arg::Named(&words::FD_FLAGS)),
        (4, Arg::Named(&words::OPEN)),
        (8, Arg::Int),
        (10, Arg::Signal),
        (1031, Arg::Int),
        (1033, Arg::Named(&words::SEALS)),
    ],
    other: Arg::Ptr,
};
/// The third argument of `futex`: a number; locks have none.
static FUTEX_3: By = By {
    mask: 0x7f,
    cases: &[(6, Arg::Unused), (7, Arg::Unused), (8, Arg::Unused), (13, Arg::Unused)],
    other: Arg::Uint,
};
/// The fourth: a time, or a second number.
static FUTEX_4: By = By {
    mask: 0x7f,
    cases: &[
        // FUTEX_WAKE, FUTEX_UNLOCK_PI, FUTEX_TRYLOCK_PI, FUTEX_WAKE_BITSET
        (1, Arg::Unused),
        (7, Arg::Unused),
        (8, Arg::Unused),
        (10, Arg::Unused),
        // FUTEX_REQUEUE, FUTEX_CMP_REQUEUE, FUTEX_WAKE_OP, FUTEX_CMP_REQUEUE_PI
        (3, Arg::Uint),
        (4, Arg::Uint),
        (5, Arg::Uint),
        (12, Arg::Uint),
    ],
    other: Arg::Ptr,
};
/// The fifth: a second address, which requeueing and FUTEX_WAKE_OP have.
static FUTEX_5: By = By {
    mask: 0x7f,
    cases: &[(3, Arg::Ptr), (4, Arg::Ptr), (5, Arg::Ptr), (11, Arg::Ptr), (12, Arg::Ptr)],
    other: Arg::Unused,
};
/// The sixth: bits to match, a value to compare with, or an operation.
static FUTEX_6: By = By {
    mask: 0x7f,
    cases: &[
        // FUTEX_CMP_REQUEUE, FUTEX_WAKE_OP, FUTEX_CMP_REQUEUE_PI
        (4, Arg::Uint),
        (5, Arg::Hex),
        (12, Arg::Uint),
        // FUTEX_WAIT_BITSET, FUTEX_WAKE_BITSET
        (9, Arg::Named(&words::FUTEX_BITSET)),
        (10, Arg::Named(&words::FUTEX_BITSET)),
    ],
    other: Arg::Unused,
};

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

/// The number of a call by its name.
pub fn number(name: &str) -> Option<u32> {
    TABLE.iter().find(|entry| entry.name == name).map(|entry| entry.nr)
}

/// The names of all calls, in the order of their numbers.
pub fn names() -> impl Iterator<Item = &'static str> {
    TABLE.iter().map(|entry| entry.name)
}

table! {
    0 read [Fd, Out(2), Size] Full rw::read, "";
    1 write [Fd, In(2), Size] Full rw::write, "";
    2 open [Path, Named(&words::OPEN), By(1, &MODE_OF_NEW)] Full open::open, "";
    3 close [Fd] Full fd::close, "";
    4 stat [Path, Ptr] Full stat::stat, "";
    5 fstat [Fd, Ptr] Full stat::fstat, "";
    6 lstat [Path, Ptr] Full stat::lstat, "";
    7 poll [Ptr, Uint, Int] => Timeout Full poll::poll, "";
    8 lseek [Fd, Long, Named(&words::WHENCE)] Full rw::lseek, "";
    9 mmap [Ptr, Size, Named(&words::PROT), Named(&words::MAP), Fd, Hex] => Hex Full memory::mmap, "";
    10 mprotect [Ptr, Size, Named(&words::PROT)] Full memory::mprotect, "";
    11 munmap [Ptr, Size] Full memory::munmap, "";
    12 brk [Ptr] => Hex Full memory::brk, "";
    13 rt_sigaction [Signal, Ptr, Ptr, Size] Full signals::rt_sigaction, "";
    14 rt_sigprocmask [Named(&words::SIGPROCMASK), Ptr, Ptr, Size] Full signals::rt_sigprocmask, "";
    15 rt_sigreturn [] => Never Full signals::rt_sigreturn, "";
    16 ioctl [Fd, Ioctl, Ptr] Partial fd::ioctl, "files, pipes, sockets, terminals and network interfaces have theirs; missing are requests of disks, loop devices and other hardware, and those that change an interface: ENOTTY, reported for sockets";
    17 pread64 [Fd, Out(2), Size, Long] Full rw::pread64, "";
    18 pwrite64 [Fd, In(2), Size, Long] Full rw::pwrite64, "";
    19 readv [Fd, Ptr, Size] Full rw::readv, "";
    20 writev [Fd, Ptr, Size] Full rw::writev, "";
    21 access [Path, Named(&words::ACCESS)] Full attributes::access, "";
    22 pipe [Ptr] Full fd::pipe, "";
    23 select [Int, Ptr, Ptr, Ptr, Ptr] => Timeout Full poll::select, "";
    24 sched_yield [] Full misc::sched_yield, "";
    25 mremap [Ptr, Size, Size, Named(&words::MREMAP), By(3, &NEW_ADDRESS)] => Hex Full memory::mremap, "";
    26 msync [Ptr, Size, Named(&words::MSYNC)] Full memory::msync, "";
    27 mincore [Ptr, Size, Ptr] Full memory::mincore, "";
    28 madvise [Ptr, Size, Named(&words::MADVISE)] Full memory::madvise, "";
    29 shmget [Key, Size, Named(&words::SHM)] Full shm::shmget, "";
    30 shmat [Int, Ptr, Named(&words::SHMAT)] => Hex Full shm::shmat, "";
    31 shmctl [Int, Named(&words::IPC_CTL), Ptr] Full shm::shmctl, "";
    32 dup [Fd] Full fd::dup, "";
    33 dup2 [Fd, Fd] Full fd::dup2, "";
    34 pause [] Full signals::pause, "";
    35 nanosleep [Ptr, Ptr] Full time::nanosleep, "";
    36 getitimer [Named(&words::ITIMER), Ptr] Full time::getitimer, "";
    37 alarm [Uint] Full time::alarm, "";
    38 setitimer [Named(&words::ITIMER), Ptr, Ptr] Full time::setitimer, "";
    39 getpid [] Full ids::getpid, "";
    40 sendfile [Fd, Fd, Ptr, Size] Full rw::sendfile, "";
    41 socket [Named(&words::FAMILY), Named(&words::SOCKET_TYPE), By(0, &PROTOCOL)] Partial net::socket, "AF_INET, AF_INET6, AF_UNIX and AF_NETLINK; missing are all other families (EAFNOSUPPORT), and raw sockets of any protocol but ICMP";
    42 connect [Fd, Ptr, Int] Full net::connect, "";
    43 accept [Fd, Ptr, Ptr] Full net::accept, "";
    44 sendto [Fd, In(2), Size, Named(&words::MSG), Ptr, Uint] Full net::sendto, "";
    45 recvfrom [Fd, Out(2), Size, Named(&words::MSG), Ptr, Ptr] Full net::recvfrom, "";
    46 sendmsg [Fd, Ptr, Named(&words::MSG)] Full net::sendmsg, "";
    47 recvmsg [Fd, Ptr, Named(&words::MSG)] Full net::recvmsg, "";
    48 shutdown [Fd, Named(&words::SHUTDOWN)] Full net::shutdown, "";
    49 bind [Fd, Ptr, Int] Full net::bind, "";
    50 listen [Fd, Int] Full net::listen, "";
    51 getsockname [Fd, Ptr, Ptr] Full net::getsockname, "";
    52 getpeername [Fd, Ptr, Ptr] Full net::getpeername, "";
    53 socketpair [Named(&words::FAMILY), Named(&words::SOCKET_TYPE), By(0, &PROTOCOL), Ptr] Full net::socketpair, "";
    54 setsockopt [Fd, Named(&words::SOCKET_LEVEL), By(1, &SOCKET_OPTION), Ptr, Int] Partial net::setsockopt, "missing are options that the socket table does not know: ENOPROTOOPT, and reported by level and number";
    55 getsockopt [Fd, Named(&words::SOCKET_LEVEL), By(1, &SOCKET_OPTION), Ptr, Ptr] Partial net::getsockopt, "missing are options that the socket table does not know: ENOPROTOOPT, and reported by level and number";
    56 clone [CloneFlags, Ptr, Ptr, Ptr, Ptr] Partial process::clone, "missing are new namespaces: EPERM, and reported";
    57 fork [] Full process::fork, "";
    58 vfork [] Full process::vfork, "";
    59 execve [Path, Ptr, Ptr] Full process::execve, "";
    60 exit [Int] => Never Full process::exit, "";
    61 wait4 [Int, Ptr, Named(&words::WAIT), Ptr] Full wait::wait4, "";
    62 kill [Int, Signal] Full signals::kill, "";
    63 uname [Ptr] Full misc::uname, "";
    64 semget [Key, Int, Named(&words::IPC)] Full sem::semget, "";
    65 semop [Int, Ptr, Size] Full sem::semop, "";
    66 semctl [Int, Int, Named(&words::SEM_CTL), Hex] Full sem::semctl, "";
    67 shmdt [Ptr] Full shm::shmdt, "";
    68 msgget [Key, Named(&words::IPC)] Full msg::msgget, "";
    69 msgsnd [Int, In(2), Size, Named(&words::MSG_FLAGS)] Full msg::msgsnd, "";
    70 msgrcv [Int, Ptr, Size, Long, Named(&words::MSG_FLAGS)] Full msg::msgrcv, "";
    71 msgctl [Int, Named(&words::IPC_CTL), Ptr] Full msg::msgctl, "";
    72 fcntl [Fd, Named(&words::FCNTL), By(1, &FCNTL_ARGUMENT)] => Fcntl Partial fd::fcntl, "missing are leases (F_SETLEASE: EAGAIN), which is reported";
    73 flock [Fd, Named(&words::FLOCK)] Full fd::flock, "";
    74 fsync [Fd] Full rw::fsync, "";
    75 fdatasync [Fd] Full rw::fdatasync, "";
    76 truncate [Path, Long] Full size::truncate, "";
    77 ftruncate [Fd, Long] Full size::ftruncate, "";
    78 getdents [Fd, Ptr, Uint] Full dirs::getdents, "";
    79 getcwd [Ptr, Size] Full dirs::getcwd, "";
    80 chdir [Path] Full dirs::chdir, "";
    81 fchdir [Fd] Full dirs::fchdir, "";
    82 rename [Path, Path] Full names::rename, "";
    83 mkdir [Path, Named(&words::MODE)] Full names::mkdir, "";
    84 rmdir [Path] Full names::rmdir, "";
    85 creat [Path, Named(&words::MODE)] Full open::creat, "";
    86 link [Path, Path] Full names::link, "";
    87 unlink [Path] Full names::unlink, "";
    88 symlink [Path, Path] Full names::symlink, "";
    89 readlink [Path, Ptr, Size] Full names::readlink, "";
    90 chmod [Path, Named(&words::MODE)] Full attributes::chmod, "";
    91 fchmod [Fd, Named(&words::MODE)] Full attributes::fchmod, "";
    92 chown [Path, Id, Id] Full attributes::chown, "";
    93 fchown [Fd, Id, Id] Full attributes::fchown, "";
    94 lchown [Path, Id, Id] Full attributes::lchown, "";
    95 umask [Named(&words::MODE)] => Oct Full attributes::umask, "";
    96 gettimeofday [Ptr, Ptr] Full time::gettimeofday, "";
    97 getrlimit [Named(&words::RLIMIT), Ptr] Full misc::getrlimit, "";
    98 getrusage [Named(&words::RUSAGE), Ptr] Full misc::getrusage, "";
    99 sysinfo [Ptr] Full misc::sysinfo, "";
    100 times [Ptr] Full process::times, "";
    101 ptrace [Named(&words::PTRACE), Int, Ptr, Ptr] Refused misc::ptrace, "EPERM, as in an unprivileged container";
    102 getuid [] Full cred::getuid, "";
    103 syslog [Named(&words::SYSLOG), Ptr, Int] Partial misc::syslog, "there is no log of a kernel: reading gives nothing, clearing changes nothing";
    104 getgid [] Full cred::getgid, "";
    105 setuid [Id] Full cred::setuid, "";
    106 setgid [Id] Full cred::setgid, "";
    107 geteuid [] Full cred::geteuid, "";
    108 getegid [] Full cred::getegid, "";
    109 setpgid [Int, Int] Full ids::setpgid, "";
    110 getppid [] Full ids::getppid, "";
    111 getpgrp [] Full ids::getpgrp, "";
    112 setsid [] Full ids::setsid, "";
    113 setreuid [Id, Id] Full cred::setreuid, "";
    114 setregid [Id, Id] Full cred::setregid, "";
    115 getgroups [Int, Ptr] Full cred::getgroups, "";
    116 setgroups [Int, Ptr] Full cred::setgroups, "";
    117 setresuid [Id, Id, Id] Full cred::setresuid, "";
    118 getresuid [Ptr, Ptr, Ptr] Full cred::getresuid, "";
    119 setresgid [Id, Id, Id] Full cred::setresgid, "";
    120 getresgid [Ptr, Ptr, Ptr] Full cred::getresgid, "";
    121 getpgid [Int] Full ids::getpgid, "";
    122 setfsuid [Id] Full cred::setfsuid, "";
    123 setfsgid [Id] Full cred::setfsgid, "";
    124 getsid [Int] Full ids::getsid, "";
    125 capget [Ptr, Ptr] Full cred::capget, "";
    126 capset [Ptr, Ptr] Full cred::capset, "";
    127 rt_sigpending [Ptr, Size] Full signals::rt_sigpending, "";
    128 rt_sigtimedwait [Ptr, Ptr, Ptr, Size] Full signals::rt_sigtimedwait, "";
    129 rt_sigqueueinfo [Int, Signal, Ptr] Full signals::rt_sigqueueinfo, "";
    130 rt_sigsuspend [Ptr, Size] Full signals::rt_sigsuspend, "";
    131 sigaltstack [Ptr, Ptr] Full signals::sigaltstack, "";
    132 utime [Path, Ptr] Full attributes::utime, "";
    133 mknod [Path, Named(&words::MODE), By(1, &DEVICE)] Full names::mknod, "";
    134 uselib [Path] Refused misc::missing, "ENOSYS on Linux too";
    135 personality [By(0, &PERSONALITY)] => Hex Partial misc::personality, "missing are personalities other than PER_LINUX (EINVAL); flags are accepted and change nothing, as addresses are fixed already, and are not kept";
    136 ustat [Hex, Ptr] Full stat::ustat, "";
    137 statfs [Path, Ptr] Full stat::statfs, "";
    138 fstatfs [Fd, Ptr] Full stat::fstatfs, "";
    139 sysfs [Int, Hex, Hex] Refused misc::missing, "ENOSYS, as where CONFIG_SYSFS_SYSCALL is off";
    140 getpriority [Named(&words::PRIO), Int] Full misc::getpriority, "";
    141 setpriority [Named(&words::PRIO), Int, Int] Partial misc::setpriority, "kept and shown; it does not change who runs, which the seed decides";
    142 sched_setparam [Int, Ptr] Partial misc::sched_setparam, "kept and shown; it does not change who runs, which the seed decides";
    143 sched_getparam [Int, Ptr] Full misc::sched_getparam, "";
    144 sched_setscheduler [Int, Named(&words::SCHED), Ptr] Partial misc::sched_setscheduler, "kept and shown; it does not change who runs, which the seed decides";
    145 sched_getscheduler [Int] Full misc::sched_getscheduler, "";
    146 sched_get_priority_max [Named(&words::SCHED)] Full misc::sched_get_priority_max, "";
    147 sched_get_priority_min [Named(&words::SCHED)] Full misc::sched_get_priority_min, "";
    148 sched_rr_get_interval [Int, Ptr] Full misc::sched_rr_get_interval, "";
    149 mlock [Ptr, Size] Full memory::mlock, "";
    150 munlock [Ptr, Size] Full memory::munlock, "";
    151 mlockall [Named(&words::MLOCKALL)] Full memory::mlockall, "";
    152 munlockall [] Full memory::munlockall, "";
    153 vhangup [] Refused misc::not_permitted, "EPERM, as in an unprivileged container";
    154 modify_ldt [Int, Ptr, Size] Refused misc::not_permitted, "EPERM, as in an unprivileged container";
    155 pivot_root [Path, Path] Refused misc::not_permitted, "EPERM, as in an unprivileged container";
    156 _sysctl [Ptr] Refused misc::missing, "ENOSYS on Linux too";
    157 prctl [Named(&words::PRCTL), Hex, Hex, Hex, Hex] Partial misc::prctl, "missing are options that the table of this call does not know: EINVAL, and reported by number";
    158 arch_prctl [Named(&words::ARCH), Hex] Partial misc::arch_prctl, "missing is ARCH_SET_GS, as the gs base is the layer's: EPERM, and reported";
    159 adjtimex [Ptr] Refused misc::not_permitted, "EPERM, as in an unprivileged container";
    160 setrlimit [Named(&words::RLIMIT), Ptr] Full misc::setrlimit, "";
    161 chroot [Path] Full dirs::chroot, "";
    162 sync [] Full rw::sync, "";
    163 acct [Path] Refused misc::not_permitted, "EPERM, as in an unprivileged container";
    164 settimeofday [Ptr, Ptr] Partial time::settimeofday, "setting is missing: a host's clock is the world's to set, so EPERM even for root";
    165 mount [Path, Path, Path, Named(&words::MOUNT), Ptr] Refused misc::mount, "EPERM, as in an unprivileged container";
    166 umount2 [Path, Named(&words::UMOUNT)] Refused misc::not_permitted, "EPERM, as in an unprivileged container";
    167 swapon [Path, Hex] Refused misc::not_permitted, "EPERM, as in an unprivileged container";
    168 swapoff [Path] Refused misc::not_permitted, "EPERM, as in an unprivileged container";
    169 reboot [Hex, Hex, Hex, Ptr] Refused misc::not_permitted, "EPERM, as in an unprivileged container";
    170 sethostname [In(1), Size] Full misc::sethostname, "";
    171 setdomainname [In(1), Size] Full misc::setdomainname, "";
    172 iopl [Int] Refused misc::not_permitted, "EPERM, as in an unprivileged container";
    173 ioperm [Size, Size, Int] Refused misc::not_permitted, "EPERM, as in an unprivileged container";
    174 create_module [Path, Size] Refused misc::missing, "ENOSYS on Linux too";
    175 init_module [Ptr, Size, Path] Refused misc::not_permitted, "EPERM, as in an unprivileged container";
    176 delete_module [Path, Named(&words::OPEN)] Refused misc::not_permitted, "EPERM, as in an unprivileged container";
    177 get_kernel_syms [Ptr] Refused misc::missing, "ENOSYS on Linux too";
    178 query_module [Path, Int, Ptr, Size, Ptr] Refused misc::missing, "ENOSYS on Linux too";
    179 quotactl [Hex, Path, Int, Ptr] Refused misc::not_permitted, "EPERM, as in an unprivileged container";
    180 nfsservctl [Int, Ptr, Ptr] Refused misc::missing, "ENOSYS on Linux too";
    181 getpmsg [Hex, Hex, Hex, Hex] Refused misc::missing, "ENOSYS on Linux too";
    182 putpmsg [Hex, Hex, Hex, Hex] Refused misc::missing, "ENOSYS on Linux too";
    183 afs_syscall [Hex, Hex, Hex, Hex] Refused misc::missing, "ENOSYS on Linux too";
    184 tuxcall [Hex, Hex, Hex, Hex] Refused misc::missing, "ENOSYS on Linux too";
    185 security [Hex, Hex, Hex, Hex] Refused misc::missing, "ENOSYS on Linux too";
    186 gettid [] Full ids::gettid, "";
    187 readahead [Fd, Long, Size] Full rw::readahead, "";
    188 setxattr [Path, Ptr, Ptr, Size, Named(&words::XATTR)] Full xattr::setxattr, "";
    189 lsetxattr [Path, Ptr, Ptr, Size, Named(&words::XATTR)] Full xattr::lsetxattr, "";
    190 fsetxattr [Fd, Ptr, Ptr, Size, Named(&words::XATTR)] Full xattr::fsetxattr, "";
    191 getxattr [Path, Ptr, Ptr, Size] Full xattr::getxattr, "";
    192 lgetxattr [Path, Ptr, Ptr, Size] Full xattr::lgetxattr, "";
    193 fgetxattr [Fd, Ptr, Ptr, Size] Full xattr::fgetxattr, "";
    194 listxattr [Path, Ptr, Size] Full xattr::listxattr, "";
    195 llistxattr [Path, Ptr, Size] Full xattr::llistxattr, "";
    196 flistxattr [Fd, Ptr, Size] Full xattr::flistxattr, "";
    197 removexattr [Path, Ptr] Full xattr::removexattr, "";
    198 lremovexattr [Path, Ptr] Full xattr::lremovexattr, "";
    199 fremovexattr [Fd, Ptr] Full xattr::fremovexattr, "";
    200 tkill [Int, Signal] Full signals::tkill, "";
    201 time [Ptr] Full time::time, "";
    202 futex [Ptr, Named(&words::FUTEX), By(1, &FUTEX_3), By(1, &FUTEX_4), By(1, &FUTEX_5), By(1, &FUTEX_6)] Partial sync::futex, "missing are FUTEX_WAIT_REQUEUE_PI, FUTEX_CMP_REQUEUE_PI and FUTEX_FD (ENOSYS); locks with priority inheritance work as locks, but nobody's priority changes";
    203 sched_setaffinity [Int, Size, Ptr] Full misc::sched_setaffinity, "";
    204 sched_getaffinity [Int, Size, Ptr] Full misc::sched_getaffinity, "";
    205 set_thread_area [Ptr] Refused misc::missing, "ENOSYS on Linux too";
    206 io_setup [Uint, Ptr] Full aio::io_setup, "";
    207 io_destroy [Hex] Full aio::io_destroy, "";
    208 io_getevents [Hex, Long, Long, Ptr, Ptr] Full aio::io_getevents, "";
    209 io_submit [Hex, Long, Ptr] Partial aio::io_submit, "requests are done at once; missing are IOCB_CMD_POLL (EINVAL, reported) and waiting: what would wait completes with EAGAIN";
    210 io_cancel [Hex, Ptr, Ptr] Full aio::io_cancel, "";
    211 get_thread_area [Ptr] Refused misc::missing, "ENOSYS on Linux too";
    212 lookup_dcookie [Hex, Ptr, Size] Refused misc::not_permitted, "EPERM, as in an unprivileged container";
    213 epoll_create [Int] Full poll::epoll_create, "";
    214 epoll_ctl_old [Hex, Hex, Hex, Hex] Refused misc::missing, "ENOSYS on Linux too";
    215 epoll_wait_old [Hex, Hex, Hex, Hex] Refused misc::missing, "ENOSYS on Linux too";
    216 remap_file_pages [Ptr, Size, Named(&words::PROT), Size, Named(&words::MAP)] Full pages::remap_file_pages, "";
    217 getdents64 [Fd, Ptr, Uint] Full dirs::getdents64, "";
    218 set_tid_address [Ptr] Full process::set_tid_address, "";
    219 restart_syscall [] Full signals::restart_syscall, "";
    220 semtimedop [Int, Ptr, Size, Ptr] Full sem::semtimedop, "";
    221 fadvise64 [Fd, Long, Long, Named(&words::FADVISE)] Full rw::fadvise64, "";
    222 timer_create [Named(&words::CLOCK), Ptr, Ptr] Full time::timer_create, "";
    223 timer_settime [Int, Named(&words::TIMER), Ptr, Ptr] Full time::timer_settime, "";
    224 timer_gettime [Int, Ptr] Full time::timer_gettime, "";
    225 timer_getoverrun [Int] Full time::timer_getoverrun, "";
    226 timer_delete [Int] Full time::timer_delete, "";
    227 clock_settime [Named(&words::CLOCK), Ptr] Partial time::clock_settime, "setting is missing: a host's clock is the world's to set, so EPERM even for root";
    228 clock_gettime [Named(&words::CLOCK), Ptr] Full time::clock_gettime, "";
    229 clock_getres [Named(&words::CLOCK), Ptr] Full time::clock_getres, "";
    230 clock_nanosleep [Named(&words::CLOCK), Named(&words::TIMER), Ptr, Ptr] Full time::clock_nanosleep, "";
    231 exit_group [Int] => Never Full process::exit_group, "";
    232 epoll_wait [Fd, Ptr, Int, Int] Full poll::epoll_wait, "";
    233 epoll_ctl [Fd, Named(&words::EPOLL_CTL), Fd, Ptr] Full poll::epoll_ctl, "";
    234 tgkill [Int, Int, Signal] Full signals::tgkill, "";
    235 utimes [Path, Ptr] Full attributes::utimes, "";
    236 vserver [Hex, Hex, Hex, Hex] Refused misc::missing, "ENOSYS on Linux too";
    237 mbind [Ptr, Size, Named(&words::MEMPOLICY), Ptr, Size, Hex] Partial rw::nothing, "there is one memory node: any policy is accepted, not checked, and changes nothing";
    238 set_mempolicy [Named(&words::MEMPOLICY), Ptr, Size] Partial rw::nothing, "there is one memory node: any policy is accepted, not checked, and changes nothing";
    239 get_mempolicy [Ptr, Ptr, Size, Ptr, Hex] Partial pages::get_mempolicy, "there is one memory node: the policy is always the default one";
    240 mq_open [Path, Named(&words::OPEN), By(1, &MODE_OF_NEW), By(1, &ATTRIBUTES_OF_NEW)] Full mqueue::mq_open, "";
    241 mq_unlink [Path] Full mqueue::mq_unlink, "";
    242 mq_timedsend [Fd, In(2), Size, Uint, Ptr] Full mqueue::mq_timedsend, "";
    243 mq_timedreceive [Fd, Out(2), Size, Ptr, Ptr] Full mqueue::mq_timedreceive, "";
    244 mq_notify [Fd, Ptr] Full mqueue::mq_notify, "";
    245 mq_getsetattr [Fd, Ptr, Ptr] Full mqueue::mq_getsetattr, "";
    246 kexec_load [Ptr, Size, Ptr, Hex] Refused misc::not_permitted, "EPERM, as in an unprivileged container";
    247 waitid [Named(&words::IDTYPE), Int, Ptr, Named(&words::WAIT), Ptr] Full wait::waitid, "";
    248 add_key [Path, Path, Ptr, Size, Int] Refused misc::not_permitted, "EPERM, as in an unprivileged container";
    249 request_key [Path, Path, Path, Int] Refused misc::not_permitted, "EPERM, as in an unprivileged container";
    250 keyctl [Int, Hex, Hex, Hex, Hex] Refused misc::not_permitted, "EPERM, as in an unprivileged container";
    251 ioprio_set [Named(&words::IOPRIO), Int, Hex] Partial misc::ioprio_set, "kept and given back; it does not change the order of anything";
    252 ioprio_get [Named(&words::IOPRIO), Int] Full misc::ioprio_get, "";
    253 inotify_init [] Full event::inotify_init, "";
    254 inotify_add_watch [Fd, Path, Named(&words::WATCH)] Full event::inotify_add_watch, "";
    255 inotify_rm_watch [Fd, Int] Full event::inotify_rm_watch, "";
    256 migrate_pages [Int, Size, Ptr, Ptr] Partial pages::migrate_pages, "there is one memory node: nothing moves";
    257 openat [Dirfd, Path, Named(&words::OPEN), By(2, &MODE_OF_NEW)] Full open::openat, "";
    258 mkdirat [Dirfd, Path, Named(&words::MODE)] Full names::mkdirat, "";
    259 mknodat [Dirfd, Path, Named(&words::MODE), By(2, &DEVICE)] Full names::mknodat, "";
    260 fchownat [Dirfd, Path, Id, Id, Named(&words::AT)] Full attributes::fchownat, "";
    261 futimesat [Dirfd, Path, Ptr] Full attributes::futimesat, "";
    262 newfstatat [Dirfd, Path, Ptr, Named(&words::AT)] Full stat::newfstatat, "";
    263 unlinkat [Dirfd, Path, Named(&words::UNLINKAT)] Full names::unlinkat, "";
    264 renameat [Dirfd, Path, Dirfd, Path] Full names::renameat, "";
    265 linkat [Dirfd, Path, Dirfd, Path, Named(&words::AT)] Full names::linkat, "";
    266 symlinkat [Path, Dirfd, Path] Full names::symlinkat, "";
    267 readlinkat [Dirfd, Path, Ptr, Size] Full names::readlinkat, "";
    268 fchmodat [Dirfd, Path, Named(&words::MODE)] Full attributes::fchmodat, "";
    269 faccessat [Dirfd, Path, Named(&words::ACCESS)] Full attributes::faccessat, "";
    270 pselect6 [Int, Ptr, Ptr, Ptr, Ptr, Ptr] => Timeout Full poll::pselect6, "";
    271 ppoll [Ptr, Uint, Ptr, Ptr, Size] => Timeout Full poll::ppoll, "";
    272 unshare [Named(&words::CLONE)] Refused misc::not_permitted, "EPERM, as in an unprivileged container";
    273 set_robust_list [Ptr, Size] Full sync::set_robust_list, "";
    274 get_robust_list [Int, Ptr, Ptr] Full sync::get_robust_list, "";
    275 splice [Fd, Ptr, Fd, Ptr, Size, Named(&words::SPLICE)] Full rw::splice, "";
    276 tee [Fd, Fd, Size, Named(&words::SPLICE)] Full rw::tee, "";
    277 sync_file_range [Fd, Long, Long, Named(&words::SYNC_RANGE)] Full rw::sync_file_range, "";
    278 vmsplice [Fd, Ptr, Size, Named(&words::SPLICE)] Full rw::vmsplice, "";
    279 move_pages [Int, Size, Ptr, Ptr, Ptr, Hex] Partial pages::move_pages, "there is one memory node: pages are said to be on it, and nothing moves";
    280 utimensat [Dirfd, Path, Ptr, Named(&words::AT)] Full attributes::utimensat, "";
    281 epoll_pwait [Fd, Ptr, Int, Int, Ptr, Size] Full poll::epoll_pwait, "";
    282 signalfd [Fd, Ptr, Size] Full signals::signalfd, "";
    283 timerfd_create [Named(&words::CLOCK), Named(&words::TFD)] Full time::timerfd_create, "";
    284 eventfd [Uint] Full event::eventfd, "";
    285 fallocate [Fd, Named(&words::FALLOCATE), Long, Long] Partial size::fallocate, "missing are FALLOC_FL_COLLAPSE_RANGE, FALLOC_FL_INSERT_RANGE and FALLOC_FL_UNSHARE_RANGE: EOPNOTSUPP";
    286 timerfd_settime [Fd, Named(&words::TFD_TIMER), Ptr, Ptr] Full time::timerfd_settime, "";
    287 timerfd_gettime [Fd, Ptr] Full time::timerfd_gettime, "";
    288 accept4 [Fd, Ptr, Ptr, Named(&words::SOCKET_FLAGS)] Full net::accept4, "";
    289 signalfd4 [Fd, Ptr, Size, Named(&words::SFD)] Full signals::signalfd4, "";
    290 eventfd2 [Uint, Named(&words::EFD)] Full event::eventfd2, "";
    291 epoll_create1 [Named(&words::EPOLL)] Full poll::epoll_create1, "";
    292 dup3 [Fd, Fd, Named(&words::PIPE)] Full fd::dup3, "";
    293 pipe2 [Ptr, Named(&words::PIPE)] Full fd::pipe2, "";
    294 inotify_init1 [Named(&words::INOTIFY)] Full event::inotify_init1, "";
    295 preadv [Fd, Ptr, Size, Long, Long] Full rw::preadv, "";
    296 pwritev [Fd, Ptr, Size, Long, Long] Full rw::pwritev, "";
    297 rt_tgsigqueueinfo [Int, Int, Signal, Ptr] Full signals::rt_tgsigqueueinfo, "";
    298 perf_event_open [Ptr, Int, Int, Fd, Hex] Refused misc::not_permitted, "EPERM, as in an unprivileged container";
    299 recvmmsg [Fd, Ptr, Uint, Named(&words::MSG), Ptr] Full net::recvmmsg, "";
    300 fanotify_init [Hex, Named(&words::OPEN)] Refused misc::not_permitted, "EPERM, as in an unprivileged container";
    301 fanotify_mark [Fd, Hex, Hex, Dirfd, Path] Refused misc::not_permitted, "EPERM, as in an unprivileged container";
    302 prlimit64 [Int, Named(&words::RLIMIT), Ptr, Ptr] Full misc::prlimit64, "";
    303 name_to_handle_at [Dirfd, Path, Ptr, Ptr, Named(&words::AT)] Full handles::name_to_handle_at, "";
    304 open_by_handle_at [Fd, Ptr, Named(&words::OPEN)] Full handles::open_by_handle_at, "";
    305 clock_adjtime [Named(&words::CLOCK), Ptr] Refused misc::not_permitted, "EPERM, as in an unprivileged container";
    306 syncfs [Fd] Full rw::syncfs, "";
    307 sendmmsg [Fd, Ptr, Uint, Named(&words::MSG)] Full net::sendmmsg, "";
    308 setns [Fd, Named(&words::CLONE)] Refused misc::not_permitted, "EPERM, as in an unprivileged container";
    309 getcpu [Ptr, Ptr, Ptr] Full misc::getcpu, "";
    310 process_vm_readv [Int, Ptr, Size, Ptr, Size, Hex] Partial misc::process_vm, "missing is the memory of other processes: EPERM, and reported; the caller's own works";
    311 process_vm_writev [Int, Ptr, Size, Ptr, Size, Hex] Partial misc::process_vm, "missing is the memory of other processes: EPERM, and reported; the caller's own works";
    312 kcmp [Int, Int, Named(&words::KCMP), Hex, Hex] Full process::kcmp, "";
    313 finit_module [Fd, Path, Hex] Refused misc::not_permitted, "EPERM, as in an unprivileged container";
    314 sched_setattr [Int, Ptr, Hex] Partial misc::sched_setattr, "kept and shown; it does not change who runs, which the seed decides";
    315 sched_getattr [Int, Ptr, Uint, Hex] Full misc::sched_getattr, "";
    316 renameat2 [Dirfd, Path, Dirfd, Path, Named(&words::RENAME)] Partial names::renameat2, "missing is RENAME_WHITEOUT: EINVAL";
    317 seccomp [Named(&words::SECCOMP), Hex, Ptr] Partial seccomp::seccomp, "missing is SECCOMP_FILTER_FLAG_NEW_LISTENER: EINVAL";
    318 getrandom [Ptr, Size, Named(&words::RANDOM)] Full misc::getrandom, "";
    319 memfd_create [Path, Named(&words::MEMFD)] Full memory::memfd_create, "";
    320 kexec_file_load [Fd, Fd, Size, Ptr, Hex] Refused misc::not_permitted, "EPERM, as in an unprivileged container";
    321 bpf [Int, Ptr, Uint] Refused misc::not_permitted, "EPERM, as in an unprivileged container";
    322 execveat [Dirfd, Path, Ptr, Ptr, Named(&words::AT)] Full process::execveat, "";
    323 userfaultfd [Named(&words::PIPE)] Refused misc::not_permitted, "EPERM, as in an unprivileged container";
    324 membarrier [Named(&words::MEMBARRIER), Hex, Int] Full memory::membarrier, "";
    325 mlock2 [Ptr, Size, Named(&words::MLOCK)] Full memory::mlock2, "";
    326 copy_file_range [Fd, Ptr, Fd, Ptr, Size, Hex] Full rw::copy_file_range, "";
    327 preadv2 [Fd, Ptr, Size, Long, Long, Named(&words::RWF)] Full rw::preadv2, "";
    328 pwritev2 [Fd, Ptr, Size, Long, Long, Named(&words::RWF)] Full rw::pwritev2, "";
    329 pkey_mprotect [Ptr, Size, Named(&words::PROT), Int] Full pages::pkey_mprotect, "";
    330 pkey_alloc [Hex, Hex] Refused pages::pkey_alloc, "ENOSPC, as on a processor without protection keys";
    331 pkey_free [Int] Refused pages::pkey_free, "EINVAL: no key has been given out";
    332 statx [Dirfd, Path, Named(&words::STATX_FLAGS), Named(&words::STATX_MASK), Ptr] Full stat::statx, "";
    333 io_pgetevents [Hex, Long, Long, Ptr, Ptr, Ptr] Full aio::io_pgetevents, "";
    334 rseq [Ptr, Uint, Hex, Hex] Refused misc::missing, "ENOSYS: the C library does without";
    335 uretprobe [] Refused misc::missing, "ENOSYS, as before Linux 6.11";
    336 uprobe [] Refused misc::missing, "ENOSYS, as before Linux 6.18";
    424 pidfd_send_signal [Fd, Signal, Ptr, Hex] Full signals::pidfd_send_signal, "";
    425 io_uring_setup [Uint, Ptr] Refused misc::missing, "ENOSYS, as where it is disabled";
    426 io_uring_enter [Fd, Uint, Uint, Hex, Ptr, Size] Refused misc::missing, "ENOSYS, as where it is disabled";
    427 io_uring_register [Fd, Uint, Ptr, Uint] Refused misc::missing, "ENOSYS, as where it is disabled";
    428 open_tree [Dirfd, Path, Hex] Refused misc::not_permitted, "EPERM, as in an unprivileged container";
    429 move_mount [Dirfd, Path, Dirfd, Path, Hex] Refused misc::not_permitted, "EPERM, as in an unprivileged container";
    430 fsopen [Path, Hex] Refused misc::not_permitted, "EPERM, as in an unprivileged container";
    431 fsconfig [Fd, Uint, Path, Ptr, Int] Refused misc::not_permitted, "EPERM, as in an unprivileged container";
    432 fsmount [Fd, Hex, Hex] Refused misc::not_permitted, "EPERM, as in an unprivileged container";
    433 fspick [Dirfd, Path, Hex] Refused misc::not_permitted, "EPERM, as in an unprivileged container";
    434 pidfd_open [Int, Named(&words::PIDFD)] Full process::pidfd_open, "";
    435 clone3 [Ptr, Size] Partial process::clone3, "missing are new namespaces and set_tid (EPERM) and CLONE_INTO_CGROUP (EBADF)";
    436 close_range [Uint, Uint, Named(&words::CLOSE_RANGE)] Full fd::close_range, "";
    437 openat2 [Dirfd, Path, Ptr, Size] Full open::openat2, "";
    438 pidfd_getfd [Fd, Int, Hex] Full process::pidfd_getfd, "";
    439 faccessat2 [Dirfd, Path, Named(&words::ACCESS), Named(&words::FACCESSAT)] Full attributes::faccessat2, "";
    440 process_madvise [Fd, Ptr, Size, Named(&words::MADVISE), Hex] Refused misc::not_permitted, "EPERM, as in an unprivileged container";
    441 epoll_pwait2 [Fd, Ptr, Int, Ptr, Ptr, Size] Full poll::epoll_pwait2, "";
    442 mount_setattr [Dirfd, Path, Hex, Ptr, Size] Refused misc::not_permitted, "EPERM, as in an unprivileged container";
    443 quotactl_fd [Fd, Hex, Int, Ptr] Refused misc::not_permitted, "EPERM, as in an unprivileged container";
    444 landlock_create_ruleset [Ptr, Size, Hex] Refused misc::not_supported, "EOPNOTSUPP, as where Landlock is disabled";
    445 landlock_add_rule [Fd, Int, Ptr, Hex] Refused misc::not_supported, "EOPNOTSUPP, as where Landlock is disabled";
    446 landlock_restrict_self [Fd, Hex] Refused misc::not_supported, "EOPNOTSUPP, as where Landlock is disabled";
    447 memfd_secret [Named(&words::MEMFD)] Refused misc::missing, "ENOSYS, as where it is disabled";
    448 process_mrelease [Fd, Hex] Full process::process_mrelease, "";
    449 futex_waitv [Ptr, Uint, Hex, Ptr, Named(&words::CLOCK)] Full sync::futex_waitv, "";
    450 set_mempolicy_home_node [Ptr, Size, Int, Hex] Partial rw::nothing, "there is one memory node: any node is accepted, not checked, and changes nothing";
    451 cachestat [Fd, Ptr, Ptr, Hex] Partial pages::cachestat, "there is no page cache: all of a file is said to be in it, and none of it dirty";
    452 fchmodat2 [Dirfd, Path, Named(&words::MODE), Named(&words::AT)] Full attributes::fchmodat2, "";
    453 map_shadow_stack [Ptr, Size, Hex] => Hex Refused misc::missing, "ENOSYS, as before Linux 6.6";
    454 futex_wake [Ptr, Hex, Int, Named(&words::FUTEX2)] Full sync::futex_wake, "";
    455 futex_wait [Ptr, Hex, Hex, Named(&words::FUTEX2), Ptr, Named(&words::CLOCK)] Full sync::futex_wait, "";
    456 futex_requeue [Ptr, Hex, Int, Int] Full sync::futex_requeue, "";
    457 statmount [Ptr, Ptr, Size, Hex] Refused misc::missing, "ENOSYS, as before Linux 6.8";
    458 listmount [Ptr, Ptr, Size, Hex] Refused misc::missing, "ENOSYS, as before Linux 6.8";
    459 lsm_get_self_attr [Uint, Ptr, Ptr, Hex] Refused misc::missing, "ENOSYS, as before Linux 6.8";
    460 lsm_set_self_attr [Uint, Ptr, Uint, Hex] Refused misc::missing, "ENOSYS, as before Linux 6.8";
    461 lsm_list_modules [Ptr, Ptr, Hex] Refused misc::missing, "ENOSYS, as before Linux 6.8";
    462 mseal [Ptr, Size, Hex] Full pages::mseal, "";
    463 setxattrat [Dirfd, Path, Named(&words::AT), Path, Ptr, Size] Full xattr::setxattrat, "";
    464 getxattrat [Dirfd, Path, Named(&words::AT), Path, Ptr, Size] Full xattr::getxattrat, "";
    465 listxattrat [Dirfd, Path, Named(&words::AT), Ptr, Size] Full xattr::listxattrat, "";
    466 removexattrat [Dirfd, Path, Named(&words::AT), Path] Full xattr::removexattrat, "";
    467 open_tree_attr [Dirfd, Path, Hex, Ptr, Size] Refused misc::missing, "ENOSYS, as before Linux 6.15";
    468 file_getattr [Dirfd, Path, Ptr, Size, Named(&words::AT)] Refused misc::missing, "ENOSYS, as before Linux 6.17";
    469 file_setattr [Dirfd, Path, Ptr, Size, Named(&words::AT)] Refused misc::missing, "ENOSYS, as before Linux 6.17";
    470 listns [Ptr, Ptr, Size, Hex] Refused misc::missing, "ENOSYS, as before Linux 6.19";
    471 rseq_slice_yield [] Refused misc::missing, "ENOSYS, as before Linux 7.0";
}
