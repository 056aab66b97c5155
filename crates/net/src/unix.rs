//! AF_UNIX: streams, datagrams and sequenced packets within a host; names; what travels besides bytes.

use crate::addr::{Addr, Family, UnixAddr};
use crate::call::{Ancillary, Control, Cred, How, Received, Send, SocketId};
use crate::entry::{Entry, Listener, Phase, SHUT_BOTH, SHUT_RECEIVE, SHUT_SEND, SocketStructure, SocketType};
use crate::io::{Sink, Source};
use crate::linux::{msg, poll};
use crate::options::{Flag, Int};
use crate::queue::{Datagram, Mark, Pool, Queue, UNIX_BUFFER, unix_truesize};
use crate::readiness::UNIX_QUEUE;
use crate::table::SocketTable;
use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::rc::Rc;
use alloc::vec::Vec;
use core::net::{IpAddr, Ipv4Addr};
use snowglobe_abi::Errno;

/// What an AF_UNIX name is looked up by.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum NameKey {
    Path(u64),
    /// By host and type: in Linux a name of one type is not in the way of another's.
    Abstract(u32, SocketType, Rc<[u8]>),
}

/// Sockets found by something other than a port.
#[derive(Default, Debug)]
pub(crate) struct Names {
    pub(crate) unix: BTreeMap<NameKey, SocketId>,
    /// Raw sockets, in the order of their making.
    pub(crate) raw: Vec<SocketId>,
}

/// Bytes with which descriptors travel at most: Linux puts them on the first buffer of a send.
const RIGHTS_SPAN: usize = 32_768;

fn key_of(host: u32, kind: SocketType, name: &UnixAddr) -> Option<NameKey> {
    match name {
        UnixAddr::Unnamed => None,
        UnixAddr::Path { key, .. } => Some(NameKey::Path(*key)),
        UnixAddr::Abstract(name) => Some(NameKey::Abstract(host, kind, name.clone())),
    }
}

impl<R: Clone> SocketTable<R> {
    /// Makes two sockets each other's peers.
    pub(crate) fn unix_join(&mut self, a: SocketId, b: SocketId) {
        for (id, other) in [(a, b), (b, a)] {
            let theirs = self.at(other);
            let (remote, cred) = (theirs.local.clone(), theirs.connection.cred);
            let groups = theirs.connection.cred_groups.clone();
            let entry = self.at_mut(id);
            entry.remote = SocketStructure { event: 0, ..remote };
            entry.connection.peer = Some(other);
            if entry.local.kind == SocketType::Datagram {
                entry.connection.peer_of.insert(other);
            }
            if entry.connection.peer_cred.is_none() {
                entry.connection.peer_cred = Some(cred);
                entry.connection.peer_groups = groups;
            }
            entry.connection.phase = entry.shut_phase(Phase::Connected);
            self.settle(id);
        }
    }

    pub(crate) fn unix_bind(&mut self, id: SocketId, addr: &Addr) -> Result<(), Errno> {
        let Addr::Unix(name) = addr else { return Err(Errno::EINVAL) };
        let entry = self.at(id);
        let (host, kind) = (entry.connection.host, entry.local.kind);
        let bound = entry.local.address != Addr::Unix(UnixAddr::Unnamed);
        let name = match name {
            // unix(7), autobind: "the socket is autobound to an abstract address", of five hex digits.
            UnixAddr::Unnamed if bound => return Ok(()),
            UnixAddr::Unnamed => self.free_name(host, kind)?,
            _ if bound => return Err(Errno::EINVAL),
            name => name.clone(),
        };
        let key = key_of(host, kind, &name).ok_or(Errno::EINVAL)?;
        if self.names.unix.contains_key(&key) {
            return Err(Errno::EADDRINUSE);
        }
        self.names.unix.insert(key, id);
        let entry = self.at_mut(id);
        entry.local.address = Addr::Unix(name);
        if entry.connection.phase == Phase::Unconnected {
            entry.connection.phase = Phase::Bound;
        }
        self.settle(id);
        Ok(())
    }

