//! Linux's numbers for sockets, grouped as its headers group them.

/// Address families (`AF_*`).
pub mod af {
    #![allow(missing_docs)]
    pub const UNSPEC: u16 = 0;
    pub const UNIX: u16 = 1;
    pub const INET: u16 = 2;
    pub const INET6: u16 = 10;
    pub const NETLINK: u16 = 16;
}

/// Socket types (`SOCK_*`); the flags CLOEXEC and NONBLOCK are the caller's.
pub mod sock {
    #![allow(missing_docs)]
    pub const STREAM: u32 = 1;
    pub const DGRAM: u32 = 2;
    pub const RAW: u32 = 3;
    pub const SEQPACKET: u32 = 5;
}

/// Protocols (`IPPROTO_*`).
pub mod ipproto {
    #![allow(missing_docs)]
    pub const ICMP: u32 = 1;
    pub const TCP: u32 = 6;
    pub const UDP: u32 = 17;
    pub const IPV6: u32 = 41;
    pub const ICMPV6: u32 = 58;
}

/// Flags of send and receive calls (`MSG_*`).
pub mod msg {
    #![allow(missing_docs)]
    pub const OOB: u32 = 0x1;
    pub const PEEK: u32 = 0x2;
    pub const CTRUNC: u32 = 0x8;
    pub const TRUNC: u32 = 0x20;
    pub const DONTWAIT: u32 = 0x40;
    pub const EOR: u32 = 0x80;
    pub const WAITALL: u32 = 0x100;
    pub const NOSIGNAL: u32 = 0x4000;
    pub const MORE: u32 = 0x8000;
    pub const ERRQUEUE: u32 = 0x2000;
    pub const ZEROCOPY: u32 = 0x400_0000;
    pub const FASTOPEN: u32 = 0x2000_0000;
}

/// Readiness bits (`POLL*`; the `EPOLL*` ones have the same values).
pub mod poll {
    #![allow(missing_docs)]
    pub const IN: u32 = 0x1;
    pub const PRI: u32 = 0x2;
    pub const OUT: u32 = 0x4;
    pub const ERR: u32 = 0x8;
    pub const HUP: u32 = 0x10;
    pub const NVAL: u32 = 0x20;
    pub const RDNORM: u32 = 0x40;
    pub const RDBAND: u32 = 0x80;
    pub const WRNORM: u32 = 0x100;
    pub const WRBAND: u32 = 0x200;
    pub const RDHUP: u32 = 0x2000;
    /// What Linux wakes sleepers with when it does not say why: it matches every interest.
    pub const ANY: u32 = 0xffff_ffff;
    /// Data can be read.
    pub const READ: u32 = IN | RDNORM;
    /// Data can be written.
    pub const WRITE: u32 = OUT | WRNORM;
}

/// Levels of options (`SOL_*`).
pub mod sol {
    #![allow(missing_docs)]
    pub const IP: u32 = 0;
    pub const SOCKET: u32 = 1;
    pub const TCP: u32 = 6;
    pub const UDP: u32 = 17;
    pub const IPV6: u32 = 41;
    pub const ICMPV6: u32 = 58;
    pub const RAW: u32 = 255;
    pub const NETLINK: u32 = 270;
}

/// Socket options of level `SOL_SOCKET`.
pub mod so {
    #![allow(missing_docs)]
    pub const DEBUG: u32 = 1;
    pub const REUSEADDR: u32 = 2;
    pub const TYPE: u32 = 3;
    pub const ERROR: u32 = 4;
    pub const DONTROUTE: u32 = 5;
    pub const BROADCAST: u32 = 6;
    pub const SNDBUF: u32 = 7;
    pub const RCVBUF: u32 = 8;
    pub const KEEPALIVE: u32 = 9;
    pub const OOBINLINE: u32 = 10;
    pub const NO_CHECK: u32 = 11;
    pub const PRIORITY: u32 = 12;
    pub const LINGER: u32 = 13;
    pub const REUSEPORT: u32 = 15;
    pub const PASSCRED: u32 = 16;
    pub const PEERCRED: u32 = 17;
    pub const RCVLOWAT: u32 = 18;
    pub const SNDLOWAT: u32 = 19;
    pub const RCVTIMEO: u32 = 20;
    pub const SNDTIMEO: u32 = 21;
    pub const BINDTODEVICE: u32 = 25;
    pub const ATTACH_FILTER: u32 = 26;
    pub const DETACH_FILTER: u32 = 27;
    pub const TIMESTAMP: u32 = 29;
    pub const ACCEPTCONN: u32 = 30;
    pub const PEERNAME: u32 = 28;
    pub const PEERSEC: u32 = 31;
    pub const SNDBUFFORCE: u32 = 32;
    pub const RCVBUFFORCE: u32 = 33;
    pub const PASSSEC: u32 = 34;
    pub const TIMESTAMPNS: u32 = 35;
    pub const MARK: u32 = 36;
    pub const TIMESTAMPING: u32 = 37;
    pub const PROTOCOL: u32 = 38;
    pub const DOMAIN: u32 = 39;
    pub const RXQ_OVFL: u32 = 40;
    pub const WIFI_STATUS: u32 = 41;
    pub const PEEK_OFF: u32 = 42;
    pub const NOFCS: u32 = 43;
    pub const LOCK_FILTER: u32 = 44;
    pub const SELECT_ERR_QUEUE: u32 = 45;
    pub const BUSY_POLL: u32 = 46;
    pub const MAX_PACING_RATE: u32 = 47;
    pub const BPF_EXTENSIONS: u32 = 48;
    pub const INCOMING_CPU: u32 = 49;
    pub const MEMINFO: u32 = 55;
    pub const INCOMING_NAPI_ID: u32 = 56;
    pub const COOKIE: u32 = 57;
    pub const PEERGROUPS: u32 = 59;
    pub const ZEROCOPY: u32 = 60;
    pub const BINDTOIFINDEX: u32 = 62;
    pub const TIMESTAMP_NEW: u32 = 63;
    pub const TIMESTAMPNS_NEW: u32 = 64;
    pub const TIMESTAMPING_NEW: u32 = 65;
    pub const RCVTIMEO_NEW: u32 = 66;
    pub const SNDTIMEO_NEW: u32 = 67;
    pub const PREFER_BUSY_POLL: u32 = 69;
    pub const BUSY_POLL_BUDGET: u32 = 70;
    pub const NETNS_COOKIE: u32 = 71;
    pub const BUF_LOCK: u32 = 72;
    pub const RESERVE_MEM: u32 = 73;
    pub const TXREHASH: u32 = 74;
    pub const RCVMARK: u32 = 75;
    pub const PASSPIDFD: u32 = 76;
    pub const PEERPIDFD: u32 = 77;
}

