//! TCP: handshake, streams with flow control, half-close, reset, rest.
//!
//! Segments carry places in the stream (from 0, the SYN's) instead of wrapping numbers. Between two sockets of one host
//! the bytes go straight into the peer's receive queue, and only SYN, FIN and RST are segments; between hosts everything is
//! a segment in flight. What a sender has not seen acknowledged stays in its send queue, so that retransmission
//! has what it needs.

use crate::addr::{Addr, Endpoint};
use crate::call::{Close, Connect, How, Received, Send, SocketId};
use crate::entry::{Entry, Path, Phase, SHUT_BOTH, SHUT_RECEIVE, SHUT_SEND, SocketStructure};
use crate::fabric::{Body, Packet, Timer, TimerKey};
use crate::io::{Sink, Source};
use crate::link::Route;
use crate::linux::{msg, poll};
use crate::log::DropReason;
use crate::options::{Flag, Int};
use crate::ports::{Flow, FlowKey, PortKey, TIME_WAIT};
use crate::queue::Chunk;
use crate::table::SocketTable;
use snowglobe_abi::Errno;

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

/// Bits of a segment.
pub(crate) mod bit {
    pub(crate) const FIN: u8 = 1;
    pub(crate) const SYN: u8 = 2;
    pub(crate) const RST: u8 = 4;
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
    /// Place of the urgent byte, if one is announced.
    pub(crate) urgent: Option<u64>,
    pub(crate) payload: Option<Chunk>,
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
    /// A FIN follows the send queue.
    pub(crate) fin_due: bool,
    pub(crate) fin_sent: bool,
    pub(crate) syns: u8,
    pub(crate) timer: Option<TimerKey>,
    pub(crate) urgent: Option<Urgent>,
    /// Place of an urgent byte to be announced with the next bytes.
    urgent_out: Option<u64>,
    /// The listening socket, until it is in that one's accept queue.
    parent: Option<(SocketId, u64)>,
    /// Waits for data before it is shown to `accept` (TCP_DEFER_ACCEPT).
    deferred: bool,
    pub(crate) in_accept_queue: bool,
    pub(crate) segments_out: u32,
    pub(crate) segments_in: u32,
    pub(crate) bytes_out: u64,
    pub(crate) bytes_in: u64,
    pub(crate) last_sent: u64,
    pub(crate) last_received: u64,
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
}

/// The window of a connection whose receive buffer the program has not fixed: at first, and at most.
const WINDOW_FIRST: u32 = 65_536;
const WINDOW_MOST: u32 = 3 << 20;
/// Bytes of a segment at most, as with segmentation offload.
const SEGMENT: usize = 65_536;
const SECOND: u64 = 1_000_000_000;
/// How long address resolution tries before it gives up.
const RESOLUTION: u64 = 3 * SECOND;
/// tcp(7) `tcp_syn_linear_timeouts`: SYNs that are sent a second apart before the time doubles.
const LINEAR_SYNS: u8 = 4;
/// socket(2): `net.core.somaxconn`.
const BACKLOG_MOST: u32 = 4096;

/// Time until the SYN after `sent` ones.
fn syn_interval(sent: u8) -> u64 {
    SECOND << u32::from(sent.saturating_sub(LINEAR_SYNS + 1)).min(7)
}

impl<R: Clone> SocketTable<R> {
    // Connecting.

    pub(crate) fn tcp_connect(&mut self, id: SocketId, addr: &Addr) -> Result<Connect, Errno> {
        if *addr == Addr::Unspec {
            self.tcp_disconnect(id);
            return Ok(Connect::Done);
        }
        if let Some(outcome) = self.connect_outcome(id) {
            return outcome;
        }
        let entry = self.at(id);
        let end = self.own_family(entry, addr)?.canonical();
        if entry.local.options.flag(Flag::V6Only) && end.ip.is_ipv4() {
            return Err(Errno::ENETUNREACH);
        }
        let host = entry.connection.host;
        let route = self.world.route(host, end.ip, entry.local.options.device, end.scope)?;
        // ip(7): a broadcast or multicast address cannot be connected to.
        if matches!(route, Route::Broadcast { .. } | Route::Multicast { .. }) {
            return Err(Errno::ENETUNREACH);
        }
        let (local, remote) = self.choose_ends(id, end, route)?;
        self.start_connect(id, local, remote, route)
    }

    /// The addresses of a connection about to be made.
    fn choose_ends(&mut self, id: SocketId, to: Endpoint, route: Route) -> Result<(Endpoint, Endpoint), Errno> {
        let entry = self.at(id);
        let bound = entry.local_end();
        let source = self.world.source(entry.connection.host, to.ip, route);
        let remote = if to.ip.is_unspecified() { Endpoint { ip: source, ..to } } else { to };
        let ip = if bound.ip.is_unspecified() { source } else { bound.ip };
        if ip.is_ipv4() != remote.ip.is_ipv4() {
            return Err(Errno::EAFNOSUPPORT);
        }
        let port = match bound.port {
            _ if entry.held_port() == 0 => self.connect_port(id, ip, remote)?,
            port => port,
        };
        Ok((Endpoint { ip, port, scope: to.scope }, remote))
    }

    fn start_connect(
        &mut self,
        id: SocketId,
        local: Endpoint,
        remote: Endpoint,
        route: Route,
    ) -> Result<Connect, Errno> {
        let key = FlowKey::new(self.at(id).connection.host, local, remote);
        if self.ports.flows.contains_key(&key) {
            return Err(Errno::EADDRNOTAVAIL);
        }
        self.ports.flows.insert(key, Flow::Live(id));
        let was_bound = self.at(id).held_port() != 0;
        let entry = self.at_mut(id);
        entry.connection.phase = Phase::Connecting;
        entry.connection.path = path_of(route);
        entry.connection.outcome_due = true;
        entry.connection.error = None;
        entry.connection.shut = 0;
        entry.remote.address = Addr::Ip(remote);
        if was_bound {
            entry.local.address = Addr::Ip(local);
            self.settle(id);
        } else {
            self.take_port(id, local, false);
        }
        self.start_stream(id, TcpState::SynSent);
        if let Route::Nobody { .. } = route {
            let due = self.log.now + RESOLUTION;
            self.at_mut(id).connection.tcp.timer = Some(self.fabric.set_timer(due, Timer::Unreachable(id)));
            return Ok(Connect::InProgress);
        }
        self.send_syn(id);
        self.pump();
        // Linux looks at the answer when it lets go of the socket: a connect that does not wait is always in progress.
        if !self.at(id).local.blocking {
            return Ok(Connect::InProgress);
        }
        match self.connect_outcome(id) {
            Some(Err(Errno::EALREADY)) | None => Ok(Connect::InProgress),
            Some(outcome) => outcome,
        }
    }

