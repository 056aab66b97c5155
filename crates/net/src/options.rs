//! Options: one table of all that are known, from which `setsockopt` and `getsockopt` follow.

use crate::addr::{Addr, Family};
use crate::call::{Control, Cred, SocketId};
use crate::entry::{Entry, Phase, Protocol, SocketType};
use crate::linux::{icmp, ip, ip6, msg, netlink, so, sol, tcp, timestamping, udp};
use crate::multicast::{Change, change_of};
use crate::table::SocketTable;
use crate::tcp::{Algorithm, TcpState};
use alloc::format;
use alloc::rc::Rc;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::{Display, Write};
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use snowglobe_abi::Errno;

/// Default and largest buffer sizes, in bytes as `getsockopt` tells them.
const BUFFER_DEFAULT: i32 = 212_992;
const BUFFER_MAX: i32 = 212_992;
const TCP_SEND_DEFAULT: i32 = 16_384;
const TCP_RECEIVE_DEFAULT: i32 = 131_072;
const SEND_MIN: i32 = 4608;
const RECEIVE_MIN: i32 = 2304;

/// Options that are on or off.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
#[allow(missing_docs)]
pub enum Flag {
    Debug,
    ReuseAddr,
    ReusePort,
    DontRoute,
    Broadcast,
    KeepAlive,
    OobInline,
    NoCheck,
    PassCred,
    PassSec,
    Timestamp,
    TimestampNs,
    RxqOvfl,
    ZeroCopy,
    FreeBind,
    Transparent,
    HeaderIncluded,
    RecvOpts,
    RetOpts,
    PktInfo,
    PktInfo6,
    RecvErr,
    RecvErr6,
    RecvTtl,
    RecvTos,
    RecvHopLimit,
    RecvTclass,
    RecvOrigDst,
    NoPort,
    MulticastLoop,
    MulticastLoop6,
    MulticastAll,
    MulticastAll6,
    V6Only,
    AutoFlowLabel,
    NoDelay,
    Cork,
    QuickAck,
    FastOpenConnect,
    SaveSyn,
    ThinLinear,
    Inq,
    UdpCork,
    UdpGro,
    SelectErrQueue,
    PassPidfd,
    RecvMark,
    WifiStatus,
    NoFcs,
    PreferBusyPoll,
    IpPassSec,
    NoDefrag,
    RecvChecksum,
    RecvFragSize,
    RecvErrDetail,
    RecvErrDetail6,
    RecvHopOptions,
    RecvRoutingHeader,
    RecvDestinationOptions,
    RecvFlowInfo,
    FlowInfoSend,
    RecvPathMtu,
    DontFragment,
    RecvOrigDst6,
    RecvFragSize6,
    NetlinkPktInfo,
    BroadcastError,
    NoBufferError,
    CapAck,
    ExtAck,
    StrictCheck,
    OldPktInfo6,
    OldHopLimit,
}

/// Options with a number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
#[allow(missing_docs)]
pub enum Int {
    SendBuffer,
    ReceiveBuffer,
    ReceiveLowWater,
    Priority,
    Mark,
    BusyPoll,
    IncomingCpu,
    Ttl,
    Tos,
    MtuDiscover,
    MinTtl,
    MulticastTtl,
    HopLimit,
    TrafficClass,
    MulticastHops,
    MulticastIf6,
    MtuDiscover6,
    AddrPreferences,
    MinHopCount,
    MaxSegment,
    KeepIdle,
    KeepInterval,
    KeepCount,
    SynCount,
    Linger2,
    DeferAccept,
    WindowClamp,
    UserTimeout,
    FastOpen,
    NotSentLowWater,
    UdpSegment,
    Timestamping,
    PeekOffset,
    PacingRate,
    BusyPollBudget,
    ReserveMemory,
    TxRehash,
    UnicastIf,
    UnicastIf6,
    RawChecksum,
    Count,
}

/// The options of one socket.
#[derive(Clone, Debug)]
pub struct Options {
    flags: u128,
    ints: [i32; Int::Count as usize],
    /// SO_LINGER: seconds, when it is on.
    pub linger: Option<u32>,
    /// SO_RCVTIMEO in nanoseconds; 0 is none.
    pub receive_timeout: u64,
    /// SO_SNDTIMEO in nanoseconds; 0 is none.
    pub send_timeout: u64,
    /// SO_BINDTODEVICE: interface index; 0 is any.
    pub device: u32,
    /// IP_MULTICAST_IF: interface index; 0 is any.
    pub multicast_interface: u32,
    /// IP_OPTIONS as they were set.
    ip_options: Vec<u8>,
    /// TCP_CONGESTION: index into the known names.
    congestion: u8,
    /// Whether the program has fixed the buffer sizes: 1 send, 2 receive.
    locked: u8,
}

/// Names of congestion control that a program may choose.
const CONGESTION: [&str; 2] = ["cubic", "reno"];

impl Options {
    pub(crate) fn new(protocol: Protocol) -> Options {
        let mut options = Options {
            flags: 0,
            ints: [0; Int::Count as usize],
            linger: None,
            receive_timeout: 0,
            send_timeout: 0,
            device: 0,
            multicast_interface: 0,
            ip_options: Vec::new(),
            congestion: 0,
            locked: 0,
        };
        for row in OPTIONS {
            match row.value {
                Value::Int { int, default, .. } => options.ints[int as usize] = default,
                Value::Flag(flag, true) => options.set_flag(flag, true),
                _ => {}
            }
        }
        let (send, receive) = match protocol {
            Protocol::Tcp => (TCP_SEND_DEFAULT, TCP_RECEIVE_DEFAULT),
            _ => (BUFFER_DEFAULT, BUFFER_DEFAULT),
        };
        options.ints[Int::SendBuffer as usize] = send;
        options.ints[Int::ReceiveBuffer as usize] = receive;
        options
    }

    /// Whether an on-off option is on.
    #[inline]
    pub fn flag(&self, flag: Flag) -> bool {
        self.flags >> (flag as u8) & 1 != 0
    }

    /// The number of an option.
    #[inline]
    pub fn int(&self, int: Int) -> i32 {
        self.ints[int as usize]
    }

    fn set_flag(&mut self, flag: Flag, on: bool) {
        self.flags = self.flags & !(1 << flag as u8) | u128::from(on) << flag as u8;
    }

    /// TCP_CONGESTION.
    pub(crate) fn congestion_name(&self) -> &'static str {
        CONGESTION[usize::from(self.congestion)]
    }

    /// TCP_CONGESTION.
    pub(crate) fn algorithm(&self) -> Algorithm {
        if self.congestion == 1 { Algorithm::Reno } else { Algorithm::Cubic }
    }

    /// Whether the program has fixed its send buffer's size.
    pub(crate) fn send_locked(&self) -> bool {
        self.locked & 1 != 0
    }

    /// Whether the program has fixed its receive buffer's size.
    pub(crate) fn receive_locked(&self) -> bool {
        self.locked & 2 != 0
    }
}

/// Of which sockets an option is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum On {
    All,
    Inet,
    Inet6,
    Tcp,
    Udp,
    Netlink,
    /// Raw sockets of either IP family.
    Raw,
    /// Raw sockets of ICMP.
    Icmp,
}

/// How an option's value is kept and given.
#[derive(Clone, Copy, Debug)]
enum Value {
    /// On or off, and which at the beginning.
    Flag(Flag, bool),
    /// A number within a range; outside of it EINVAL.
    Int { int: Int, default: i32, min: i32, max: i32 },
    /// Something with code of its own.
    Own(Own),
    /// Taken and forgotten; reads back as this number.
    Ignored(i32),
}

/// Options with code of their own.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Own {
    Type,
    Error,
    SendBuffer,
    ReceiveBuffer,
    SendLowWater,
    Linger,
    PeerCred,
    PeerGroups,
    ReceiveTimeout,
    SendTimeout,
    BindToDevice,
    BindToIndex,
    AcceptConn,
    Protocol,
    Domain,
    Cookie,
    Mtu,
    /// IP_OPTIONS: kept, but no packet carries them.
    IpOptions,
    /// IP_PKTOPTIONS.
    PacketOptions,
    MulticastIf,
    /// Multicast groups by the older structures.
    Group(Change),
    /// Multicast groups by those of RFC 3678.
    GroupRequest,
    Mtu6,
    PathMtu,
    IcmpFilter,
    Memory,
    BufferLock,
    PeerName,
    Memberships,
    /// Groups of netlink messages.
    NetlinkGroup {
        join: bool,
    },
    /// A number that does not change.
    Constant(i32),
    /// A number of eight bytes that does not change.
    ConstantLong(u64),
    TcpInfo,
    Congestion,
    /// Refused, as by a Linux that is older than the option.
    Refused,
}