    fn free_name(&mut self, host: u32, kind: SocketType) -> Result<UnixAddr, Errno> {
        let start = self.rng.below(1 << 20);
        let names = (0..1u32 << 20).map(|i| format!("{:05x}", (start + i) & 0xf_ffff));
        for name in names {
            let name: Rc<[u8]> = name.as_bytes().into();
            if !self.names.unix.contains_key(&NameKey::Abstract(host, kind, name.clone())) {
                return Ok(UnixAddr::Abstract(name));
            }
        }
        Err(Errno::ENOSPC)
    }

    pub(crate) fn unix_listen(&mut self, id: SocketId, backlog: i32) -> Result<(), Errno> {
        let entry = self.at_mut(id);
        match entry.connection.phase {
            Phase::Bound | Phase::Listening => {}
            _ => return Err(Errno::EINVAL),
        }
        let backlog = (backlog as u32).min(4096);
        entry.connection.listener.get_or_insert_with(|| Box::new(Listener::default())).backlog = backlog;
        entry.connection.phase = Phase::Listening;
        self.settle(id);
        self.unix_wake_waiters(id);
        Ok(())
    }

    /// The socket of a type with a name.
    fn unix_find(&self, id: SocketId, addr: &Addr) -> Result<SocketId, Errno> {
        let Addr::Unix(name) = addr else { return Err(Errno::EINVAL) };
        let entry = self.at(id);
        let kind = entry.local.kind;
        let key = key_of(entry.connection.host, kind, name).ok_or(Errno::EINVAL)?;
        let found = self.names.unix.get(&key).copied().ok_or(Errno::ECONNREFUSED)?;
        if self.at(found).local.kind == kind { Ok(found) } else { Err(Errno::EPROTOTYPE) }
    }

    pub(crate) fn unix_connect(&mut self, id: SocketId, addr: &Addr) -> Result<(), Errno> {
        if self.at(id).local.kind == SocketType::Datagram {
            return self.unix_associate(id, addr);
        }
        if *addr == Addr::Unspec {
            return Err(Errno::EINVAL);
        }
        // Linux looks at the other end first, and then at what the socket is itself.
        let listener = self.unix_find(id, addr)?;
        let other = self.at_mut(listener);
        let shut = other.is_shut(SHUT_RECEIVE);
        let Some(queue) = other.connection.listener.as_ref().filter(|_| !shut) else { return Err(Errno::ECONNREFUSED) };
        if queue.accept.len() as u32 > queue.backlog {
            wait_on(other, id);
            return Err(Errno::EAGAIN);
        }
        match self.at(id).connection.phase {
            Phase::Unconnected | Phase::Bound => {}
            Phase::Listening => return Err(Errno::EINVAL),
            _ => return Err(Errno::EISCONN),
        }
        if self.at(id).local.options.flag(Flag::PassCred) && self.at(id).connection.phase == Phase::Unconnected {
            // unix(7): a socket with SO_PASSCRED that connects gets a name by autobind.
            self.unix_bind(id, &Addr::Unix(UnixAddr::Unnamed))?;
        }
        self.unix_open_child(listener, id);
        Ok(())
    }

    /// The entry for the server's end of a connection.
    fn unix_open_child(&mut self, listener: SocketId, client: SocketId) {
        let parent = self.at(listener);
        let (host, cred) = (parent.connection.host, parent.connection.cred);
        let groups = parent.connection.cred_groups.clone();
        let address = parent.local.address.clone();
        let mut local = self.structure(parent.local.family, parent.local.kind, parent.local.protocol);
        local.options = parent.local.options.clone();
        local.address = address;
        let child = self.insert(host, cred, local);
        self.at_mut(child).connection.cred_groups = groups;
        self.unix_join(client, child);
        let parent = self.slab.at_mut(listener);
        if let Some(queue) = parent.connection.listener.as_mut() {
            queue.accept.push_back(child);
        }
        self.log.notify(parent, poll::READ);
    }

