//! Options: one table of all that are known, from which `setsockopt` and `getsockopt` follow.

use crate::addr::Family;
use crate::call::{Control, Cred, SocketId};
use crate::entry::{Entry, Membership, Phase, Protocol, SocketType};
use crate::linux::{ip, ip6, netlink, so, sol, tcp, udp};
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
    Count,
}

/// The options of one socket.
#[derive(Clone, Debug)]
pub struct Options {
    flags: u64,
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
        self.flags = self.flags & !(1 << flag as u8) | u64::from(on) << flag as u8;
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
    Membership {
        join: bool,
    },
    Membership6 {
        join: bool,
    },
    GroupRequest {
        join: bool,
    },
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

    int(sol::IP, ip::TOS, "IP_TOS", On::Inet, Int::Tos, 0, (0, 255)),
    int(sol::IP, ip::TTL, "IP_TTL", On::Inet, Int::Ttl, 64, (-1, 255)),
    flag(sol::IP, ip::HDRINCL, "IP_HDRINCL", On::Inet, Flag::HeaderIncluded, false),
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
    own(sol::IP, ip::ADD_MEMBERSHIP, "IP_ADD_MEMBERSHIP", On::Inet, Own::Membership { join: true }),
    own(sol::IP, ip::DROP_MEMBERSHIP, "IP_DROP_MEMBERSHIP", On::Inet, Own::Membership { join: false }),
    own(sol::IP, ip::MCAST_JOIN_GROUP, "MCAST_JOIN_GROUP", On::Inet, Own::GroupRequest { join: true }),
    own(sol::IP, ip::MCAST_LEAVE_GROUP, "MCAST_LEAVE_GROUP", On::Inet, Own::GroupRequest { join: false }),
    own(sol::IP, ip::OPTIONS, "IP_OPTIONS", On::Inet, Own::IpOptions),
    own(sol::IP, ip::PKTOPTIONS, "IP_PKTOPTIONS", On::Inet, Own::PacketOptions),
    ignored(sol::IP, ip::LOCAL_PORT_RANGE, "IP_LOCAL_PORT_RANGE", On::Inet, 0),

    flag(sol::IPV6, ip6::V6ONLY, "IPV6_V6ONLY", On::Inet6, Flag::V6Only, false),
    int(sol::IPV6, ip6::UNICAST_HOPS, "IPV6_UNICAST_HOPS", On::Inet6, Int::HopLimit, 64, (-1, 255)),
    int(sol::IPV6, ip6::MULTICAST_IF, "IPV6_MULTICAST_IF", On::Inet6, Int::MulticastIf6, 0, (0, MAX)),
    int(sol::IPV6, ip6::MULTICAST_HOPS, "IPV6_MULTICAST_HOPS", On::Inet6, Int::MulticastHops, 1, (-1, 255)),
    flag(sol::IPV6, ip6::MULTICAST_LOOP, "IPV6_MULTICAST_LOOP", On::Inet6, Flag::MulticastLoop6, true),
    flag(sol::IPV6, ip6::MULTICAST_ALL, "IPV6_MULTICAST_ALL", On::Inet6, Flag::MulticastAll6, true),
    own(sol::IPV6, ip6::ADD_MEMBERSHIP, "IPV6_ADD_MEMBERSHIP", On::Inet6, Own::Membership6 { join: true }),
    own(sol::IPV6, ip6::DROP_MEMBERSHIP, "IPV6_DROP_MEMBERSHIP", On::Inet6, Own::Membership6 { join: false }),
    own(sol::IPV6, ip::MCAST_JOIN_GROUP, "MCAST_JOIN_GROUP", On::Inet6, Own::GroupRequest { join: true }),
    own(sol::IPV6, ip::MCAST_LEAVE_GROUP, "MCAST_LEAVE_GROUP", On::Inet6, Own::GroupRequest { join: false }),
    int(sol::IPV6, ip6::MTU_DISCOVER, "IPV6_MTU_DISCOVER", On::Inet6, Int::MtuDiscover6, 1, (0, 5)),
    own(sol::IPV6, ip6::MTU, "IPV6_MTU", On::Inet6, Own::Mtu),
    flag(sol::IPV6, ip6::RECVERR, "IPV6_RECVERR", On::Inet6, Flag::RecvErr6, false),
    flag(sol::IPV6, ip6::RECVPKTINFO, "IPV6_RECVPKTINFO", On::Inet6, Flag::PktInfo6, false),
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

