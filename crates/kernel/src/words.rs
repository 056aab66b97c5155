//! Names of flags and constants, by which arguments are shown.
//!
//! [`crate::table`] says which argument has which names, [`crate::show`] puts them into text. Numbers are of x86-64, names are
//! those of the manual pages.

/// How what no name covers is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Rest {
    /// In hexadecimal, with a remark when nothing else is known of the number.
    Hex(&'static str),
    /// In octal: it is permission bits.
    Octal,
}

/// The names of one kind of argument: a field that holds one of several values, and flags beside it.
#[derive(Debug)]
pub struct Names {
    /// Bits of the field; 0 where there are only flags.
    pub mask: u32,
    /// Its values.
    pub values: &'static [Word],
    /// The flags; those of several bits come first.
    pub flags: &'static [Word],
    /// What zero is called when it has no name among the values.
    pub zero: &'static str,
    /// See [`Rest`].
    pub rest: Rest,
}

/// A number and its name.
pub type Word = (u32, &'static str);

/// One of these, and nothing beside.
const fn one(values: &'static [Word], unknown: &'static str) -> Names {
    Names { mask: u32::MAX, values, flags: &[], zero: "0", rest: Rest::Hex(unknown) }
}

/// Any of these together.
const fn any(flags: &'static [Word], unknown: &'static str) -> Names {
    Names { mask: 0, values: &[], flags, zero: "0", rest: Rest::Hex(unknown) }
}

/// Any of these together; none of them has a name too.
const fn any_or(zero: &'static str, flags: &'static [Word], unknown: &'static str) -> Names {
    Names { zero, ..any(flags, unknown) }
}

/// One of the values in these bits, with any of the flags.
const fn field(mask: u32, values: &'static [Word], flags: &'static [Word], unknown: &'static str) -> Names {
    Names { mask, values, flags, zero: "0", rest: Rest::Hex(unknown) }
}

/// Flags beside permission bits.
const fn octal(mask: u32, values: &'static [Word], flags: &'static [Word]) -> Names {
    Names { mask, values, flags, zero: "000", rest: Rest::Octal }
}

/// Numbers with their names.
macro_rules! words {
    ($($name:ident = $value:expr),* $(,)?) => { &[$(($value, stringify!($name))),*] };
}

const OPEN_FLAGS: &[Word] = words! {
    O_TMPFILE = 0x41_0000, O_SYNC = 0x10_1000, O_CREAT = 0x40, O_EXCL = 0x80, O_NOCTTY = 0x100, O_TRUNC = 0x200,
    O_APPEND = 0x400, O_NONBLOCK = 0x800, O_DSYNC = 0x1000, O_DIRECT = 0x4000, O_LARGEFILE = 0x8000,
    O_NOFOLLOW = 0x2_0000, O_NOATIME = 0x4_0000, O_CLOEXEC = 0x8_0000, O_PATH = 0x20_0000, O_DIRECTORY = 0x1_0000,
    FASYNC = 0x2000,
};

/// `open(2)`
pub static OPEN: Names = field(3, words! { O_RDONLY = 0, O_WRONLY = 1, O_RDWR = 2 }, OPEN_FLAGS, "O_???");
/// Flags of a descriptor that is not opened by name: `pipe2(2)`, `dup3(2)`.
pub static PIPE: Names = any(OPEN_FLAGS, "O_???");
/// Type and permissions of a file.
pub static MODE: Names = octal(
    0xf000,
    words! {
        S_IFSOCK = 0xc000, S_IFLNK = 0xa000, S_IFREG = 0x8000, S_IFBLK = 0x6000, S_IFDIR = 0x4000, S_IFCHR = 0x2000,
        S_IFIFO = 0x1000,
    },
    &[],
);
/// `access(2)`
pub static ACCESS: Names = any_or("F_OK", words! { R_OK = 4, W_OK = 2, X_OK = 1 }, "?_OK");
/// `lseek(2)`
pub static WHENCE: Names =
    one(words! { SEEK_SET = 0, SEEK_CUR = 1, SEEK_END = 2, SEEK_DATA = 3, SEEK_HOLE = 4 }, "SEEK_???");
/// Memory protection.
pub static PROT: Names = any_or(
    "PROT_NONE",
    words! {
        PROT_READ = 1, PROT_WRITE = 2, PROT_EXEC = 4, PROT_SEM = 8, PROT_GROWSDOWN = 0x100_0000,
        PROT_GROWSUP = 0x200_0000,
    },
    "PROT_???",
);
/// `mmap(2)`
pub static MAP: Names = field(
    0xf,
    words! { MAP_SHARED = 1, MAP_PRIVATE = 2, MAP_SHARED_VALIDATE = 3 },
    words! {
        MAP_FIXED = 0x10, MAP_ANONYMOUS = 0x20, MAP_32BIT = 0x40, MAP_NORESERVE = 0x4000, MAP_POPULATE = 0x8000,
        MAP_NONBLOCK = 0x1_0000, MAP_GROWSDOWN = 0x100, MAP_DENYWRITE = 0x800, MAP_EXECUTABLE = 0x1000,
        MAP_LOCKED = 0x2000, MAP_STACK = 0x2_0000, MAP_HUGETLB = 0x4_0000, MAP_SYNC = 0x8_0000,
        MAP_FIXED_NOREPLACE = 0x10_0000,
    },
    "MAP_???",
);
/// `mremap(2)`
pub static MREMAP: Names = any(words! { MREMAP_MAYMOVE = 1, MREMAP_FIXED = 2, MREMAP_DONTUNMAP = 4 }, "MREMAP_???");
/// `msync(2)`
pub static MSYNC: Names = any(words! { MS_ASYNC = 1, MS_INVALIDATE = 2, MS_SYNC = 4 }, "MS_???");
/// `madvise(2)`
pub static MADVISE: Names = one(
    words! {
        MADV_NORMAL = 0, MADV_RANDOM = 1, MADV_SEQUENTIAL = 2, MADV_WILLNEED = 3, MADV_DONTNEED = 4, MADV_FREE = 8,
        MADV_REMOVE = 9, MADV_DONTFORK = 10, MADV_DOFORK = 11, MADV_MERGEABLE = 12, MADV_UNMERGEABLE = 13,
        MADV_HUGEPAGE = 14, MADV_NOHUGEPAGE = 15, MADV_DONTDUMP = 16, MADV_DODUMP = 17, MADV_WIPEONFORK = 18,
        MADV_KEEPONFORK = 19, MADV_COLD = 20, MADV_PAGEOUT = 21, MADV_POPULATE_READ = 22, MADV_POPULATE_WRITE = 23,
        MADV_DONTNEED_LOCKED = 24, MADV_COLLAPSE = 25, MADV_HWPOISON = 100, MADV_SOFT_OFFLINE = 101,
    },
    "MADV_???",
);
/// `mlockall(2)`
pub static MLOCKALL: Names = any(words! { MCL_CURRENT = 1, MCL_FUTURE = 2, MCL_ONFAULT = 4 }, "MCL_???");
/// `mlock2(2)`
pub static MLOCK: Names = any(words! { MLOCK_ONFAULT = 1 }, "MLOCK_???");
/// `mbind(2)` and `set_mempolicy(2)`
pub static MEMPOLICY: Names = field(
    0xfff,
    words! {
        MPOL_DEFAULT = 0, MPOL_PREFERRED = 1, MPOL_BIND = 2, MPOL_INTERLEAVE = 3, MPOL_LOCAL = 4,
        MPOL_PREFERRED_MANY = 5, MPOL_WEIGHTED_INTERLEAVE = 6,
    },
    words! {
        MPOL_F_STATIC_NODES = 0x8000, MPOL_F_RELATIVE_NODES = 0x4000, MPOL_F_NUMA_BALANCING = 0x2000,
    },
    "MPOL_???",
);
/// `membarrier(2)`
pub static MEMBARRIER: Names = one(
    words! {
        MEMBARRIER_CMD_QUERY = 0, MEMBARRIER_CMD_GLOBAL = 1, MEMBARRIER_CMD_GLOBAL_EXPEDITED = 2,
        MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED = 4, MEMBARRIER_CMD_PRIVATE_EXPEDITED = 8,
        MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED = 16, MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE = 32,
        MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE = 64, MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ = 128,
        MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_RSEQ = 256, MEMBARRIER_CMD_GET_REGISTRATIONS = 512,
    },
    "MEMBARRIER_CMD_???",
);
/// `memfd_create(2)`
pub static MEMFD: Names = any(
    words! {
        MFD_CLOEXEC = 1, MFD_ALLOW_SEALING = 2, MFD_HUGETLB = 4, MFD_NOEXEC_SEAL = 8, MFD_EXEC = 16,
    },
    "MFD_???",
);
/// `sigprocmask(2)`
pub static SIGPROCMASK: Names = one(words! { SIG_BLOCK = 0, SIG_UNBLOCK = 1, SIG_SETMASK = 2 }, "SIG_???");
/// Where a signal comes from, for all signals.
pub static SI: Names = one(
    words! {
        SI_USER = 0, SI_KERNEL = 0x80, SI_QUEUE = 0xffff_ffff, SI_TIMER = 0xffff_fffe, SI_MESGQ = 0xffff_fffd,
        SI_ASYNCIO = 0xffff_fffc, SI_SIGIO = 0xffff_fffb, SI_TKILL = 0xffff_fffa,
    },
    "SI_???",
);
/// And for those that have reasons of their own, by signal.
pub static SIGNAL_CODES: &[(u32, &Names)] = &[
    (
        4,
        &one(
            words! {
                ILL_ILLOPC = 1, ILL_ILLOPN = 2, ILL_ILLADR = 3, ILL_ILLTRP = 4, ILL_PRVOPC = 5, ILL_PRVREG = 6,
            },
            "ILL_???",
        ),
    ),
    (5, &one(words! { TRAP_BRKPT = 1, TRAP_TRACE = 2, TRAP_BRANCH = 3, TRAP_HWBKPT = 4 }, "TRAP_???")),
    (7, &one(words! { BUS_ADRALN = 1, BUS_ADRERR = 2, BUS_OBJERR = 3 }, "BUS_???")),
    (
        8,
        &one(
            words! {
                FPE_INTDIV = 1, FPE_INTOVF = 2, FPE_FLTDIV = 3, FPE_FLTOVF = 4, FPE_FLTUND = 5, FPE_FLTRES = 6,
                FPE_FLTINV = 7, FPE_FLTSUB = 8,
            },
            "FPE_???",
        ),
    ),
    (11, &one(words! { SEGV_MAPERR = 1, SEGV_ACCERR = 2, SEGV_BNDERR = 3, SEGV_PKUERR = 4 }, "SEGV_???")),
    (
        17,
        &one(
            words! {
                CLD_EXITED = 1, CLD_KILLED = 2, CLD_DUMPED = 3, CLD_TRAPPED = 4, CLD_STOPPED = 5, CLD_CONTINUED = 6,
            },
            "CLD_???",
        ),
    ),
    (
        29,
        &one(words! { POLL_IN = 1, POLL_OUT = 2, POLL_MSG = 3, POLL_ERR = 4, POLL_PRI = 5, POLL_HUP = 6 }, "POLL_???"),
    ),
    (31, &one(words! { SYS_SECCOMP = 1 }, "SYS_???")),
];
/// `fcntl(2)`
pub static FCNTL: Names = one(
    words! {
        F_DUPFD = 0, F_GETFD = 1, F_SETFD = 2, F_GETFL = 3, F_SETFL = 4, F_GETLK = 5, F_SETLK = 6, F_SETLKW = 7,
        F_SETOWN = 8, F_GETOWN = 9, F_SETSIG = 10, F_GETSIG = 11, F_SETOWN_EX = 15, F_GETOWN_EX = 16,
        F_GETOWNER_UIDS = 17, F_OFD_GETLK = 36, F_OFD_SETLK = 37, F_OFD_SETLKW = 38, F_SETLEASE = 1024,
        F_GETLEASE = 1025, F_NOTIFY = 1026, F_DUPFD_QUERY = 1027, F_DUPFD_CLOEXEC = 1030, F_SETPIPE_SZ = 1031,
        F_GETPIPE_SZ = 1032, F_ADD_SEALS = 1033, F_GET_SEALS = 1034, F_GET_RW_HINT = 1035, F_SET_RW_HINT = 1036,
        F_GET_FILE_RW_HINT = 1037, F_SET_FILE_RW_HINT = 1038,
    },
    "F_???",
);
/// Flags of a descriptor.
pub static FD_FLAGS: Names = any(words! { FD_CLOEXEC = 1 }, "FD_???");
/// Seals of `memfd_create(2)`.
pub static SEALS: Names = any(
    words! {
        F_SEAL_SEAL = 1, F_SEAL_SHRINK = 2, F_SEAL_GROW = 4, F_SEAL_WRITE = 8, F_SEAL_FUTURE_WRITE = 16,
        F_SEAL_EXEC = 32,
    },
    "F_SEAL_???",
);
/// `flock(2)`
pub static FLOCK: Names = any(words! { LOCK_SH = 1, LOCK_EX = 2, LOCK_UN = 8, LOCK_NB = 4 }, "LOCK_???");
/// The `AT_` flags of calls that follow or do not follow links.
pub static AT: Names = any(
    words! {
        AT_SYMLINK_NOFOLLOW = 0x100, AT_SYMLINK_FOLLOW = 0x400, AT_NO_AUTOMOUNT = 0x800, AT_EMPTY_PATH = 0x1000,
        AT_RECURSIVE = 0x8000,
    },
    "AT_???",
);
/// `faccessat2(2)`
pub static FACCESSAT: Names =
    any(words! { AT_SYMLINK_NOFOLLOW = 0x100, AT_EACCESS = 0x200, AT_EMPTY_PATH = 0x1000 }, "AT_???");
/// `unlinkat(2)`
pub static UNLINKAT: Names = any(words! { AT_REMOVEDIR = 0x200 }, "AT_???");
/// `statx(2)`
pub static STATX_FLAGS: Names = field(
    0x6000,
    words! {
        AT_STATX_SYNC_AS_STAT = 0, AT_STATX_FORCE_SYNC = 0x2000, AT_STATX_DONT_SYNC = 0x4000,
    },
    words! { AT_SYMLINK_NOFOLLOW = 0x100, AT_NO_AUTOMOUNT = 0x800, AT_EMPTY_PATH = 0x1000 },
    "AT_???",
);
/// The fields that `statx(2)` is asked for.
pub static STATX_MASK: Names = any(
    words! {
        STATX_ALL = 0xfff, STATX_BASIC_STATS = 0x7ff, STATX_TYPE = 1, STATX_MODE = 2, STATX_NLINK = 4, STATX_UID = 8,
        STATX_GID = 0x10, STATX_ATIME = 0x20, STATX_MTIME = 0x40, STATX_CTIME = 0x80, STATX_INO = 0x100,
        STATX_SIZE = 0x200, STATX_BLOCKS = 0x400, STATX_BTIME = 0x800, STATX_MNT_ID = 0x1000, STATX_DIOALIGN = 0x2000,
        STATX_MNT_ID_UNIQUE = 0x4000, STATX_SUBVOL = 0x8000, STATX_WRITE_ATOMIC = 0x1_0000,
    },
    "STATX_???",
);
/// `renameat2(2)`
pub static RENAME: Names = any(words! { RENAME_NOREPLACE = 1, RENAME_EXCHANGE = 2, RENAME_WHITEOUT = 4 }, "RENAME_???");
/// `fallocate(2)`
pub static FALLOCATE: Names = any(
    words! {
        FALLOC_FL_KEEP_SIZE = 1, FALLOC_FL_PUNCH_HOLE = 2, FALLOC_FL_NO_HIDE_STALE = 4, FALLOC_FL_COLLAPSE_RANGE = 8,
        FALLOC_FL_ZERO_RANGE = 0x10, FALLOC_FL_INSERT_RANGE = 0x20, FALLOC_FL_UNSHARE_RANGE = 0x40,
    },
    "FALLOC_FL_???",
);
/// `posix_fadvise(2)`
pub static FADVISE: Names = one(
    words! {
        POSIX_FADV_NORMAL = 0, POSIX_FADV_RANDOM = 1, POSIX_FADV_SEQUENTIAL = 2, POSIX_FADV_WILLNEED = 3,
        POSIX_FADV_DONTNEED = 4, POSIX_FADV_NOREUSE = 5,
    },
    "POSIX_FADV_???",
);
/// `sync_file_range(2)`
pub static SYNC_RANGE: Names = any(
    words! {
        SYNC_FILE_RANGE_WAIT_BEFORE = 1, SYNC_FILE_RANGE_WRITE = 2, SYNC_FILE_RANGE_WAIT_AFTER = 4,
    },
    "SYNC_FILE_RANGE_???",
);
/// `splice(2)`
pub static SPLICE: Names =
    any(words! { SPLICE_F_MOVE = 1, SPLICE_F_NONBLOCK = 2, SPLICE_F_MORE = 4, SPLICE_F_GIFT = 8 }, "SPLICE_F_???");
/// `preadv2(2)`
pub static RWF: Names = any(
    words! {
        RWF_HIPRI = 1, RWF_DSYNC = 2, RWF_SYNC = 4, RWF_NOWAIT = 8, RWF_APPEND = 0x10, RWF_NOAPPEND = 0x20,
        RWF_ATOMIC = 0x40, RWF_DONTCACHE = 0x80,
    },
    "RWF_???",
);
/// `close_range(2)`
pub static CLOSE_RANGE: Names = any(words! { CLOSE_RANGE_UNSHARE = 2, CLOSE_RANGE_CLOEXEC = 4 }, "CLOSE_RANGE_???");
/// `setxattr(2)`
pub static XATTR: Names = any(words! { XATTR_CREATE = 1, XATTR_REPLACE = 2 }, "XATTR_???");
/// Address families.
pub static FAMILY: Names = one(
    words! {
        AF_UNSPEC = 0, AF_UNIX = 1, AF_INET = 2, AF_AX25 = 3, AF_IPX = 4, AF_INET6 = 10, AF_KEY = 15, AF_NETLINK = 16,
        AF_PACKET = 17, AF_RDS = 21, AF_PPPOX = 24, AF_CAN = 29, AF_TIPC = 30, AF_BLUETOOTH = 31, AF_ALG = 38,
        AF_VSOCK = 40, AF_QIPCRTR = 42, AF_SMC = 43, AF_XDP = 44,
    },
    "AF_???",
);
/// Types of sockets.
pub static SOCKET_TYPE: Names = field(
    0xf,
    words! {
        SOCK_STREAM = 1, SOCK_DGRAM = 2, SOCK_RAW = 3, SOCK_RDM = 4, SOCK_SEQPACKET = 5, SOCK_DCCP = 6,
        SOCK_PACKET = 10,
    },
    words! { SOCK_CLOEXEC = 0x8_0000, SOCK_NONBLOCK = 0x800 },
    "SOCK_???",
);
/// Flags of a descriptor that `accept4(2)` makes.
pub static SOCKET_FLAGS: Names = any(words! { SOCK_CLOEXEC = 0x8_0000, SOCK_NONBLOCK = 0x800 }, "SOCK_???");
/// Protocols above IP.
pub static IPPROTO: Names = one(
    words! {
        IPPROTO_IP = 0, IPPROTO_ICMP = 1, IPPROTO_IGMP = 2, IPPROTO_TCP = 6, IPPROTO_UDP = 17, IPPROTO_DCCP = 33,
        IPPROTO_IPV6 = 41, IPPROTO_GRE = 47, IPPROTO_ESP = 50, IPPROTO_ICMPV6 = 58, IPPROTO_SCTP = 132,
        IPPROTO_UDPLITE = 136, IPPROTO_RAW = 255, IPPROTO_MPTCP = 262,
    },
    "IPPROTO_???",
);
/// Protocols of netlink.
pub static NETLINK: Names = one(
    words! {
        NETLINK_ROUTE = 0, NETLINK_USERSOCK = 2, NETLINK_SOCK_DIAG = 4, NETLINK_XFRM = 6, NETLINK_SELINUX = 7,
        NETLINK_AUDIT = 9, NETLINK_CONNECTOR = 11, NETLINK_NETFILTER = 12, NETLINK_KOBJECT_UEVENT = 15,
        NETLINK_GENERIC = 16, NETLINK_CRYPTO = 21,
    },
    "NETLINK_???",
);
/// `shutdown(2)`
pub static SHUTDOWN: Names = one(words! { SHUT_RD = 0, SHUT_WR = 1, SHUT_RDWR = 2 }, "SHUT_???");
/// `send(2)` and `recv(2)`
pub static MSG: Names = any(
    words! {
        MSG_OOB = 1, MSG_PEEK = 2, MSG_DONTROUTE = 4, MSG_CTRUNC = 8, MSG_PROXY = 0x10, MSG_TRUNC = 0x20,
        MSG_DONTWAIT = 0x40, MSG_EOR = 0x80, MSG_WAITALL = 0x100, MSG_FIN = 0x200, MSG_SYN = 0x400,
        MSG_CONFIRM = 0x800, MSG_RST = 0x1000, MSG_ERRQUEUE = 0x2000, MSG_NOSIGNAL = 0x4000, MSG_MORE = 0x8000,
        MSG_WAITFORONE = 0x1_0000, MSG_ZEROCOPY = 0x400_0000, MSG_FASTOPEN = 0x2000_0000,
        MSG_CMSG_CLOEXEC = 0x4000_0000,
    },
    "MSG_???",
);
/// Levels of socket options.
pub static SOCKET_LEVEL: Names = one(
    words! {
        SOL_IP = 0, SOL_SOCKET = 1, SOL_TCP = 6, SOL_UDP = 17, SOL_IPV6 = 41, SOL_ICMPV6 = 58, SOL_SCTP = 132,
        SOL_RAW = 255, SOL_PACKET = 263, SOL_NETLINK = 270, SOL_ALG = 279, SOL_TLS = 282,
    },
    "SOL_???",
);
/// `socket(7)`
pub static SO: Names = one(
    words! {
        SO_DEBUG = 1, SO_REUSEADDR = 2, SO_TYPE = 3, SO_ERROR = 4, SO_DONTROUTE = 5, SO_BROADCAST = 6, SO_SNDBUF = 7,
        SO_RCVBUF = 8, SO_KEEPALIVE = 9, SO_OOBINLINE = 10, SO_NO_CHECK = 11, SO_PRIORITY = 12, SO_LINGER = 13,
        SO_BSDCOMPAT = 14, SO_REUSEPORT = 15, SO_PASSCRED = 16, SO_PEERCRED = 17, SO_RCVLOWAT = 18, SO_SNDLOWAT = 19,
        SO_RCVTIMEO_OLD = 20, SO_SNDTIMEO_OLD = 21, SO_BINDTODEVICE = 25, SO_ATTACH_FILTER = 26,
        SO_DETACH_FILTER = 27, SO_PEERNAME = 28, SO_TIMESTAMP_OLD = 29, SO_ACCEPTCONN = 30, SO_PEERSEC = 31,
        SO_SNDBUFFORCE = 32, SO_RCVBUFFORCE = 33, SO_PASSSEC = 34, SO_TIMESTAMPNS_OLD = 35, SO_MARK = 36,
        SO_TIMESTAMPING_OLD = 37, SO_PROTOCOL = 38, SO_DOMAIN = 39, SO_RXQ_OVFL = 40, SO_WIFI_STATUS = 41,
        SO_PEEK_OFF = 42, SO_NOFCS = 43, SO_LOCK_FILTER = 44, SO_SELECT_ERR_QUEUE = 45, SO_BUSY_POLL = 46,
        SO_MAX_PACING_RATE = 47, SO_BPF_EXTENSIONS = 48, SO_INCOMING_CPU = 49, SO_ATTACH_BPF = 50,
        SO_ATTACH_REUSEPORT_CBPF = 51, SO_ATTACH_REUSEPORT_EBPF = 52, SO_CNX_ADVICE = 53, SO_MEMINFO = 55,
        SO_INCOMING_NAPI_ID = 56, SO_COOKIE = 57, SO_PEERGROUPS = 59, SO_ZEROCOPY = 60, SO_TXTIME = 61,
        SO_BINDTOIFINDEX = 62, SO_TIMESTAMP_NEW = 63, SO_TIMESTAMPNS_NEW = 64, SO_TIMESTAMPING_NEW = 65,
        SO_RCVTIMEO_NEW = 66, SO_SNDTIMEO_NEW = 67, SO_DETACH_REUSEPORT_BPF = 68, SO_PREFER_BUSY_POLL = 69,
        SO_BUSY_POLL_BUDGET = 70, SO_NETNS_COOKIE = 71, SO_BUF_LOCK = 72, SO_RESERVE_MEM = 73, SO_TXREHASH = 74,
        SO_RCVMARK = 75, SO_PASSPIDFD = 76, SO_PEERPIDFD = 77,
    },
    "SO_???",
);
/// `ip(7)`
pub static IP: Names = one(
    words! {
        IP_TOS = 1, IP_TTL = 2, IP_HDRINCL = 3, IP_OPTIONS = 4, IP_ROUTER_ALERT = 5, IP_RECVOPTS = 6, IP_RETOPTS = 7,
        IP_PKTINFO = 8, IP_MTU_DISCOVER = 10, IP_RECVERR = 11, IP_RECVTTL = 12, IP_RECVTOS = 13, IP_MTU = 14,
        IP_FREEBIND = 15, IP_TRANSPARENT = 19, IP_RECVORIGDSTADDR = 20, IP_MINTTL = 21, IP_NODEFRAG = 22,
        IP_CHECKSUM = 23, IP_BIND_ADDRESS_NO_PORT = 24, IP_RECVFRAGSIZE = 25, IP_RECVERR_RFC4884 = 26,
        IP_MULTICAST_IF = 32, IP_MULTICAST_TTL = 33, IP_MULTICAST_LOOP = 34, IP_ADD_MEMBERSHIP = 35,
        IP_DROP_MEMBERSHIP = 36, IP_UNBLOCK_SOURCE = 37, IP_BLOCK_SOURCE = 38, IP_ADD_SOURCE_MEMBERSHIP = 39,
        IP_DROP_SOURCE_MEMBERSHIP = 40, IP_MSFILTER = 41, IP_MULTICAST_ALL = 49, IP_UNICAST_IF = 50,
        IP_LOCAL_PORT_RANGE = 51, IP_PROTOCOL = 52,
    },
    "IP_???",
);
/// `ipv6(7)`
pub static IPV6: Names = one(
    words! {
        IPV6_ADDRFORM = 1, IPV6_2292PKTINFO = 2, IPV6_CHECKSUM = 7, IPV6_2292HOPLIMIT = 8, IPV6_UNICAST_HOPS = 16,
        IPV6_MULTICAST_IF = 17, IPV6_MULTICAST_HOPS = 18, IPV6_MULTICAST_LOOP = 19, IPV6_ADD_MEMBERSHIP = 20,
        IPV6_DROP_MEMBERSHIP = 21, IPV6_ROUTER_ALERT = 22, IPV6_MTU_DISCOVER = 23, IPV6_MTU = 24, IPV6_RECVERR = 25,
        IPV6_V6ONLY = 26, IPV6_JOIN_ANYCAST = 27, IPV6_LEAVE_ANYCAST = 28, IPV6_MULTICAST_ALL = 29,
        IPV6_RECVPKTINFO = 49, IPV6_PKTINFO = 50, IPV6_RECVHOPLIMIT = 51, IPV6_HOPLIMIT = 52, IPV6_RECVHOPOPTS = 53,
        IPV6_HOPOPTS = 54, IPV6_RECVRTHDR = 56, IPV6_RTHDR = 57, IPV6_RECVDSTOPTS = 58, IPV6_DSTOPTS = 59,
        IPV6_RECVPATHMTU = 60, IPV6_PATHMTU = 61, IPV6_DONTFRAG = 62, IPV6_RECVTCLASS = 66, IPV6_TCLASS = 67,
        IPV6_AUTOFLOWLABEL = 70, IPV6_ADDR_PREFERENCES = 72, IPV6_MINHOPCOUNT = 73, IPV6_ORIGDSTADDR = 74,
        IPV6_TRANSPARENT = 75, IPV6_UNICAST_IF = 76, IPV6_RECVFRAGSIZE = 77, IPV6_FREEBIND = 78,
    },
    "IPV6_???",
);
/// `tcp(7)`
pub static TCP: Names = one(
    words! {
        TCP_NODELAY = 1, TCP_MAXSEG = 2, TCP_CORK = 3, TCP_KEEPIDLE = 4, TCP_KEEPINTVL = 5, TCP_KEEPCNT = 6,
        TCP_SYNCNT = 7, TCP_LINGER2 = 8, TCP_DEFER_ACCEPT = 9, TCP_WINDOW_CLAMP = 10, TCP_INFO = 11,
        TCP_QUICKACK = 12, TCP_CONGESTION = 13, TCP_MD5SIG = 14, TCP_THIN_LINEAR_TIMEOUTS = 16, TCP_THIN_DUPACK = 17,
        TCP_USER_TIMEOUT = 18, TCP_REPAIR = 19, TCP_REPAIR_QUEUE = 20, TCP_QUEUE_SEQ = 21, TCP_REPAIR_OPTIONS = 22,
        TCP_FASTOPEN = 23, TCP_TIMESTAMP = 24, TCP_NOTSENT_LOWAT = 25, TCP_CC_INFO = 26, TCP_SAVE_SYN = 27,
        TCP_SAVED_SYN = 28, TCP_REPAIR_WINDOW = 29, TCP_FASTOPEN_CONNECT = 30, TCP_ULP = 31, TCP_MD5SIG_EXT = 32,
        TCP_FASTOPEN_KEY = 33, TCP_FASTOPEN_NO_COOKIE = 34, TCP_ZEROCOPY_RECEIVE = 35, TCP_INQ = 36,
        TCP_TX_DELAY = 37,
    },
    "TCP_???",
);
/// `udp(7)`
pub static UDP: Names = one(
    words! {
        UDP_CORK = 1, UDP_ENCAP = 100, UDP_NO_CHECK6_TX = 101, UDP_NO_CHECK6_RX = 102, UDP_SEGMENT = 103,
        UDP_GRO = 104,
    },
    "UDP_???",
);
/// Options of netlink sockets.
pub static NETLINK_OPTION: Names = one(
    words! {
        NETLINK_ADD_MEMBERSHIP = 1, NETLINK_DROP_MEMBERSHIP = 2, NETLINK_PKTINFO = 3, NETLINK_BROADCAST_ERROR = 4,
        NETLINK_NO_ENOBUFS = 5, NETLINK_LISTEN_ALL_NSID = 8, NETLINK_LIST_MEMBERSHIPS = 9, NETLINK_CAP_ACK = 10,
        NETLINK_EXT_ACK = 11, NETLINK_GET_STRICT_CHK = 12,
    },
    "NETLINK_???",
);
/// `futex(2)`: the private ones have names of their own.
pub static FUTEX: Names = field(
    0xff,
    words! {
        FUTEX_WAIT = 0, FUTEX_WAKE = 1, FUTEX_FD = 2, FUTEX_REQUEUE = 3, FUTEX_CMP_REQUEUE = 4, FUTEX_WAKE_OP = 5,
        FUTEX_LOCK_PI = 6, FUTEX_UNLOCK_PI = 7, FUTEX_TRYLOCK_PI = 8, FUTEX_WAIT_BITSET = 9, FUTEX_WAKE_BITSET = 10,
        FUTEX_WAIT_REQUEUE_PI = 11, FUTEX_CMP_REQUEUE_PI = 12, FUTEX_LOCK_PI2 = 13, FUTEX_WAIT_PRIVATE = 128,
        FUTEX_WAKE_PRIVATE = 129, FUTEX_REQUEUE_PRIVATE = 131, FUTEX_CMP_REQUEUE_PRIVATE = 132,
        FUTEX_WAKE_OP_PRIVATE = 133, FUTEX_LOCK_PI_PRIVATE = 134, FUTEX_UNLOCK_PI_PRIVATE = 135,
        FUTEX_TRYLOCK_PI_PRIVATE = 136, FUTEX_WAIT_BITSET_PRIVATE = 137, FUTEX_WAKE_BITSET_PRIVATE = 138,
        FUTEX_WAIT_REQUEUE_PI_PRIVATE = 139, FUTEX_CMP_REQUEUE_PI_PRIVATE = 140, FUTEX_LOCK_PI2_PRIVATE = 141,
    },
    words! { FUTEX_CLOCK_REALTIME = 0x100 },
    "FUTEX_???",
);
/// The bit set of `FUTEX_WAIT_BITSET`.
pub static FUTEX_BITSET: Names = Names {
    values: words! { FUTEX_BITSET_MATCH_ANY = 0xffff_ffff },
    mask: u32::MAX,
    flags: &[],
    zero: "0",
    rest: Rest::Hex(""),
};
/// Flags of `futex_wait(2)` and its like.
pub static FUTEX2: Names = field(
    3,
    words! { FUTEX2_SIZE_U8 = 0, FUTEX2_SIZE_U16 = 1, FUTEX2_SIZE_U32 = 2, FUTEX2_SIZE_U64 = 3 },
    words! { FUTEX2_NUMA = 4, FUTEX2_MPOL = 8, FUTEX2_PRIVATE = 128 },
    "FUTEX2_???",
);
/// `clone(2)`, without the signal in the lowest byte.
pub static CLONE: Names = any(
    words! {
        CLONE_VM = 0x100, CLONE_FS = 0x200, CLONE_FILES = 0x400, CLONE_SIGHAND = 0x800, CLONE_PIDFD = 0x1000,
        CLONE_PTRACE = 0x2000, CLONE_VFORK = 0x4000, CLONE_PARENT = 0x8000, CLONE_THREAD = 0x1_0000,
        CLONE_NEWNS = 0x2_0000, CLONE_SYSVSEM = 0x4_0000, CLONE_SETTLS = 0x8_0000, CLONE_PARENT_SETTID = 0x10_0000,
        CLONE_CHILD_CLEARTID = 0x20_0000, CLONE_DETACHED = 0x40_0000, CLONE_UNTRACED = 0x80_0000,
        CLONE_CHILD_SETTID = 0x100_0000, CLONE_NEWTIME = 0x80, CLONE_NEWCGROUP = 0x200_0000,
        CLONE_NEWUTS = 0x400_0000, CLONE_NEWIPC = 0x800_0000, CLONE_NEWUSER = 0x1000_0000, CLONE_NEWPID = 0x2000_0000,
        CLONE_NEWNET = 0x4000_0000, CLONE_IO = 0x8000_0000,
    },
    "CLONE_???",
);
/// `waitpid(2)` and `waitid(2)`
pub static WAIT: Names = any(
    words! {
        WNOHANG = 1, WSTOPPED = 2, WEXITED = 4, WCONTINUED = 8, WNOWAIT = 0x100_0000, __WNOTHREAD = 0x2000_0000,
        __WALL = 0x4000_0000, __WCLONE = 0x8000_0000,
    },
    "W???",
);
/// `waitid(2)`
pub static IDTYPE: Names = one(words! { P_ALL = 0, P_PID = 1, P_PGID = 2, P_PIDFD = 3 }, "P_???");
/// Clocks.
pub static CLOCK: Names = one(
    words! {
        CLOCK_REALTIME = 0, CLOCK_MONOTONIC = 1, CLOCK_PROCESS_CPUTIME_ID = 2, CLOCK_THREAD_CPUTIME_ID = 3,
        CLOCK_MONOTONIC_RAW = 4, CLOCK_REALTIME_COARSE = 5, CLOCK_MONOTONIC_COARSE = 6, CLOCK_BOOTTIME = 7,
        CLOCK_REALTIME_ALARM = 8, CLOCK_BOOTTIME_ALARM = 9, CLOCK_TAI = 11,
    },
    "CLOCK_???",
);
/// Flags of timers.
pub static TIMER: Names = any(words! { TIMER_ABSTIME = 1 }, "TIMER_???");
/// `timerfd_settime(2)`
pub static TFD_TIMER: Names = any(words! { TFD_TIMER_ABSTIME = 1, TFD_TIMER_CANCEL_ON_SET = 2 }, "TFD_???");
/// `timerfd_create(2)`
pub static TFD: Names = any(words! { TFD_NONBLOCK = 0x800, TFD_CLOEXEC = 0x8_0000 }, "TFD_???");
/// `eventfd2(2)`
pub static EFD: Names = any(words! { EFD_SEMAPHORE = 1, EFD_NONBLOCK = 0x800, EFD_CLOEXEC = 0x8_0000 }, "EFD_???");
/// `signalfd4(2)`
pub static SFD: Names = any(words! { SFD_NONBLOCK = 0x800, SFD_CLOEXEC = 0x8_0000 }, "SFD_???");
/// `epoll_create1(2)`
pub static EPOLL: Names = any(words! { EPOLL_CLOEXEC = 0x8_0000 }, "EPOLL_???");
/// `epoll_ctl(2)`
pub static EPOLL_CTL: Names = one(words! { EPOLL_CTL_ADD = 1, EPOLL_CTL_DEL = 2, EPOLL_CTL_MOD = 3 }, "EPOLL_CTL_???");
/// `inotify_init1(2)`
pub static INOTIFY: Names = any(words! { IN_NONBLOCK = 0x800, IN_CLOEXEC = 0x8_0000 }, "IN_???");
/// `inotify_add_watch(2)`
pub static WATCH: Names = any(
    words! {
        IN_ACCESS = 1, IN_MODIFY = 2, IN_ATTRIB = 4, IN_CLOSE_WRITE = 8, IN_CLOSE_NOWRITE = 0x10, IN_OPEN = 0x20,
        IN_MOVED_FROM = 0x40, IN_MOVED_TO = 0x80, IN_CREATE = 0x100, IN_DELETE = 0x200, IN_DELETE_SELF = 0x400,
        IN_MOVE_SELF = 0x800, IN_UNMOUNT = 0x2000, IN_Q_OVERFLOW = 0x4000, IN_IGNORED = 0x8000,
        IN_ONLYDIR = 0x100_0000, IN_DONT_FOLLOW = 0x200_0000, IN_EXCL_UNLINK = 0x400_0000,
        IN_MASK_CREATE = 0x1000_0000, IN_MASK_ADD = 0x2000_0000, IN_ISDIR = 0x4000_0000, IN_ONESHOT = 0x8000_0000,
    },
    "IN_???",
);
/// `getrandom(2)`
pub static RANDOM: Names = any(words! { GRND_NONBLOCK = 1, GRND_RANDOM = 2, GRND_INSECURE = 4 }, "GRND_???");
/// Limits.
pub static RLIMIT: Names = one(
    words! {
        RLIMIT_CPU = 0, RLIMIT_FSIZE = 1, RLIMIT_DATA = 2, RLIMIT_STACK = 3, RLIMIT_CORE = 4, RLIMIT_RSS = 5,
        RLIMIT_NPROC = 6, RLIMIT_NOFILE = 7, RLIMIT_MEMLOCK = 8, RLIMIT_AS = 9, RLIMIT_LOCKS = 10,
        RLIMIT_SIGPENDING = 11, RLIMIT_MSGQUEUE = 12, RLIMIT_NICE = 13, RLIMIT_RTPRIO = 14, RLIMIT_RTTIME = 15,
    },
    "RLIMIT_???",
);
/// `getrusage(2)`
pub static RUSAGE: Names =
    one(words! { RUSAGE_SELF = 0, RUSAGE_CHILDREN = 0xffff_ffff, RUSAGE_THREAD = 1 }, "RUSAGE_???");
/// `setitimer(2)`
pub static ITIMER: Names = one(words! { ITIMER_REAL = 0, ITIMER_VIRTUAL = 1, ITIMER_PROF = 2 }, "ITIMER_???");
/// `getpriority(2)`
pub static PRIO: Names = one(words! { PRIO_PROCESS = 0, PRIO_PGRP = 1, PRIO_USER = 2 }, "PRIO_???");
/// `sched_setscheduler(2)`
pub static SCHED: Names = field(
    0xfff_ffff,
    words! {
        SCHED_OTHER = 0, SCHED_FIFO = 1, SCHED_RR = 2, SCHED_BATCH = 3, SCHED_IDLE = 5, SCHED_DEADLINE = 6,
        SCHED_EXT = 7,
    },
    words! { SCHED_RESET_ON_FORK = 0x4000_0000 },
    "SCHED_???",
);
/// `prctl(2)`
pub static PRCTL: Names = one(
    words! {
        PR_SET_PDEATHSIG = 1, PR_GET_PDEATHSIG = 2, PR_GET_DUMPABLE = 3, PR_SET_DUMPABLE = 4, PR_GET_KEEPCAPS = 7,
        PR_SET_KEEPCAPS = 8, PR_GET_TIMING = 13, PR_SET_TIMING = 14, PR_SET_NAME = 15, PR_GET_NAME = 16,
        PR_GET_SECCOMP = 21, PR_SET_SECCOMP = 22, PR_CAPBSET_READ = 23, PR_CAPBSET_DROP = 24, PR_GET_TSC = 25,
        PR_SET_TSC = 26, PR_GET_SECUREBITS = 27, PR_SET_SECUREBITS = 28, PR_SET_TIMERSLACK = 29,
        PR_GET_TIMERSLACK = 30, PR_TASK_PERF_EVENTS_DISABLE = 31, PR_TASK_PERF_EVENTS_ENABLE = 32, PR_MCE_KILL = 33,
        PR_MCE_KILL_GET = 34, PR_SET_MM = 35, PR_SET_CHILD_SUBREAPER = 36, PR_GET_CHILD_SUBREAPER = 37,
        PR_SET_NO_NEW_PRIVS = 38, PR_GET_NO_NEW_PRIVS = 39, PR_GET_TID_ADDRESS = 40, PR_SET_THP_DISABLE = 41,
        PR_GET_THP_DISABLE = 42, PR_CAP_AMBIENT = 47, PR_GET_SPECULATION_CTRL = 52, PR_SET_SPECULATION_CTRL = 53,
        PR_SET_IO_FLUSHER = 57, PR_GET_IO_FLUSHER = 58, PR_SET_SYSCALL_USER_DISPATCH = 59, PR_SCHED_CORE = 62,
        PR_SET_MDWE = 65, PR_GET_MDWE = 66, PR_SET_MEMORY_MERGE = 67, PR_GET_MEMORY_MERGE = 68,
        PR_GET_AUXV = 0x4155_5856, PR_SET_VMA = 0x5356_4d41, PR_SET_PTRACER = 0x5961_6d61,
    },
    "PR_???",
);
/// `arch_prctl(2)`
pub static ARCH: Names = one(
    words! {
        ARCH_SET_GS = 0x1001, ARCH_SET_FS = 0x1002, ARCH_GET_FS = 0x1003, ARCH_GET_GS = 0x1004,
        ARCH_GET_CPUID = 0x1011, ARCH_SET_CPUID = 0x1012, ARCH_GET_XCOMP_SUPP = 0x1021, ARCH_GET_XCOMP_PERM = 0x1022,
        ARCH_REQ_XCOMP_PERM = 0x1023, ARCH_CET_STATUS = 0x3001, ARCH_SHSTK_ENABLE = 0x5001,
        ARCH_SHSTK_DISABLE = 0x5002, ARCH_SHSTK_STATUS = 0x5005,
    },
    "ARCH_???",
);
/// `seccomp(2)`
pub static SECCOMP: Names = one(
    words! {
        SECCOMP_SET_MODE_STRICT = 0, SECCOMP_SET_MODE_FILTER = 1, SECCOMP_GET_ACTION_AVAIL = 2,
        SECCOMP_GET_NOTIF_SIZES = 3,
    },
    "SECCOMP_???",
);
/// `kcmp(2)`
pub static KCMP: Names = one(
    words! {
        KCMP_FILE = 0, KCMP_VM = 1, KCMP_FILES = 2, KCMP_FS = 3, KCMP_SIGHAND = 4, KCMP_IO = 5, KCMP_SYSVSEM = 6,
        KCMP_EPOLL_TFD = 7,
    },
    "KCMP_???",
);
/// `syslog(2)`
pub static SYSLOG: Names = one(
    words! {
        SYSLOG_ACTION_CLOSE = 0, SYSLOG_ACTION_OPEN = 1, SYSLOG_ACTION_READ = 2, SYSLOG_ACTION_READ_ALL = 3,
        SYSLOG_ACTION_READ_CLEAR = 4, SYSLOG_ACTION_CLEAR = 5, SYSLOG_ACTION_CONSOLE_OFF = 6,
        SYSLOG_ACTION_CONSOLE_ON = 7, SYSLOG_ACTION_CONSOLE_LEVEL = 8, SYSLOG_ACTION_SIZE_UNREAD = 9,
        SYSLOG_ACTION_SIZE_BUFFER = 10,
    },
    "SYSLOG_ACTION_???",
);
/// `ioprio_set(2)`
pub static IOPRIO: Names =
    one(words! { IOPRIO_WHO_PROCESS = 1, IOPRIO_WHO_PGRP = 2, IOPRIO_WHO_USER = 3 }, "IOPRIO_WHO_???");
/// Flags of `msgget(2)` and `semget(2)`.
pub static IPC: Names = octal(0, &[], words! { IPC_CREAT = 0o1000, IPC_EXCL = 0o2000, IPC_NOWAIT = 0o4000 });
/// Flags of `shmget(2)`.
pub static SHM: Names = octal(
    0,
    &[],
    words! {
        IPC_CREAT = 0o1000, IPC_EXCL = 0o2000, SHM_HUGETLB = 0o4000, SHM_NORESERVE = 0o1_0000,
    },
);
/// `shmat(2)`
pub static SHMAT: Names = any(
    words! {
        SHM_RDONLY = 0o1_0000, SHM_RND = 0o2_0000, SHM_REMAP = 0o4_0000, SHM_EXEC = 0o10_0000,
    },
    "SHM_???",
);
/// Flags of `msgsnd(2)` and `msgrcv(2)`.
pub static MSG_FLAGS: Names = any(
    words! {
        IPC_NOWAIT = 0o4000, MSG_NOERROR = 0o1_0000, MSG_EXCEPT = 0o2_0000, MSG_COPY = 0o4_0000,
    },
    "MSG_???",
);
/// `msgctl(2)`, `shmctl(2)`
pub static IPC_CTL: Names = field(
    !0x100,
    words! {
        IPC_RMID = 0, IPC_SET = 1, IPC_STAT = 2, IPC_INFO = 3, SHM_LOCK = 11, SHM_UNLOCK = 12,
    },
    words! { IPC_64 = 0x100 },
    "IPC_???",
);
/// `semctl(2)`
pub static SEM_CTL: Names = field(
    !0x100,
    words! {
        IPC_RMID = 0, IPC_SET = 1, IPC_STAT = 2, IPC_INFO = 3, GETPID = 11, GETVAL = 12, GETALL = 13, GETNCNT = 14,
        GETZCNT = 15, SETVAL = 16, SETALL = 17, SEM_STAT = 18, SEM_INFO = 19, SEM_STAT_ANY = 20,
    },
    words! { IPC_64 = 0x100 },
    "SEM_???",
);
/// `mount(2)`
pub static MOUNT: Names = any(
    words! {
        MS_RDONLY = 1, MS_NOSUID = 2, MS_NODEV = 4, MS_NOEXEC = 8, MS_SYNCHRONOUS = 16, MS_REMOUNT = 32,
        MS_MANDLOCK = 64, MS_DIRSYNC = 128, MS_NOSYMFOLLOW = 256, MS_NOATIME = 1024, MS_NODIRATIME = 2048,
        MS_BIND = 4096, MS_MOVE = 8192, MS_REC = 1 << 14, MS_SILENT = 1 << 15, MS_POSIXACL = 1 << 16,
        MS_UNBINDABLE = 1 << 17, MS_PRIVATE = 1 << 18, MS_SLAVE = 1 << 19, MS_SHARED = 1 << 20, MS_RELATIME = 1 << 21,
        MS_STRICTATIME = 1 << 24, MS_LAZYTIME = 1 << 25,
    },
    "MS_???",
);
/// `umount2(2)`
pub static UMOUNT: Names =
    any(words! { MNT_FORCE = 1, MNT_DETACH = 2, MNT_EXPIRE = 4, UMOUNT_NOFOLLOW = 8 }, "MNT_???");
/// `ptrace(2)`
pub static PTRACE: Names = one(
    words! {
        PTRACE_TRACEME = 0, PTRACE_PEEKTEXT = 1, PTRACE_PEEKDATA = 2, PTRACE_PEEKUSER = 3, PTRACE_POKETEXT = 4,
        PTRACE_POKEDATA = 5, PTRACE_POKEUSER = 6, PTRACE_CONT = 7, PTRACE_KILL = 8, PTRACE_SINGLESTEP = 9,
        PTRACE_GETREGS = 12, PTRACE_SETREGS = 13, PTRACE_ATTACH = 16, PTRACE_DETACH = 17, PTRACE_SYSCALL = 24,
        PTRACE_SETOPTIONS = 0x4200, PTRACE_SEIZE = 0x4206, PTRACE_INTERRUPT = 0x4207, PTRACE_LISTEN = 0x4208,
    },
    "PTRACE_???",
);
/// `personality(2)`
pub static PERSONALITY: Names = field(
    0xff,
    words! { PER_LINUX = 0, PER_BSD = 6, PER_LINUX32 = 8 },
    words! {
        UNAME26 = 0x2_0000, ADDR_NO_RANDOMIZE = 0x4_0000, FDPIC_FUNCPTRS = 0x8_0000, MMAP_PAGE_ZERO = 0x10_0000,
        ADDR_COMPAT_LAYOUT = 0x20_0000, READ_IMPLIES_EXEC = 0x40_0000, ADDR_LIMIT_32BIT = 0x80_0000,
        SHORT_INODE = 0x100_0000, WHOLE_SECONDS = 0x200_0000, STICKY_TIMEOUTS = 0x400_0000,
        ADDR_LIMIT_3GB = 0x800_0000,
    },
    "PER_???",
);
/// `pidfd_open(2)`
pub static PIDFD: Names = any(words! { PIDFD_NONBLOCK = 0x800, PIDFD_THREAD = 0x80 }, "PIDFD_???");
/// Requests of `ioctl(2)`; what has no name is shown by its parts.
pub static IOCTL: Names = one(
    words! {
        TCGETS = 0x5401, TCSETS = 0x5402, TCSETSW = 0x5403, TCSETSF = 0x5404, TCSBRK = 0x5409, TCXONC = 0x540a,
        TCFLSH = 0x540b, TIOCEXCL = 0x540c, TIOCNXCL = 0x540d, TIOCSCTTY = 0x540e, TIOCGPGRP = 0x540f,
        TIOCSPGRP = 0x5410, TIOCOUTQ = 0x5411, TIOCSTI = 0x5412, TIOCGWINSZ = 0x5413, TIOCSWINSZ = 0x5414,
        TIOCMGET = 0x5415, FIONREAD = 0x541b, TIOCCONS = 0x541d, TIOCPKT = 0x5420, FIONBIO = 0x5421,
        TIOCNOTTY = 0x5422, TCSBRKP = 0x5425, TIOCGSID = 0x5429, TCGETS2 = 0x802c_542a, TIOCGPTN = 0x8004_5430,
        TIOCSPTLCK = 0x4004_5431, TIOCGPTPEER = 0x5441, TIOCGEXCL = 0x8004_5440, TIOCGLCKTRMIOS = 0x5456,
        TIOCSLCKTRMIOS = 0x5457, FIONCLEX = 0x5450, FIOCLEX = 0x5451, FIOASYNC = 0x5452,
        FIOQSIZE = 0x5460, FIGETBSZ = 2, FIBMAP = 1, FICLONE = 0x4004_9409, FICLONERANGE = 0x4020_940d,
        FS_IOC_GETFLAGS = 0x8008_6601, FS_IOC_SETFLAGS = 0x4008_6602, FS_IOC_FIEMAP = 0xc020_660b,
        BLKGETSIZE64 = 0x8008_1272, SIOCGIFNAME = 0x8910, SIOCGIFCONF = 0x8912, SIOCGIFFLAGS = 0x8913,
        SIOCSIFFLAGS = 0x8914, SIOCGIFADDR = 0x8915, SIOCSIFADDR = 0x8916, SIOCGIFDSTADDR = 0x8917,
        SIOCGIFBRDADDR = 0x8919, SIOCGIFNETMASK = 0x891b, SIOCGIFMETRIC = 0x891d, SIOCGIFMTU = 0x8921,
        SIOCGIFHWADDR = 0x8927, SIOCGARP = 0x8954, SIOCGIFINDEX = 0x8933, SIOCGIFTXQLEN = 0x8942, SIOCETHTOOL = 0x8946,
        SIOCATMARK = 0x8905, RNDGETENTCNT = 0x8004_5200,
    },
    "",
);