    /// What `connect` says to a socket that has called it before; none if it has not.
    fn connect_outcome(&mut self, id: SocketId) -> Option<Result<Connect, Errno>> {
        let connection = &mut self.at_mut(id).connection;
        let due = connection.outcome_due;
        match connection.tcp.state {
            TcpState::SynSent | TcpState::SynReceived => return Some(Err(Errno::EALREADY)),
            TcpState::Listen => return Some(Err(Errno::EISCONN)),
            TcpState::Close if !due && connection.phase != Phase::Disconnected => return None,
            _ if !due => return Some(Err(Errno::EISCONN)),
            _ => connection.outcome_due = false,
        }
        if connection.tcp.state != TcpState::Close {
            return Some(Ok(Connect::Done));
        }
        // connect(2): the outcome is told once (Linux: ECONNABORTED where SO_ERROR has told it), and then the socket
        // may try again.
        let error = connection.error.take().unwrap_or(Errno::ECONNABORTED);
        connection.shut = 0;
        self.unconnect(id);
        Some(Err(error))
    }

    /// Sets the places of a new stream.
    fn start_stream(&mut self, id: SocketId, state: TcpState) {
        let entry = self.at_mut(id);
        let options = &entry.local.options;
        let fixed = (options.int(Int::ReceiveBuffer) / 2) as u32;
        let window = if options.receive_locked() { fixed } else { WINDOW_FIRST };
        entry.connection.tcp = Tcp { state, window, advertised: 1 + u64::from(window), ..Tcp::default() };
        entry.receive_queue.head = 1;
        entry.send_queue.head = 1;
    }

    fn send_syn(&mut self, id: SocketId) {
        let entry = self.at_mut(id);
        let tcp = &mut entry.connection.tcp;
        tcp.syns += 1;
        tcp.next = 1;
        let due = syn_interval(tcp.syns);
        self.emit(id, bit::SYN, 0, None);
        let timer = self.fabric.set_timer(self.log.now + due, Timer::Syn(id));
        self.at_mut(id).connection.tcp.timer = Some(timer);
    }

    pub(crate) fn tcp_timer(&mut self, timer: Timer) {
        match timer {
            Timer::Syn(id) => {
                let entry = self.at_mut(id);
                entry.connection.tcp.timer = None;
                let retries = entry.local.options.int(Int::SynCount) as u8;
                if entry.connection.tcp.syns > retries.saturating_add(LINEAR_SYNS) {
                    self.fail(id, Errno::ETIMEDOUT);
                } else {
                    self.send_syn(id);
                }
            }
            Timer::Unreachable(id) => {
                self.at_mut(id).connection.tcp.timer = None;
                self.fail(id, Errno::EHOSTUNREACH);
            }
            Timer::FinWait(id) => {
                self.at_mut(id).connection.tcp.timer = None;
                self.tcp_rest(id);
            }
        }
    }

    /// Dissolves a connection or stops listening: `connect` with AF_UNSPEC.
    fn tcp_disconnect(&mut self, id: SocketId) {
        let entry = self.at(id);
        match entry.connection.tcp.state {
            TcpState::Listen => self.stop_listening(id),
            TcpState::Close | TcpState::SynSent => {}
            _ => self.send_reset(id),
        }
        self.end_connection(id);
        let entry = self.slab.at_mut(id);
        entry.connection.shut = 0;
        entry.connection.error = None;
        entry.connection.outcome_due = false;
        entry.receive_queue.bytes.clear(&mut self.pool);
        self.unconnect(id);
        self.pump();
    }

    /// Gives a socket the state of one that never connected.
    fn unconnect(&mut self, id: SocketId) {
        let entry = self.at(id);
        let (keep_ip, keep_port, end) = (entry.connection.bound_ip, entry.connection.bound_port, entry.local_end());
        let Addr::Ip(none) = entry.local.family.unbound() else { return };
        if !keep_port && self.at(id).held_port() != 0 {
            self.leave_port(id);
        }
        let entry = self.at_mut(id);
        entry.connection.stale_port = false;
        let ip = if keep_ip { end.ip } else { none.ip };
        entry.local.address = Addr::Ip(Endpoint::new(ip, if keep_port { end.port } else { 0 }));
        entry.remote.address = Addr::Ip(none);
        entry.remote.id = 0;
        entry.connection.tcp.state = TcpState::Close;
        entry.connection.phase = entry.idle_phase();
        self.settle(id);
    }

    /// Ends an attempt to connect.
    fn fail(&mut self, id: SocketId, error: Errno) {
        self.end_connection(id);
        if !self.at(id).connection.bound_port {
            self.leave_port(id);
        }
        let entry = self.at_mut(id);
        entry.connection.stale_port = !entry.connection.bound_port;
        entry.connection.error = Some(error);
        entry.connection.shut = SHUT_BOTH;
        entry.connection.tcp.state = TcpState::Close;
        entry.connection.phase = entry.idle_phase();
        self.settle(id);
        self.notify(id, poll::ANY);
    }

    // Listening.