    pub(crate) fn unix_accept(&mut self, id: SocketId) -> Result<(SocketId, Addr), Errno> {
        let entry = self.at_mut(id);
        let queue = entry.connection.listener.as_mut().ok_or(Errno::EINVAL)?;
        let Some(child) = queue.accept.pop_front() else {
            // As with messages: who would not wait is told that there is none yet.
            let ended = entry.is_shut(SHUT_RECEIVE) && entry.local.blocking;
            return Err(if ended { Errno::EINVAL } else { Errno::EAGAIN });
        };
        self.unix_wake_waiters(id);
        let peer = self.at(child).remote.address.clone();
        Ok((child, peer))
    }

    /// `connect` of a datagram socket.
    fn unix_associate(&mut self, id: SocketId, addr: &Addr) -> Result<(), Errno> {
        let peer = match addr {
            Addr::Unspec => None,
            _ => Some(self.unix_message_peer(id, addr)?),
        };
        let remote = peer.map(|peer| self.at(peer).local.clone());
        let before = self.at(id).connection.peer;
        if before != peer {
            if before.is_some() || self.at(id).remote.id != 0 {
                self.unix_forget(id, before);
            }
            if let Some(peer) = peer {
                self.at_mut(peer).connection.peer_of.insert(id);
            }
        }
        let entry = self.at_mut(id);
        entry.connection.peer = peer;
        match remote {
            Some(remote) => {
                entry.remote = SocketStructure { event: 0, ..remote };
                entry.connection.phase = entry.shut_phase(Phase::Connected);
            }
            None => {
                entry.remote.address = entry.local.family.unbound();
                entry.remote.id = 0;
                entry.connection.phase = entry.shut_phase(entry.idle_phase());
            }
        }
        self.settle(id);
        Ok(())
    }

    /// A datagram socket lets go of its peer. What it has not read is lost, and a peer that had it as its own is told
    /// (Linux's `unix_dgram_disconnected`).
    fn unix_forget(&mut self, id: SocketId, before: Option<SocketId>) {
        if let Some(before) = before {
            self.at_mut(before).connection.peer_of.remove(&id);
        }
        if self.at(id).receive_queue.is_empty() {
            return;
        }
        self.unix_purge(id);
        let other = before
            .and_then(|before| self.slab.get_mut(before))
            .filter(|e| e.connection.peer == Some(id) && e.id() != id);
        if let Some(other) = other {
            other.connection.error = Some(Errno::ECONNRESET);
            self.log.notify(other, poll::ERR);
        }
        self.settle(id);
        self.unix_room(id);
    }

    /// Throws away the messages that a socket has not read.
    fn unix_purge(&mut self, id: SocketId) {
        let senders: Vec<_> = self.at(id).receive_queue.datagrams.iter().map(|d| (d.sender, d.truesize)).collect();
        let entry = self.slab.at_mut(id);
        entry.receive_queue.clear(&mut self.pool, &mut self.discarded);
        for (sender, truesize) in senders {
            self.unix_released(sender, truesize);
        }
    }

    /// A message has left a queue: its sender has room again (Linux's `unix_write_space`).
    pub(crate) fn unix_released(&mut self, (place, unique): (SocketId, u64), truesize: u32) {
        let Some(sender) = self.slab.get_mut(place).filter(|e| e.local.id == unique) else { return };
        sender.connection.outstanding = sender.connection.outstanding.saturating_sub(truesize as usize);
        if sender.connection.outstanding * 4 <= sender.local.options.int(Int::SendBuffer) as usize {
            self.log.notify(sender, poll::WRITE | poll::WRBAND);
        }
    }

    /// The socket with a name, if it takes messages from `id`.
    fn unix_message_peer(&self, id: SocketId, addr: &Addr) -> Result<SocketId, Errno> {
        let peer = self.unix_find(id, addr)?;
        let other = self.at(peer);
        if belongs_to_another(other, id) {
            return Err(Errno::EPERM);
        }
        Ok(peer)
    }

    pub(crate) fn unix_peer_name(&self, id: SocketId) -> Result<Addr, Errno> {
        let entry = self.at(id);
        if entry.remote.id == 0 || entry.connection.phase == Phase::Listening {
            return Err(Errno::ENOTCONN);
        }
        let peer = entry.connection.peer.and_then(|peer| self.slab.get(peer));
        Ok(peer.map_or_else(|| entry.remote.address.clone(), |peer| peer.local.address.clone()))
    }

