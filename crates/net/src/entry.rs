//! An entry of the socket table (FIG. 48, 4804) and its parts.

use crate::addr::{Addr, Endpoint, Family};
use crate::call::{Cred, SocketId};
use crate::errors::Report;
use crate::link::World;
use crate::log::Told;
use crate::multicast::Membership;
use crate::options::Options;
use crate::queue::Queue;
use crate::tcp::{Tcp, TcpState};
use alloc::boxed::Box;
use alloc::collections::{BTreeSet, VecDeque};
use alloc::rc::Rc;
use alloc::vec::Vec;
use core::net::IpAddr;
use snowglobe_abi::Errno;

/// The type of a socket.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum SocketType {
    /// SOCK_STREAM.
    Stream,
    /// SOCK_DGRAM.
    Datagram,
    /// SOCK_SEQPACKET.
    Seqpacket,
    /// SOCK_RAW.
    Raw,
}

impl SocketType {
    /// Its `SOCK_*` number.
    pub fn number(self) -> u32 {
        match self {
            SocketType::Stream => crate::linux::sock::STREAM,
            SocketType::Datagram => crate::linux::sock::DGRAM,
            SocketType::Raw => crate::linux::sock::RAW,
            SocketType::Seqpacket => crate::linux::sock::SEQPACKET,
        }
    }
}

/// The protocol of a socket.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Protocol {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
    /// ICMP or ICMPv6: a raw socket, or a ping socket of type datagram.
    Icmp,
    /// AF_UNIX.
    Unix,
    /// NETLINK_ROUTE and the other netlink protocols by number.
    Netlink(u8),
}

impl Protocol {
    /// Its `IPPROTO_*` or `NETLINK_*` number, for a socket of `family`.
    pub fn number(self, family: Family) -> u32 {
        match self {
            Protocol::Tcp => crate::linux::ipproto::TCP,
            Protocol::Udp => crate::linux::ipproto::UDP,
            Protocol::Icmp if family == Family::Inet6 => crate::linux::ipproto::ICMPV6,
            Protocol::Icmp => crate::linux::ipproto::ICMP,
            Protocol::Unix => 0,
            Protocol::Netlink(number) => u32::from(number),
        }
    }
}

/// One end of a socket.
#[derive(Clone, Debug)]
pub struct SocketStructure {
    /// Unique socket ID: never given twice in a world; 0 while it is not known.
    pub id: u64,
    /// Socket type.
    pub kind: SocketType,
    /// Protocols: which one of the family's.
    pub protocol: Protocol,
    /// Options: shared until one of its holders sets one.
    pub options: Rc<Options>,
    /// Network address.
    pub address: Addr,
    /// Event: activity (poll bits) of which the program has not been told yet.
    pub event: u32,
    /// Family.
    pub family: Family,
    /// Whether calls on it block.
    pub blocking: bool,
}

impl SocketStructure {
    pub(crate) fn new(family: Family, kind: SocketType, protocol: Protocol, options: Rc<Options>) -> SocketStructure {
        SocketStructure { id: 0, kind, protocol, options, address: family.unbound(), event: 0, family, blocking: true }
    }
}

/// The status of a socket (FIG. 48, 4816).
///
/// ```text
/// unconnected ──▶ bound ──▶ listening
///      │            │
///      └────┬───────┘
///           ▼
///      connecting ──▶ connected ◀──▶ sending, receiving ──▶ shutdown ──▶ disconnected
/// ```
///
/// `sending` is a socket whose send queue holds something, `receiving` one whose receive queue does and that has
/// nothing to send. A failed connect goes back to `bound` or `unconnected`; so does a dissolved association.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[repr(u8)]
pub enum SocketStatus {
    /// No address and no other end.
    Unconnected = 0,
    /// It has an address.
    Bound = 1,
    /// It waits for connections.
    Listening = 2,
    /// Its handshake is on its way.
    Connecting = 3,
    /// It has another end, or is one of a pair.
    Connected = 4,
    /// Its send queue holds what the network has not taken.
    Sending = 5,
    /// Its receive queue holds what the program has not read.
    Receiving = 6,
    /// One direction has ended.
    Shutdown = 7,
    /// Both directions have ended.
    Disconnected = 8,
}

