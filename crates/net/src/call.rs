//! What calls take and give: the table's vocabulary towards the kernel.

use crate::addr::{Addr, Endpoint};
use crate::linux::{ip, ip6, scm, so, sol};
use alloc::vec::Vec;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A place in the table. Places are used again; an entry's unique ID is in its socket structure.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct SocketId(pub u32);

/// Who a process is, as SO_PEERCRED and SCM_CREDENTIALS tell it.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Cred {
    /// Process id.
    pub pid: u32,
    /// Effective user id.
    pub uid: u32,
    /// Effective group id.
    pub gid: u32,
}

/// What a send carries besides its bytes.
#[derive(Clone, Debug)]
pub struct Ancillary<R> {
    /// SCM_RIGHTS: open files on their way.
    pub rights: Vec<R>,
    /// SCM_CREDENTIALS as the sender stated them; the caller has checked that it may.
    pub cred: Option<Cred>,
    /// IP_PKTINFO or IPV6_PKTINFO: interface index (0: any) to send by.
    pub interface: u32,
    /// IP_PKTINFO or IPV6_PKTINFO: the source address to send from.
    pub source: Option<IpAddr>,
    /// IP_TTL or IPV6_HOPLIMIT of this one message.
    pub ttl: Option<u8>,
    /// IP_TOS or IPV6_TCLASS of this one message.
    pub tos: Option<u8>,
    /// UDP_SEGMENT: bytes of each datagram that the message is cut into.
    pub segment: Option<u16>,
}

impl<R> Default for Ancillary<R> {
    fn default() -> Self {
        Ancillary { rights: Vec::new(), cred: None, interface: 0, ttl: None, tos: None, source: None, segment: None }
    }
}

/// A send call.
pub struct Send<'a, R> {
    /// Bytes to take from the source.
    pub len: usize,
    /// `MSG_*`.
    pub flags: u32,
    /// Where to, when the call says so.
    pub dest: Option<&'a Addr>,
    /// What goes along.
    pub ancillary: Option<Ancillary<R>>,
    /// Who sends.
    pub cred: Cred,
}

impl<R> Send<'_, R> {
    /// A plain send of `len` bytes.
    pub fn bytes(len: usize) -> Self {
        Send { len, flags: 0, dest: None, ancillary: None, cred: Cred::default() }
    }
}

/// What a receive call got.
#[derive(Debug)]
pub struct Received<R> {
    /// Bytes given to the sink.
    pub len: usize,
    /// Length of the message, which the sink may not have had room for; the same as `len` for streams.
    pub full_len: usize,
    /// Where it came from, where the protocol says so.
    pub from: Option<Addr>,
    /// `MSG_*` for `msg_flags`.
    pub flags: u32,
    /// Control messages, in Linux's order.
    pub control: Vec<Control<R>>,
    /// Whether MSG_WAITALL may go on for more: false at the end of a stream, a mark or a message.
    pub more: bool,
}

impl<R> Received<R> {
    pub(crate) fn stream(len: usize) -> Received<R> {
        Received { len, full_len: len, from: None, flags: 0, control: Vec::new(), more: len > 0 }
    }

    pub(crate) fn end() -> Received<R> {
        Received::stream(0)
    }
}

/// A control message of a receive call.
#[derive(Clone, Debug)]
pub enum Control<R> {
    /// SCM_RIGHTS.
    Rights(Vec<R>),
    /// SCM_CREDENTIALS.
    Credentials(Cred),
    /// SO_TIMESTAMP: virtual nanoseconds at arrival, to be shown as a `timeval`.
    Timestamp(u64),
    /// SO_TIMESTAMPNS: the same as a `timespec`.
    TimestampNs(u64),
    /// IP_PKTINFO.
    PktInfo {
        /// Interface index.
        interface: u32,
        /// The host's own address on it.
        local: Ipv4Addr,
        /// The address in the header.
        to: Ipv4Addr,
    },
    /// IPV6_PKTINFO.
    PktInfo6 {
        /// Interface index.
        interface: u32,
        /// The address in the header.
        to: Ipv6Addr,
    },
    /// IP_TTL.
    Ttl(u8),
    /// IP_TOS.
    Tos(u8),
    /// IPV6_HOPLIMIT.
    HopLimit(u8),
    /// IPV6_TCLASS.
    TrafficClass(u8),
    /// IPV6_2292HOPLIMIT: the same as the newer one, by RFC 2292.
    OldHopLimit(u8),
    /// IPV6_2292PKTINFO.
    OldPktInfo6 {
        /// Interface index.
        interface: u32,
        /// The address in the header.
        to: Ipv6Addr,
    },
    /// IP_RECVORIGDSTADDR or IPV6_RECVORIGDSTADDR: where the message was sent to.
    OriginalDestination(Endpoint),
    /// SCM_PIDFD: the caller makes a descriptor for the process.
    Pidfd(Cred),
    /// SO_TIMESTAMPING: virtual nanoseconds of the software time stamp.
    Timestamping(u64),
    /// SO_RXQ_OVFL: messages that found the queue full before this one.
    Drops(u32),
    /// IP_RECVERR or IPV6_RECVERR: `struct sock_extended_err` with the address of who told it.
    Error {
        /// Whether the socket is one of AF_INET6.
        six: bool,
        /// The error.
        errno: u16,
        /// Origin, type and code.
        what: [u8; 3],
        /// Further information.
        info: u32,
        /// More of it.
        data: u32,
        /// Who told it, if another host or ICMP did.
        offender: Option<IpAddr>,
    },
}