    // Interfaces and routes of a world do not change: a member of a group is never told anything.
    ignored(sol::NETLINK, netlink::ADD_MEMBERSHIP, "NETLINK_ADD_MEMBERSHIP", On::Netlink, 0),
    ignored(sol::NETLINK, netlink::DROP_MEMBERSHIP, "NETLINK_DROP_MEMBERSHIP", On::Netlink, 0),
    ignored(sol::NETLINK, netlink::PKTINFO, "NETLINK_PKTINFO", On::Netlink, 0),
    ignored(sol::NETLINK, netlink::BROADCAST_ERROR, "NETLINK_BROADCAST_ERROR", On::Netlink, 0),
    ignored(sol::NETLINK, netlink::NO_ENOBUFS, "NETLINK_NO_ENOBUFS", On::Netlink, 0),
    ignored(sol::NETLINK, netlink::CAP_ACK, "NETLINK_CAP_ACK", On::Netlink, 0),
    ignored(sol::NETLINK, netlink::EXT_ACK, "NETLINK_EXT_ACK", On::Netlink, 0),
    // Programs that are refused this filter what they asked for themselves.
    own(sol::NETLINK, netlink::GET_STRICT_CHK, "NETLINK_GET_STRICT_CHK", On::Netlink, Own::Refused),
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
    }
}