impl SocketStatus {
    /// Its name in the trace and in listings.
    pub fn name(self) -> &'static str {
        match self {
            SocketStatus::Unconnected => "unconnected",
            SocketStatus::Bound => "bound",
            SocketStatus::Listening => "listening",
            SocketStatus::Connecting => "connecting",
            SocketStatus::Connected => "connected",
            SocketStatus::Sending => "sending",
            SocketStatus::Receiving => "receiving",
            SocketStatus::Shutdown => "shutdown",
            SocketStatus::Disconnected => "disconnected",
        }
    }

    /// The status with this number.
    pub fn from_u8(v: u8) -> Option<SocketStatus> {
        use SocketStatus::*;
        [Unconnected, Bound, Listening, Connecting, Connected, Sending, Receiving, Shutdown, Disconnected]
            .get(usize::from(v))
            .copied()
    }

    /// Whether the diagram has a move from `self` to `to`.
    pub fn may_become(self, to: SocketStatus) -> bool {
        use SocketStatus::*;
        match (self, to) {
            (_, Disconnected) => self != Disconnected,
            (Unconnected | Bound, Connecting) | (Bound, Unconnected | Listening) | (Unconnected, Bound) => true,
            (Listening, to) => to == Bound || to == Unconnected,
            // What it is to send or has received follows when it is connected.
            (Connecting, to) => matches!(to, Unconnected | Bound | Connected | Shutdown),
            // Datagram sockets receive without another end, and gain or dissolve one at any time; a pair has one at once.
            (Unconnected | Bound, to) => matches!(to, Connected | Receiving | Shutdown),
            (Connected | Sending | Receiving, to) => to != Listening && to != Connecting,
            (Shutdown, to) => to == Unconnected || to == Bound,
            (Disconnected, to) => to == Unconnected || to == Bound,
        }
    }
}

/// The receive direction has ended.
pub(crate) const SHUT_RECEIVE: u8 = 1;
/// The send direction has ended.
pub(crate) const SHUT_SEND: u8 = 2;
/// Both have.
pub(crate) const SHUT_BOTH: u8 = 3;

/// The part of a status that does not depend on the queues.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Phase {
    Unconnected,
    Bound,
    Listening,
    Connecting,
    Connected,
    Shutdown,
    Disconnected,
}

/// Where the other end of a connection is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Path {
    /// On the same host: what is sent has arrived.
    Local,
    /// On another host of this network.
    Link {
        /// Index of the network.
        network: u32,
        /// Index of the host, or [`crate::link::RESOLVER`].
        host: u32,
    },
    /// Nowhere: the network has no such address.
    Nobody {
        /// Index of the network.
        network: u32,
    },
}

/// What few sockets have: made at the first need.
#[derive(Default, Debug)]
pub(crate) struct Extra {
    /// The error queue, oldest first.
    pub(crate) errors: VecDeque<Report>,
    /// A datagram in the making (MSG_MORE, UDP_CORK).
    pub(crate) cork: Option<Cork>,
    /// ICMP_FILTER or ICMP6_FILTER: a bit for each type that the socket does not want.
    pub(crate) icmp_filter: [u32; 8],
    /// Datagrams that found the receive queue full.
    pub(crate) drops: u32,
    /// Sends with MSG_ZEROCOPY so far.
    pub(crate) zerocopies: u32,
    /// Sends that asked for a time stamp so far.
    pub(crate) stamped: u32,
    /// What is left of a netlink dump, for which the receive queue has no room yet.
    pub(crate) dump: VecDeque<Vec<u8>>,
}

/// A datagram in the making: its first send said where it goes.
#[derive(Debug)]
pub(crate) struct Cork {
    pub(crate) to: Endpoint,
    pub(crate) bytes: Vec<u8>,
    pub(crate) header: crate::udp::Stated,
}

/// What a listening socket has besides.
#[derive(Default, Debug)]
pub(crate) struct Listener {
    pub(crate) backlog: u32,
    pub(crate) accept: VecDeque<SocketId>,
}