    pub(crate) fn tcp_listen(&mut self, id: SocketId, backlog: i32) -> Result<(), Errno> {
        let entry = self.at_mut(id);
        // listen(2): a negative backlog is a huge one for Linux, cut to the system's limit.
        let backlog = (backlog as u32).min(BACKLOG_MOST);
        match entry.connection.tcp.state {
            TcpState::Listen => {
                entry.connection.listener.get_or_insert_default().backlog = backlog;
                return Ok(());
            }
            TcpState::Close if entry.connection.phase != Phase::Disconnected => {}
            _ => return Err(Errno::EINVAL),
        }
        if entry.held_port() == 0 {
            let end = entry.local_end();
            let port = self.free_port(id, end.ip)?;
            self.take_port(id, Endpoint { port, ..end }, true);
        } else if !self.may_listen(id) {
            return Err(Errno::EADDRINUSE);
        }
        let entry = self.at_mut(id);
        entry.connection.tcp.state = TcpState::Listen;
        entry.connection.phase = Phase::Listening;
        entry.connection.listener.get_or_insert_default().backlog = backlog;
        let key = PortKey { host: entry.connection.host, protocol: entry.local.protocol, port: entry.local_end().port };
        self.ports.buckets.entry(key).or_default().listeners.push(id);
        self.settle(id);
        Ok(())
    }

    /// Resets what waits to be accepted, and listens no more.
    fn stop_listening(&mut self, id: SocketId) {
        let entry = self.at_mut(id);
        let waiting = entry.connection.listener.take().map(|l| l.accept).unwrap_or_default();
        let end = entry.local_end();
        let key = PortKey { host: entry.connection.host, protocol: entry.local.protocol, port: end.port };
        entry.connection.tcp.state = TcpState::Close;
        if let Some(bucket) = self.ports.buckets.get_mut(&key) {
            bucket.listeners.retain(|&listener| listener != id);
        }
        for child in waiting {
            self.at_mut(child).connection.tcp.in_accept_queue = false;
            self.at_mut(child).connection.open = false;
            self.send_reset(child);
            self.tcp_closed(child);
        }
    }

    pub(crate) fn tcp_accept(&mut self, id: SocketId) -> Result<(SocketId, Addr), Errno> {
        let entry = self.at_mut(id);
        let listener = entry.connection.listener.as_mut();
        let Some(listener) = listener.filter(|_| entry.connection.tcp.state == TcpState::Listen) else {
            return Err(Errno::EINVAL);
        };
        let child = listener.accept.pop_front().ok_or(Errno::EAGAIN)?;
        let entry = self.at_mut(child);
        entry.connection.tcp.in_accept_queue = false;
        let peer = entry.remote_end().seen_by(entry.local.family);
        Ok((child, Addr::Ip(peer)))
    }

    /// A SYN for nobody that is connected.
    fn syn_arrives(&mut self, packet: &Arrival) {
        let Some(listener) = self.listener(packet.host, packet.src, packet.dst) else {
            if !self.resolver_accepts(packet) {
                self.log.dropped(0, 0, DropReason::NoSuchPort);
                self.refuse(packet);
            }
            return;
        };
        let entry = self.at_mut(listener);
        let unique = entry.local.id;
        let Some(queue) = entry.connection.listener.as_mut() else { return };
        // Linux lets one more in than the backlog says, and then drops the SYN: it will be sent again.
        if queue.accept.len() as u32 + queue.half_open > queue.backlog {
            return self.log.dropped(unique, 0, DropReason::AcceptQueueFull);
        }
        queue.half_open += 1;
        self.open_child(listener, packet);
    }

    /// The entry for the server's end of a connection.
    fn open_child(&mut self, listener: SocketId, packet: &Arrival) {
        let parent = self.at(listener);
        let mut local = parent.local.clone();
        local.address = Addr::Ip(packet.dst);
        local.event = 0;
        local.blocking = true;
        let unique = parent.local.id;
        let cred = parent.connection.cred;
        let id = self.insert(packet.host, cred, local);
        self.set_up_child(id, packet);
        self.at_mut(id).connection.tcp.parent = Some((listener, unique));
        self.emit(id, bit::SYN | bit::ACK, 0, None);
    }

    /// The server's end of a connection to the resolver.
    pub(crate) fn open_service(&mut self, id: SocketId, packet: &Arrival) {
        self.set_up_child(id, packet);
        self.emit(id, bit::SYN | bit::ACK, 0, None);
    }

    /// What both a listening socket's child and a service of the world begin with.
    fn set_up_child(&mut self, id: SocketId, packet: &Arrival) {
        self.start_stream(id, TcpState::SynReceived);
        let peer = self.other_end(packet);
        let entry = self.at_mut(id);
        entry.remote.address = Addr::Ip(packet.src);
        entry.connection.phase = Phase::Connecting;
        entry.connection.path = match packet.network {
            None => Path::Local,
            Some(network) => Path::Link { network, host: packet.from },
        };
        entry.connection.tcp.expected = 1;
        entry.connection.tcp.edge = packet.segment.edge;
        entry.connection.tcp.next = 1;
        self.ports.flows.insert(FlowKey::new(packet.host, packet.dst, packet.src), Flow::Live(id));
        self.take_port(id, packet.dst, false);
        self.join(id, peer);
    }

    /// The live entry that sent a packet.
    fn other_end(&self, packet: &Arrival) -> Option<SocketId> {
        match self.ports.flows.get(&FlowKey::new(packet.from, packet.src, packet.dst)) {
            Some(Flow::Live(peer)) => Some(*peer),
            _ => None,
        }
    }

    /// Writes down the other end: the table knows both.
    fn join(&mut self, id: SocketId, peer: Option<SocketId>) {
        let Some(peer) = peer else { return };
        let theirs = self.at(peer).local.clone();
        let entry = self.at_mut(id);
        let address = entry.remote.address.clone();
        entry.remote = SocketStructure { address, event: 0, ..theirs };
        entry.connection.peer = Some(peer);
    }

    // Arriving.

    pub(crate) fn tcp_arrive(
        &mut self,
        from: u32,
        host: u32,
        network: Option<u32>,
        src: Endpoint,
        dst: Endpoint,
        segment: Segment,
    ) {
        let packet = Arrival { from, host, network, src, dst, segment };
        let syn_only = packet.segment.bits & (bit::SYN | bit::ACK | bit::RST) == bit::SYN;
        match self.ports.flows.get(&FlowKey::new(host, dst, src)) {
            Some(&Flow::Live(id)) => self.segment_arrives(id, packet),
            // RFC 6191: a new SYN may take over from a connection at rest.
            Some(Flow::TimeWait { .. }) if !syn_only => {}
            _ if syn_only => self.syn_arrives(&packet),
            _ if packet.segment.bits & bit::RST != 0 => {}
            _ => self.refuse(&packet),
        }
    }