/// Socket options of level `SOL_IP`.
pub mod ip {
    #![allow(missing_docs)]
    pub const TOS: u32 = 1;
    pub const TTL: u32 = 2;
    pub const HDRINCL: u32 = 3;
    pub const OPTIONS: u32 = 4;
    pub const RECVOPTS: u32 = 6;
    pub const RETOPTS: u32 = 7;
    pub const PKTINFO: u32 = 8;
    pub const PKTOPTIONS: u32 = 9;
    pub const MTU_DISCOVER: u32 = 10;
    pub const RECVERR: u32 = 11;
    pub const RECVTTL: u32 = 12;
    pub const RECVTOS: u32 = 13;
    pub const MTU: u32 = 14;
    pub const FREEBIND: u32 = 15;
    pub const PASSSEC: u32 = 18;
    pub const TRANSPARENT: u32 = 19;
    pub const RECVORIGDSTADDR: u32 = 20;
    pub const MINTTL: u32 = 21;
    pub const NODEFRAG: u32 = 22;
    pub const CHECKSUM: u32 = 23;
    pub const BIND_ADDRESS_NO_PORT: u32 = 24;
    pub const RECVFRAGSIZE: u32 = 25;
    pub const RECVERR_RFC4884: u32 = 26;
    pub const MULTICAST_IF: u32 = 32;
    pub const MULTICAST_TTL: u32 = 33;
    pub const MULTICAST_LOOP: u32 = 34;
    pub const ADD_MEMBERSHIP: u32 = 35;
    pub const DROP_MEMBERSHIP: u32 = 36;
    pub const UNBLOCK_SOURCE: u32 = 37;
    pub const BLOCK_SOURCE: u32 = 38;
    pub const ADD_SOURCE_MEMBERSHIP: u32 = 39;
    pub const DROP_SOURCE_MEMBERSHIP: u32 = 40;
    pub const MCAST_JOIN_GROUP: u32 = 42;
    pub const MCAST_BLOCK_SOURCE: u32 = 43;
    pub const MCAST_UNBLOCK_SOURCE: u32 = 44;
    pub const MCAST_LEAVE_GROUP: u32 = 45;
    pub const MCAST_JOIN_SOURCE_GROUP: u32 = 46;
    pub const MCAST_LEAVE_SOURCE_GROUP: u32 = 47;
    pub const MULTICAST_ALL: u32 = 49;
    pub const UNICAST_IF: u32 = 50;
    pub const LOCAL_PORT_RANGE: u32 = 51;
    pub const PROTOCOL: u32 = 52;
}