    // Streams.

    #[inline]
    pub(crate) fn unix_send_stream(
        &mut self,
        id: SocketId,
        source: &mut dyn Source,
        call: Send<R>,
    ) -> Result<usize, Errno> {
        let entry = self.at(id);
        if call.flags & msg::OOB != 0 {
            return Err(Errno::EOPNOTSUPP);
        }
        if call.dest.is_some() {
            let connected = entry.remote.id != 0;
            return Err(if connected { Errno::EISCONN } else { Errno::EOPNOTSUPP });
        }
        if entry.remote.id == 0 {
            return Err(Errno::ENOTCONN);
        }
        if entry.is_shut(SHUT_SEND) {
            return Err(Errno::EPIPE);
        }
        let Some(peer) = entry.connection.peer else { return Err(Errno::EPIPE) };
        if call.len == 0 {
            return Ok(0);
        }
        let Some([entry, other]) = self.slab.pair(id, peer) else { return Err(Errno::EPIPE) };
        if other.is_shut(SHUT_RECEIVE) {
            return Err(Errno::EPIPE);
        }
        let limit = entry.local.options.int(Int::SendBuffer) as usize;
        let (n, fault) = push_buffers(&mut other.receive_queue, &mut self.pool, source, call.len, limit);
        if n == 0 {
            return Err(fault.unwrap_or(Errno::EAGAIN));
        }
        mark(entry, other, n, call.ancillary, call.cred);
        if self.log.tracing {
            self.log.sent(entry, n, &other.local.address);
            self.log.delivered(other, n);
        }
        self.log.settle(other);
        self.log.notify(other, poll::READ);
        Ok(n)
    }

    #[inline]
    pub(crate) fn unix_recv_stream(
        &mut self,
        id: SocketId,
        sink: &mut dyn Sink,
        len: usize,
        flags: u32,
    ) -> Result<Received<R>, Errno> {
        let entry = self.slab.at_mut(id);
        if flags & msg::OOB != 0 {
            return Err(Errno::EINVAL);
        }
        let skip = entry.peek_offset(flags);
        let held = entry.receive_queue.bytes.len();
        if held <= skip {
            return unix_no_receive(entry);
        }
        let mut received = Received::stream(0);
        let peek = flags & msg::PEEK != 0;
        let stop = if entry.receive_queue.marks.is_empty() { held } else { read_marks(entry, len, &mut received) };
        let n = stop.saturating_sub(skip).min(len);
        let (got, fault) = entry.receive_queue.bytes.copy_out(skip, n, sink);
        if got == 0
            && let Some(fault) = fault
        {
            return Err(fault);
        }
        received.from = named(&entry.remote.address);
        received.len = got;
        received.full_len = got;
        received.more = fault.is_none() && !peek && stop == held;
        take_marks(entry, got, peek, &mut received);
        entry.move_peek_offset(flags, got);
        if !peek {
            let before = entry.receive_queue.held;
            entry.receive_queue.consume(&mut self.pool, got);
            let after = entry.receive_queue.held;
            self.log.settle(entry);
            self.unix_freed(id, before, after);
        }
        Ok(received)
    }

    /// Tells the sender of a stream when it has become writable.
    #[inline]
    fn unix_freed(&mut self, id: SocketId, before: usize, after: usize) {
        let Some(peer) = self.at(id).connection.peer else { return };
        let sender = self.slab.at_mut(peer);
        let limit = sender.local.options.int(Int::SendBuffer) as usize;
        if before * 4 > limit && after * 4 <= limit {
            self.log.notify(sender, poll::WRITE | poll::WRBAND);
        }
    }

    // Messages.