    /// Answers a segment that nobody expects.
    fn refuse(&mut self, packet: &Arrival) {
        let segment = &packet.segment;
        let len = segment.payload.as_ref().map_or(0, Chunk::len) as u64;
        let ack = segment.seq + len + u64::from(segment.bits & bit::SYN != 0);
        let reset = Segment { bits: bit::RST | bit::ACK, seq: segment.ack, ack, edge: 0, urgent: None, payload: None };
        let path = match packet.network {
            None => Path::Local,
            Some(network) => Path::Link { network, host: packet.from },
        };
        let answer = Packet {
            from: packet.host,
            to: packet.from,
            network: packet.network,
            src: packet.dst,
            dst: packet.src,
            ttl: 64,
            tos: 0,
            body: Body::Tcp(reset),
        };
        self.transmit(path, answer, 0);
    }

    fn segment_arrives(&mut self, id: SocketId, packet: Arrival) {
        let now = self.log.now;
        let tcp = &mut self.at_mut(id).connection.tcp;
        tcp.segments_in += 1;
        tcp.last_received = now;
        let bits = packet.segment.bits;
        match tcp.state {
            TcpState::SynSent => return self.answer_arrives(id, packet),
            // A SYN-ACK that came twice, or a SYN sent again before the answer came.
            _ if bits & bit::SYN != 0 && tcp.state != TcpState::SynReceived => return,
            TcpState::SynReceived if bits & (bit::SYN | bit::ACK) == bit::SYN => {
                return self.emit(id, bit::SYN | bit::ACK, 0, None);
            }
            _ => {}
        }
        if bits & bit::RST != 0 {
            return self.reset_arrives(id);
        }
        if self.at(id).connection.tcp.state == TcpState::SynReceived {
            self.handshake_done(id, &packet);
        }
        // What follows may each end the connection, and a closed socket's entry goes with it.
        if !self.ack_arrives(id, &packet.segment) {
            return;
        }
        let fin = bits & bit::FIN != 0;
        let data_end = packet.segment.seq + packet.segment.payload.as_ref().map_or(0, Chunk::len) as u64;
        if packet.segment.payload.is_some() && !self.data_arrives(id, packet.segment) {
            return;
        }
        if fin {
            self.fin_arrives(id, data_end);
        }
        if self.slab.get(id).is_some() {
            self.output(id);
        }
    }

    /// An answer to a SYN.
    fn answer_arrives(&mut self, id: SocketId, packet: Arrival) {
        let segment = &packet.segment;
        match segment.bits & (bit::RST | bit::SYN | bit::ACK) {
            bits if bits & bit::RST != 0 => self.fail(id, Errno::ECONNREFUSED),
            // Both ends called at once (RFC 9293, 3.5), or a socket called itself.
            bit::SYN => {
                let tcp = &mut self.at_mut(id).connection.tcp;
                tcp.state = TcpState::SynReceived;
                tcp.expected = 1;
                tcp.edge = segment.edge;
                self.fabric.cancel_timer(&mut self.slab.at_mut(id).connection.tcp.timer);
                self.emit(id, bit::SYN | bit::ACK, 0, None);
            }
            bits if bits == bit::SYN | bit::ACK => {
                let tcp = &mut self.slab.at_mut(id).connection.tcp;
                self.fabric.cancel_timer(&mut tcp.timer);
                tcp.expected = 1;
                tcp.unacked = 1;
                tcp.edge = segment.edge;
                let peer = self.other_end(&packet);
                self.join(id, peer);
                self.established(id);
                self.emit(id, bit::ACK, 1, None);
                self.output(id);
            }
            _ => {}
        }
    }

    fn established(&mut self, id: SocketId) {
        let entry = self.at_mut(id);
        entry.connection.tcp.state = TcpState::Established;
        entry.connection.tcp.unacked = entry.connection.tcp.unacked.max(1);
        entry.connection.phase = Phase::Connected;
        self.settle(id);
        self.notify(id, poll::ANY);
    }

    /// The last segment of a handshake has come to the server's end.
    fn handshake_done(&mut self, id: SocketId, packet: &Arrival) {
        let peer = self.other_end(packet);
        self.join(id, peer);
        self.at_mut(id).connection.tcp.edge = packet.segment.edge;
        self.established(id);
        let Some((listener, unique)) = self.at(id).connection.tcp.parent else { return };
        let Some(parent) = self.slab.get_mut(listener).filter(|e| e.local.id == unique) else { return };
        let defer = parent.local.options.int(Int::DeferAccept) > 0;
        let Some(queue) = parent.connection.listener.as_mut() else { return };
        queue.half_open = queue.half_open.saturating_sub(1);
        if defer && packet.segment.payload.is_none() {
            self.at_mut(id).connection.tcp.deferred = true;
        } else {
            self.show_to_accept(id);
        }
    }

    /// Puts a connection into its listener's accept queue.
    fn show_to_accept(&mut self, id: SocketId) {
        let tcp = &mut self.at_mut(id).connection.tcp;
        tcp.deferred = false;
        let Some((listener, unique)) = tcp.parent.take() else { return };
        tcp.in_accept_queue = true;
        let Some(parent) = self.slab.get_mut(listener).filter(|e| e.local.id == unique) else { return };
        if let Some(queue) = parent.connection.listener.as_mut() {
            queue.accept.push_back(id);
            self.log.notify(parent, poll::READ);
        }
    }