/// One option.
struct Row {
    level: u32,
    name: u32,
    text: &'static str,
    on: On,
    value: Value,
}

const fn flag(level: u32, name: u32, text: &'static str, on: On, flag: Flag, default: bool) -> Row {
    Row { level, name, text, on, value: Value::Flag(flag, default) }
}

const fn int(level: u32, name: u32, text: &'static str, on: On, int: Int, default: i32, range: (i32, i32)) -> Row {
    let (min, max) = range;
    Row { level, name, text, on, value: Value::Int { int, default, min, max } }
}

const fn own(level: u32, name: u32, text: &'static str, on: On, own: Own) -> Row {
    Row { level, name, text, on, value: Value::Own(own) }
}

const fn ignored(level: u32, name: u32, text: &'static str, on: On, reads: i32) -> Row {
    Row { level, name, text, on, value: Value::Ignored(reads) }
}

const ANY: i32 = i32::MIN;
const MAX: i32 = i32::MAX;

/// Every option that is known.
#[rustfmt::skip]
static OPTIONS: &[Row] = &[
    flag(sol::SOCKET, so::DEBUG, "SO_DEBUG", On::All, Flag::Debug, false),
    flag(sol::SOCKET, so::REUSEADDR, "SO_REUSEADDR", On::All, Flag::ReuseAddr, false),
    own(sol::SOCKET, so::TYPE, "SO_TYPE", On::All, Own::Type),
    own(sol::SOCKET, so::ERROR, "SO_ERROR", On::All, Own::Error),
    flag(sol::SOCKET, so::DONTROUTE, "SO_DONTROUTE", On::All, Flag::DontRoute, false),
    flag(sol::SOCKET, so::BROADCAST, "SO_BROADCAST", On::All, Flag::Broadcast, false),
    own(sol::SOCKET, so::SNDBUF, "SO_SNDBUF", On::All, Own::SendBuffer),
    own(sol::SOCKET, so::RCVBUF, "SO_RCVBUF", On::All, Own::ReceiveBuffer),
    own(sol::SOCKET, so::SNDBUFFORCE, "SO_SNDBUFFORCE", On::All, Own::SendBuffer),
    own(sol::SOCKET, so::RCVBUFFORCE, "SO_RCVBUFFORCE", On::All, Own::ReceiveBuffer),
    flag(sol::SOCKET, so::KEEPALIVE, "SO_KEEPALIVE", On::All, Flag::KeepAlive, false),
    flag(sol::SOCKET, so::OOBINLINE, "SO_OOBINLINE", On::All, Flag::OobInline, false),
    flag(sol::SOCKET, so::NO_CHECK, "SO_NO_CHECK", On::All, Flag::NoCheck, false),
    int(sol::SOCKET, so::PRIORITY, "SO_PRIORITY", On::All, Int::Priority, 0, (0, MAX)),
    own(sol::SOCKET, so::LINGER, "SO_LINGER", On::All, Own::Linger),
    flag(sol::SOCKET, so::REUSEPORT, "SO_REUSEPORT", On::All, Flag::ReusePort, false),
    flag(sol::SOCKET, so::PASSCRED, "SO_PASSCRED", On::All, Flag::PassCred, false),
    own(sol::SOCKET, so::PEERCRED, "SO_PEERCRED", On::All, Own::PeerCred),
    own(sol::SOCKET, so::PEERGROUPS, "SO_PEERGROUPS", On::All, Own::PeerGroups),
    int(sol::SOCKET, so::RCVLOWAT, "SO_RCVLOWAT", On::All, Int::ReceiveLowWater, 1, (ANY, MAX)),
    own(sol::SOCKET, so::SNDLOWAT, "SO_SNDLOWAT", On::All, Own::SendLowWater),
    own(sol::SOCKET, so::RCVTIMEO, "SO_RCVTIMEO", On::All, Own::ReceiveTimeout),
    own(sol::SOCKET, so::SNDTIMEO, "SO_SNDTIMEO", On::All, Own::SendTimeout),
    own(sol::SOCKET, so::RCVTIMEO_NEW, "SO_RCVTIMEO_NEW", On::All, Own::ReceiveTimeout),
    own(sol::SOCKET, so::SNDTIMEO_NEW, "SO_SNDTIMEO_NEW", On::All, Own::SendTimeout),
    own(sol::SOCKET, so::BINDTODEVICE, "SO_BINDTODEVICE", On::All, Own::BindToDevice),
    own(sol::SOCKET, so::BINDTOIFINDEX, "SO_BINDTOIFINDEX", On::All, Own::BindToIndex),
    flag(sol::SOCKET, so::TIMESTAMP, "SO_TIMESTAMP", On::All, Flag::Timestamp, false),
    flag(sol::SOCKET, so::TIMESTAMPNS, "SO_TIMESTAMPNS", On::All, Flag::TimestampNs, false),
    own(sol::SOCKET, so::ACCEPTCONN, "SO_ACCEPTCONN", On::All, Own::AcceptConn),
    flag(sol::SOCKET, so::PASSSEC, "SO_PASSSEC", On::All, Flag::PassSec, false),
    int(sol::SOCKET, so::MARK, "SO_MARK", On::All, Int::Mark, 0, (ANY, MAX)),
    own(sol::SOCKET, so::PROTOCOL, "SO_PROTOCOL", On::All, Own::Protocol),
    own(sol::SOCKET, so::DOMAIN, "SO_DOMAIN", On::All, Own::Domain),
    own(sol::SOCKET, so::COOKIE, "SO_COOKIE", On::All, Own::Cookie),
    flag(sol::SOCKET, so::RXQ_OVFL, "SO_RXQ_OVFL", On::All, Flag::RxqOvfl, false),
    int(sol::SOCKET, so::BUSY_POLL, "SO_BUSY_POLL", On::All, Int::BusyPoll, 0, (0, MAX)),
    int(sol::SOCKET, so::INCOMING_CPU, "SO_INCOMING_CPU", On::All, Int::IncomingCpu, -1, (ANY, MAX)),
    flag(sol::SOCKET, so::ZEROCOPY, "SO_ZEROCOPY", On::All, Flag::ZeroCopy, false),
    int(sol::SOCKET, so::TIMESTAMPING, "SO_TIMESTAMPING", On::All, Int::Timestamping, 0, (0, timestamping::ALL as i32)),
    int(sol::SOCKET, so::PEEK_OFF, "SO_PEEK_OFF", On::All, Int::PeekOffset, -1, (ANY, MAX)),
    flag(sol::SOCKET, so::SELECT_ERR_QUEUE, "SO_SELECT_ERR_QUEUE", On::All, Flag::SelectErrQueue, false),
    flag(sol::SOCKET, so::WIFI_STATUS, "SO_WIFI_STATUS", On::All, Flag::WifiStatus, false),
    flag(sol::SOCKET, so::NOFCS, "SO_NOFCS", On::All, Flag::NoFcs, false),
    int(sol::SOCKET, so::MAX_PACING_RATE, "SO_MAX_PACING_RATE", On::All, Int::PacingRate, -1, (ANY, MAX)),
    own(sol::SOCKET, so::BPF_EXTENSIONS, "SO_BPF_EXTENSIONS", On::All, Own::Constant(64)),
    own(sol::SOCKET, so::MEMINFO, "SO_MEMINFO", On::All, Own::Memory),
    own(sol::SOCKET, so::INCOMING_NAPI_ID, "SO_INCOMING_NAPI_ID", On::All, Own::Constant(0)),
    flag(sol::SOCKET, so::PREFER_BUSY_POLL, "SO_PREFER_BUSY_POLL", On::All, Flag::PreferBusyPoll, false),
    int(sol::SOCKET, so::BUSY_POLL_BUDGET, "SO_BUSY_POLL_BUDGET", On::All, Int::BusyPollBudget, 8, (0, 65535)),
    own(sol::SOCKET, so::NETNS_COOKIE, "SO_NETNS_COOKIE", On::All, Own::ConstantLong(1)),
    own(sol::SOCKET, so::BUF_LOCK, "SO_BUF_LOCK", On::All, Own::BufferLock),
    int(sol::SOCKET, so::RESERVE_MEM, "SO_RESERVE_MEM", On::All, Int::ReserveMemory, 0, (0, MAX)),
    int(sol::SOCKET, so::TXREHASH, "SO_TXREHASH", On::All, Int::TxRehash, 1, (-1, 1)),
    flag(sol::SOCKET, so::RCVMARK, "SO_RCVMARK", On::All, Flag::RecvMark, false),
    flag(sol::SOCKET, so::PASSPIDFD, "SO_PASSPIDFD", On::All, Flag::PassPidfd, false),
    own(sol::SOCKET, so::PEERNAME, "SO_PEERNAME", On::All, Own::PeerName),
    // No security module labels anything.
    own(sol::SOCKET, so::PEERSEC, "SO_PEERSEC", On::All, Own::Refused),

    int(sol::IP, ip::TOS, "IP_TOS", On::Inet, Int::Tos, 0, (ANY, MAX)),
    int(sol::IP, ip::TTL, "IP_TTL", On::Inet, Int::Ttl, 64, (-1, 255)),
    flag(sol::IP, ip::HDRINCL, "IP_HDRINCL", On::Raw, Flag::HeaderIncluded, false),
    flag(sol::IP, ip::RECVOPTS, "IP_RECVOPTS", On::Inet, Flag::RecvOpts, false),
    flag(sol::IP, ip::RETOPTS, "IP_RETOPTS", On::Inet, Flag::RetOpts, false),
    flag(sol::IP, ip::PKTINFO, "IP_PKTINFO", On::Inet, Flag::PktInfo, false),
    int(sol::IP, ip::MTU_DISCOVER, "IP_MTU_DISCOVER", On::Inet, Int::MtuDiscover, 1, (0, 5)),
    flag(sol::IP, ip::RECVERR, "IP_RECVERR", On::Inet, Flag::RecvErr, false),
    flag(sol::IP, ip::RECVTTL, "IP_RECVTTL", On::Inet, Flag::RecvTtl, false),
    flag(sol::IP, ip::RECVTOS, "IP_RECVTOS", On::Inet, Flag::RecvTos, false),
    own(sol::IP, ip::MTU, "IP_MTU", On::Inet, Own::Mtu),
    flag(sol::IP, ip::FREEBIND, "IP_FREEBIND", On::Inet, Flag::FreeBind, false),
    flag(sol::IP, ip::TRANSPARENT, "IP_TRANSPARENT", On::Inet, Flag::Transparent, false),
    flag(sol::IP, ip::RECVORIGDSTADDR, "IP_RECVORIGDSTADDR", On::Inet, Flag::RecvOrigDst, false),
    int(sol::IP, ip::MINTTL, "IP_MINTTL", On::Inet, Int::MinTtl, 0, (0, 255)),
    flag(sol::IP, ip::BIND_ADDRESS_NO_PORT, "IP_BIND_ADDRESS_NO_PORT", On::Inet, Flag::NoPort, false),
    own(sol::IP, ip::MULTICAST_IF, "IP_MULTICAST_IF", On::Inet, Own::MulticastIf),
    int(sol::IP, ip::MULTICAST_TTL, "IP_MULTICAST_TTL", On::Inet, Int::MulticastTtl, 1, (-1, 255)),
    flag(sol::IP, ip::MULTICAST_LOOP, "IP_MULTICAST_LOOP", On::Inet, Flag::MulticastLoop, true),
    flag(sol::IP, ip::MULTICAST_ALL, "IP_MULTICAST_ALL", On::Inet, Flag::MulticastAll, true),
    own(sol::IP, ip::ADD_MEMBERSHIP, "IP_ADD_MEMBERSHIP", On::Inet, Own::Group(Change::Join)),
    own(sol::IP, ip::DROP_MEMBERSHIP, "IP_DROP_MEMBERSHIP", On::Inet, Own::Group(Change::Leave)),
    own(sol::IP, ip::ADD_SOURCE_MEMBERSHIP, "IP_ADD_SOURCE_MEMBERSHIP", On::Inet, Own::Group(Change::JoinSource)),
    own(sol::IP, ip::DROP_SOURCE_MEMBERSHIP, "IP_DROP_SOURCE_MEMBERSHIP", On::Inet, Own::Group(Change::LeaveSource)),
    own(sol::IP, ip::BLOCK_SOURCE, "IP_BLOCK_SOURCE", On::Inet, Own::Group(Change::Block)),
    own(sol::IP, ip::UNBLOCK_SOURCE, "IP_UNBLOCK_SOURCE", On::Inet, Own::Group(Change::Unblock)),
    own(sol::IP, ip::MCAST_JOIN_GROUP, "MCAST_JOIN_GROUP", On::Inet, Own::GroupRequest),
    own(sol::IP, ip::MCAST_LEAVE_GROUP, "MCAST_LEAVE_GROUP", On::Inet, Own::GroupRequest),
    own(sol::IP, ip::MCAST_BLOCK_SOURCE, "MCAST_BLOCK_SOURCE", On::Inet, Own::GroupRequest),
    own(sol::IP, ip::MCAST_UNBLOCK_SOURCE, "MCAST_UNBLOCK_SOURCE", On::Inet, Own::GroupRequest),
    own(sol::IP, ip::MCAST_JOIN_SOURCE_GROUP, "MCAST_JOIN_SOURCE_GROUP", On::Inet, Own::GroupRequest),
    own(sol::IP, ip::MCAST_LEAVE_SOURCE_GROUP, "MCAST_LEAVE_SOURCE_GROUP", On::Inet, Own::GroupRequest),
    int(sol::IP, ip::UNICAST_IF, "IP_UNICAST_IF", On::Inet, Int::UnicastIf, 0, (ANY, MAX)),
    flag(sol::IP, ip::PASSSEC, "IP_PASSSEC", On::Inet, Flag::IpPassSec, false),
    flag(sol::IP, ip::NODEFRAG, "IP_NODEFRAG", On::Raw, Flag::NoDefrag, false),
    flag(sol::IP, ip::CHECKSUM, "IP_CHECKSUM", On::Inet, Flag::RecvChecksum, false),
    flag(sol::IP, ip::RECVFRAGSIZE, "IP_RECVFRAGSIZE", On::Inet, Flag::RecvFragSize, false),
    flag(sol::IP, ip::RECVERR_RFC4884, "IP_RECVERR_RFC4884", On::Inet, Flag::RecvErrDetail, false),
    own(sol::IP, ip::PROTOCOL, "IP_PROTOCOL", On::Inet, Own::Protocol),
    own(sol::IP, ip::OPTIONS, "IP_OPTIONS", On::Inet, Own::IpOptions),
    own(sol::IP, ip::PKTOPTIONS, "IP_PKTOPTIONS", On::Inet, Own::PacketOptions),
    ignored(sol::IP, ip::LOCAL_PORT_RANGE, "IP_LOCAL_PORT_RANGE", On::Inet, 0),

    flag(sol::IPV6, ip6::V6ONLY, "IPV6_V6ONLY", On::Inet6, Flag::V6Only, false),
    int(sol::IPV6, ip6::UNICAST_HOPS, "IPV6_UNICAST_HOPS", On::Inet6, Int::HopLimit, 64, (-1, 255)),
    int(sol::IPV6, ip6::MULTICAST_IF, "IPV6_MULTICAST_IF", On::Inet6, Int::MulticastIf6, 0, (0, MAX)),
    int(sol::IPV6, ip6::MULTICAST_HOPS, "IPV6_MULTICAST_HOPS", On::Inet6, Int::MulticastHops, 1, (-1, 255)),
    flag(sol::IPV6, ip6::MULTICAST_LOOP, "IPV6_MULTICAST_LOOP", On::Inet6, Flag::MulticastLoop6, true),
    flag(sol::IPV6, ip6::MULTICAST_ALL, "IPV6_MULTICAST_ALL", On::Inet6, Flag::MulticastAll6, true),
    own(sol::IPV6, ip6::ADD_MEMBERSHIP, "IPV6_ADD_MEMBERSHIP", On::Inet6, Own::Group(Change::Join)),
    own(sol::IPV6, ip6::DROP_MEMBERSHIP, "IPV6_DROP_MEMBERSHIP", On::Inet6, Own::Group(Change::Leave)),
    own(sol::IPV6, ip::MCAST_JOIN_GROUP, "MCAST_JOIN_GROUP", On::Inet6, Own::GroupRequest),
    own(sol::IPV6, ip::MCAST_LEAVE_GROUP, "MCAST_LEAVE_GROUP", On::Inet6, Own::GroupRequest),
    own(sol::IPV6, ip::MCAST_BLOCK_SOURCE, "MCAST_BLOCK_SOURCE", On::Inet6, Own::GroupRequest),
    own(sol::IPV6, ip::MCAST_UNBLOCK_SOURCE, "MCAST_UNBLOCK_SOURCE", On::Inet6, Own::GroupRequest),
    own(sol::IPV6, ip::MCAST_JOIN_SOURCE_GROUP, "MCAST_JOIN_SOURCE_GROUP", On::Inet6, Own::GroupRequest),
    own(sol::IPV6, ip::MCAST_LEAVE_SOURCE_GROUP, "MCAST_LEAVE_SOURCE_GROUP", On::Inet6, Own::GroupRequest),
    int(sol::IPV6, ip6::MTU_DISCOVER, "IPV6_MTU_DISCOVER", On::Inet6, Int::MtuDiscover6, 1, (0, 5)),
    own(sol::IPV6, ip6::MTU, "IPV6_MTU", On::Inet6, Own::Mtu6),
    own(sol::IPV6, ip6::PATHMTU, "IPV6_PATHMTU", On::Inet6, Own::PathMtu),
    flag(sol::IPV6, ip6::RECVPATHMTU, "IPV6_RECVPATHMTU", On::Inet6, Flag::RecvPathMtu, false),
    flag(sol::IPV6, ip6::DONTFRAG, "IPV6_DONTFRAG", On::Inet6, Flag::DontFragment, false),
    flag(sol::IPV6, ip6::RECVERR_RFC4884, "IPV6_RECVERR_RFC4884", On::Inet6, Flag::RecvErrDetail6, false),
    flag(sol::IPV6, ip6::RECVHOPOPTS, "IPV6_RECVHOPOPTS", On::Inet6, Flag::RecvHopOptions, false),
    flag(sol::IPV6, ip6::RECVRTHDR, "IPV6_RECVRTHDR", On::Inet6, Flag::RecvRoutingHeader, false),
    flag(sol::IPV6, ip6::RECVDSTOPTS, "IPV6_RECVDSTOPTS", On::Inet6, Flag::RecvDestinationOptions, false),
    flag(sol::IPV6, ip6::RECVFRAGSIZE, "IPV6_RECVFRAGSIZE", On::Inet6, Flag::RecvFragSize6, false),
    flag(sol::IPV6, ip6::FLOWINFO, "IPV6_FLOWINFO", On::Inet6, Flag::RecvFlowInfo, false),
    flag(sol::IPV6, ip6::FLOWINFO_SEND, "IPV6_FLOWINFO_SEND", On::Inet6, Flag::FlowInfoSend, false),
    flag(sol::IPV6, ip6::RECVORIGDSTADDR, "IPV6_RECVORIGDSTADDR", On::Inet6, Flag::RecvOrigDst6, false),
    int(sol::IPV6, ip6::UNICAST_IF, "IPV6_UNICAST_IF", On::Inet6, Int::UnicastIf6, 0, (ANY, MAX)),
    int(sol::IPV6, ip6::CHECKSUM, "IPV6_CHECKSUM", On::Raw, Int::RawChecksum, -1, (ANY, MAX)),
    flag(sol::IPV6, ip6::RECVERR, "IPV6_RECVERR", On::Inet6, Flag::RecvErr6, false),
    flag(sol::IPV6, ip6::RECVPKTINFO, "IPV6_RECVPKTINFO", On::Inet6, Flag::PktInfo6, false),
    flag(sol::IPV6, ip6::PKTINFO_2292, "IPV6_2292PKTINFO", On::Inet6, Flag::OldPktInfo6, false),
    flag(sol::IPV6, ip6::HOPLIMIT_2292, "IPV6_2292HOPLIMIT", On::Inet6, Flag::OldHopLimit, false),
    // ipv6(7) names the control message; as an option Linux does not have it.
    own(sol::IPV6, ip6::HOPLIMIT, "IPV6_HOPLIMIT", On::Inet6, Own::Refused),
    flag(sol::IPV6, ip6::RECVHOPLIMIT, "IPV6_RECVHOPLIMIT", On::Inet6, Flag::RecvHopLimit, false),
    flag(sol::IPV6, ip6::RECVTCLASS, "IPV6_RECVTCLASS", On::Inet6, Flag::RecvTclass, false),
    int(sol::IPV6, ip6::TCLASS, "IPV6_TCLASS", On::Inet6, Int::TrafficClass, 0, (-1, 255)),
    flag(sol::IPV6, ip6::AUTOFLOWLABEL, "IPV6_AUTOFLOWLABEL", On::Inet6, Flag::AutoFlowLabel, true),
    int(sol::IPV6, ip6::ADDR_PREFERENCES, "IPV6_ADDR_PREFERENCES", On::Inet6, Int::AddrPreferences, 0, (0, MAX)),
    int(sol::IPV6, ip6::MINHOPCOUNT, "IPV6_MINHOPCOUNT", On::Inet6, Int::MinHopCount, 0, (0, 255)),
    flag(sol::IPV6, ip6::FREEBIND, "IPV6_FREEBIND", On::Inet6, Flag::FreeBind, false),
    flag(sol::IPV6, ip6::TRANSPARENT, "IPV6_TRANSPARENT", On::Inet6, Flag::Transparent, false),

    flag(sol::TCP, tcp::NODELAY, "TCP_NODELAY", On::Tcp, Flag::NoDelay, false),
    int(sol::TCP, tcp::MAXSEG, "TCP_MAXSEG", On::Tcp, Int::MaxSegment, 0, (0, 32767)),
    flag(sol::TCP, tcp::CORK, "TCP_CORK", On::Tcp, Flag::Cork, false),
    int(sol::TCP, tcp::KEEPIDLE, "TCP_KEEPIDLE", On::Tcp, Int::KeepIdle, 7200, (1, 32767)),
    int(sol::TCP, tcp::KEEPINTVL, "TCP_KEEPINTVL", On::Tcp, Int::KeepInterval, 75, (1, 32767)),
    int(sol::TCP, tcp::KEEPCNT, "TCP_KEEPCNT", On::Tcp, Int::KeepCount, 9, (1, 127)),
    int(sol::TCP, tcp::SYNCNT, "TCP_SYNCNT", On::Tcp, Int::SynCount, 6, (1, 127)),
    int(sol::TCP, tcp::LINGER2, "TCP_LINGER2", On::Tcp, Int::Linger2, 60, (ANY, MAX)),
    int(sol::TCP, tcp::DEFER_ACCEPT, "TCP_DEFER_ACCEPT", On::Tcp, Int::DeferAccept, 0, (ANY, MAX)),
    int(sol::TCP, tcp::WINDOW_CLAMP, "TCP_WINDOW_CLAMP", On::Tcp, Int::WindowClamp, 0, (0, MAX)),
    own(sol::TCP, tcp::INFO, "TCP_INFO", On::Tcp, Own::TcpInfo),
    flag(sol::TCP, tcp::QUICKACK, "TCP_QUICKACK", On::Tcp, Flag::QuickAck, true),
    own(sol::TCP, tcp::CONGESTION, "TCP_CONGESTION", On::Tcp, Own::Congestion),
    flag(sol::TCP, tcp::THIN_LINEAR_TIMEOUTS, "TCP_THIN_LINEAR_TIMEOUTS", On::Tcp, Flag::ThinLinear, false),
    int(sol::TCP, tcp::USER_TIMEOUT, "TCP_USER_TIMEOUT", On::Tcp, Int::UserTimeout, 0, (0, MAX)),
    int(sol::TCP, tcp::FASTOPEN, "TCP_FASTOPEN", On::Tcp, Int::FastOpen, 0, (0, MAX)),
    int(sol::TCP, tcp::NOTSENT_LOWAT, "TCP_NOTSENT_LOWAT", On::Tcp, Int::NotSentLowWater, 0, (ANY, MAX)),
    flag(sol::TCP, tcp::SAVE_SYN, "TCP_SAVE_SYN", On::Tcp, Flag::SaveSyn, false),
    flag(sol::TCP, tcp::FASTOPEN_CONNECT, "TCP_FASTOPEN_CONNECT", On::Tcp, Flag::FastOpenConnect, false),
    flag(sol::TCP, tcp::INQ, "TCP_INQ", On::Tcp, Flag::Inq, false),

    flag(sol::UDP, udp::CORK, "UDP_CORK", On::Udp, Flag::UdpCork, false),
    flag(sol::UDP, udp::GRO, "UDP_GRO", On::Udp, Flag::UdpGro, false),
    int(sol::UDP, udp::SEGMENT, "UDP_SEGMENT", On::Udp, Int::UdpSegment, 0, (0, 65535)),

    own(sol::RAW, icmp::FILTER, "ICMP_FILTER", On::Icmp, Own::IcmpFilter),
    own(sol::ICMPV6, icmp::FILTER, "ICMP6_FILTER", On::Icmp, Own::IcmpFilter),

    // Interfaces and routes of a world do not change: a member of a group is never told anything.
    own(sol::NETLINK, netlink::ADD_MEMBERSHIP, "NETLINK_ADD_MEMBERSHIP", On::Netlink, Own::NetlinkGroup { join: true }),
    own(sol::NETLINK, netlink::DROP_MEMBERSHIP, "NETLINK_DROP_MEMBERSHIP", On::Netlink, Own::NetlinkGroup { join: false }),
    own(sol::NETLINK, netlink::LIST_MEMBERSHIPS, "NETLINK_LIST_MEMBERSHIPS", On::Netlink, Own::Memberships),
    flag(sol::NETLINK, netlink::PKTINFO, "NETLINK_PKTINFO", On::Netlink, Flag::NetlinkPktInfo, false),
    flag(sol::NETLINK, netlink::BROADCAST_ERROR, "NETLINK_BROADCAST_ERROR", On::Netlink, Flag::BroadcastError, false),
    flag(sol::NETLINK, netlink::NO_ENOBUFS, "NETLINK_NO_ENOBUFS", On::Netlink, Flag::NoBufferError, false),
    flag(sol::NETLINK, netlink::CAP_ACK, "NETLINK_CAP_ACK", On::Netlink, Flag::CapAck, false),
    flag(sol::NETLINK, netlink::EXT_ACK, "NETLINK_EXT_ACK", On::Netlink, Flag::ExtAck, false),
    flag(sol::NETLINK, netlink::GET_STRICT_CHK, "NETLINK_GET_STRICT_CHK", On::Netlink, Flag::StrictCheck, false),
];

