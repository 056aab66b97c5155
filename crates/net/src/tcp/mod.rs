//! TCP: handshake, streams with flow control, what is lost and sent again, half-close, reset, rest.
//!
//! | Module | Content |
//! |---|---|
//! | `handshake` | connecting, listening, accepting |
//! | `calls` | send, receive, shutdown, close |
//! | `local` | the straight way between two sockets of one host |
//! | `input` | segments that arrive |
//! | `output` | segments that go out, the first time and again |
//! | `clock` | deadlines, and what happens at them |
//! | `errors` | what the network says of a connection's packets |
//! | `wire` | what only connections between hosts have; its parts are |
//! | `flight` | what is on its way, and what of it is lost |
//! | `rtt` | the round trip and the time-out |
//! | `congestion` | the congestion window |
//! | `acks` | when to acknowledge |
//! | `pieces` | what has come before its turn |
//!
//! Segments carry places in the stream (from 0, the SYN's) instead of wrapping numbers; which stream is meant, an initial
//! sequence number tells elsewhere and here the unique ID of the socket. Between two sockets of one host
//! the bytes go straight into the peer's receive queue, and only SYN, FIN and RST are segments; between hosts everything is
//! a segment in flight. What a sender has not seen acknowledged stays in its send queue, so that it can be sent again.

mod acks;
mod calls;
mod clock;
mod congestion;
mod errors;
mod flight;
mod handshake;
mod info;
mod input;
mod local;
mod output;
mod pieces;
mod rtt;
#[cfg(test)]
mod tests;
mod wire;

use crate::addr::Endpoint;
use crate::call::SocketId;
use crate::entry::{Entry, Path, Phase, SHUT_BOTH, SHUT_RECEIVE};
use crate::link::Route;
use crate::linux::poll;
use crate::options::{Flag, Int};
use crate::ports::{FlowKey, Rest, TIME_WAIT};
use crate::queue::Chunk;
use crate::table::SocketTable;
use alloc::boxed::Box;
use clock::Clock;
pub(crate) use congestion::{Algorithm, NO_THRESHOLD};
pub(crate) use pieces::Blocks;
pub(crate) use wire::Wire;

/// States of RFC 9293, with the numbers by which Linux shows them.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[repr(u8)]
#[allow(missing_docs)]
pub enum TcpState {
    Established = 1,
    SynSent = 2,
    SynReceived = 3,
    FinWait1 = 4,
    FinWait2 = 5,
    TimeWait = 6,
    #[default]
    Close = 7,
    CloseWait = 8,
    LastAck = 9,
    Listen = 10,
    Closing = 11,
}

/// Bits of a segment, as its header has them.
pub(crate) mod bit {
    pub(crate) const FIN: u8 = 1;
    pub(crate) const SYN: u8 = 2;
    pub(crate) const RST: u8 = 4;
    /// The last of what the sender had to send.
    pub(crate) const PSH: u8 = 8;
    pub(crate) const ACK: u8 = 16;
}

/// A TCP segment.
#[derive(Clone, Debug)]
pub(crate) struct Segment {
    pub(crate) bits: u8,
    /// Place of its first byte.
    pub(crate) seq: u64,
    /// Place that the sender of the segment expects next.
    pub(crate) ack: u64,
    /// Place after the last byte that it would take.
    pub(crate) edge: u64,
    /// Of which streams `seq` and `ack` are places: the unique IDs of the sender and of the other end, 0 if not known.
    pub(crate) streams: [u64; 2],
    /// The sender's clock in milliseconds, and the receiver's as it last came from there (RFC 7323).
    pub(crate) clock: u32,
    pub(crate) echo: u32,
    /// Place of the urgent byte, if one is announced.
    pub(crate) urgent: Option<u64>,
    /// What has come out of order.
    pub(crate) blocks: Option<Box<Blocks>>,
    pub(crate) payload: Option<Chunk>,
}

impl Segment {
    pub(crate) fn has(&self, bits: u8) -> bool {
        self.bits & bits != 0
    }

    /// Bytes of payload.
    #[inline]
    pub(crate) fn len(&self) -> u64 {
        self.payload.as_ref().map_or(0, Chunk::len) as u64
    }

