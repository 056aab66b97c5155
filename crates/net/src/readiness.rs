//! Readiness: which poll bits hold of a socket, state by state as Linux's `poll` handlers give them.

use crate::addr::Family;
use crate::call::SocketId;
use crate::entry::{Entry, Phase, Protocol, SHUT_BOTH, SHUT_RECEIVE, SHUT_SEND, SocketType};
use crate::linux::poll;
use crate::options::{Flag, Int};
use crate::table::SocketTable;
use crate::tcp::TcpState;

/// Messages that an AF_UNIX datagram queue takes (`net.unix.max_dgram_qlen`); Linux lets one more in.
pub(crate) const UNIX_QUEUE: usize = 10;

impl<R> Entry<R> {
    /// Bytes that the send queue may hold, as a stream of TCP.
    #[inline]
    pub(crate) fn send_capacity(&self) -> usize {
        /// What Linux's own tuning comes to on a fast path when the program does not fix the size.
        const TUNED: usize = 2_626_560;
        let options = &self.local.options;
        if options.send_locked() { options.int(Int::SendBuffer) as usize } else { TUNED }
    }

    /// tcp(7) sockets are writable when the free part is at least half of the used one (`sk_stream_is_writeable`).
    #[inline]
    pub(crate) fn tcp_writable(&self) -> bool {
        let used = self.send_queue.bytes.len();
        self.send_capacity().saturating_sub(used) >= used / 2
            && used < self.send_capacity()
            && (self.low_water() == 0 || self.unsent() * 2 < self.low_water())
    }

    /// tcp(7), TCP_NOTSENT_LOWAT: how many bytes may wait to be sent, or 0 for any number.
    #[inline]
    pub(crate) fn low_water(&self) -> u64 {
        u64::from(self.local.options.int(Int::NotSentLowWater).cast_unsigned())
    }

    /// Bytes of the send queue that have not been sent.
    #[inline]
    pub(crate) fn unsent(&self) -> u64 {
        (self.send_queue.bytes.len() as u64).saturating_sub(self.connection.tcp.sent_bytes())
    }

    /// Bytes that a program can read without waiting, up to an urgent mark.
    #[inline]
    pub(crate) fn readable_bytes(&self) -> usize {
        self.receive_queue.bytes.len()
    }
}

impl<R: Clone> SocketTable<R> {
    /// The poll bits that hold now; 0 for a place without a socket.
    pub fn readiness(&self, id: SocketId) -> u32 {
        let Ok(entry) = self.get(id) else { return 0 };
        match entry.local.protocol {
            Protocol::Tcp => tcp_readiness(entry),
            Protocol::Unix => self.unix_readiness(entry),
            _ => datagram_readiness(entry),
        }
    }

    /// `unix_poll` and `unix_dgram_poll`.
    fn unix_readiness(&self, entry: &Entry<R>) -> u32 {
        let mut bits = common(entry);
        let stream = entry.local.kind != SocketType::Datagram;
        let listening = entry.connection.listener.as_ref();
        if !entry.receive_queue.is_empty() || listening.is_some_and(|l| !l.accept.is_empty()) {
            bits |= poll::READ;
        }
        if stream && matches!(entry.connection.phase, Phase::Unconnected | Phase::Bound) {
            bits |= poll::HUP;
        }
        if self.unix_writable(entry) {
            bits |= poll::WRITE | poll::WRBAND;
        }
        bits
    }

    /// `unix_writable`: at most a quarter of the send buffer is on its way; and `unix_dgram_poll`: a connected
    /// datagram socket waits for room in its peer's queue.
    pub(crate) fn unix_writable(&self, entry: &Entry<R>) -> bool {
        if entry.connection.phase == Phase::Listening {
            return false;
        }
        let limit = entry.local.options.int(Int::SendBuffer) as usize;
        if entry.connection.outstanding * 4 > limit {
            return false;
        }
        let Some(peer) = entry.connection.peer.map(|peer| self.at(peer)) else { return true };
        if entry.local.kind == SocketType::Stream {
            return peer.receive_queue.held() * 4 <= limit;
        }
        let others_queue = peer.connection.peer != Some(entry.connection.here) && peer.id() != entry.id();
        !(others_queue && peer.receive_queue.messages() > UNIX_QUEUE)
    }
}

/// What all families have in common: errors and what has been shut.
fn common<R>(entry: &Entry<R>) -> u32 {
    let mut bits = 0;
    if entry.connection.error.is_some() || entry.has_reports() {
        bits |= poll::ERR;
        // socket(7), SO_SELECT_ERR_QUEUE.
        if entry.local.protocol != Protocol::Tcp && entry.local.options.flag(Flag::SelectErrQueue) {
            bits |= poll::PRI;
        }
    }
    if entry.is_shut(SHUT_BOTH) {
        bits |= poll::HUP;
    }
    if entry.is_shut(SHUT_RECEIVE) {
        bits |= poll::READ | poll::RDHUP;
    }
    bits
}

/// `tcp_poll`.
fn tcp_readiness<R>(entry: &Entry<R>) -> u32 {
    let tcp = &entry.connection.tcp;
    if tcp.state == TcpState::Listen {
        let waiting = entry.connection.listener.as_ref().is_some_and(|l| !l.accept.is_empty());
        return if waiting { poll::READ } else { 0 };
    }
    let mut bits = common(entry);
    if tcp.state == TcpState::Close {
        bits |= poll::HUP;
    }
    if !matches!(tcp.state, TcpState::SynSent | TcpState::SynReceived) {
        let low = entry.local.options.int(Int::ReceiveLowWater).max(1) as usize;
        let readable = entry.readable_bytes();
        let urgent_only = tcp.urgent_is_next(entry) && readable <= 1;
        if readable >= low.min(tcp.window as usize) && readable > 0 && !urgent_only {
            bits |= poll::READ;
        }
        if entry.is_shut(SHUT_SEND) || entry.tcp_writable() {
            bits |= poll::WRITE;
        }
        if tcp.urgent.is_some_and(|u| !u.taken) {
            bits |= poll::PRI;
        }
    }
    bits
}

/// `datagram_poll`.
fn datagram_readiness<R>(entry: &Entry<R>) -> u32 {
    let mut bits = common(entry);
    if !entry.receive_queue.is_empty() {
        bits |= poll::READ;
    }
    // `sock_writeable`: less than half of the buffer is still in the interface.
    if entry.send_queue.held() * 2 >= entry.local.options.int(Int::SendBuffer).max(1) as usize {
        return bits;
    }
    bits | poll::WRITE | if entry.local.family == Family::Netlink { 0 } else { poll::WRBAND }
}