/// Levels, names and texts of all options that are known, for the support page.
pub fn known_options() -> impl Iterator<Item = (u32, u32, &'static str)> {
    OPTIONS.iter().map(|row| (row.level, row.name, row.text))
}

fn find(level: u32, name: u32) -> Option<&'static Row> {
    OPTIONS.iter().find(|row| row.level == level && row.name == name)
}

fn applies<R>(on: On, entry: &Entry<R>) -> bool {
    match on {
        On::All => true,
        // A dual-stack socket has the options of both families.
        On::Inet => entry.local.family.is_ip(),
        On::Inet6 => entry.local.family == Family::Inet6,
        On::Tcp => entry.local.protocol == Protocol::Tcp,
        On::Udp => entry.local.protocol == Protocol::Udp,
        On::Netlink => entry.local.family == Family::Netlink,
        On::Raw => entry.local.kind == SocketType::Raw && entry.local.family.is_ip(),
        On::Icmp => entry.local.kind == SocketType::Raw && entry.local.protocol == Protocol::Icmp,
    }
}

/// The int at the start of an option's value.
pub(crate) fn int_of(value: &[u8]) -> Result<i32, Errno> {
    let word = value.get(..4).ok_or(Errno::EINVAL)?;
    Ok(i32::from_ne_bytes([word[0], word[1], word[2], word[3]]))
}

