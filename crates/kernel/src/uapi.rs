//! Numbers of the Linux user interface on x86-64, by their names in the manual pages.

/// `O_RDONLY`
pub const O_RDONLY: u32 = 0;
/// `O_WRONLY`
pub const O_WRONLY: u32 = 0x1;
/// `O_RDWR`
pub const O_RDWR: u32 = 0x2;
/// `O_ACCMODE`
pub const O_ACCMODE: u32 = 0x3;
/// `O_CREAT`
pub const O_CREAT: u32 = 0x40;
/// `O_EXCL`
pub const O_EXCL: u32 = 0x80;
/// `O_NOCTTY`
pub const O_NOCTTY: u32 = 0x100;
/// `O_TRUNC`
pub const O_TRUNC: u32 = 0x200;
/// `O_APPEND`
pub const O_APPEND: u32 = 0x400;
/// `O_NONBLOCK`
pub const O_NONBLOCK: u32 = 0x800;
/// `O_DSYNC`
pub const O_DSYNC: u32 = 0x1000;
/// `O_ASYNC`
pub const O_ASYNC: u32 = 0x2000;
/// `O_DIRECT`
pub const O_DIRECT: u32 = 0x4000;
/// `O_DIRECTORY`
pub const O_DIRECTORY: u32 = 0x10000;
/// `O_NOFOLLOW`
pub const O_NOFOLLOW: u32 = 0x20000;
/// `O_NOATIME`
pub const O_NOATIME: u32 = 0x40000;
/// `O_CLOEXEC`
pub const O_CLOEXEC: u32 = 0x80000;
/// `O_SYNC`
pub const O_SYNC: u32 = 0x101000;
/// O_LARGEFILE, which 64-bit kernels set by themselves and show in F_GETFL.
pub const O_LARGEFILE: u32 = 0x8000;
/// `O_PATH`
pub const O_PATH: u32 = 0x200000;
/// O_TMPFILE
pub const O_TMPFILE: u32 = 0x410000;
/// `S_IFMT`
pub const S_IFMT: u32 = 0xf000;
/// `S_IFSOCK`
pub const S_IFSOCK: u32 = 0xc000;
/// `S_IFLNK`
pub const S_IFLNK: u32 = 0xa000;
/// `S_IFREG`
pub const S_IFREG: u32 = 0x8000;
/// `S_IFBLK`
pub const S_IFBLK: u32 = 0x6000;
/// `S_IFDIR`
pub const S_IFDIR: u32 = 0x4000;
/// `S_IFCHR`
pub const S_IFCHR: u32 = 0x2000;
/// `S_IFIFO`
pub const S_IFIFO: u32 = 0x1000;
/// `S_ISUID`
pub const S_ISUID: u32 = 0x800;
/// `S_ISGID`
pub const S_ISGID: u32 = 0x400;
/// `S_ISVTX`
pub const S_ISVTX: u32 = 0x200;
/// `POLLIN`
pub const POLLIN: u32 = 0x1;
/// `POLLPRI`
pub const POLLPRI: u32 = 0x2;
/// `POLLOUT`
pub const POLLOUT: u32 = 0x4;
/// `POLLERR`
pub const POLLERR: u32 = 0x8;
/// `POLLHUP`
pub const POLLHUP: u32 = 0x10;
/// `POLLNVAL`
pub const POLLNVAL: u32 = 0x20;
/// `POLLRDNORM`
pub const POLLRDNORM: u32 = 0x40;
/// `POLLMSG`
pub const POLLMSG: u32 = 0x400;
/// `POLLRDBAND`
pub const POLLRDBAND: u32 = 0x80;
/// `POLLWRNORM`
pub const POLLWRNORM: u32 = 0x100;
/// `POLLWRBAND`
pub const POLLWRBAND: u32 = 0x200;
/// `POLLRDHUP`
pub const POLLRDHUP: u32 = 0x2000;
/// `EPOLLET`
pub const EPOLLET: u32 = 0x80000000;
/// `EPOLLONESHOT`
pub const EPOLLONESHOT: u32 = 0x40000000;
/// `EPOLLEXCLUSIVE`
pub const EPOLLEXCLUSIVE: u32 = 0x10000000;
/// `EPOLLWAKEUP`
pub const EPOLLWAKEUP: u32 = 0x20000000;
/// `SIGHUP`
pub const SIGHUP: u32 = 0x1;
/// `SIGINT`
pub const SIGINT: u32 = 0x2;
/// `SIGQUIT`
pub const SIGQUIT: u32 = 0x3;
/// `SIGILL`
pub const SIGILL: u32 = 0x4;
/// `SIGTRAP`
pub const SIGTRAP: u32 = 0x5;
/// `SIGABRT`
pub const SIGABRT: u32 = 0x6;
/// `SIGBUS`
pub const SIGBUS: u32 = 0x7;
/// `SIGFPE`
pub const SIGFPE: u32 = 0x8;
/// `SIGKILL`
pub const SIGKILL: u32 = 0x9;
/// `SIGUSR1`
pub const SIGUSR1: u32 = 0xa;
/// `SIGSEGV`
pub const SIGSEGV: u32 = 0xb;
/// `SIGUSR2`
pub const SIGUSR2: u32 = 0xc;
/// `SIGPIPE`
pub const SIGPIPE: u32 = 0xd;
/// `SIGALRM`
pub const SIGALRM: u32 = 0xe;
/// `SIGTERM`
pub const SIGTERM: u32 = 0xf;
/// `SIGCHLD`
pub const SIGCHLD: u32 = 0x11;
/// `SIGCONT`
pub const SIGCONT: u32 = 0x12;
/// `SIGSTOP`
pub const SIGSTOP: u32 = 0x13;
/// `SIGTSTP`
pub const SIGTSTP: u32 = 0x14;
/// `SIGTTIN`
pub const SIGTTIN: u32 = 0x15;
/// `SIGTTOU`
pub const SIGTTOU: u32 = 0x16;
/// `SIGURG`
pub const SIGURG: u32 = 0x17;
/// `SIGXCPU`
pub const SIGXCPU: u32 = 0x18;
/// `SIGXFSZ`
pub const SIGXFSZ: u32 = 0x19;
/// `SIGVTALRM`
pub const SIGVTALRM: u32 = 0x1a;
/// `SIGPROF`
pub const SIGPROF: u32 = 0x1b;
/// `SIGWINCH`
pub const SIGWINCH: u32 = 0x1c;
/// `SIGIO`
pub const SIGIO: u32 = 0x1d;
/// `SIGPWR`
pub const SIGPWR: u32 = 0x1e;
/// `SIGSYS`
pub const SIGSYS: u32 = 0x1f;
/// `SS_ONSTACK`
pub const SS_ONSTACK: u32 = 0x1;
/// `SS_DISABLE`
pub const SS_DISABLE: u32 = 0x2;
/// `PROT_READ`
pub const PROT_READ: u32 = 0x1;
/// `PROT_WRITE`
pub const PROT_WRITE: u32 = 0x2;
/// `PROT_EXEC`
pub const PROT_EXEC: u32 = 0x4;
/// `MAP_SHARED`
pub const MAP_SHARED: u32 = 0x1;
/// `MAP_PRIVATE`
pub const MAP_PRIVATE: u32 = 0x2;
/// `MAP_SHARED_VALIDATE`
pub const MAP_SHARED_VALIDATE: u32 = 0x3;
/// `MAP_FIXED`
pub const MAP_FIXED: u32 = 0x10;
/// `MAP_ANONYMOUS`
pub const MAP_ANONYMOUS: u32 = 0x20;
/// `MAP_GROWSDOWN`
pub const MAP_GROWSDOWN: u32 = 0x100;
/// `MAP_LOCKED`
pub const MAP_LOCKED: u32 = 0x2000;
/// `MAP_NORESERVE`
pub const MAP_NORESERVE: u32 = 0x4000;
/// `MAP_POPULATE`
pub const MAP_POPULATE: u32 = 0x8000;
/// `MAP_STACK`
pub const MAP_STACK: u32 = 0x20000;
/// `MAP_HUGETLB`
pub const MAP_HUGETLB: u32 = 0x40000;
/// `MAP_FIXED_NOREPLACE`
pub const MAP_FIXED_NOREPLACE: u32 = 0x100000;
/// `MAP_32BIT`
pub const MAP_32BIT: u32 = 0x40;
/// `MADV_DONTNEED`
pub const MADV_DONTNEED: u32 = 0x4;
/// `MADV_FREE`
pub const MADV_FREE: u32 = 0x8;
/// `MADV_REMOVE`
pub const MADV_REMOVE: u32 = 0x9;
/// `MADV_DONTFORK`
pub const MADV_DONTFORK: u32 = 0xa;
/// `MADV_DOFORK`
pub const MADV_DOFORK: u32 = 0xb;
/// `MADV_WIPEONFORK`
pub const MADV_WIPEONFORK: u32 = 0x12;
/// `MREMAP_MAYMOVE`
pub const MREMAP_MAYMOVE: u32 = 0x1;
/// `MREMAP_FIXED`
pub const MREMAP_FIXED: u32 = 0x2;
/// `MREMAP_DONTUNMAP`
pub const MREMAP_DONTUNMAP: u32 = 0x4;
/// `CLONE_VM`
pub const CLONE_VM: u32 = 0x100;
/// `CLONE_FS`
pub const CLONE_FS: u32 = 0x200;
/// `CLONE_FILES`
pub const CLONE_FILES: u32 = 0x400;
/// `CLONE_SIGHAND`
pub const CLONE_SIGHAND: u32 = 0x800;
/// `CLONE_PIDFD`
pub const CLONE_PIDFD: u32 = 0x1000;
/// `CLONE_PTRACE`
pub const CLONE_PTRACE: u32 = 0x2000;
/// `CLONE_VFORK`
pub const CLONE_VFORK: u32 = 0x4000;
/// `CLONE_PARENT`
pub const CLONE_PARENT: u32 = 0x8000;
/// `CLONE_THREAD`
pub const CLONE_THREAD: u32 = 0x10000;
/// `CLONE_NEWNS`
pub const CLONE_NEWNS: u32 = 0x20000;
/// `CLONE_SYSVSEM`
pub const CLONE_SYSVSEM: u32 = 0x40000;
/// `CLONE_SETTLS`
pub const CLONE_SETTLS: u32 = 0x80000;
/// `CLONE_PARENT_SETTID`
pub const CLONE_PARENT_SETTID: u32 = 0x100000;
/// `CLONE_CHILD_CLEARTID`
pub const CLONE_CHILD_CLEARTID: u32 = 0x200000;
/// `CLONE_CHILD_SETTID`
pub const CLONE_CHILD_SETTID: u32 = 0x1000000;
/// `CLONE_NEWCGROUP`
pub const CLONE_NEWCGROUP: u32 = 0x2000000;
/// `CLONE_NEWUTS`
pub const CLONE_NEWUTS: u32 = 0x4000000;
/// `CLONE_NEWIPC`
pub const CLONE_NEWIPC: u32 = 0x8000000;
/// `CLONE_NEWUSER`
pub const CLONE_NEWUSER: u32 = 0x10000000;
/// `CLONE_NEWPID`
pub const CLONE_NEWPID: u32 = 0x20000000;
/// `CLONE_NEWNET`
pub const CLONE_NEWNET: u32 = 0x40000000;
/// `WNOHANG`
pub const WNOHANG: u32 = 0x1;
/// `WUNTRACED`
pub const WUNTRACED: u32 = 0x2;
/// `WSTOPPED`
pub const WSTOPPED: u32 = 0x2;
/// `WEXITED`
pub const WEXITED: u32 = 0x4;
/// `WCONTINUED`
pub const WCONTINUED: u32 = 0x8;
/// `WNOWAIT`
pub const WNOWAIT: u32 = 0x1000000;
/// `__WNOTHREAD`
pub const __WNOTHREAD: u32 = 0x20000000;
/// `__WALL`
pub const __WALL: u32 = 0x40000000;
/// `__WCLONE`
pub const __WCLONE: u32 = 0x80000000;
/// `RLIMIT_CPU`
pub const RLIMIT_CPU: u32 = 0;
/// `RLIMIT_FSIZE`
pub const RLIMIT_FSIZE: u32 = 0x1;
/// `RLIMIT_DATA`
pub const RLIMIT_DATA: u32 = 0x2;
/// `RLIMIT_STACK`
pub const RLIMIT_STACK: u32 = 0x3;
/// `RLIMIT_CORE`
pub const RLIMIT_CORE: u32 = 0x4;
/// `RLIMIT_NPROC`
pub const RLIMIT_NPROC: u32 = 0x6;
/// `RLIMIT_NOFILE`
pub const RLIMIT_NOFILE: u32 = 0x7;
/// `RLIMIT_AS`
pub const RLIMIT_AS: u32 = 0x9;
/// `AT_SYMLINK_NOFOLLOW`
pub const AT_SYMLINK_NOFOLLOW: u32 = 0x100;
/// `AT_REMOVEDIR`
pub const AT_REMOVEDIR: u32 = 0x200;
/// `AT_SYMLINK_FOLLOW`
pub const AT_SYMLINK_FOLLOW: u32 = 0x400;
/// `AT_EACCESS`
pub const AT_EACCESS: u32 = 0x200;
/// `AT_EMPTY_PATH`
pub const AT_EMPTY_PATH: u32 = 0x1000;
/// `AT_NO_AUTOMOUNT`
pub const AT_NO_AUTOMOUNT: u32 = 0x800;
/// `CLD_EXITED`
pub const CLD_EXITED: u32 = 0x1;
/// `CLD_KILLED`
pub const CLD_KILLED: u32 = 0x2;
/// `CLD_DUMPED`
pub const CLD_DUMPED: u32 = 0x3;
/// `CLD_TRAPPED`
pub const CLD_TRAPPED: u32 = 0x4;
/// `CLD_STOPPED`
pub const CLD_STOPPED: u32 = 0x5;
/// `CLD_CONTINUED`
pub const CLD_CONTINUED: u32 = 0x6;
/// First real-time signal as the kernel counts.
pub const SIGRTMIN: u32 = 32;
/// Last signal.
pub const SIGMAX: u32 = 64;
/// `si_code` of signals sent by `kill`.
pub const SI_USER: i32 = 0;
/// `si_code` of signals sent by the kernel itself.
pub const SI_KERNEL: i32 = 0x80;
/// `si_code` of `sigqueue`.
pub const SI_QUEUE: i32 = -1;
/// `si_code` of POSIX timers.
pub const SI_TIMER: i32 = -2;
/// `si_code` of `tgkill`.
pub const SI_TKILL: i32 = -6;
/// The descriptor that means the working directory.
pub const AT_FDCWD: i32 = -100;
/// SA_ flags (`sigaction(2)`).
pub const SA_NOCLDSTOP: u64 = 1;
/// See `sigaction(2)`.
pub const SA_NOCLDWAIT: u64 = 2;
/// See `sigaction(2)`.
pub const SA_SIGINFO: u64 = 4;
/// See `sigaction(2)`.
pub const SA_RESTORER: u64 = 0x0400_0000;
/// See `sigaction(2)`.
pub const SA_ONSTACK: u64 = 0x0800_0000;
/// See `sigaction(2)`.
pub const SA_RESTART: u64 = 0x1000_0000;
/// See `sigaction(2)`.
pub const SA_NODEFER: u64 = 0x4000_0000;
/// See `sigaction(2)`.
pub const SA_RESETHAND: u64 = 0x8000_0000;
/// Capability numbers (`capabilities(7)`).
pub const CAP_CHOWN: u32 = 0;
/// See `capabilities(7)`.
pub const CAP_DAC_OVERRIDE: u32 = 1;
/// See `capabilities(7)`.
pub const CAP_DAC_READ_SEARCH: u32 = 2;
/// See `capabilities(7)`.
pub const CAP_FOWNER: u32 = 3;
/// See `capabilities(7)`.
pub const CAP_FSETID: u32 = 4;
/// See `capabilities(7)`.
pub const CAP_KILL: u32 = 5;
/// See `capabilities(7)`.
pub const CAP_SETGID: u32 = 6;
/// See `capabilities(7)`.
pub const CAP_SETUID: u32 = 7;
/// See `capabilities(7)`.
pub const CAP_NET_BIND_SERVICE: u32 = 10;
/// See `capabilities(7)`.
pub const CAP_IPC_LOCK: u32 = 14;
/// See `capabilities(7)`.
pub const CAP_IPC_OWNER: u32 = 15;
/// See `capabilities(7)`.
pub const SECURE_NOROOT: u32 = 1;
/// `SECBIT_NO_SETUID_FIXUP`
pub const SECURE_NO_SETUID_FIXUP: u32 = 4;
/// `SECBIT_KEEP_CAPS`
pub const SECURE_KEEP_CAPS: u32 = 16;
/// `SECBIT_NO_CAP_AMBIENT_RAISE`
pub const SECURE_NO_CAP_AMBIENT_RAISE: u32 = 64;
/// `CAP_SYS_CHROOT`
pub const CAP_SYS_CHROOT: u32 = 18;
/// See `capabilities(7)`.
pub const CAP_SYS_PTRACE: u32 = 19;
/// See `capabilities(7)`.
pub const CAP_SYS_ADMIN: u32 = 21;
/// See `capabilities(7)`.
pub const CAP_SYS_NICE: u32 = 23;
/// See `capabilities(7)`.
pub const CAP_SYS_RESOURCE: u32 = 24;
/// See `sigaltstack(2)`.
pub const SS_AUTODISARM: u32 = 1 << 31;
/// `CLONE_CLEAR_SIGHAND` (`clone3` only).
pub const CLONE_CLEAR_SIGHAND: u64 = 1 << 32;
/// `CLONE_INTO_CGROUP` (`clone3` only).
pub const CLONE_INTO_CGROUP: u64 = 1 << 33;
/// `IN_ACCESS`
pub const IN_ACCESS: u32 = 0x1;
/// `IN_MODIFY`
pub const IN_MODIFY: u32 = 0x2;
/// `IN_ATTRIB`
pub const IN_ATTRIB: u32 = 0x4;
/// `IN_CLOSE_WRITE`
pub const IN_CLOSE_WRITE: u32 = 0x8;
/// `IN_CLOSE_NOWRITE`
pub const IN_CLOSE_NOWRITE: u32 = 0x10;
/// `IN_OPEN`
pub const IN_OPEN: u32 = 0x20;
/// `IN_MOVED_FROM`
pub const IN_MOVED_FROM: u32 = 0x40;
/// `IN_MOVED_TO`
pub const IN_MOVED_TO: u32 = 0x80;
/// `IN_CREATE`
pub const IN_CREATE: u32 = 0x100;
/// `IN_DELETE`
pub const IN_DELETE: u32 = 0x200;
/// `IN_DELETE_SELF`
pub const IN_DELETE_SELF: u32 = 0x400;
/// `IN_MOVE_SELF`
pub const IN_MOVE_SELF: u32 = 0x800;
/// `IN_ISDIR`
pub const IN_ISDIR: u32 = 0x4000_0000;
/// `SEGV_ACCERR`
pub const SEGV_ACCERR: i32 = 2;
/// `RLIMIT_NICE`
pub const RLIMIT_NICE: u32 = 13;
/// `RLIMIT_RTPRIO`
pub const RLIMIT_RTPRIO: u32 = 14;
/// `RLIMIT_SIGPENDING`
pub const RLIMIT_SIGPENDING: u32 = 11;