    pub(crate) fn unix_send_message(
        &mut self,
        id: SocketId,
        source: &mut dyn Source,
        call: Send<R>,
    ) -> Result<usize, Errno> {
        if call.flags & msg::OOB != 0 {
            return Err(Errno::EOPNOTSUPP);
        }
        // Linux ignores an address on a connected SOCK_SEQPACKET socket.
        let entry = self.at_mut(id);
        let packets = entry.local.kind == SocketType::Seqpacket;
        if packets && let Some(error) = entry.take_error() {
            return Err(error);
        }
        if packets && entry.remote.id == 0 {
            return Err(Errno::ENOTCONN);
        }
        let dest = call.dest.filter(|_| !packets);
        let limit = entry.local.options.int(Int::SendBuffer) as usize;
        if call.len > limit.saturating_sub(32) {
            return Err(Errno::EMSGSIZE);
        }
        if let Some(error) = entry.take_error() {
            return Err(error);
        }
        if entry.is_shut(SHUT_SEND) {
            return Err(Errno::EPIPE);
        }
        // Its own messages that nobody has read, wherever they are.
        if entry.connection.outstanding >= limit {
            return Err(Errno::EAGAIN);
        }
        let peer = self.unix_message_target(id, dest)?;
        let other = self.slab.at_mut(peer);
        if other.is_shut(SHUT_RECEIVE) {
            return Err(Errno::EPIPE);
        }
        let others_queue = peer != id && other.connection.peer != Some(id);
        if others_queue && other.receive_queue.messages() > UNIX_QUEUE {
            wait_on(other, id);
            return Err(Errno::EAGAIN);
        }
        let payload = self.pool.fill(source, call.len)?;
        self.unix_deliver(id, peer, payload, call);
        Ok(self.at(peer).receive_queue.datagrams.back().map_or(0, |d| d.payload.len()))
    }

    /// To whom a message goes.
    fn unix_message_target(&mut self, id: SocketId, dest: Option<&Addr>) -> Result<SocketId, Errno> {
        let entry = self.at(id);
        match (dest, entry.connection.peer) {
            (Some(addr), _) => self.unix_message_peer(id, addr),
            (None, Some(peer)) if !belongs_to_another(self.at(peer), id) => Ok(peer),
            // Its peer has found another since.
            (None, Some(_)) => Err(Errno::EPERM),
            (None, None) if entry.local.kind == SocketType::Seqpacket => Err(Errno::EPIPE),
            (None, None) if entry.remote.id == 0 => Err(Errno::ENOTCONN),
            (None, None) => {
                // The peer has gone: Linux says so once, and dissolves the association.
                let entry = self.at_mut(id);
                entry.remote.id = 0;
                entry.connection.phase = entry.shut_phase(entry.idle_phase());
                self.settle(id);
                self.unix_forget(id, None);
                Err(Errno::ECONNREFUSED)
            }
        }
    }

    fn unix_deliver(&mut self, id: SocketId, peer: SocketId, payload: crate::queue::Chunk, call: Send<R>) {
        let entry = self.at(id);
        let other = self.at(peer);
        let asked = asks_who(entry) || asks_who(other);
        let from = named(&entry.local.address).unwrap_or(Addr::Unspec);
        let mut ancillary = call.ancillary.unwrap_or_default();
        ancillary.cred = ancillary.cred.or(asked.then_some(call.cred));
        let empty = ancillary.rights.is_empty() && ancillary.cred.is_none();
        let len = payload.len();
        let datagram = Datagram {
            from,
            to: IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            interface: 0,
            ttl: 0,
            tos: 0,
            to_port: 0,
            drops: 0,
            truesize: unix_truesize(len),
            payload,
            ancillary: (!empty).then(|| Box::new(ancillary)),
            at: self.log.now,
            sender: (id, entry.local.id),
        };
        let truesize = datagram.truesize as usize;
        if self.log.tracing {
            let to = other.local.address.clone();
            self.log.sent(self.slab.at_mut(id), len, &to);
        }
        self.at_mut(id).connection.outstanding += truesize;
        let other = self.slab.at_mut(peer);
        other.receive_queue.push_datagram(datagram);
        self.log.delivered(other, len);
        self.log.settle(other);
        self.log.notify(other, poll::READ);
    }