    /// Place after its last byte; SYN and FIN count.
    #[inline]
    pub(crate) fn end(&self) -> u64 {
        self.seq + self.len() + u64::from(self.has(bit::SYN)) + u64::from(self.has(bit::FIN))
    }
}

/// The urgent byte (MSG_OOB).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Urgent {
    /// Its place in the stream.
    pub(crate) at: u64,
    /// Whether the program has received it.
    pub(crate) taken: bool,
}

/// The state of a TCP connection.
#[derive(Debug, Default)]
pub(crate) struct Tcp {
    pub(crate) state: TcpState,
    /// Place of the oldest byte that is not acknowledged.
    pub(crate) unacked: u64,
    /// Place of the next byte to send.
    pub(crate) next: u64,
    /// Place after the last byte that the other end takes.
    pub(crate) edge: u64,
    /// Place of the next byte to arrive.
    pub(crate) expected: u64,
    /// Place after the last byte that the other end was told it may send.
    pub(crate) advertised: u64,
    /// Bytes that the receive queue takes.
    pub(crate) window: u32,
    /// Bytes read since the window grew.
    read: u64,
    /// The other end's unique ID as its segments bear it.
    pub(crate) theirs: u64,
    /// A FIN follows the send queue.
    pub(crate) fin_due: bool,
    pub(crate) fin_sent: bool,
    /// The last segment of the handshake has come, and was not taken yet.
    acked: bool,
    /// SYNs sent; of a server's end, time-outs of its SYN-ACK.
    pub(crate) syns: u8,
    /// When the first SYN was sent.
    opened_at: u64,
    pub(crate) clock: Clock,
    pub(crate) urgent: Option<Urgent>,
    /// Place of an urgent byte that the other end does not have yet.
    urgent_out: Option<u64>,
    /// The listening socket, until it is in that one's accept queue.
    parent: Option<(SocketId, u64)>,
    pub(crate) in_accept_queue: bool,
    /// Packets.
    pub(crate) segments_out: u32,
    pub(crate) segments_in: u32,
    pub(crate) bytes_out: u64,
    pub(crate) bytes_in: u64,
    pub(crate) last_sent: u64,
    pub(crate) last_received: u64,
    /// What only a connection between hosts has.
    pub(crate) wire: Option<Box<Wire>>,
}

impl Tcp {
    /// Whether the next byte to be read is the urgent one, which a plain read does not return.
    #[inline]
    pub(crate) fn urgent_is_next<R>(&self, entry: &Entry<R>) -> bool {
        self.urgent.is_some_and(|u| u.at == self.read_place(entry)) && !entry.local.options.flag(Flag::OobInline)
    }

    /// Place of the next byte to be read.
    pub(crate) fn read_place<R>(&self, entry: &Entry<R>) -> u64 {
        entry.receive_queue.head
    }

    fn can_send(&self) -> bool {
        matches!(self.state, TcpState::Established | TcpState::CloseWait)
    }

    fn can_receive(&self) -> bool {
        matches!(self.state, TcpState::Established | TcpState::FinWait1 | TcpState::FinWait2)
    }

    /// Whether both ends know of each other.
    pub(crate) fn is_synchronized(&self) -> bool {
        !matches!(self.state, TcpState::Close | TcpState::Listen | TcpState::SynSent | TcpState::SynReceived)
    }

    /// Bytes of the send queue that have been sent and not acknowledged.
    #[inline]
    pub(crate) fn sent_bytes(&self) -> u64 {
        (self.next - self.unacked).saturating_sub(u64::from(self.fin_sent && self.unacked < self.next))
    }

    /// How long nothing has come, in nanoseconds.
    fn quiet_for(&self, now: u64) -> u64 {
        let heard = self.wire.as_ref().map_or(0, |wire| wire.heard_at);
        now.saturating_sub(self.last_received.max(heard))
    }
}

/// The window of a connection whose receive buffer the program has not fixed: at first, and at most.
const WINDOW_FIRST: u32 = 65_536;
const WINDOW_MOST: u32 = 3 << 20;
/// Bytes of a segment at most, as with segmentation offload.
const SEGMENT: usize = 65_536;
const SECOND: u64 = 1_000_000_000;
/// socket(2): `net.core.somaxconn`.
const BACKLOG_MOST: u32 = 4096;