/// The link between the two ends (FIG. 48, 4832).
#[derive(Debug)]
pub struct Connection {
    pub(crate) here: SocketId,
    pub(crate) host: u32,
    pub(crate) phase: Phase,
    /// The other end's entry, while both live.
    pub(crate) peer: Option<SocketId>,
    /// The AF_UNIX datagram sockets that have it as their peer.
    pub(crate) peer_of: BTreeSet<SocketId>,
    /// What its messages that have not been read count against its send buffer (AF_UNIX).
    pub(crate) outstanding: usize,
    pub(crate) path: Path,
    pub(crate) error: Option<Errno>,
    pub(crate) shut: u8,
    /// Whether a descriptor or an accept queue holds it.
    pub(crate) open: bool,
    pub(crate) bound_ip: bool,
    pub(crate) bound_port: bool,
    /// The local port is shown, but no longer held: its connection failed.
    pub(crate) stale_port: bool,
    /// `connect` was called and its outcome not yet asked for.
    pub(crate) outcome_due: bool,
    /// Answered by the world itself: the resolver.
    pub(crate) service: bool,
    pub(crate) cred: Cred,
    pub(crate) peer_cred: Option<Cred>,
    /// AF_UNIX: the supplementary groups of both.
    pub(crate) cred_groups: Option<Rc<[u32]>>,
    pub(crate) peer_groups: Option<Rc<[u32]>>,
    pub(crate) listener: Option<Box<Listener>>,
    pub(crate) groups: Vec<Membership>,
    /// AF_UNIX senders to be told when the receive queue or the accept queue has room again.
    pub(crate) waiters: Vec<SocketId>,
    pub(crate) extra: Option<Box<Extra>>,
    /// When the last message that was received had come; 0 is never.
    pub(crate) stamp: u64,
    pub(crate) tcp: Tcp,
}

/// The descriptor by which a program names a socket.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Descriptor {
    /// Process id.
    pub pid: u32,
    /// Number.
    pub fd: i32,
}

/// One line of the table: both ends of a socket, and what lies between them.
#[derive(Debug)]
pub struct Entry<R> {
    /// Local socket structure (4808).
    pub local: SocketStructure,
    /// Remote socket structure (4812).
    pub remote: SocketStructure,
    /// Socket status (4816).
    pub status: SocketStatus,
    /// Socket (4820): the descriptor that first named it, if the kernel has said.
    pub socket: Option<Descriptor>,
    /// Send queue (4824).
    pub send_queue: Queue<R>,
    /// Receive queue (4828).
    pub receive_queue: Queue<R>,
    /// Connection (4832).
    pub connection: Connection,
    /// What the trace says of it.
    pub(crate) told: Told,
}

const _: () = assert!(size_of::<Entry<u64>>() <= 900, "an idle entry stays under 1 KiB");

impl<R> Entry<R> {
    pub(crate) fn new(here: SocketId, host: u32, cred: Cred, local: SocketStructure) -> Entry<R> {
        let remote = SocketStructure::new(local.family, local.kind, local.protocol, local.options.clone());
        let connection = Connection {
            here,
            host,
            phase: Phase::Unconnected,
            peer: None,
            peer_of: BTreeSet::new(),
            outstanding: 0,
            path: Path::Local,
            error: None,
            shut: 0,
            open: true,
            bound_ip: false,
            bound_port: false,
            stale_port: false,
            outcome_due: false,
            service: false,
            cred,
            peer_cred: None,
            cred_groups: None,
            peer_groups: None,
            listener: None,
            groups: Vec::new(),
            waiters: Vec::new(),
            extra: None,
            stamp: 0,
            tcp: Tcp::default(),
        };
        Entry {
            local,
            remote,
            status: SocketStatus::Unconnected,
            socket: None,
            send_queue: Queue::default(),
            receive_queue: Queue::default(),
            connection,
            told: Told::default(),
        }
    }