    /// Tells senders that a message has left a queue.
    pub(crate) fn unix_room(&mut self, id: SocketId) {
        let entry = self.at(id);
        // Who is connected to a queue that was full looks again.
        if entry.receive_queue.messages() == UNIX_QUEUE {
            let senders: Vec<SocketId> = entry.connection.peer_of.iter().copied().collect();
            senders.into_iter().for_each(|sender| self.notify(sender, poll::WRITE | poll::WRBAND));
        }
        self.unix_wake_waiters(id);
    }

    fn unix_wake_waiters(&mut self, id: SocketId) {
        for waiter in core::mem::take(&mut self.at_mut(id).connection.waiters) {
            if let Some(entry) = self.slab.get_mut(waiter) {
                self.log.notify(entry, poll::WRITE | poll::WRBAND);
            }
        }
    }

    // Open files on their way.

    /// Every open file that is on its way by SCM_RIGHTS, with the socket in whose hands it is: the one that will
    /// receive it, or the one that will accept that.
    pub fn each_in_flight(&self, mut each: impl FnMut(SocketId, &R)) {
        let mut tell = |owner: SocketId, entry: &Entry<R>| {
            let queue = &entry.receive_queue;
            let of_stream = queue.marks.iter().flat_map(|mark| &mark.rights);
            let of_messages = queue.datagrams.iter().filter_map(|d| d.ancillary.as_ref()).flat_map(|a| &a.rights);
            of_stream.chain(of_messages).for_each(|right| each(owner, right));
        };
        let unix = || self.entries().filter(|e| e.local.family == Family::Unix);
        let waiting: BTreeSet<SocketId> =
            unix().filter_map(|e| e.connection.listener.as_ref()).flat_map(|l| l.accept.iter().copied()).collect();
        for entry in unix().filter(|e| !waiting.contains(&e.id())) {
            tell(entry.id(), entry);
            for child in entry.connection.listener.iter().flat_map(|l| &l.accept) {
                tell(entry.id(), self.at(*child));
            }
        }
    }

    /// Takes the open files out of what a socket and those that it has not accepted would receive.
    pub fn discard_rights(&mut self, id: SocketId) {
        let children = self.at(id).connection.listener.iter().flat_map(|l| &l.accept).copied();
        let all: Vec<SocketId> = core::iter::once(id).chain(children).collect();
        for id in all {
            let queue = &mut self.slab.at_mut(id).receive_queue;
            for mark in &mut queue.marks {
                self.discarded.append(&mut mark.rights);
            }
            for ancillary in queue.datagrams.iter_mut().filter_map(|d| d.ancillary.as_mut()) {
                self.discarded.append(&mut ancillary.rights);
            }
        }
    }

    // Ends.

    pub(crate) fn unix_shutdown(&mut self, id: SocketId, how: How) -> Result<(), Errno> {
        let entry = self.at_mut(id);
        entry.connection.shut |= how.bits();
        let stream = entry.local.kind != SocketType::Datagram;
        unix_phase(entry);
        let peer = entry.connection.peer.filter(|_| stream);
        self.settle(id);
        self.notify(id, poll::ANY);
        self.unix_wake_waiters(id);
        if let Some(peer) = peer {
            let mirrored = (how.bits() & SHUT_SEND) >> 1 | (how.bits() & SHUT_RECEIVE) << 1;
            let other = self.slab.at_mut(peer);
            other.connection.shut |= mirrored;
            unix_phase(other);
            self.log.settle(other);
            self.log.notify(other, poll::ANY);
        }
        Ok(())
    }

    pub(crate) fn unix_close(&mut self, id: SocketId) {
        let entry = self.at_mut(id);
        entry.connection.phase = Phase::Disconnected;
        let (host, kind) = (entry.connection.host, entry.local.kind);
        let listener = entry.connection.listener.take();
        if let Addr::Unix(name) = &entry.local.address
            && let Some(key) = key_of(host, kind, name)
            && self.names.unix.get(&key) == Some(&id)
        {
            self.names.unix.remove(&key);
        }
        self.settle(id);
        for child in listener.map(|l| l.accept).unwrap_or_default() {
            self.unix_leave(child, true);
        }
        self.unix_leave(id, false);
    }