/// A segment with its way.
pub(crate) struct Arrival {
    pub(crate) from: u32,
    pub(crate) host: u32,
    pub(crate) network: Option<u32>,
    pub(crate) src: Endpoint,
    pub(crate) dst: Endpoint,
    pub(crate) segment: Segment,
}

impl Arrival {
    /// The way back.
    fn back(&self) -> Path {
        match self.network {
            None => Path::Local,
            Some(network) => Path::Link { network, host: self.from },
        }
    }
}

fn path_of(route: Route) -> Path {
    match route {
        Route::Neighbour { network, host, .. } => Path::Link { network, host },
        Route::Nobody { network, .. } => Path::Nobody { network },
        _ => Path::Local,
    }
}

impl<R: Clone> SocketTable<R> {
    /// Sets the places of a new stream.
    fn start_stream(&mut self, id: SocketId, state: TcpState) {
        self.disarm(id);
        let entry = self.slab.at_mut(id);
        let options = &entry.local.options;
        let fixed = (options.int(Int::ReceiveBuffer) / 2) as u32;
        let window = if options.receive_locked() { fixed } else { WINDOW_FIRST };
        let wire = match entry.connection.path {
            Path::Link { network, .. } => {
                let most = self.world.segment_most(network, entry.remote_end().ip.is_ipv6()) as u32;
                let asked = options.int(Int::MaxSegment) as u32;
                let mss = if asked == 0 { most } else { asked.saturating_sub(12).clamp(36, most) };
                Some(Box::new(Wire::new(mss, options.algorithm())))
            }
            _ => None,
        };
        entry.connection.tcp = Tcp { state, window, advertised: 1 + u64::from(window), wire, ..Tcp::default() };
        entry.receive_queue.head = 1;
        entry.send_queue.head = 1;
    }

    /// Lets the addresses of a connection rest; the entry goes when nobody holds it.
    fn tcp_rest(&mut self, id: SocketId) {
        let entry = self.at(id);
        let key = FlowKey::new(entry.connection.host, entry.local_end(), entry.remote_end());
        let tcp = &entry.connection.tcp;
        let rest = Rest {
            until: self.log.now + TIME_WAIT,
            reuse: entry.local.options.flag(Flag::ReuseAddr),
            next: tcp.next,
            expected: tcp.expected,
            edge: tcp.advertised,
            streams: [entry.local.id, tcp.theirs],
        };
        self.tcp_closed(id);
        self.ports.rest(key, rest);
    }

    /// Ends a connection: its queue of unsent bytes is gone, what was received can still be read.
    pub(crate) fn tcp_closed(&mut self, id: SocketId) {
        self.end_connection(id);
        let entry = self.at_mut(id);
        entry.connection.tcp.state = TcpState::Close;
        entry.connection.shut = SHUT_BOTH;
        entry.connection.phase = Phase::Disconnected;
        self.settle(id);
        if self.at(id).connection.open {
            self.notify(id, poll::ANY);
        } else {
            self.leave_port(id);
            self.remove(id);
        }
    }

    /// Takes a connection out of the flows and from its peer.
    fn end_connection(&mut self, id: SocketId) {
        self.disarm(id);
        let entry = self.slab.at_mut(id);
        entry.send_queue.bytes.clear(&mut self.pool);
        if let Some(wire) = entry.connection.tcp.wire.as_deref_mut() {
            wire.flight.clear();
            wire.pieces.clear(&mut self.pool);
        }
        let key = FlowKey::new(entry.connection.host, entry.local_end(), entry.remote_end());
        let peer = entry.connection.peer.take();
        self.ports.end_flow(&key, id);
        if let Some(peer) = peer.and_then(|peer| self.slab.get_mut(peer))
            && peer.connection.peer == Some(id)
        {
            peer.connection.peer = None;
            self.log.changed(peer);
        }
    }
}

/// Room in a receive queue.
#[inline]
fn receive_room<R>(entry: &Entry<R>) -> usize {
    (entry.connection.tcp.window as usize).saturating_sub(entry.receive_queue.bytes.len())
}

/// Whether nobody will read what comes (RFC 1122, 4.2.2.13): the end is closed, or has shut both directions.
fn is_deaf<R>(entry: &Entry<R>) -> bool {
    !entry.connection.open || entry.connection.shut & SHUT_RECEIVE != 0 && entry.connection.shut == SHUT_BOTH
}