/// ip(7): the byte-sized options of IPPROTO_IP take a byte or an int.
fn byte_or_int(value: &[u8]) -> Result<i32, Errno> {
    match value {
        [] => Err(Errno::EINVAL),
        [b, ..] if value.len() < 4 => Ok(i32::from(*b)),
        _ => int_of(value),
    }
}

pub(crate) fn v4_at(value: &[u8], at: usize) -> Result<Ipv4Addr, Errno> {
    let b: [u8; 4] = value.get(at..at + 4).and_then(|b| b.try_into().ok()).ok_or(Errno::EINVAL)?;
    Ok(Ipv4Addr::from(b))
}

pub(crate) fn v6_at(value: &[u8], at: usize) -> Result<Ipv6Addr, Errno> {
    let b: [u8; 16] = value.get(at..at + 16).and_then(|b| b.try_into().ok()).ok_or(Errno::EINVAL)?;
    Ok(Ipv6Addr::from(b))
}

/// A `struct timeval` as nanoseconds.
fn timeval(value: &[u8]) -> Result<u64, Errno> {
    let word = |at: usize| -> Result<i64, Errno> {
        let b: [u8; 8] = value.get(at..at + 8).and_then(|b| b.try_into().ok()).ok_or(Errno::EINVAL)?;
        Ok(i64::from_ne_bytes(b))
    };
    let (seconds, micros) = (word(0)?, word(8)?);
    if !(0..1_000_000).contains(&micros) {
        return Err(Errno::EDOM);
    }
    // socket(7): negative times mean that the call does not wait.
    if seconds < 0 {
        return Ok(1);
    }
    Ok((seconds as u64).saturating_mul(1_000_000_000).saturating_add(micros as u64 * 1000))
}