    /// Takes in what the other end has received and what it would take; false when that was the end of the entry.
    fn ack_arrives(&mut self, id: SocketId, segment: &Segment) -> bool {
        let entry = self.slab.at_mut(id);
        let was_writable = entry.tcp_writable();
        let tcp = &mut entry.connection.tcp;
        tcp.edge = tcp.edge.max(segment.edge);
        if segment.ack <= tcp.unacked || segment.ack > tcp.next {
            return true;
        }
        // The FIN counts as a byte that the send queue does not hold.
        let gone = (segment.ack - tcp.unacked) as usize;
        let bytes = gone.min(entry.send_queue.bytes.len());
        tcp.unacked = segment.ack;
        entry.send_queue.consume(&mut self.pool, bytes);
        let fin_acked = tcp.fin_sent && tcp.unacked == tcp.next;
        if !was_writable && entry.tcp_writable() {
            self.log.notify(entry, poll::WRITE);
        }
        self.log.settle(entry);
        if fin_acked {
            self.fin_acked(id);
        }
        self.slab.get(id).is_some()
    }

    fn fin_acked(&mut self, id: SocketId) {
        let entry = self.at_mut(id);
        match entry.connection.tcp.state {
            TcpState::FinWait1 => {
                entry.connection.tcp.state = TcpState::FinWait2;
                self.notify(id, poll::ANY);
                self.wait_for_fin(id);
            }
            TcpState::Closing => self.tcp_rest(id),
            TcpState::LastAck => self.tcp_closed(id),
            _ => {}
        }
    }

    /// tcp(7) `tcp_fin_timeout`: a closed socket does not wait for ever for the other end's FIN.
    fn wait_for_fin(&mut self, id: SocketId) {
        let entry = self.at(id);
        if entry.connection.open || entry.connection.tcp.timer.is_some() {
            return;
        }
        let seconds = entry.local.options.int(Int::Linger2);
        if seconds < 0 {
            return self.tcp_closed(id);
        }
        let due = self.log.now + seconds.min(120) as u64 * SECOND;
        self.at_mut(id).connection.tcp.timer = Some(self.fabric.set_timer(due, Timer::FinWait(id)));
    }

    /// Takes in data; false when the connection was reset for it.
    fn data_arrives(&mut self, id: SocketId, segment: Segment) -> bool {
        let entry = self.slab.at_mut(id);
        let Some(payload) = segment.payload else { return true };
        let tcp = &mut entry.connection.tcp;
        // Nobody will read it (RFC 1122, 4.2.2.13): a closed end, or one that has shut both directions.
        if !tcp.can_receive() || !entry.connection.open || entry.connection.shut == SHUT_BOTH {
            let unique = entry.local.id;
            self.log.dropped(unique, payload.len(), DropReason::NotExpected);
            self.pool.give(payload);
            self.send_reset(id);
            self.tcp_closed(id);
            return false;
        }
        if segment.seq != tcp.expected {
            self.pool.give(payload);
            self.emit_ack(id);
            return true;
        }
        let len = payload.len();
        tcp.expected += len as u64;
        tcp.bytes_in += len as u64;
        if let Some(at) = segment.urgent {
            tcp.urgent = Some(Urgent { at, taken: false });
        }
        let urgent = segment.urgent.is_some();
        entry.receive_queue.bytes.push_chunk(&mut self.pool, payload);
        self.log.delivered(entry, len);
        self.log.settle(entry);
        self.log.notify(entry, if urgent { poll::READ | poll::PRI } else { poll::READ });
        self.after_data(id);
        self.emit_ack(id);
        true
    }

    /// What waits for data besides the program.
    fn after_data(&mut self, id: SocketId) {
        let connection = &self.at(id).connection;
        if connection.tcp.deferred {
            self.show_to_accept(id);
        } else if connection.service {
            self.resolver_serves(id);
        }
    }

    fn fin_arrives(&mut self, id: SocketId, at: u64) {
        let entry = self.at_mut(id);
        let tcp = &mut entry.connection.tcp;
        if at != tcp.expected || !tcp.can_receive() {
            return;
        }
        tcp.expected += 1;
        entry.connection.shut |= SHUT_RECEIVE;
        entry.connection.phase = entry.shut_phase(Phase::Connected);
        let state = entry.connection.tcp.state;
        self.settle(id);
        self.notify(id, poll::READ | poll::RDHUP | if state == TcpState::Established { 0 } else { poll::HUP });
        self.emit_ack(id);
        match state {
            TcpState::Established => {
                self.at_mut(id).connection.tcp.state = TcpState::CloseWait;
                if self.at(id).connection.tcp.deferred {
                    self.show_to_accept(id);
                }
                if self.at(id).connection.service {
                    let _ = self.tcp_close(id);
                }
            }
            TcpState::FinWait1 => self.at_mut(id).connection.tcp.state = TcpState::Closing,
            _ => self.tcp_rest(id),
        }
    }

    fn reset_arrives(&mut self, id: SocketId) {
        let entry = self.at_mut(id);
        let state = entry.connection.tcp.state;
        // tcp(7): a reset after the other end has closed is a broken pipe.
        let error = if state == TcpState::CloseWait { Errno::EPIPE } else { Errno::ECONNRESET };
        if let Some((listener, unique)) = entry.connection.tcp.parent.take() {
            // It was never shown to the program: nobody is told.
            entry.connection.open = false;
            let parent = self.slab.get_mut(listener).filter(|e| e.local.id == unique);
            if let Some(queue) = parent.and_then(|e| e.connection.listener.as_mut()) {
                queue.half_open = queue.half_open.saturating_sub(1);
            }
        } else {
            entry.connection.error = Some(error);
        }
        self.tcp_closed(id);
    }

    // Sending segments.

    /// Sends one segment of a connection.
    fn emit(&mut self, id: SocketId, bits: u8, seq: u64, payload: Option<Chunk>) {
        let now = self.log.now;
        let entry = self.slab.at_mut(id);
        let free = (entry.connection.tcp.window as usize).saturating_sub(entry.receive_queue.bytes.len()) as u64;
        let tcp = &mut entry.connection.tcp;
        tcp.segments_out += 1;
        tcp.last_sent = now;
        tcp.advertised = tcp.advertised.max(tcp.expected + free);
        let urgent = if payload.is_some() { tcp.urgent_out.take() } else { None };
        let segment = Segment { bits, seq, ack: tcp.expected, edge: tcp.advertised, urgent, payload };
        let (path, unique) = (entry.connection.path, entry.local.id);
        let host = entry.connection.host;
        let packet = Packet {
            from: host,
            to: host,
            network: None,
            src: entry.local_end(),
            dst: entry.remote_end(),
            ttl: 64,
            tos: 0,
            body: Body::Tcp(segment),
        };
        self.transmit(path, packet, unique);
    }