/// Socket options of level `SOL_IPV6`.
pub mod ip6 {
    #![allow(missing_docs)]
    pub const UNICAST_HOPS: u32 = 16;
    pub const MULTICAST_IF: u32 = 17;
    pub const MULTICAST_HOPS: u32 = 18;
    pub const MULTICAST_LOOP: u32 = 19;
    pub const ADD_MEMBERSHIP: u32 = 20;
    pub const DROP_MEMBERSHIP: u32 = 21;
    pub const MTU_DISCOVER: u32 = 23;
    pub const MTU: u32 = 24;
    pub const RECVERR: u32 = 25;
    pub const V6ONLY: u32 = 26;
    pub const JOIN_ANYCAST: u32 = 27;
    pub const LEAVE_ANYCAST: u32 = 28;
    pub const MULTICAST_ALL: u32 = 29;
    pub const RECVERR_RFC4884: u32 = 31;
    pub const FLOWLABEL_MGR: u32 = 32;
    pub const FLOWINFO_SEND: u32 = 33;
    pub const RECVPKTINFO: u32 = 49;
    pub const PKTINFO: u32 = 50;
    pub const RECVHOPLIMIT: u32 = 51;
    pub const HOPLIMIT: u32 = 52;
    pub const RECVHOPOPTS: u32 = 53;
    pub const RECVRTHDR: u32 = 56;
    pub const RECVDSTOPTS: u32 = 58;
    pub const RECVPATHMTU: u32 = 60;
    pub const PATHMTU: u32 = 61;
    pub const DONTFRAG: u32 = 62;
    pub const RECVTCLASS: u32 = 66;
    pub const TCLASS: u32 = 67;
    pub const AUTOFLOWLABEL: u32 = 70;
    pub const ADDR_PREFERENCES: u32 = 72;
    pub const MINHOPCOUNT: u32 = 73;
    pub const RECVORIGDSTADDR: u32 = 74;
    pub const UNICAST_IF: u32 = 76;
    pub const RECVFRAGSIZE: u32 = 77;
    pub const PKTINFO_2292: u32 = 2;
    pub const HOPLIMIT_2292: u32 = 8;
    pub const CHECKSUM: u32 = 7;
    pub const FLOWINFO: u32 = 11;
    pub const FREEBIND: u32 = 78;
    pub const TRANSPARENT: u32 = 75;
}

/// Socket options of level `SOL_TCP`.
pub mod tcp {
    #![allow(missing_docs)]
    pub const NODELAY: u32 = 1;
    pub const MAXSEG: u32 = 2;
    pub const CORK: u32 = 3;
    pub const KEEPIDLE: u32 = 4;
    pub const KEEPINTVL: u32 = 5;
    pub const KEEPCNT: u32 = 6;
    pub const SYNCNT: u32 = 7;
    pub const LINGER2: u32 = 8;
    pub const DEFER_ACCEPT: u32 = 9;
    pub const WINDOW_CLAMP: u32 = 10;
    pub const INFO: u32 = 11;
    pub const QUICKACK: u32 = 12;
    pub const CONGESTION: u32 = 13;
    pub const THIN_LINEAR_TIMEOUTS: u32 = 16;
    pub const USER_TIMEOUT: u32 = 18;
    pub const FASTOPEN: u32 = 23;
    pub const TIMESTAMP: u32 = 24;
    pub const NOTSENT_LOWAT: u32 = 25;
    pub const SAVE_SYN: u32 = 27;
    pub const FASTOPEN_CONNECT: u32 = 30;
    pub const ULP: u32 = 31;
    pub const INQ: u32 = 36;
}

/// Socket options of the levels `SOL_RAW` and `SOL_ICMPV6`.
pub mod icmp {
    #![allow(missing_docs)]
    pub const FILTER: u32 = 1;
}

/// Socket options of level `SOL_UDP`.
pub mod udp {
    #![allow(missing_docs)]
    pub const CORK: u32 = 1;
    pub const SEGMENT: u32 = 103;
    pub const GRO: u32 = 104;
}

/// Socket options of level `SOL_NETLINK`.
pub mod netlink {
    #![allow(missing_docs)]
    pub const ADD_MEMBERSHIP: u32 = 1;
    pub const DROP_MEMBERSHIP: u32 = 2;
    pub const PKTINFO: u32 = 3;
    pub const BROADCAST_ERROR: u32 = 4;
    pub const NO_ENOBUFS: u32 = 5;
    pub const LIST_MEMBERSHIPS: u32 = 9;
    pub const CAP_ACK: u32 = 10;
    pub const EXT_ACK: u32 = 11;
    pub const GET_STRICT_CHK: u32 = 12;
}

/// Types of control messages of level `SOL_SOCKET`.
pub mod scm {
    #![allow(missing_docs)]
    pub const RIGHTS: u32 = 1;
    pub const CREDENTIALS: u32 = 2;
    pub const PIDFD: u32 = 4;
}

/// `struct sock_extended_err`: where a report in an error queue comes from (`SO_EE_ORIGIN_*`).
pub mod origin {
    #![allow(missing_docs)]
    pub const LOCAL: u8 = 1;
    pub const ICMP: u8 = 2;
    pub const ICMP6: u8 = 3;
    pub const TIMESTAMPING: u8 = 4;
    pub const ZEROCOPY: u8 = 5;
}

/// Flags of SO_TIMESTAMPING (`SOF_TIMESTAMPING_*`).
pub mod timestamping {
    #![allow(missing_docs)]
    pub const TX_SOFTWARE: u32 = 0x2;
    pub const RX_SOFTWARE: u32 = 0x8;
    pub const SOFTWARE: u32 = 0x10;
    pub const OPT_ID: u32 = 0x80;
    pub const TX_SCHED: u32 = 0x100;
    pub const OPT_CMSG: u32 = 0x400;
    pub const OPT_TSONLY: u32 = 0x800;
    /// All that Linux 6.1 knows.
    pub const ALL: u32 = 0x1_ffff;
}