impl<R> Control<R> {
    /// Level and type of its header.
    pub fn kind(&self) -> (u32, u32) {
        match self {
            Control::Rights(_) => (sol::SOCKET, scm::RIGHTS),
            Control::Credentials(_) => (sol::SOCKET, scm::CREDENTIALS),
            Control::Timestamp(_) => (sol::SOCKET, so::TIMESTAMP),
            Control::TimestampNs(_) => (sol::SOCKET, so::TIMESTAMPNS),
            Control::PktInfo { .. } => (sol::IP, ip::PKTINFO),
            Control::PktInfo6 { .. } => (sol::IPV6, ip6::PKTINFO),
            Control::Ttl(_) => (sol::IP, ip::TTL),
            Control::Tos(_) => (sol::IP, ip::TOS),
            Control::HopLimit(_) => (sol::IPV6, ip6::HOPLIMIT),
            Control::TrafficClass(_) => (sol::IPV6, ip6::TCLASS),
            Control::OldHopLimit(_) => (sol::IPV6, ip6::HOPLIMIT_2292),
            Control::OldPktInfo6 { .. } => (sol::IPV6, ip6::PKTINFO_2292),
            Control::OriginalDestination(to) if to.ip.is_ipv4() => (sol::IP, ip::RECVORIGDSTADDR),
            Control::OriginalDestination(_) => (sol::IPV6, ip6::RECVORIGDSTADDR),
            Control::Pidfd(_) => (sol::SOCKET, scm::PIDFD),
            Control::Timestamping(_) => (sol::SOCKET, so::TIMESTAMPING),
            Control::Drops(_) => (sol::SOCKET, so::RXQ_OVFL),
            Control::Error { six: true, .. } => (sol::IPV6, ip6::RECVERR),
            Control::Error { .. } => (sol::IP, ip::RECVERR),
        }
    }

    /// Its data as the program finds it. Rights give none (the caller makes descriptors), and times are relative to
    /// `start`, the wall clock in nanoseconds at virtual time 0.
    pub fn data(&self, start: u64) -> Vec<u8> {
        let mut out = Vec::new();
        let word = |out: &mut Vec<u8>, v: u32| out.extend_from_slice(&v.to_ne_bytes());
        match *self {
            Control::Rights(_) | Control::Pidfd(_) => {}
            Control::Credentials(c) => [c.pid, c.uid, c.gid].into_iter().for_each(|v| word(&mut out, v)),
            Control::Timestamp(at) => return time_bytes(start + at, 1000),
            Control::TimestampNs(at) => return time_bytes(start + at, 1),
            Control::PktInfo { interface, local, to } => {
                word(&mut out, interface);
                word(&mut out, u32::from_ne_bytes(local.octets()));
                word(&mut out, u32::from_ne_bytes(to.octets()));
            }
            Control::PktInfo6 { interface, to } | Control::OldPktInfo6 { interface, to } => {
                out.extend_from_slice(&to.octets());
                out.extend_from_slice(&interface.to_ne_bytes());
            }
            // ip(7): IP_TOS is a byte where the others are an int.
            Control::Tos(v) => out.push(v),
            Control::Ttl(v) | Control::HopLimit(v) | Control::TrafficClass(v) | Control::OldHopLimit(v) => {
                word(&mut out, u32::from(v));
            }
            Control::OriginalDestination(to) => out.extend_from_slice(&Addr::Ip(to).to_bytes()),
            Control::Timestamping(at) => {
                // The second and third are for hardware, which has none.
                out = time_bytes(start + at, 1);
                out.resize(48, 0);
            }
            Control::Drops(count) => word(&mut out, count),
            Control::Error { six, errno, what, info, data, offender } => {
                word(&mut out, u32::from(errno));
                out.extend_from_slice(&[what[0], what[1], what[2], 0]);
                out.extend_from_slice(&info.to_ne_bytes());
                out.extend_from_slice(&data.to_ne_bytes());
                let end = out.len() + if six { 28 } else { 16 };
                if let Some(ip) = offender {
                    out.extend_from_slice(&Addr::Ip(Endpoint::new(ip, 0)).to_bytes());
                }
                // AF_UNSPEC is 0.
                out.resize(end, 0);
            }
        }
        out
    }
}

/// Seconds and a fraction in units of `unit` nanoseconds, 16 bytes.
fn time_bytes(at: u64, unit: u64) -> Vec<u8> {
    let mut out = Vec::from((at / 1_000_000_000).to_ne_bytes());
    out.extend_from_slice(&(at % 1_000_000_000 / unit).to_ne_bytes());
    out
}

/// How far a `connect` came.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Connect {
    /// It is connected.
    Done,
    /// The handshake is on its way: POLLOUT tells its end, and a second `connect` its outcome.
    InProgress,
}

/// How a `close` went.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Close {
    /// The call returns at once.
    Done,
    /// SO_LINGER: the call waits until [`lingers`](crate::SocketTable::lingers) is false, at most until this time.
    Linger {
        /// Virtual nanoseconds.
        until: u64,
        /// The entry's unique ID.
        unique: u64,
    },
}

/// Which direction a `shutdown` ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum How {
    /// SHUT_RD.
    Read,
    /// SHUT_WR.
    Write,
    /// SHUT_RDWR.
    Both,
}

impl How {
    /// From the call's argument.
    pub fn from_arg(how: u64) -> Option<How> {
        match how as i32 {
            0 => Some(How::Read),
            1 => Some(How::Write),
            2 => Some(How::Both),
            _ => None,
        }
    }

    pub(crate) fn bits(self) -> u8 {
        match self {
            How::Read => crate::entry::SHUT_RECEIVE,
            How::Write => crate::entry::SHUT_SEND,
            How::Both => crate::entry::SHUT_BOTH,
        }
    }
}