    fn emit_ack(&mut self, id: SocketId) {
        let next = self.at(id).connection.tcp.next;
        self.emit(id, bit::ACK, next, None);
    }

    fn send_reset(&mut self, id: SocketId) {
        if self.at(id).connection.tcp.state != TcpState::Close {
            let next = self.at(id).connection.tcp.next;
            self.emit(id, bit::RST | bit::ACK, next, None);
        }
    }

    /// Sends what the other end takes of the send queue, and the FIN behind it.
    fn output(&mut self, id: SocketId) {
        let entry = self.at(id);
        let tcp = &entry.connection.tcp;
        if tcp.fin_sent || (entry.send_queue.bytes.len() == 0 && !tcp.fin_due) {
            return;
        }
        // In the later states a FIN is due, and bytes may still wait before it.
        if !matches!(
            tcp.state,
            TcpState::Established | TcpState::CloseWait | TcpState::FinWait1 | TcpState::Closing | TcpState::LastAck
        ) {
            return;
        }
        match self.local_peer(id) {
            Some(peer) => self.flow_locally(id, peer),
            None => self.flow_by_segments(id),
        }
        let tcp = &self.at(id).connection.tcp;
        let all_sent = tcp.next - tcp.unacked == self.at(id).send_queue.bytes.len() as u64;
        if tcp.fin_due && all_sent && !tcp.fin_sent {
            let seq = tcp.next;
            self.emit(id, bit::FIN | bit::ACK, seq, None);
            let tcp = &mut self.at_mut(id).connection.tcp;
            tcp.next += 1;
            tcp.fin_sent = true;
        }
    }

    /// The peer, if bytes can go straight into its receive queue.
    #[inline]
    fn local_peer(&self, id: SocketId) -> Option<SocketId> {
        let entry = self.at(id);
        let peer = entry.connection.peer.filter(|&p| p != id && entry.connection.path == Path::Local)?;
        let other = &self.at(peer).connection;
        let takes = other.open && other.shut != SHUT_BOTH && other.tcp.can_receive() && !other.tcp.deferred;
        (takes && !other.service).then_some(peer)
    }

    /// Moves bytes from the send queue to the receive queue of a peer on the same host.
    fn flow_locally(&mut self, id: SocketId, peer: SocketId) {
        let Some([entry, other]) = self.slab.pair(id, peer) else { return };
        let was_writable = entry.tcp_writable();
        let n = entry.send_queue.bytes.len().min(receive_room(other));
        if n == 0 {
            return;
        }
        entry.send_queue.bytes.move_to(&mut other.receive_queue.bytes, &mut self.pool, n);
        entry.send_queue.head += n as u64;
        pass_along(entry, other, n, self.log.now);
        self.log.delivered(other, n);
        self.log.settle(other);
        self.log.settle(entry);
        self.log.notify(other, poll::READ);
        if !was_writable && entry.tcp_writable() {
            self.log.notify(entry, poll::WRITE);
        }
        self.capture_local(id, peer, n);
    }

    fn flow_by_segments(&mut self, id: SocketId) {
        loop {
            let entry = self.slab.at_mut(id);
            let tcp = &mut entry.connection.tcp;
            let sent = (tcp.next - tcp.unacked) as usize;
            let left = entry.send_queue.bytes.len() - sent;
            // Within a host the peer that is left does not read: the first segment brings its reset.
            let window =
                if entry.connection.path == Path::Local { SEGMENT } else { tcp.edge.saturating_sub(tcp.next) as usize };
            let n = left.min(window).min(SEGMENT);
            if n == 0 {
                return;
            }
            let chunk = entry.send_queue.bytes.share(&mut self.pool, sent, n);
            let seq = tcp.next;
            tcp.next += chunk.len() as u64;
            tcp.bytes_out += chunk.len() as u64;
            self.emit(id, bit::ACK, seq, Some(chunk));
        }
    }

    // Calls.

    #[inline]
    pub(crate) fn tcp_send(&mut self, id: SocketId, source: &mut dyn Source, call: &Send<R>) -> Result<usize, Errno> {
        let entry = self.at_mut(id);
        if !entry.connection.tcp.can_send() || entry.connection.error.is_some() || entry.is_shut(SHUT_SEND) {
            return Err(no_send(entry));
        }
        if call.len == 0 {
            return Ok(0);
        }
        let urgent = call.flags & msg::OOB != 0;
        let mut done = 0;
        let mut fault = None;
        if let Some(peer) = self.local_peer(id) {
            (done, fault) = self.send_locally(id, peer, source, call.len, urgent);
        }
        if done < call.len && fault.is_none() {
            let (queued, error) = self.send_queued(id, source, call.len - done, urgent);
            done += queued;
            fault = error;
        }
        let entry = self.slab.at_mut(id);
        if done == 0 {
            return Err(fault.unwrap_or(Errno::EAGAIN));
        }
        if self.log.tracing {
            let to = entry.remote.address.clone();
            self.log.sent(entry, done, &to);
        }
        Ok(done)
    }

    /// Puts bytes into the receive queue of a peer on the same host.
    #[inline]
    fn send_locally(
        &mut self,
        id: SocketId,
        peer: SocketId,
        source: &mut dyn Source,
        len: usize,
        urgent: bool,
    ) -> (usize, Option<Errno>) {
        let Some([entry, other]) = self.slab.pair(id, peer) else { return (0, None) };
        let room = receive_room(other);
        if entry.send_queue.bytes.len() != 0 || room == 0 {
            return (0, None);
        }
        let (n, fault) = other.receive_queue.bytes.push_from(&mut self.pool, source, len.min(room));
        if n > 0 {
            pass_along(entry, other, n, self.log.now);
            let mut activity = poll::READ;
            if urgent && n == len {
                other.connection.tcp.urgent = Some(Urgent { at: other.connection.tcp.expected - 1, taken: false });
                activity |= poll::PRI;
            }
            self.log.delivered(other, n);
            self.log.settle(other);
            self.log.notify(other, activity);
            self.capture_local(id, peer, n);
        }
        (n, fault)
    }