/// The int at the start of an option's value.
fn int_of(value: &[u8]) -> Result<i32, Errno> {
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

fn v4_at(value: &[u8], at: usize) -> Result<Ipv4Addr, Errno> {
    let b: [u8; 4] = value.get(at..at + 4).and_then(|b| b.try_into().ok()).ok_or(Errno::EINVAL)?;
    Ok(Ipv4Addr::from(b))
}

fn v6_at(value: &[u8], at: usize) -> Result<Ipv6Addr, Errno> {
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

impl<R: Clone> SocketTable<R> {
    /// `setsockopt`.
    ///
    /// # Errors
    /// ENOPROTOOPT for an option that is not known, and is then listed by [`SocketTable::take_unsupported`]; EINVAL
    /// for a value that does not fit; EPERM where Linux wants privilege.
    pub fn setsockopt(&mut self, id: SocketId, level: u32, name: u32, value: &[u8], cred: Cred) -> Result<(), Errno> {
        let row = self.option_row(id, level, name)?;
        self.log.options_changed(self.slab.at_mut(id));
        match row.value {
            Value::Flag(flag, _) => {
                let on = if level == sol::IP { byte_or_int(value)? } else { int_of(value)? } != 0;
                self.set_flag(id, flag, on)
            }
            Value::Int { int, default, min, max } => {
                let v = if level == sol::IP { byte_or_int(value)? } else { int_of(value)? };
                if v < min || v > max {
                    return Err(Errno::EINVAL);
                }
                if int == Int::Mark && cred.uid != 0 {
                    return Err(Errno::EPERM);
                }
                // tcp(7): fast open is set up before a connection is.
                let idle = [TcpState::Close, TcpState::Listen].contains(&self.get(id)?.tcp_state());
                if int == Int::FastOpen && !idle {
                    return Err(Errno::EINVAL);
                }
                let v = match int {
                    // ip(7): -1 means the default.
                    Int::Ttl | Int::HopLimit | Int::TrafficClass if v == -1 => default,
                    Int::ReceiveLowWater if v < 0 => i32::MAX,
                    Int::ReceiveLowWater => v.max(1),
                    Int::Linger2 => v.clamp(-1, 120),
                    // tcp(7): seconds, which Linux counts in time-outs that double from one second.
                    Int::DeferAccept => (1i64 << (32 - v.clamp(0, 120).leading_zeros())) as i32 - 1,
                    _ => v,
                };
                self.options_mut(id)?.ints[int as usize] = v;
                self.option_set(id, int);
                Ok(())
            }
            Value::Own(own) => self.set_own(id, own, name, value, cred),
            Value::Ignored(_) => Ok(()),
        }
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
            Value::Int { int, .. } => entry.local.options.int(int).to_ne_bytes().to_vec(),
            Value::Ignored(reads) => reads.to_ne_bytes().to_vec(),
            Value::Own(own) => self.get_own(id, own)?,
        };
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

    fn set_flag(&mut self, id: SocketId, flag: Flag, on: bool) -> Result<(), Errno> {
        let entry = self.get_mut(id)?;
        if flag == Flag::V6Only && entry.local_end().port != 0 {
            return Err(Errno::EINVAL);
        }
        if flag == Flag::ReusePort && !entry.local.family.is_ip() {
            return Err(Errno::EOPNOTSUPP);
        }
        let options = Rc::make_mut(&mut entry.local.options);
        options.set_flag(flag, on);
        // socket(7): of SO_TIMESTAMP and SO_TIMESTAMPNS the later one holds.
        match flag {
            Flag::Timestamp => options.set_flag(Flag::TimestampNs, false),
            Flag::TimestampNs => options.set_flag(Flag::Timestamp, false),
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

    fn set_own(&mut self, id: SocketId, own: Own, name: u32, value: &[u8], cred: Cred) -> Result<(), Errno> {
        match own {
            Own::SendBuffer | Own::ReceiveBuffer => return self.set_buffer(id, own, name, int_of(value)?, cred),
            Own::BindToDevice => {
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
            Own::Membership { join } => {
                let interface = match value.len() {
                    0..8 => return Err(Errno::EINVAL),
                    8..12 => self.interface_of(id, v4_at(value, 4)?),
                    _ if int_of(&value[8..])? != 0 => int_of(&value[8..])? as u32,
                    _ => self.interface_of(id, v4_at(value, 4)?),
                };
                return self.membership(id, IpAddr::V4(v4_at(value, 0)?), interface, join);
            }
            Own::Membership6 { join } => {
                let interface = int_of(value.get(16..).ok_or(Errno::EINVAL)?)? as u32;
                return self.membership(id, IpAddr::V6(v6_at(value, 0)?), interface, join);
            }
            Own::GroupRequest { join } => {
                let interface = int_of(value)? as u32;
                let group = crate::addr::Addr::parse(value.get(8..).ok_or(Errno::EINVAL)?)?;
                let group = group.endpoint().ok_or(Errno::EADDRNOTAVAIL)?.ip;
                return self.membership(id, group, interface, join);
            }
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
        let interface = match value.len() {
            0..4 => return Err(Errno::EINVAL),
            12.. if int_of(&value[8..])? != 0 => int_of(&value[8..])? as u32,
            8.. => self.interface_of(id, v4_at(value, 4)?),
            _ => self.interface_of(id, v4_at(value, 0)?),
        };
        self.options_mut(id)?.multicast_interface = interface;
        Ok(())
    }

    fn interface_index(&self, id: SocketId, name: &str) -> Result<u32, Errno> {
        let host = self.world.host(self.get(id)?.connection.host);
        host.interfaces.iter().find(|i| i.name == name).map(|i| i.index).ok_or(Errno::ENODEV)
    }

    /// Index of the interface that has an address; 0 where none has.
    fn interface_of(&self, id: SocketId, address: Ipv4Addr) -> u32 {
        let host = self.get(id).map_or(0, |e| e.connection.host);
        let interfaces = &self.world.host(host).interfaces;
        interfaces.iter().find(|i| i.v4 == address).map_or(0, |i| i.index)
    }

    fn membership(&mut self, id: SocketId, group: IpAddr, interface: u32, join: bool) -> Result<(), Errno> {
        if !group.is_multicast() {
            return Err(Errno::EINVAL);
        }
        let groups = &mut self.get_mut(id)?.connection.groups;
        let found = groups.iter().position(|m| m.group == group && (interface == 0 || m.interface == interface));
        match (join, found) {
            (true, Some(_)) => Err(Errno::EADDRINUSE),
            (true, None) => {
                groups.push(Membership { group, interface });
                Ok(())
            }
            (false, Some(at)) => {
                groups.remove(at);
                Ok(())
            }
            (false, None) => Err(Errno::EADDRNOTAVAIL),
        }
    }

    fn get_own(&mut self, id: SocketId, own: Own) -> Result<Vec<u8>, Errno> {
        if own == Own::TcpInfo {
            return self.tcp_info(id);
        }
        if own == Own::Mtu {
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