impl<R> Entry<R> {
    /// socket(7), SO_PEEK_OFF: where a peek begins, if not at the beginning.
    pub(crate) fn peek_offset(&self, flags: u32) -> usize {
        let offset = self.local.options.int(Int::PeekOffset);
        if flags & msg::PEEK != 0 { usize::try_from(offset).unwrap_or(0) } else { 0 }
    }

    /// A peek moves the place of the next one forward, and a receive moves it back.
    pub(crate) fn move_peek_offset(&mut self, flags: u32, n: usize) {
        let offset = self.local.options.int(Int::PeekOffset);
        if offset < 0 || n == 0 {
            return;
        }
        let n = i32::try_from(n).unwrap_or(i32::MAX);
        let moved = if flags & msg::PEEK != 0 { offset.saturating_add(n) } else { (offset - n).max(0) };
        Rc::make_mut(&mut self.local.options).ints[Int::PeekOffset as usize] = moved;
    }
}

impl<R: Clone> SocketTable<R> {
    /// `setsockopt`.
    ///
    /// # Errors
    /// ENOPROTOOPT for an option that is not known, and is then listed by [`SocketTable::take_unsupported`]; EINVAL
    /// for a value that does not fit; EPERM where Linux wants privilege.
    pub fn setsockopt(&mut self, id: SocketId, level: u32, name: u32, value: &[u8], cred: Cred) -> Result<(), Errno> {
        // Linux's sock_setsockopt wants an int for whatever it is but this one.
        if level == sol::SOCKET && name != so::BINDTODEVICE && value.len() < 4 {
            return Err(Errno::EINVAL);
        }
        let row = self.option_row(id, level, name)?;
        self.log.options_changed(self.slab.at_mut(id));
        let number = || if level == sol::IP { byte_or_int(value) } else { int_of(value) };
        match row.value {
            Value::Flag(flag, _) => self.set_flag(id, flag, number()?, cred),
            Value::Int { int, default, min, max } => {
                let v = number()?;
                if v < min || v > max {
                    return Err(Errno::EINVAL);
                }
                self.set_int(id, int, v, default, cred)
            }
            Value::Own(own) => self.set_own(id, own, (level, name), value, cred),
            Value::Ignored(_) => Ok(()),
        }
    }