    /// Puts bytes into the send queue and sends what the other end takes.
    fn send_queued(
        &mut self,
        id: SocketId,
        source: &mut dyn Source,
        len: usize,
        urgent: bool,
    ) -> (usize, Option<Errno>) {
        let entry = self.slab.at_mut(id);
        let room = entry.send_capacity().saturating_sub(entry.send_queue.bytes.len());
        let (n, fault) = entry.send_queue.bytes.push_from(&mut self.pool, source, len.min(room));
        if n > 0 {
            if urgent && n == len {
                let tcp = &mut entry.connection.tcp;
                tcp.urgent_out = Some(tcp.unacked + entry.send_queue.bytes.len() as u64 - 1);
            }
            self.log.settle(entry);
            self.output(id);
            self.pump();
        }
        (n, fault)
    }

    pub(crate) fn tcp_recv(
        &mut self,
        id: SocketId,
        sink: &mut dyn Sink,
        len: usize,
        flags: u32,
    ) -> Result<Received<R>, Errno> {
        if flags & msg::OOB != 0 {
            return self.tcp_recv_urgent(id, sink, len, flags);
        }
        let entry = self.slab.at_mut(id);
        if entry.connection.tcp.urgent.is_some() {
            pass_urgent(entry, &mut self.pool);
        }
        let entry = self.slab.at_mut(id);
        let held = readable_to_mark(entry);
        if held == 0 {
            return no_receive(entry);
        }
        let n = held.min(len);
        // tcp(7): MSG_TRUNC "causes the received bytes of data to be discarded".
        let (got, fault) = match flags & msg::TRUNC {
            0 => entry.receive_queue.bytes.copy_out(0, n, sink),
            _ => (n, None),
        };
        if got == 0
            && let Some(fault) = fault
        {
            return Err(fault);
        }
        if flags & msg::PEEK == 0 {
            self.tcp_consume(id, got);
        }
        Ok(Received {
            more: fault.is_none() && got < held || got == held && flags & msg::PEEK == 0,
            ..Received::stream(got)
        })
    }

    /// Takes bytes that were read off the receive queue, and lets the sender go on.
    #[inline]
    fn tcp_consume(&mut self, id: SocketId, n: usize) {
        let entry = self.slab.at_mut(id);
        entry.receive_queue.consume(&mut self.pool, n);
        self.log.settle(entry);
        let locked = entry.local.options.receive_locked();
        let held = entry.receive_queue.bytes.len();
        let tcp = &mut entry.connection.tcp;
        tcp.read += n as u64;
        // Linux's dynamic right-sizing, coarsely: a program that reads what comes gets a larger window.
        if tcp.read > u64::from(tcp.window) * 2 && tcp.window < WINDOW_MOST && !locked {
            tcp.window = (tcp.window * 2).min(WINDOW_MOST);
            tcp.read = 0;
        }
        let open = (tcp.window as usize).saturating_sub(held) as u64;
        let told = tcp.advertised - tcp.expected.min(tcp.advertised);
        match entry.connection.path {
            Path::Local => {
                if let Some(peer) = entry.connection.peer
                    && !self.at(peer).send_queue.is_empty()
                {
                    self.output(peer);
                    self.pump();
                }
            }
            // As `tcp_cleanup_rbuf`: the other end is told when the window has at least doubled.
            _ if open >= told * 2 && open > told && tcp.can_receive() => self.emit_ack(id),
            _ => {}
        }
    }

    /// MSG_OOB.
    fn tcp_recv_urgent(
        &mut self,
        id: SocketId,
        sink: &mut dyn Sink,
        len: usize,
        flags: u32,
    ) -> Result<Received<R>, Errno> {
        let entry = self.slab.at_mut(id);
        let inline = entry.local.options.flag(Flag::OobInline);
        let head = entry.receive_queue.head;
        // recv(2): EINVAL "No out-of-band data", or it is read inline, or has been read.
        let urgent = entry.connection.tcp.urgent.filter(|u| !inline && !u.taken).ok_or(Errno::EINVAL)?;
        let offset = urgent.at.checked_sub(head).ok_or(Errno::EINVAL)? as usize;
        if offset >= entry.receive_queue.bytes.len() {
            return Err(Errno::EAGAIN);
        }
        if len > 0 {
            let (_, fault) = entry.receive_queue.bytes.copy_out(offset, 1, sink);
            if let Some(fault) = fault {
                return Err(fault);
            }
        }
        if flags & msg::PEEK == 0 {
            entry.connection.tcp.urgent = Some(Urgent { taken: true, ..urgent });
        }
        Ok(Received { flags: msg::OOB, more: false, ..Received::stream(len.min(1)) })
    }

    pub(crate) fn tcp_shutdown(&mut self, id: SocketId, how: How) -> Result<(), Errno> {
        let entry = self.at_mut(id);
        match entry.connection.tcp.state {
            TcpState::Listen => {
                // Linux: a listening socket whose receive side is shut listens no more.
                if how != How::Write {
                    self.stop_listening(id);
                    let entry = self.at_mut(id);
                    entry.connection.phase = entry.idle_phase();
                    self.settle(id);
                    self.notify(id, poll::ANY);
                    self.pump();
                }
                return Ok(());
            }
            TcpState::SynSent => {
                self.end_connection(id);
                self.unconnect(id);
                self.notify(id, poll::ANY);
                return Ok(());
            }
            TcpState::Close | TcpState::TimeWait => return Err(Errno::ENOTCONN),
            _ => {}
        }
        let before = entry.connection.shut;
        entry.connection.shut |= how.bits();
        entry.connection.phase = entry.shut_phase(Phase::Connected);
        self.settle(id);
        self.notify(id, poll::ANY);
        if how.bits() & SHUT_SEND != 0 && before & SHUT_SEND == 0 {
            self.end_sending(id);
        }
        self.pump();
        Ok(())
    }