    /// Ends what a socket is to its peers, and removes it. `refused` says that it was never accepted.
    fn unix_leave(&mut self, id: SocketId, refused: bool) {
        self.unix_wake_waiters(id);
        let entry = self.at(id);
        // An empty message at the head is passed over: Linux takes it for urgent data that has been read.
        let queue = &entry.receive_queue;
        let passed = usize::from(queue.datagrams.front().is_some_and(|d| d.payload.len() == 0));
        let unread = refused || queue.bytes.len() > 0 || queue.datagrams.len() > passed;
        let stream = entry.local.kind != SocketType::Datagram;
        let peer = entry.connection.peer;
        // A datagram socket can be the peer of many who are not its own.
        let others: Vec<SocketId> = match stream {
            true => peer.into_iter().collect(),
            false => entry.connection.peer_of.iter().copied().collect(),
        };
        if let Some(peer) = peer.and_then(|peer| self.slab.get_mut(peer)) {
            peer.connection.peer_of.remove(&id);
        }
        self.unix_purge(id);
        // Who asks for the name of one that has gone is told the last it had.
        let name = self.at(id).local.address.clone();
        for other in others {
            let other = self.slab.at_mut(other);
            other.connection.peer = None;
            other.remote.address = name.clone();
            if stream {
                other.connection.shut = SHUT_BOTH;
                other.connection.phase = Phase::Disconnected;
                if unread {
                    other.connection.error = Some(Errno::ECONNRESET);
                }
                self.log.settle(other);
            }
            self.log.notify(other, poll::ANY);
        }
        self.remove(id);
    }
}

/// Appends bytes as Linux does, buffer by buffer while the sender's limit is not reached: the last may exceed it.
#[inline]
fn push_buffers<R>(
    queue: &mut Queue<R>,
    pool: &mut Pool,
    source: &mut dyn Source,
    len: usize,
    limit: usize,
) -> (usize, Option<Errno>) {
    let mut done = 0;
    while done < len && queue.held < limit {
        let (n, fault) = queue.bytes.push_from(pool, source, (len - done).min(UNIX_BUFFER));
        done += n;
        if n > 0 {
            queue.held += unix_truesize(n) as usize;
        }
        if fault.is_some() {
            return (done, fault);
        }
    }
    (done, None)
}

/// unix(7): a socket that is connected to another takes messages from that one only, even when that one has gone.
fn belongs_to_another<R>(entry: &Entry<R>, id: SocketId) -> bool {
    entry.remote.id != 0 && entry.connection.peer != Some(id)
}

/// Registers `waiter` to be told when `entry`'s queue has room.
fn wait_on<R>(entry: &mut Entry<R>, waiter: SocketId) {
    if !entry.connection.waiters.contains(&waiter) {
        entry.connection.waiters.push(waiter);
    }
}

/// The phase that follows from the directions that have ended.
fn unix_phase<R>(entry: &mut Entry<R>) {
    if matches!(entry.connection.phase, Phase::Connected | Phase::Shutdown) {
        entry.connection.phase = entry.shut_phase(Phase::Connected);
    }
}

/// A name, if it is one.
fn named(addr: &Addr) -> Option<Addr> {
    (*addr != Addr::Unix(UnixAddr::Unnamed)).then(|| addr.clone())
}

/// Whether a socket wants to know who sends.
#[inline]
fn asks_who<R>(entry: &Entry<R>) -> bool {
    entry.local.options.flag(Flag::PassCred) || entry.local.options.flag(Flag::PassPidfd)
}

/// Notes what travels with the `n` bytes just put into a receive queue.
#[inline]
fn mark<R>(from: &Entry<R>, to: &mut Entry<R>, n: usize, ancillary: Option<Ancillary<R>>, sender: Cred) {
    let asked = asks_who(from) || asks_who(to);
    if ancillary.is_none() && !asked {
        return;
    }
    let ancillary = ancillary.unwrap_or_default();
    let cred = ancillary.cred.or(asked.then_some(sender));
    let end = to.receive_queue.head + to.receive_queue.bytes.len() as u64;
    let start = end - n as u64;
    let span = if ancillary.rights.is_empty() { n } else { n.min(RIGHTS_SPAN) };
    let marks = &mut to.receive_queue.marks;
    marks.push_back(Mark { start, end: start + span as u64, rights: ancillary.rights, cred });
    if span < n {
        marks.push_back(Mark { start: start + span as u64, end, rights: Vec::new(), cred });
    }
}