    /// A number within its range: what Linux makes of it, and to whom it forbids it.
    fn set_int(&mut self, id: SocketId, int: Int, v: i32, default: i32, cred: Cred) -> Result<(), Errno> {
        let entry = self.get(id)?;
        let stream = entry.local.kind == SocketType::Stream;
        let host = self.world.host(entry.connection.host);
        let v = match int {
            Int::Mark if cred.uid != 0 => return Err(Errno::EPERM),
            // socket(7): "Setting a priority outside the range 0 to 6 requires the CAP_NET_ADMIN capability".
            Int::Priority if !(0..=6).contains(&v) && cred.uid != 0 => return Err(Errno::EPERM),
            Int::BusyPoll if v > entry.local.options.int(int) && cred.uid != 0 => return Err(Errno::EPERM),
            Int::PeekOffset if !peeks(entry) => return Err(Errno::EOPNOTSUPP),
            // tcp(7): fast open is set up before a connection is.
            Int::FastOpen if ![TcpState::Close, TcpState::Listen].contains(&entry.tcp_state()) => {
                return Err(Errno::EINVAL);
            }
            Int::Ttl if v == 0 => return Err(Errno::EINVAL),
            Int::MulticastTtl if stream => return Err(Errno::EINVAL),
            Int::MulticastHops | Int::MulticastIf6 if stream => return Err(Errno::ENOPROTOOPT),
            Int::MulticastIf6 if v != 0 && host.interface(v as u32).is_none() => return Err(Errno::ENODEV),
            Int::UnicastIf | Int::UnicastIf6 if v != 0 && host.interface(v.swap_bytes() as u32).is_none() => {
                return Err(Errno::EADDRNOTAVAIL);
            }
            // ip(7): -1 means the default.
            Int::Ttl | Int::HopLimit | Int::TrafficClass | Int::MulticastTtl | Int::MulticastHops if v == -1 => default,
            // Linux keeps the lowest byte, and of a stream's not the bits that tell of congestion.
            Int::Tos if stream => v & 0xfc | entry.local.options.int(int) & 3,
            Int::Tos => v & 0xff,
            Int::ReceiveLowWater if v < 0 => i32::MAX,
            Int::ReceiveLowWater => v.max(1),
            Int::Linger2 => v.clamp(-1, 120),
            // tcp(7): seconds, which Linux counts in time-outs that double from one second.
            Int::DeferAccept => (1i64 << (32 - v.clamp(0, 120).leading_zeros())) as i32 - 1,
            _ => v,
        };
        let options = self.options_mut(id)?;
        options.ints[int as usize] = v;
        if int == Int::Tos {
            options.ints[Int::Priority as usize] = priority_of(v);
        }
        self.option_set(id, int);
        Ok(())
    }

    /// `getsockopt`: the value, cut to `room` bytes.
    ///
    /// # Errors
    /// As [`SocketTable::setsockopt`].
    pub fn getsockopt(&mut self, id: SocketId, level: u32, name: u32, room: usize) -> Result<Vec<u8>, Errno> {
        let own = match self.get(id)?.local.protocol {
            Protocol::Tcp => sol::TCP,
            Protocol::Udp => sol::UDP,
            _ => level,
        };
        // Where getsockopt(2) finds nobody of that level it says so otherwise than setsockopt(2) does.
        let foreign = ![sol::SOCKET, sol::IP, sol::IPV6, own].contains(&level);
        let row = self.option_row(id, level, name).map_err(|e| if foreign { Errno::EOPNOTSUPP } else { e })?;
        let entry = self.get(id)?;
        let mut value = match row.value {
            Value::Flag(Flag::QuickAck, _) if entry.connection.tcp.wire.is_some() => {
                let pingpong = entry.connection.tcp.wire.as_deref().is_some_and(|wire| wire.acks.pingpong);
                i32::from(!pingpong).to_ne_bytes().to_vec()
            }
            Value::Flag(flag, _) => i32::from(entry.local.options.flag(flag)).to_ne_bytes().to_vec(),
            Value::Int { int: Int::MaxSegment, .. } => entry.segment_size(&self.world).to_ne_bytes().to_vec(),
            Value::Int { int: Int::PeekOffset, .. } if !peeks(entry) => return Err(Errno::EOPNOTSUPP),
            // This one is a word where there is room for one; none is set at the beginning.
            Value::Int { int: Int::PacingRate, .. } if room >= 8 => {
                i64::from(entry.local.options.int(Int::PacingRate)).to_ne_bytes().to_vec()
            }
            Value::Int { int, .. } => entry.local.options.int(int).to_ne_bytes().to_vec(),
            Value::Ignored(reads) => reads.to_ne_bytes().to_vec(),
            // socket(7): "Passing a buffer smaller than IFNAMSIZ" is an error.
            Value::Own(Own::BindToDevice) if room < 16 && entry.local.options.device != 0 => return Err(Errno::EINVAL),
            Value::Own(own) => self.get_own(id, own)?,
        };
        // ip(7): what fits into a byte is one where there is no room for an int.
        if level == sol::IP && (1..4).contains(&room) && value.len() == 4 && value[1..] == [0; 3] {
            value.truncate(1);
        }
        value.truncate(room);
        Ok(value)
    }

    /// Options that programs asked for and that are not known: (level, name), in order.
    pub fn take_unsupported(&mut self) -> Vec<(u32, u32)> {
        core::mem::take(&mut self.unsupported)
    }

    fn options_mut(&mut self, id: SocketId) -> Result<&mut Options, Errno> {
        Ok(Rc::make_mut(&mut self.get_mut(id)?.local.options))
    }