    /// Lets a FIN follow what is in the send queue.
    fn end_sending(&mut self, id: SocketId) {
        let tcp = &mut self.at_mut(id).connection.tcp;
        tcp.state = match tcp.state {
            TcpState::Established | TcpState::SynReceived => TcpState::FinWait1,
            TcpState::CloseWait => TcpState::LastAck,
            _ => return,
        };
        tcp.fin_due = true;
        self.output(id);
    }

    pub(crate) fn tcp_close(&mut self, id: SocketId) -> Close {
        let entry = self.at_mut(id);
        entry.connection.open = false;
        let unread = entry.receive_queue.bytes.len() > 0;
        let linger = entry.local.options.linger;
        let state = entry.connection.tcp.state;
        entry.connection.shut = SHUT_BOTH;
        entry.connection.phase = Phase::Disconnected;
        self.settle(id);
        match state {
            TcpState::Listen => {
                self.stop_listening(id);
                self.tcp_closed(id);
            }
            TcpState::Close | TcpState::SynSent => self.tcp_closed(id),
            // RFC 2525, 2.17: data that was never read is answered by a reset; so is SO_LINGER with no time.
            _ if unread || linger == Some(0) => {
                self.send_reset(id);
                self.tcp_closed(id);
            }
            TcpState::FinWait2 => self.wait_for_fin(id),
            _ => self.end_sending(id),
        }
        self.pump();
        match (linger, self.slab.get(id)) {
            (Some(seconds @ 1..), Some(e)) if !e.connection.open && e.connection.tcp.state != TcpState::FinWait2 => {
                Close::Linger { until: self.log.now + u64::from(seconds) * SECOND, unique: e.local.id }
            }
            _ => Close::Done,
        }
    }

    // Ends.

    /// Lets the addresses of a connection rest; the entry goes when nobody holds it.
    fn tcp_rest(&mut self, id: SocketId) {
        let entry = self.at(id);
        let key = FlowKey::new(entry.connection.host, entry.local_end(), entry.remote_end());
        let reuse = entry.local.options.flag(Flag::ReuseAddr);
        let until = self.log.now + TIME_WAIT;
        self.tcp_closed(id);
        self.ports.rest(key, until, reuse);
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
        let entry = self.slab.at_mut(id);
        self.fabric.cancel_timer(&mut entry.connection.tcp.timer);
        entry.send_queue.bytes.clear(&mut self.pool);
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

/// A segment with its way.
pub(crate) struct Arrival {
    pub(crate) from: u32,
    pub(crate) host: u32,
    pub(crate) network: Option<u32>,
    pub(crate) src: Endpoint,
    pub(crate) dst: Endpoint,
    pub(crate) segment: Segment,
}

/// Room in a receive queue.
#[inline]
fn receive_room<R>(entry: &Entry<R>) -> usize {
    (entry.connection.tcp.window as usize).saturating_sub(entry.receive_queue.bytes.len())
}

/// Counts bytes that went from one end to the other without a segment.
#[inline]
fn pass_along<R>(from: &mut Entry<R>, to: &mut Entry<R>, n: usize, now: u64) {
    let sender = &mut from.connection.tcp;
    sender.next += n as u64;
    sender.unacked = sender.next;
    sender.bytes_out += n as u64;
    sender.segments_out += 1;
    sender.last_sent = now;
    if let Some(at) = sender.urgent_out.take_if(|at| *at < sender.next) {
        to.connection.tcp.urgent = Some(Urgent { at, taken: false });
    }
    let receiver = &mut to.connection.tcp;
    receiver.expected += n as u64;
    receiver.bytes_in += n as u64;
    receiver.segments_in += 1;
    receiver.last_received = now;
}

fn path_of(route: Route) -> Path {
    match route {
        Route::Neighbour { network, host, .. } => Path::Link { network, host },
        Route::Nobody { network, .. } => Path::Nobody { network },
        _ => Path::Local,
    }
}

/// Why a socket cannot send.
#[cold]
fn no_send<R>(entry: &mut Entry<R>) -> Errno {
    if let Some(error) = entry.connection.error.take() {
        return error;
    }
    match entry.connection.tcp.state {
        TcpState::SynSent | TcpState::SynReceived => Errno::EAGAIN,
        _ => Errno::EPIPE,
    }
}

/// What a receive gives when nothing is there to be read.
#[cold]
fn no_receive<R>(entry: &mut Entry<R>) -> Result<Received<R>, Errno> {
    let connection = &mut entry.connection;
    if connection.tcp.state == TcpState::Listen {
        return Err(Errno::ENOTCONN);
    }
    if let Some(error) = connection.error.take() {
        return Err(error);
    }
    if connection.shut & SHUT_RECEIVE != 0 {
        return Ok(Received::end());
    }
    if connection.tcp.state == TcpState::Close {
        return Err(Errno::ENOTCONN);
    }
    Err(Errno::EAGAIN)
}

/// Steps over an urgent byte that is not read inline, and forgets one that has been passed.
fn pass_urgent<R>(entry: &mut Entry<R>, pool: &mut crate::queue::Pool) {
    let inline = entry.local.options.flag(Flag::OobInline);
    let Some(urgent) = entry.connection.tcp.urgent else { return };
    let head = entry.receive_queue.head;
    if urgent.at == head && !inline && entry.receive_queue.bytes.len() > 0 {
        entry.receive_queue.consume(pool, 1);
        entry.connection.tcp.urgent = None;
    } else if urgent.at < head {
        entry.connection.tcp.urgent = None;
    }
}

/// Bytes up to an urgent mark that lies ahead: a read stops there (tcp(7)).
#[inline]
fn readable_to_mark<R>(entry: &Entry<R>) -> usize {
    let held = entry.receive_queue.bytes.len();
    match entry.connection.tcp.urgent {
        Some(urgent) if urgent.at > entry.receive_queue.head => {
            held.min((urgent.at - entry.receive_queue.head) as usize)
        }
        _ => held,
    }
}