/// How far a read may go: it does not glue bytes of different senders when credentials are asked for, and it ends
/// with the bytes that descriptors travel with. Puts the credentials into `received`.
fn read_marks<R: Clone>(entry: &Entry<R>, len: usize, received: &mut Received<R>) -> usize {
    let queue = &entry.receive_queue;
    let (who, pass) = (asks_who(entry), entry.local.options.flag(Flag::PassCred));
    let limit = queue.head + len as u64;
    let mut end = queue.head + queue.bytes.len() as u64;
    let mut first: Option<Option<Cred>> = None;
    for mark in queue.marks.iter().filter(|m| m.end > queue.head) {
        if mark.start >= limit {
            break;
        }
        if who {
            // Bytes before the first mark came without credentials.
            let begun = *first.get_or_insert(if mark.start > queue.head { None } else { mark.cred });
            if mark.start > queue.head && begun != mark.cred {
                end = mark.start;
                break;
            }
        }
        if !mark.rights.is_empty() {
            end = mark.end;
            break;
        }
    }
    if pass {
        let nobody = Cred { pid: 0, uid: 65534, gid: 65534 };
        received.control.push(Control::Credentials(first.flatten().unwrap_or(nobody)));
    }
    if let Some(sender) = first.flatten().filter(|_| entry.local.options.flag(Flag::PassPidfd)) {
        received.control.push(Control::Pidfd(sender));
    }
    (end - queue.head) as usize
}

/// Takes the descriptors that travel with the `n` bytes that were read.
fn take_marks<R: Clone>(entry: &mut Entry<R>, n: usize, peek: bool, received: &mut Received<R>) {
    let queue = &mut entry.receive_queue;
    let place = queue.head + n as u64;
    if let Some(mark) = queue.marks.iter_mut().find(|m| m.start < place && !m.rights.is_empty()) {
        let rights = if peek { mark.rights.clone() } else { core::mem::take(&mut mark.rights) };
        received.control.push(Control::Rights(rights));
        received.more = false;
    }
    while !peek && queue.marks.front().is_some_and(|m| m.end <= place) {
        queue.marks.pop_front();
    }
}

/// The control messages of the next message of an AF_UNIX socket.
pub(crate) fn control_of_message<R: Clone>(entry: &mut Entry<R>, index: usize, peek: bool, received: &mut Received<R>) {
    let pass = entry.local.options.flag(Flag::PassCred);
    let pidfd = entry.local.options.flag(Flag::PassPidfd);
    let Some(front) = entry.receive_queue.datagrams.get_mut(index) else { return };
    let ancillary = front.ancillary.as_mut();
    if pass {
        let nobody = Cred { pid: 0, uid: 65534, gid: 65534 };
        received.control.push(Control::Credentials(ancillary.as_ref().and_then(|a| a.cred).unwrap_or(nobody)));
    }
    if let Some(sender) = ancillary.as_ref().and_then(|a| a.cred).filter(|_| pidfd) {
        received.control.push(Control::Pidfd(sender));
    }
    if let Some(ancillary) = ancillary.filter(|a| !a.rights.is_empty()) {
        let rights = if peek { ancillary.rights.clone() } else { core::mem::take(&mut ancillary.rights) };
        received.control.push(Control::Rights(rights));
    }
}

/// What a receive on a stream gives when nothing is there to be read.
#[cold]
fn unix_no_receive<R>(entry: &mut Entry<R>) -> Result<Received<R>, Errno> {
    match entry.connection.phase {
        Phase::Unconnected | Phase::Bound | Phase::Listening => return Err(Errno::EINVAL),
        _ => {}
    }
    if let Some(error) = entry.take_error() {
        return Err(error);
    }
    if entry.is_shut(SHUT_RECEIVE) {
        return Ok(Received::end());
    }
    Err(Errno::EAGAIN)
}