    fn option_row(&mut self, id: SocketId, level: u32, name: u32) -> Result<&'static Row, Errno> {
        let entry = self.get(id)?;
        match find(level, name) {
            Some(row) if applies(row.on, entry) => Ok(row),
            // A known option on a socket that has none of its level is a program's mistake, not our lack.
            Some(_) => Err(if entry.local.family == Family::Unix { Errno::EOPNOTSUPP } else { Errno::ENOPROTOOPT }),
            // unix(7) sockets have options of level SOL_SOCKET only.
            None if entry.local.family == Family::Unix && level != sol::SOCKET => Err(Errno::EOPNOTSUPP),
            None => {
                self.unsupported.push((level, name));
                Err(Errno::ENOPROTOOPT)
            }
        }
    }

    fn set_flag(&mut self, id: SocketId, flag: Flag, v: i32, cred: Cred) -> Result<(), Errno> {
        let entry = self.get_mut(id)?;
        let (on, root) = (v != 0, cred.uid == 0);
        match flag {
            Flag::V6Only if entry.local_end().port != 0 => return Err(Errno::EINVAL),
            Flag::ReusePort if !entry.local.family.is_ip() => return Err(Errno::EOPNOTSUPP),
            Flag::Debug if on && !root => return Err(Errno::EACCES),
            Flag::Transparent if on && !root => return Err(Errno::EPERM),
            Flag::PassPidfd if entry.local.family != Family::Unix => return Err(Errno::EOPNOTSUPP),
            Flag::ZeroCopy if !matches!(entry.local.protocol, Protocol::Tcp | Protocol::Udp) => {
                return Err(Errno::EOPNOTSUPP);
            }
            Flag::ZeroCopy | Flag::MulticastAll | Flag::MulticastLoop6 | Flag::MulticastAll6
                if !(0..2).contains(&v) =>
            {
                return Err(Errno::EINVAL);
            }
            // Who does not want reports any more loses those that are there.
            Flag::RecvErr | Flag::RecvErr6 if !on => {
                if let Some(extra) = &mut entry.connection.extra {
                    extra.errors.clear();
                }
            }
            _ => {}
        }
        let options = Rc::make_mut(&mut entry.local.options);
        options.set_flag(flag, on);
        // socket(7): of SO_TIMESTAMP and SO_TIMESTAMPNS the later one holds.
        match flag {
            Flag::Timestamp => options.set_flag(Flag::TimestampNs, false),
            Flag::TimestampNs => options.set_flag(Flag::Timestamp, false),
            // udp(7), UDP_CORK: when it is taken away, what has been put together is sent.
            Flag::UdpCork if !on => self.udp_uncork(id)?,
            _ => {}
        }
        self.flag_set(id, flag, on);
        Ok(())
    }

    /// What setting a number does to a connection that lives.
    fn option_set(&mut self, id: SocketId, int: Int) {
        if int == Int::KeepIdle {
            self.set_keepalive(id);
        }
    }

    /// What turning something on or off does to a connection that lives.
    fn flag_set(&mut self, id: SocketId, flag: Flag, on: bool) {
        match flag {
            Flag::KeepAlive => self.set_keepalive(id),
            // tcp(7): what was held back goes out.
            Flag::NoDelay if on => self.tcp_push_out(id),
            Flag::Cork if !on => self.tcp_push_out(id),
            Flag::QuickAck => self.tcp_quick_ack(id, on),
            _ => {}
        }
    }

    fn set_own(
        &mut self,
        id: SocketId,
        own: Own,
        (level, name): (u32, u32),
        value: &[u8],
        cred: Cred,
    ) -> Result<(), Errno> {
        match own {
            Own::SendBuffer | Own::ReceiveBuffer => return self.set_buffer(id, own, name, int_of(value)?, cred),
            Own::BindToDevice => {
                // socket(7): who is not privileged may bind a socket, and not free it or bind it again.
                if self.get(id)?.local.options.device != 0 && cred.uid != 0 {
                    return Err(Errno::EPERM);
                }
                let end = value.iter().position(|&b| b == 0).unwrap_or(value.len()).min(15);
                let name = core::str::from_utf8(&value[..end]).map_err(|_| Errno::ENODEV)?;
                let index = if name.is_empty() { 0 } else { self.interface_index(id, name)? };
                self.options_mut(id)?.device = index;
            }
            Own::BindToIndex => {
                let index = int_of(value)?;
                self.options_mut(id)?.device = u32::try_from(index).map_err(|_| Errno::EINVAL)?;
            }
            // ip(7): the maximum option size is 40 bytes.
            Own::IpOptions if value.len() > 40 => return Err(Errno::EINVAL),
            Own::IpOptions => self.options_mut(id)?.ip_options = value.to_vec(),
            Own::MulticastIf => return self.set_multicast_interface(id, value),
            Own::Group(change) => return self.change_group(id, level, change, value),
            Own::GroupRequest => {
                let change = change_of(name).ok_or(Errno::ENOPROTOOPT)?;
                return self.change_group_by_request(id, level, change, value);
            }
            Own::Mtu6 if (1..1280).contains(&int_of(value)?) => return Err(Errno::EINVAL),
            Own::Mtu6 => {}
            Own::IcmpFilter => self.set_icmp_filter(id, value)?,
            Own::BufferLock => {
                let locks = int_of(value)?;
                self.options_mut(id)?.locked = u8::try_from(locks).ok().filter(|l| *l < 4).ok_or(Errno::EINVAL)?;
            }
            Own::NetlinkGroup { join } => return self.netlink_group(id, int_of(value)? as u32, join),
            Own::Congestion => {
                let end = value.iter().position(|&b| b == 0).unwrap_or(value.len());
                let wanted = CONGESTION.iter().position(|name| name.as_bytes() == &value[..end]);
                self.options_mut(id)?.congestion = wanted.ok_or(Errno::ENOENT)? as u8;
                let entry = self.get_mut(id)?;
                let algorithm = entry.local.options.algorithm();
                if let Some(wire) = entry.connection.tcp.wire.as_deref_mut() {
                    wire.congestion.algorithm = algorithm;
                }
            }
            Own::Linger => {
                let (on, seconds) = (int_of(value)?, int_of(value.get(4..).ok_or(Errno::EINVAL)?)?);
                self.options_mut(id)?.linger = (on != 0).then_some(seconds as u32);
            }
            Own::ReceiveTimeout => self.options_mut(id)?.receive_timeout = timeval(value)?,
            Own::SendTimeout => self.options_mut(id)?.send_timeout = timeval(value)?,
            _ => return Err(Errno::ENOPROTOOPT),
        }
        Ok(())
    }

    /// socket(7): the kernel doubles the value "to allow space for bookkeeping overhead", within the system's limits.
    fn set_buffer(&mut self, id: SocketId, own: Own, name: u32, v: i32, cred: Cred) -> Result<(), Errno> {
        let force = name == so::SNDBUFFORCE || name == so::RCVBUFFORCE;
        if force && cred.uid != 0 {
            return Err(Errno::EPERM);
        }
        let limit = if force { i32::MAX / 2 } else { BUFFER_MAX };
        // A negative value wraps to a huge one in Linux, and is cut to the limit.
        let doubled = (if v < 0 { limit } else { v.min(limit) }) * 2;
        let options = self.options_mut(id)?;
        if own == Own::SendBuffer {
            options.ints[Int::SendBuffer as usize] = doubled.max(SEND_MIN);
            options.locked |= 1;
        } else {
            options.ints[Int::ReceiveBuffer as usize] = doubled.max(RECEIVE_MIN);
            options.locked |= 2;
        }
        Ok(())
    }

    fn set_multicast_interface(&mut self, id: SocketId, value: &[u8]) -> Result<(), Errno> {
        let entry = self.get(id)?;
        if entry.local.kind == SocketType::Stream {
            return Err(Errno::EINVAL);
        }
        let (index, address) = match value.len() {
            0..4 => return Err(Errno::EINVAL),
            12.. => (int_of(&value[8..])? as u32, v4_at(value, 4)?),
            8.. => (0, v4_at(value, 4)?),
            _ => (0, v4_at(value, 0)?),
        };
        let (device, host) = (entry.local.options.device, self.world.host(entry.connection.host));
        let interface = match (index, address) {
            (0, Ipv4Addr::UNSPECIFIED) => 0,
            (0, address) => self.interface_of(id, address).ok_or(Errno::EADDRNOTAVAIL)?,
            (index, _) => host.interface(index).ok_or(Errno::EADDRNOTAVAIL)?.index,
        };
        if device != 0 && interface != 0 && device != interface {
            return Err(Errno::EINVAL);
        }
        self.options_mut(id)?.multicast_interface = interface;
        Ok(())
    }

    /// icmp(7): ICMP_FILTER, a word, or ICMP6_FILTER, eight of them; less leaves the others as they were.
    fn set_icmp_filter(&mut self, id: SocketId, value: &[u8]) -> Result<(), Errno> {
        let entry = self.get_mut(id)?;
        let most = if entry.local.family == Family::Inet6 { 32 } else { 4 };
        let filter = &mut entry.extra().icmp_filter;
        for (word, raw) in filter.iter_mut().zip(value[..value.len().min(most)].chunks_exact(4)) {
            *word = u32::from_ne_bytes([raw[0], raw[1], raw[2], raw[3]]);
        }
        Ok(())
    }

    fn interface_index(&self, id: SocketId, name: &str) -> Result<u32, Errno> {
        let host = self.world.host(self.get(id)?.connection.host);
        host.interfaces.iter().find(|i| i.name == name).map(|i| i.index).ok_or(Errno::ENODEV)
    }

    /// Index of the interface that has an address.
    pub(crate) fn interface_of(&self, id: SocketId, address: Ipv4Addr) -> Option<u32> {
        let host = self.get(id).map_or(0, |e| e.connection.host);
        self.world.host(host).interfaces.iter().find(|i| i.v4 == address).map(|i| i.index)
    }

    fn get_own(&mut self, id: SocketId, own: Own) -> Result<Vec<u8>, Errno> {
        if own == Own::TcpInfo {
            return self.tcp_info(id);
        }
        if own == Own::PathMtu {
            // `struct ip6_mtuinfo`: the destination and the length.
            let mut out = alloc::vec![0; 28];
            out[..2].copy_from_slice(&crate::linux::af::INET6.to_ne_bytes());
            if let IpAddr::V6(ip) = self.get(id)?.remote_end().seen_by(Family::Inet6).ip {
                out[8..24].copy_from_slice(&ip.octets());
            }
            out.extend_from_slice(&self.path_mtu(id)?.to_ne_bytes());
            return Ok(out);
        }
        if own == Own::PeerName {
            return self.getpeername(id).map(|addr| addr.to_bytes().to_vec());
        }
        if own == Own::Mtu || own == Own::Mtu6 {
            return self.path_mtu(id).map(|mtu| mtu.to_ne_bytes().to_vec());
        }
        if own == Own::MulticastIf {
            return self.multicast_address(id);
        }
        if own == Own::BindToDevice {
            return self.device_name(id);
        }
        if own == Own::PacketOptions {
            return self.packet_options(id);
        }
        let entry = self.slab.get_mut(id).ok_or(Errno::EBADF)?;
        let options = &entry.local.options;
        let int = match own {
            Own::Type => entry.local.kind.number(),
            Own::Error => {
                let error = entry.take_error();
                self.log.changed(entry);
                error.map_or(0, |e| u32::from(e.0))
            }
            Own::SendBuffer if entry.local.protocol == Protocol::Tcp && entry.connection.peer.is_some() => {
                entry.send_capacity() as u32
            }
            Own::SendBuffer => options.int(Int::SendBuffer) as u32,
            Own::ReceiveBuffer => options.int(Int::ReceiveBuffer) as u32,
            Own::SendLowWater => 1,
            Own::BindToIndex => options.device,
            Own::AcceptConn => u32::from(entry.connection.phase == Phase::Listening),
            Own::Domain => u32::from(entry.local.family.number()),
            Own::Protocol => entry.local.protocol.number(entry.local.family),
            Own::Linger => {
                let mut value = i32::from(options.linger.is_some()).to_ne_bytes().to_vec();
                value.extend_from_slice(&options.linger.unwrap_or(0).to_ne_bytes());
                return Ok(value);
            }
            Own::IpOptions => return Ok(options.ip_options.clone()),
            Own::Constant(v) => v as u32,
            Own::ConstantLong(v) => return Ok(v.to_ne_bytes().to_vec()),
            Own::BufferLock => u32::from(options.locked),
            Own::Memory => return Ok(memory(entry)),
            Own::IcmpFilter => {
                let words = if entry.local.family == Family::Inet6 { 8 } else { 1 };
                let filter = entry.connection.extra.as_ref().map_or([0; 8], |extra| extra.icmp_filter);
                return Ok(filter[..words].iter().flat_map(|word| word.to_ne_bytes()).collect());
            }
            Own::Memberships => {
                let Addr::Netlink { groups, .. } = entry.local.address else { return Err(Errno::EINVAL) };
                groups
            }
            Own::PeerCred => return Ok(peer_cred(entry)),
            Own::PeerGroups => return Err(Errno::ENODATA),
            Own::ReceiveTimeout => return Ok(timeval_bytes(options.receive_timeout)),
            Own::SendTimeout => return Ok(timeval_bytes(options.send_timeout)),
            Own::Cookie => return Ok(entry.local.id.to_ne_bytes().to_vec()),
            Own::Congestion => {
                let mut value = CONGESTION[usize::from(options.congestion)].as_bytes().to_vec();
                value.resize(16, 0);
                return Ok(value);
            }
            _ => return Err(Errno::ENOPROTOOPT),
        };
        Ok(int.to_ne_bytes().to_vec())
    }

    fn multicast_address(&self, id: SocketId) -> Result<Vec<u8>, Errno> {
        let entry = self.get(id)?;
        let index = entry.local.options.multicast_interface;
        let interface = self.world.host(entry.connection.host).interfaces.iter().find(|i| i.index == index);
        Ok(interface.map_or(Ipv4Addr::UNSPECIFIED, |i| i.v4).octets().to_vec())
    }

    /// A stream's packets have no control messages; this option has those that its first packet would have had.
    fn packet_options(&self, id: SocketId) -> Result<Vec<u8>, Errno> {
        let entry = self.get(id)?;
        if entry.local.kind != SocketType::Stream {
            return Err(Errno::ENOPROTOOPT);
        }
        let options = &entry.local.options;
        let peer = entry.connection.peer.is_some();
        let mut out = Vec::new();
        if options.flag(Flag::PktInfo) {
            let ip = entry.local_end().ip;
            let local = match ip {
                IpAddr::V4(ip) => ip,
                IpAddr::V6(ip) => ip.to_ipv4_mapped().unwrap_or(Ipv4Addr::UNSPECIFIED),
            };
            let interface = if peer { self.world.host(entry.connection.host).interface_with(ip) } else { 0 };
            put_control(&mut out, &Control::PktInfo { interface, local, to: local });
        }
        if options.flag(Flag::RecvTtl) {
            put_control(&mut out, &Control::Ttl(if peer { 64 } else { 1 }));
        }
        Ok(out)
    }

    fn device_name(&self, id: SocketId) -> Result<Vec<u8>, Errno> {
        let entry = self.get(id)?;
        let index = entry.local.options.device;
        let interface = self.world.host(entry.connection.host).interfaces.iter().find(|i| i.index == index);
        Ok(interface.map_or(Vec::new(), |i| {
            let mut name = i.name.as_bytes().to_vec();
            name.push(0);
            name
        }))
    }
}