    /// The status that its phase and queues amount to.
    #[inline]
    pub(crate) fn status_now(&self) -> SocketStatus {
        match self.connection.phase {
            Phase::Listening => SocketStatus::Listening,
            Phase::Connecting => SocketStatus::Connecting,
            Phase::Shutdown => SocketStatus::Shutdown,
            Phase::Disconnected => SocketStatus::Disconnected,
            _ if !self.send_queue.is_empty() => SocketStatus::Sending,
            _ if !self.receive_queue.is_empty() => SocketStatus::Receiving,
            Phase::Connected => SocketStatus::Connected,
            Phase::Bound => SocketStatus::Bound,
            Phase::Unconnected => SocketStatus::Unconnected,
        }
    }

    /// Index of its host.
    pub fn host(&self) -> u32 {
        self.connection.host
    }

    /// Its unique ID.
    pub fn unique(&self) -> u64 {
        self.local.id
    }

    /// Its place in the table.
    pub fn id(&self) -> SocketId {
        self.connection.here
    }

    /// Its TCP state, as `/proc/net/tcp` names it.
    pub fn tcp_state(&self) -> TcpState {
        self.connection.tcp.state
    }

    #[inline]
    pub(crate) fn local_end(&self) -> Endpoint {
        self.local.address.endpoint().unwrap_or(NO_END)
    }

    #[inline]
    pub(crate) fn remote_end(&self) -> Endpoint {
        self.remote.address.endpoint().unwrap_or(NO_END)
    }

    /// The phase that follows from the directions that have ended; `live` if none has.
    pub(crate) fn shut_phase(&self, live: Phase) -> Phase {
        match self.connection.shut {
            0 => live,
            SHUT_BOTH => Phase::Disconnected,
            _ => Phase::Shutdown,
        }
    }

    /// Whether a datagram socket talks to one address only.
    pub(crate) fn is_associated(&self) -> bool {
        !self.remote_end().ip.is_unspecified()
    }

    /// The port that it has, or 0.
    pub(crate) fn held_port(&self) -> u16 {
        if self.connection.stale_port { 0 } else { self.local_end().port }
    }

    /// TCP_MAXSEG: what fits into a packet of the path, less headers and timestamps.
    pub(crate) fn segment_size(&self, world: &World) -> u32 {
        match (self.connection.phase, self.connection.path) {
            (Phase::Unconnected | Phase::Bound | Phase::Listening | Phase::Connecting, _) => 536,
            (_, Path::Local) => 32741,
            (_, Path::Link { network, .. } | Path::Nobody { network }) => {
                let most = world.segment_most(network, self.remote_end().ip.is_ipv6()) as u32;
                self.connection.tcp.wire.as_deref().map_or(most, |wire| wire.flight.mss)
            }
        }
    }

    /// What few sockets have.
    pub(crate) fn extra(&mut self) -> &mut Extra {
        self.connection.extra.get_or_insert_default()
    }

    /// Whether the error queue holds something.
    #[inline]
    pub(crate) fn has_reports(&self) -> bool {
        self.connection.extra.as_ref().is_some_and(|extra| !extra.errors.is_empty())
    }

    /// Whether a receive on a socket that has been shut for it finds the end: in Linux who would not wait is told that
    /// there is nothing yet, but for sequenced packets.
    pub(crate) fn sees_end(&self, flags: u32) -> bool {
        let waits = self.local.blocking && flags & crate::linux::msg::DONTWAIT == 0;
        waits || self.local.kind == SocketType::Seqpacket
    }

    pub(crate) fn take_error(&mut self) -> Option<Errno> {
        self.connection.error.take()
    }

    pub(crate) fn is_shut(&self, bits: u8) -> bool {
        self.connection.shut & bits == bits
    }

    /// A phase for one that has no other end.
    pub(crate) fn idle_phase(&self) -> Phase {
        let bound = match &self.local.address {
            Addr::Ip(_) => self.held_port() != 0,
            Addr::Unix(name) => *name != crate::addr::UnixAddr::Unnamed,
            Addr::Netlink { port, .. } => *port != 0,
            Addr::Unspec => false,
        };
        if bound { Phase::Bound } else { Phase::Unconnected }
    }
}

const NO_END: Endpoint = Endpoint::new(IpAddr::V4(core::net::Ipv4Addr::UNSPECIFIED), 0);
