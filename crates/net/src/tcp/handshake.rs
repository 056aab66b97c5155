//! Connecting, listening, accepting.

use super::clock::{Pending, RESOLUTION};
use super::{Arrival, BACKLOG_MOST, TcpState, bit, path_of};
use crate::addr::{Addr, Endpoint};
use crate::call::{Connect, SocketId};
use crate::entry::{Entry, Path, Phase, SHUT_BOTH, SocketStructure};
use crate::link::Route;
use crate::linux::poll;
use crate::log::DropReason;
use crate::options::Flag;
use crate::ports::{Flow, FlowKey, PortKey};
use crate::table::SocketTable;
use snowglobe_abi::Errno;

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
            self.at_mut(id).connection.tcp.clock.set(Pending::Unreachable, due);
            self.arm(id);
            return Ok(Connect::InProgress);
        }
        self.send_syn(id);
        self.pump();
        self.arm(id);
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
    pub(crate) fn unconnect(&mut self, id: SocketId) {
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
    pub(crate) fn fail(&mut self, id: SocketId, error: Errno) {
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
    pub(crate) fn stop_listening(&mut self, id: SocketId) {
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
    pub(crate) fn syn_arrives(&mut self, packet: &Arrival) {
        let Some(listener) = self.listener(packet.host, packet.src, packet.dst) else {
            if !self.resolver_accepts(packet) {
                self.log.dropped(0, 0, DropReason::NoSuchPort);
                self.refuse(packet);
            }
            return;
        };
        if self.accept_queue_is_full(listener) {
            let unique = self.at(listener).local.id;
            return self.log.dropped(unique, 0, DropReason::AcceptQueueFull);
        }
        self.open_child(listener, packet);
    }

    /// Linux lets one more in than the backlog says.
    fn accept_queue_is_full(&self, listener: SocketId) -> bool {
        let queue = self.at(listener).connection.listener.as_ref();
        queue.is_some_and(|queue| queue.accept.len() as u32 > queue.backlog)
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
        self.answer_syn(id);
    }

    /// The server's end of a connection to the resolver.
    pub(crate) fn open_service(&mut self, id: SocketId, packet: &Arrival) {
        self.set_up_child(id, packet);
        self.answer_syn(id);
    }

    fn answer_syn(&mut self, id: SocketId) {
        self.at_mut(id).connection.tcp.opened_at = self.log.now;
        // Within a host the answer comes at once, or is not taken: see `hold_back`.
        if self.at(id).connection.path != Path::Local {
            self.await_answer(id);
        }
        self.emit(id, bit::SYN | bit::ACK, 0, None);
    }

    /// What both a listening socket's child and a service of the world begin with.
    fn set_up_child(&mut self, id: SocketId, packet: &Arrival) {
        let entry = self.at_mut(id);
        entry.remote.address = Addr::Ip(packet.src);
        entry.connection.path = packet.back();
        self.start_stream(id, TcpState::SynReceived);
        let peer = self.other_end(packet);
        let entry = self.at_mut(id);
        entry.connection.phase = Phase::Connecting;
        let tcp = &mut entry.connection.tcp;
        tcp.theirs = packet.segment.streams[0];
        tcp.expected = 1;
        tcp.edge = packet.segment.edge;
        tcp.next = 1;
        if let Some(wire) = tcp.wire.as_deref_mut() {
            wire.acks.told = 1;
            wire.echo = packet.segment.clock;
        }
        self.ports.flows.insert(FlowKey::new(packet.host, packet.dst, packet.src), Flow::Live(id));
        self.take_port(id, packet.dst, false);
        self.join(id, peer);
    }

    /// The live entry that sent a packet.
    pub(crate) fn other_end(&self, packet: &Arrival) -> Option<SocketId> {
        match self.ports.flows.get(&FlowKey::new(packet.from, packet.src, packet.dst)) {
            Some(Flow::Live(peer)) => Some(*peer).filter(|&peer| self.at(peer).local.id == packet.segment.streams[0]),
            _ => None,
        }
    }

    /// Writes down the other end: the table knows both.
    pub(crate) fn join(&mut self, id: SocketId, peer: Option<SocketId>) {
        let Some(peer) = peer else { return };
        let theirs = self.at(peer).local.clone();
        let entry = self.at_mut(id);
        let address = entry.remote.address.clone();
        entry.remote = SocketStructure { address, event: 0, ..theirs };
        entry.connection.peer = Some(peer);
    }

    /// The listening socket of a connection that is not in its accept queue yet.
    pub(crate) fn parent_of(&self, id: SocketId) -> Option<&Entry<R>> {
        let (listener, unique) = self.at(id).connection.tcp.parent?;
        self.slab.get(listener).filter(|parent| parent.local.id == unique)
    }

    pub(crate) fn established(&mut self, id: SocketId) {
        let entry = self.at_mut(id);
        let ending = entry.connection.tcp.fin_due;
        entry.connection.tcp.state = if ending { TcpState::FinWait1 } else { TcpState::Established };
        entry.connection.tcp.unacked = entry.connection.tcp.unacked.max(1);
        entry.connection.phase = entry.shut_phase(Phase::Connected);
        let keeps = entry.local.options.flag(Flag::KeepAlive);
        self.disarm(id);
        self.settle(id);
        self.notify(id, poll::ANY);
        if keeps {
            self.set_keepalive(id);
        }
    }

    /// The last segment of a handshake has come to the server's end. Returns whether the connection is made.
    pub(crate) fn handshake_done(&mut self, id: SocketId, packet: &Arrival) -> bool {
        let bare = packet.segment.end() == 1;
        let tcp = &self.at(id).connection.tcp;
        if let Some((listener, _)) = tcp.parent {
            if self.parent_of(id).is_none_or(|parent| parent.connection.listener.is_none()) {
                // The listener has closed in between.
                self.refuse(packet);
                self.drop_half_open(id);
                return false;
            }
            let waits_for_data = bare && self.at(id).connection.tcp.syns < self.deferrals(id);
            if waits_for_data || self.accept_queue_is_full(listener) {
                self.hold_back(id);
                return false;
            }
        }
        let peer = self.other_end(packet);
        self.join(id, peer);
        let once = self.at(id).connection.tcp.syns == 0;
        self.measure_handshake(id, &packet.segment, once);
        self.established(id);
        self.show_to_accept(id);
        true
    }

    /// The handshake's last segment is not taken: the SYN-ACK will ask for it again.
    fn hold_back(&mut self, id: SocketId) {
        let tcp = &mut self.at_mut(id).connection.tcp;
        tcp.acked = true;
        if tcp.clock.pending != Pending::SynAck {
            self.await_answer(id);
        }
    }

    /// A server's end that was never shown to its program goes.
    pub(crate) fn drop_half_open(&mut self, id: SocketId) {
        let entry = self.at_mut(id);
        entry.connection.open &= entry.connection.tcp.parent.is_none() && !entry.connection.service;
        self.tcp_closed(id);
    }

    /// Puts a connection into its listener's accept queue.
    fn show_to_accept(&mut self, id: SocketId) {
        let tcp = &mut self.at_mut(id).connection.tcp;
        let Some((listener, unique)) = tcp.parent.take() else { return };
        tcp.in_accept_queue = true;
        let Some(parent) = self.slab.get_mut(listener).filter(|e| e.local.id == unique) else { return };
        if let Some(queue) = parent.connection.listener.as_mut() {
            queue.accept.push_back(id);
            self.log.notify(parent, poll::READ);
        }
    }
}