/// The options of a socket that differ from those that its protocol begins with: `NAME=value`, a space between two.
pub(crate) fn set_options<R>(entry: &Entry<R>) -> String {
    let options = &entry.local.options;
    let mut out = String::new();
    let mut put = |name: &str, value: &dyn Display| {
        let _ = write!(out, "{}{name}={value}", if out.is_empty() { "" } else { " " });
    };
    for row in OPTIONS.iter().filter(|row| applies(row.on, entry)) {
        match row.value {
            Value::Flag(flag, default) if options.flag(flag) != default => put(row.text, &i32::from(!default)),
            Value::Int { int, default, .. } if options.int(int) != default => put(row.text, &options.int(int)),
            Value::Own(own) => put_own(entry, own, row, &mut put),
            _ => {}
        }
    }
    for member in &entry.connection.groups {
        let name = if member.group.is_ipv4() { "IP_ADD_MEMBERSHIP" } else { "IPV6_ADD_MEMBERSHIP" };
        put(name, &member.group);
    }
    out
}

/// One of those that have code of their own; of several names for one value only the first.
fn put_own<R>(entry: &Entry<R>, own: Own, row: &Row, put: &mut dyn FnMut(&str, &dyn Display)) {
    let options = &entry.local.options;
    let seconds = |ns: u64| format!("{}.{:06}s", ns / 1_000_000_000, ns / 1000 % 1_000_000);
    match own {
        Own::SendBuffer if row.name == so::SNDBUF && options.send_locked() => {
            put(row.text, &options.int(Int::SendBuffer));
        }
        Own::ReceiveBuffer if row.name == so::RCVBUF && options.receive_locked() => {
            put(row.text, &options.int(Int::ReceiveBuffer));
        }
        Own::Linger => {
            if let Some(time) = options.linger {
                put(row.text, &format!("{time}s"));
            }
        }
        Own::ReceiveTimeout if row.name == so::RCVTIMEO && options.receive_timeout != 0 => {
            put(row.text, &seconds(options.receive_timeout));
        }
        Own::SendTimeout if row.name == so::SNDTIMEO && options.send_timeout != 0 => {
            put(row.text, &seconds(options.send_timeout));
        }
        Own::BindToDevice if options.device != 0 => put(row.text, &options.device),
        Own::MulticastIf if options.multicast_interface != 0 => put(row.text, &options.multicast_interface),
        Own::Congestion if options.congestion != 0 => put(row.text, &CONGESTION[usize::from(options.congestion)]),
        Own::IpOptions if !options.ip_options.is_empty() => {
            put(row.text, &format!("{:02x?}", options.ip_options).replace(' ', ""));
        }
        _ => {}
    }
}

/// A control message as cmsg(3) lays it out.
fn put_control(out: &mut Vec<u8>, control: &Control<()>) {
    let (level, kind) = control.kind();
    let data = control.data(0);
    out.extend_from_slice(&(16 + data.len() as u64).to_ne_bytes());
    out.extend_from_slice(&level.to_ne_bytes());
    out.extend_from_slice(&kind.to_ne_bytes());
    out.extend_from_slice(&data);
    out.resize(out.len().next_multiple_of(8), 0);
}

/// Whether SO_PEEK_OFF is an option of it.
fn peeks<R>(entry: &Entry<R>) -> bool {
    matches!(entry.local.protocol, Protocol::Unix | Protocol::Udp)
}

/// The priority that Linux gives to packets of a type of service (`ip_tos2prio`).
fn priority_of(tos: i32) -> i32 {
    const OF: [u8; 16] = [0, 1, 0, 0, 2, 2, 2, 2, 6, 6, 6, 6, 4, 4, 4, 4];
    i32::from(OF[(tos as usize & 0x1e) >> 1])
}

/// SO_MEMINFO: the nine words of `SK_MEMINFO_*`.
pub(crate) fn memory<R>(entry: &Entry<R>) -> Vec<u8> {
    let options = &entry.local.options;
    let held = |queue: &crate::queue::Queue<R>| (queue.held() + queue.bytes.len()) as u32;
    let (send, receive) = (options.int(Int::SendBuffer) as u32, options.int(Int::ReceiveBuffer) as u32);
    let drops = entry.connection.extra.as_ref().map_or(0, |extra| extra.drops);
    let words = [held(&entry.receive_queue), receive, held(&entry.send_queue), send, 0, 0, 0, 0, drops];
    words.iter().flat_map(|word| word.to_ne_bytes()).collect()
}

/// socket(7): SO_PEERCRED. One that has no peer answers as Linux does: no process, and the ids that are none.
fn peer_cred<R>(entry: &Entry<R>) -> Vec<u8> {
    let none = Cred { pid: 0, uid: u32::MAX, gid: u32::MAX };
    let cred = entry.connection.peer_cred.unwrap_or(none);
    [cred.pid, cred.uid, cred.gid].iter().flat_map(|v| v.to_ne_bytes()).collect()
}

fn timeval_bytes(ns: u64) -> Vec<u8> {
    let mut out = (ns / 1_000_000_000).to_ne_bytes().to_vec();
    out.extend_from_slice(&(ns % 1_000_000_000 / 1000).to_ne_bytes());
    out
}
