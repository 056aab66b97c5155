//! The socket table: places, the calls of all families, and who is told of what.

use crate::addr::{Addr, Endpoint, Family, UnixAddr};
use crate::call::{Close, Connect, Cred, How, Received, Send, SocketId};
use crate::capture::Captures;
use crate::entry::{Descriptor, Entry, Phase, Protocol, SHUT_RECEIVE, SocketStructure, SocketType};
use crate::fabric::Fabric;
use crate::icmp::Searches;
use crate::io::{Sink, Source};
use crate::link::World;
use crate::linux::{af, ipproto, poll, sock};
use crate::log::{Description, Event, Log};
use crate::neighbour::Lookups;
use crate::options::Options;
use crate::ports::Ports;
use crate::queue::Pool;
use crate::rng::Rng;
use crate::stats::Counters;
use crate::tcp::TcpState;
use crate::unix::Names;
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::rc::Rc;
use alloc::string::String;
use alloc::vec::Vec;
use snowglobe_abi::Errno;
use snowglobe_abi::spec::{HostSpec, NetworkSpec};

/// Entries by place; a place is used again, lowest last freed first.
#[derive(Debug)]
pub(crate) struct Slab<R> {
    places: Vec<Option<Box<Entry<R>>>>,
    free: Vec<u32>,
}

impl<R> Slab<R> {
    #[inline]
    pub(crate) fn get(&self, id: SocketId) -> Option<&Entry<R>> {
        self.places.get(id.0 as usize)?.as_deref()
    }

    #[inline]
    pub(crate) fn get_mut(&mut self, id: SocketId) -> Option<&mut Entry<R>> {
        self.places.get_mut(id.0 as usize)?.as_deref_mut()
    }

    /// An entry that the table itself refers to: that it is gone would be a bug of ours.
    #[inline]
    #[track_caller]
    pub(crate) fn at_mut(&mut self, id: SocketId) -> &mut Entry<R> {
        match self.get_mut(id) {
            Some(entry) => entry,
            None => gone(id),
        }
    }

    /// Two different entries.
    #[inline]
    pub(crate) fn pair(&mut self, a: SocketId, b: SocketId) -> Option<[&mut Entry<R>; 2]> {
        match self.places.get_disjoint_mut([a.0 as usize, b.0 as usize]) {
            Ok([Some(a), Some(b)]) => Some([a, b]),
            _ => None,
        }
    }

    fn iter(&self) -> impl Iterator<Item = &Entry<R>> {
        self.places.iter().filter_map(|place| place.as_deref())
    }
}

#[cold]
#[track_caller]
fn gone(id: SocketId) -> ! {
    panic!("the socket table refers to place {} that is empty", id.0)
}

/// The socket table of a world (FIG. 48, 4800). `R` is an open file on its way by SCM_RIGHTS.
#[derive(Debug)]
pub struct SocketTable<R> {
    pub(crate) slab: Slab<R>,
    pub(crate) world: World,
    pub(crate) ports: Ports,
    pub(crate) names: Names,
    pub(crate) fabric: Fabric,
    pub(crate) pool: Pool,
    pub(crate) log: Log,
    pub(crate) captures: Captures,
    pub(crate) rng: Rng,
    /// What hashes of addresses begin with.
    pub(crate) port_seed: u64,
    pub(crate) unsupported: Vec<(u32, u32)>,
    pub(crate) discarded: Vec<R>,
    /// How often each name with several addresses has been asked for, by name and kind of record.
    pub(crate) rotations: BTreeMap<(String, u16), u32>,
    /// Options at the beginning: of all others, and of TCP.
    defaults: [Rc<Options>; 2],
    last_unique: u64,
    /// Searches for hardware addresses that nobody has.
    pub(crate) searches: Searches,
    /// Searches for those of hosts without power.
    pub(crate) lookups: Lookups,
    /// What each host counts, and at last what nobody does.
    pub(crate) counts: Vec<Counters>,
    /// Faults that go on.
    pub(crate) faults: crate::fault::Active,
}

impl<R: Clone> SocketTable<R> {
    /// The table of a world without sockets yet. `seed` is that of the network's random stream.
    pub fn new(networks: &[NetworkSpec], hosts: &[HostSpec], seed: u64) -> SocketTable<R> {
        let mut rng = Rng::new(seed);
        let port_seed = rng.next();
        SocketTable {
            slab: Slab { places: Vec::new(), free: Vec::new() },
            world: World::new(networks, hosts, seed),
            ports: Ports::default(),
            names: Names::default(),
            fabric: Fabric::default(),
            pool: Pool::default(),
            log: Log::default(),
            captures: Captures::default(),
            rng,
            port_seed,
            unsupported: Vec::new(),
            discarded: Vec::new(),
            rotations: BTreeMap::new(),
            defaults: [Protocol::Udp, Protocol::Tcp].map(|protocol| Rc::new(Options::new(protocol))),
            last_unique: 0,
            searches: Searches::new(),
            lookups: Lookups::new(),
            counts: alloc::vec![Counters::default(); hosts.len() + 1],
            faults: Default::default(),
        }
    }

    // Entries.

    /// An entry.
    ///
    /// # Errors
    /// EBADF for a place without a socket.
    #[inline]
    pub fn get(&self, id: SocketId) -> Result<&Entry<R>, Errno> {
        self.slab.get(id).ok_or(Errno::EBADF)
    }

    #[inline]
    pub(crate) fn get_mut(&mut self, id: SocketId) -> Result<&mut Entry<R>, Errno> {
        self.slab.get_mut(id).ok_or(Errno::EBADF)
    }

    #[inline]
    #[track_caller]
    pub(crate) fn at(&self, id: SocketId) -> &Entry<R> {
        match self.slab.get(id) {
            Some(entry) => entry,
            None => gone(id),
        }
    }

    #[inline]
    #[track_caller]
    pub(crate) fn at_mut(&mut self, id: SocketId) -> &mut Entry<R> {
        self.slab.at_mut(id)
    }

    /// All entries, in the order of their places.
    pub fn entries(&self) -> impl Iterator<Item = &Entry<R>> {
        self.slab.iter()
    }

    /// What changes rarely of an entry.
    ///
    /// # Errors
    /// EBADF for a place without a socket.
    pub fn description(&self, id: SocketId) -> Result<Description, Errno> {
        let entry = self.get(id)?;
        let other_end = entry.connection.peer.and_then(|peer| self.slab.get(peer)).map_or(0, |peer| peer.local.id);
        Ok(crate::log::describe(entry, other_end))
    }

    /// The hosts and their interfaces.
    pub fn world(&self) -> &World {
        &self.world
    }

    /// A socket structure with the options that its protocol begins with.
    pub(crate) fn structure(&self, family: Family, kind: SocketType, protocol: Protocol) -> SocketStructure {
        let options = self.defaults[usize::from(protocol == Protocol::Tcp)].clone();
        SocketStructure::new(family, kind, protocol, options)
    }

    pub(crate) fn insert(&mut self, host: u32, cred: Cred, mut local: SocketStructure) -> SocketId {
        self.last_unique += 1;
        local.id = self.last_unique;
        let place = self.slab.free.pop().unwrap_or_else(|| {
            self.slab.places.push(None);
            self.slab.places.len() as u32 - 1
        });
        let id = SocketId(place);
        let entry = self.slab.places[place as usize].insert(Box::new(Entry::new(id, host, cred, local)));
        self.log.options_changed(entry);
        id
    }

    pub(crate) fn remove(&mut self, id: SocketId) {
        let Some(mut entry) = self.slab.places.get_mut(id.0 as usize).and_then(Option::take) else { return };
        if entry.local.protocol == Protocol::Tcp {
            let tcp = &entry.connection.tcp;
            let counters = self.counters(entry.connection.host);
            counters.tcp_in += u64::from(tcp.segments_in);
            counters.tcp_out += u64::from(tcp.segments_out);
            counters.tcp_again += tcp.wire.as_deref().map_or(0, |wire| u64::from(wire.packets_again));
        }
        entry.send_queue.clear(&mut self.pool, &mut self.discarded);
        entry.receive_queue.clear(&mut self.pool, &mut self.discarded);
        self.log.gone(entry.local.id);
        self.slab.free.push(id.0);
    }

    /// An entry that a call is about to change.
    fn about_to_change(&mut self, id: SocketId) -> Result<&Entry<R>, Errno> {
        let entry = self.slab.get_mut(id).ok_or(Errno::EBADF)?;
        self.log.changed(entry);
        Ok(entry)
    }

    #[inline]
    pub(crate) fn settle(&mut self, id: SocketId) {
        self.log.settle(self.slab.at_mut(id));
    }

    #[inline]
    pub(crate) fn notify(&mut self, id: SocketId, bits: u32) {
        self.log.notify(self.slab.at_mut(id), bits);
    }

    // What the table has to tell.

    /// Activity since the last time, in order: who waits on these sockets must look again, and an edge-triggered
    /// interest in any of the bits has its edge. [`poll::ANY`] matches every interest.
    pub fn take_notifications(&mut self, mut each: impl FnMut(SocketId, u32)) {
        let list = self.log.pop_active();
        for &id in &list {
            if let Some(entry) = self.slab.get_mut(id) {
                let bits = core::mem::take(&mut entry.local.event);
                if bits != 0 {
                    each(id, bits);
                }
            }
        }
        self.log.give_back(list);
    }

    /// Turns the collection of trace events on or off.
    pub fn set_tracing(&mut self, on: bool) {
        self.log.tracing = on;
    }

    /// Whether there are trace events, or captured packets.
    #[inline]
    pub fn has_events(&self) -> bool {
        self.log.has_events() || !self.captures.is_empty()
    }

    /// Trace events since the last time, in order.
    pub fn take_events(&mut self) -> alloc::vec::Drain<'_, Event> {
        self.log.catch_up_all(&mut self.slab);
        self.log.take_events()
    }

    /// Open files that were on their way and will not arrive: the caller closes them.
    pub fn take_discarded(&mut self) -> Vec<R> {
        core::mem::take(&mut self.discarded)
    }

    /// Says by which descriptor a program names a socket.
    pub fn set_descriptor(&mut self, id: SocketId, descriptor: Option<Descriptor>) {
        if let Some(entry) = self.slab.get_mut(id) {
            entry.socket = descriptor;
            self.log.changed(entry);
        }
    }

    /// Says whether calls on a socket block (O_NONBLOCK). The table itself never blocks.
    pub fn set_blocking(&mut self, id: SocketId, blocking: bool) {
        if let Some(entry) = self.slab.get_mut(id) {
            entry.local.blocking = blocking;
            self.log.changed(entry);
        }
    }

    /// The options of a socket, for the caller's part in them (time-outs, SO_RCVLOWAT).
    ///
    /// # Errors
    /// EBADF for a place without a socket.
    pub fn options(&self, id: SocketId) -> Result<&Options, Errno> {
        self.get(id).map(|entry| &*entry.local.options)
    }

    // Calls.

    /// `socket`. `kind` is without its flags.
    ///
    /// # Errors
    /// EAFNOSUPPORT, EINVAL, EPROTONOSUPPORT, ESOCKTNOSUPPORT and EPERM as socket(2) says.
    pub fn socket(&mut self, host: u32, domain: u32, kind: u32, protocol: u32, cred: Cred) -> Result<SocketId, Errno> {
        let (family, kind, protocol) = shape(domain, kind, protocol, cred)?;
        let local = self.structure(family, kind, protocol);
        let id = self.insert(host, cred, local);
        // A raw socket gets what its protocol brings from the beginning.
        if kind == SocketType::Raw {
            self.names.raw.push(id);
        }
        Ok(id)
    }

    /// `socketpair`: AF_UNIX has it, no other family does.
    ///
    /// # Errors
    /// EOPNOTSUPP for the other families, and those of [`SocketTable::socket`].
    pub fn socketpair(
        &mut self,
        host: u32,
        domain: u32,
        kind: u32,
        protocol: u32,
        cred: Cred,
    ) -> Result<[SocketId; 2], Errno> {
        let (family, kind, protocol) = shape(domain, kind, protocol, cred)?;
        if family != Family::Unix {
            return Err(Errno::EOPNOTSUPP);
        }
        let ids = [0, 1].map(|_| {
            let local = self.structure(family, kind, protocol);
            self.insert(host, cred, local)
        });
        self.unix_join(ids[0], ids[1]);
        Ok(ids)
    }

    /// `bind`.
    ///
    /// # Errors
    /// Those of bind(2), ip(7) and unix(7).
    pub fn bind(&mut self, id: SocketId, addr: &Addr) -> Result<(), Errno> {
        let entry = self.about_to_change(id)?;
        match entry.local.family {
            Family::Inet | Family::Inet6 => match entry.local.protocol {
                Protocol::Icmp => self.icmp_bind(id, addr),
                _ => self.ip_bind(id, addr),
            },
            Family::Unix => self.unix_bind(id, addr),
            Family::Netlink => self.netlink_bind(id, addr),
        }
    }

    /// `listen`.
    ///
    /// # Errors
    /// EOPNOTSUPP for sockets without connections, EINVAL and EADDRINUSE as listen(2) says.
    pub fn listen(&mut self, id: SocketId, backlog: i32) -> Result<(), Errno> {
        let entry = self.about_to_change(id)?;
        match (entry.local.protocol, entry.local.kind) {
            (Protocol::Tcp, _) => self.tcp_listen(id, backlog),
            (Protocol::Unix, SocketType::Stream | SocketType::Seqpacket) => self.unix_listen(id, backlog),
            _ => Err(Errno::EOPNOTSUPP),
        }
    }

    /// `connect`. After [`Connect::InProgress`], wait for POLLOUT and call again: the second call gives the outcome.
    ///
    /// # Errors
    /// Those of connect(2); EALREADY while an attempt goes on; for AF_UNIX EAGAIN when the listener's queue is full:
    /// a notification tells when to try again.
    pub fn connect(&mut self, id: SocketId, addr: &Addr, now: u64) -> Result<Connect, Errno> {
        self.log.now = now;
        match self.about_to_change(id)?.local.protocol {
            Protocol::Tcp => {
                let before = self.get(id)?.tcp_state();
                let result = self.tcp_connect(id, addr);
                if before == TcpState::Close && result.is_ok() && *addr != Addr::Unspec {
                    let host = self.get(id)?.connection.host;
                    self.counters(host).tcp_active += 1;
                }
                result
            }
            Protocol::Udp | Protocol::Icmp => self.datagram_connect(id, addr).map(|()| Connect::Done),
            Protocol::Unix => self.unix_connect(id, addr).map(|()| Connect::Done),
            Protocol::Netlink(_) => self.netlink_connect(id, addr).map(|()| Connect::Done),
        }
    }

    /// `accept`: the new socket and the address of the other end.
    ///
    /// # Errors
    /// EAGAIN when none waits, EINVAL on a socket that does not listen, EOPNOTSUPP where there are no connections.
    pub fn accept(&mut self, id: SocketId, now: u64) -> Result<(SocketId, Addr), Errno> {
        self.log.now = now;
        let entry = self.about_to_change(id)?;
        match (entry.local.protocol, entry.local.kind) {
            (Protocol::Tcp, _) => {
                let accepted = self.tcp_accept(id)?;
                let host = self.get(id)?.connection.host;
                self.counters(host).tcp_passive += 1;
                Ok(accepted)
            }
            (Protocol::Unix, SocketType::Stream | SocketType::Seqpacket) => self.unix_accept(id),
            _ => Err(Errno::EOPNOTSUPP),
        }
    }

    /// `send` and its kin. Returns the bytes taken, which for a stream may be fewer than asked for.
    ///
    /// # Errors
    /// EAGAIN when there is no room: wait for POLLOUT (or, sending to an AF_UNIX address, for any notification), then
    /// call again. EPIPE where the caller raises SIGPIPE unless MSG_NOSIGNAL says not to, on streams. Others as
    /// send(2) says.
    #[inline]
    pub fn send(&mut self, id: SocketId, source: &mut dyn Source, call: Send<R>, now: u64) -> Result<usize, Errno> {
        self.log.now = now;
        let entry = self.get(id)?;
        let result = match entry.local.protocol {
            Protocol::Tcp => self.tcp_send(id, source, &call),
            Protocol::Unix if entry.local.kind == SocketType::Stream => self.unix_send_stream(id, source, call),
            Protocol::Unix => self.unix_send_message(id, source, call),
            Protocol::Udp => self.udp_send(id, source, &call),
            Protocol::Icmp => self.icmp_send(id, source, &call),
            Protocol::Netlink(_) => self.netlink_send(id, source, &call),
        };
        self.told_error(id, result)
    }

    /// `recv` and its kin, with `flags` of `MSG_*` (PEEK, OOB, TRUNC).
    ///
    /// # Errors
    /// EAGAIN when there is nothing: wait for POLLIN, then call again. Others as recv(2) says.
    #[inline]
    pub fn recv(
        &mut self,
        id: SocketId,
        sink: &mut dyn Sink,
        len: usize,
        flags: u32,
        now: u64,
    ) -> Result<Received<R>, Errno> {
        self.log.now = now;
        let entry = self.get(id)?;
        if flags & crate::linux::msg::ERRQUEUE != 0 {
            let result = self.recv_report(id, sink, len);
            // What waits to be told may be another error now.
            self.log.changed(self.slab.at_mut(id));
            return result;
        }
        let result = match entry.local.protocol {
            Protocol::Tcp => self.tcp_recv(id, sink, len, flags),
            Protocol::Unix if entry.local.kind == SocketType::Stream => self.unix_recv_stream(id, sink, len, flags),
            _ => self.recv_message(id, sink, len, flags),
        };
        self.told_error(id, result)
    }

    /// An error that is told waits no more.
    #[inline]
    fn told_error<T>(&mut self, id: SocketId, result: Result<T, Errno>) -> Result<T, Errno> {
        if result.as_ref().is_err_and(|e| *e != Errno::EAGAIN) {
            self.log.changed(self.slab.at_mut(id));
        }
        result
    }

    /// `shutdown`.
    ///
    /// # Errors
    /// ENOTCONN for a socket without another end.
    pub fn shutdown(&mut self, id: SocketId, how: How, now: u64) -> Result<(), Errno> {
        self.log.now = now;
        match self.about_to_change(id)?.local.protocol {
            Protocol::Tcp => self.tcp_shutdown(id, how),
            Protocol::Unix => self.unix_shutdown(id, how),
            Protocol::Netlink(_) => Err(Errno::EOPNOTSUPP),
            Protocol::Udp | Protocol::Icmp => self.datagram_shutdown(id, how),
        }
    }

    /// The last `close`: the entry goes, at once or when its protocol is done with it.
    pub fn close(&mut self, id: SocketId, now: u64) -> Close {
        self.log.now = now;
        let Ok(entry) = self.get(id) else { return Close::Done };
        match entry.local.protocol {
            Protocol::Tcp => return self.tcp_close(id),
            Protocol::Unix => self.unix_close(id),
            _ => {
                let entry = self.at_mut(id);
                entry.connection.phase = Phase::Disconnected;
                self.settle(id);
                self.leave_port(id);
                self.names.raw.retain(|&raw| raw != id);
                self.remove(id);
            }
        }
        Close::Done
    }

    /// Whether a closed socket with SO_LINGER still has bytes that the other end has not acknowledged.
    pub fn lingers(&self, unique: u64) -> bool {
        let state = |e: &Entry<R>| !matches!(e.connection.tcp.state, TcpState::FinWait2 | TcpState::Close);
        self.slab.iter().any(|e| e.local.id == unique && !e.connection.open && state(e))
    }

    /// `getsockname`.
    ///
    /// # Errors
    /// EBADF for a place without a socket.
    pub fn getsockname(&self, id: SocketId) -> Result<Addr, Errno> {
        let entry = self.get(id)?;
        Ok(seen(entry.local.family, &entry.local.address))
    }

    /// `getpeername`.
    ///
    /// # Errors
    /// ENOTCONN for a socket without another end.
    pub fn getpeername(&self, id: SocketId) -> Result<Addr, Errno> {
        let entry = self.get(id)?;
        let connected = match entry.local.protocol {
            Protocol::Tcp => !matches!(entry.tcp_state(), TcpState::Close | TcpState::Listen | TcpState::SynSent),
            Protocol::Unix => return self.unix_peer_name(id),
            Protocol::Netlink(_) => true,
            // Linux goes by the port, also for sockets that need none.
            Protocol::Udp | Protocol::Icmp => entry.is_associated() && entry.remote_end().port != 0,
        };
        if !connected {
            return Err(Errno::ENOTCONN);
        }
        Ok(seen(entry.local.family, &entry.remote.address))
    }

    /// FIONREAD (SIOCINQ): bytes in a stream up to an urgent mark, or in the next message.
    ///
    /// # Errors
    /// EINVAL on a socket that listens.
    pub fn fionread(&self, id: SocketId) -> Result<u32, Errno> {
        let entry = self.get(id)?;
        if entry.connection.phase == Phase::Listening {
            return Err(Errno::EINVAL);
        }
        let queue = &entry.receive_queue;
        let n = match entry.local.kind {
            SocketType::Stream => match entry.connection.tcp.urgent {
                Some(urgent) if urgent.at > queue.head => queue.bytes.len().min((urgent.at - queue.head) as usize),
                _ => queue.bytes.len(),
            },
            // unix(7) counts all messages of SOCK_SEQPACKET.
            SocketType::Seqpacket => queue.len(),
            _ => queue.datagrams.front().map_or(0, |d| d.payload.len()),
        };
        Ok(n as u32)
    }

    /// SIOCOUTQ: bytes that were sent and not acknowledged, not read by an AF_UNIX peer, or still in the interface.
    ///
    /// # Errors
    /// EINVAL on a socket that listens.
    pub fn siocoutq(&self, id: SocketId) -> Result<u32, Errno> {
        let entry = self.get(id)?;
        if entry.connection.phase == Phase::Listening {
            return Err(Errno::EINVAL);
        }
        let peer = entry.connection.peer.and_then(|peer| self.slab.get(peer));
        Ok(match entry.local.protocol {
            Protocol::Unix if entry.local.kind != SocketType::Stream => entry.connection.outstanding as u32,
            Protocol::Unix => peer.map_or(0, |p| p.receive_queue.bytes.len() + p.receive_queue.held()) as u32,
            Protocol::Udp | Protocol::Icmp => entry.send_queue.held() as u32,
            // A FIN counts as a byte until it is acknowledged.
            _ => {
                let tcp = &entry.connection.tcp;
                let fin = tcp.fin_due && !(tcp.fin_sent && tcp.unacked == tcp.next);
                entry.send_queue.bytes.len() as u32 + u32::from(fin)
            }
        })
    }

    /// SIOCGSTAMP: when the last message that was received had come, in virtual nanoseconds.
    ///
    /// # Errors
    /// ENOENT when nothing has come.
    pub fn stamp(&self, id: SocketId) -> Result<u64, Errno> {
        match self.get(id)?.connection.stamp {
            0 => Err(Errno::ENOENT),
            at => Ok(at),
        }
    }

    /// SIOCOUTQNSD: bytes of a stream that have not been sent at all.
    ///
    /// # Errors
    /// ENOTTY where there is no such queue, EINVAL on a socket that listens.
    pub fn siocoutqnsd(&self, id: SocketId) -> Result<u32, Errno> {
        let entry = self.get(id)?;
        if entry.local.protocol != Protocol::Tcp {
            return Err(Errno::ENOTTY);
        }
        if entry.connection.phase == Phase::Listening {
            return Err(Errno::EINVAL);
        }
        let tcp = &entry.connection.tcp;
        let unsent = (entry.send_queue.bytes.len() as u64).saturating_sub(tcp.sent_bytes()) as u32;
        Ok(unsent + u32::from(tcp.fin_due && !tcp.fin_sent))
    }

    /// SO_PEERPIDFD: the process id that SO_PEERCRED tells.
    ///
    /// # Errors
    /// EOPNOTSUPP but for AF_UNIX, ENODATA without a peer.
    pub fn peer_pid(&self, id: SocketId) -> Result<u32, Errno> {
        let entry = self.get(id)?;
        if entry.local.family != Family::Unix {
            return Err(Errno::EOPNOTSUPP);
        }
        entry.connection.peer_cred.map(|cred| cred.pid).ok_or(Errno::ENODATA)
    }

    /// SO_PEERGROUPS: the supplementary groups of whom SO_PEERCRED tells.
    ///
    /// # Errors
    /// ENODATA without a peer.
    pub fn peer_groups(&self, id: SocketId) -> Result<&[u32], Errno> {
        let connection = &self.get(id)?.connection;
        connection.peer_cred.ok_or(Errno::ENODATA)?;
        Ok(connection.peer_groups.as_deref().unwrap_or_default())
    }

    /// Says who calls on an AF_UNIX socket, with its supplementary groups: the one whom SO_PEERCRED of the other end will tell
    /// of.
    pub fn set_cred(&mut self, id: SocketId, cred: Cred, groups: &[u32]) {
        if let Some(entry) = self.slab.get_mut(id).filter(|e| e.local.family == Family::Unix) {
            entry.connection.cred = cred;
            entry.connection.cred_groups = Some(groups.into());
        }
    }

    /// Says of which groups the maker of a pair is.
    pub fn set_pair_groups(&mut self, pair: [SocketId; 2], groups: &[u32]) {
        let groups: Rc<[u32]> = groups.into();
        for id in pair {
            self.at_mut(id).connection.peer_groups = Some(groups.clone());
        }
    }

    /// SIOCATMARK: whether the next byte to be read is the urgent one.
    ///
    /// # Errors
    /// ENOTTY where there is no urgent data.
    pub fn siocatmark(&self, id: SocketId) -> Result<bool, Errno> {
        let entry = self.get(id)?;
        if entry.local.protocol != Protocol::Tcp {
            return Err(Errno::ENOTTY);
        }
        Ok(entry.connection.tcp.urgent.is_some_and(|u| u.at == entry.receive_queue.head))
    }

    // Shared by the families.

    /// Ends directions of a datagram socket.
    fn datagram_shutdown(&mut self, id: SocketId, how: How) -> Result<(), Errno> {
        let entry = self.at_mut(id);
        entry.connection.shut |= how.bits();
        entry.connection.phase = entry.shut_phase(Phase::Connected);
        let associated = entry.is_associated();
        self.settle(id);
        self.notify(id, poll::ANY);
        // Linux ends the directions of an unconnected socket too, and says this all the same.
        if associated { Ok(()) } else { Err(Errno::ENOTCONN) }
    }

    /// Receives the next message of a socket that has messages.
    fn recv_message(
        &mut self,
        id: SocketId,
        sink: &mut dyn Sink,
        len: usize,
        flags: u32,
    ) -> Result<Received<R>, Errno> {
        use crate::linux::msg;
        let entry = self.slab.at_mut(id);
        if flags & msg::OOB != 0 {
            return Err(Errno::EOPNOTSUPP);
        }
        if entry.local.kind == SocketType::Seqpacket
            && matches!(entry.connection.phase, Phase::Unconnected | Phase::Bound | Phase::Listening)
        {
            return Err(Errno::ENOTCONN);
        }
        // Linux tells a pending error before it looks at the queue.
        if let Some(error) = entry.take_error() {
            return Err(error);
        }
        let mut skip = entry.peek_offset(flags);
        // socket(7), SO_PEEK_OFF: messages that lie before the place are passed over.
        let datagrams = &entry.receive_queue.datagrams;
        let at = datagrams.iter().position(|d| {
            let here = skip < d.payload.len() || d.payload.len() == 0 && skip == 0;
            skip -= if here { 0 } else { d.payload.len() };
            here
        });
        let Some((index, front)) = at.and_then(|at| Some((at, datagrams.get(at)?))) else {
            return match entry.take_error() {
                Some(error) => Err(error),
                None if entry.is_shut(SHUT_RECEIVE) && entry.sees_end(flags) => Ok(Received::end()),
                None => Err(Errno::EAGAIN),
            };
        };
        let full = front.payload.len() - skip;
        let n = full.min(len);
        let fault = if n == 0 { Ok(()) } else { sink.write_from(&front.payload.bytes()[skip..skip + n]) };
        let peek = flags & msg::PEEK != 0;
        let mut received = Received::stream(n);
        received.more = false;
        received.full_len = full;
        received.flags = if full > len { msg::TRUNC } else { 0 };
        received.from = (front.from != Addr::Unspec).then(|| seen(entry.local.family, &front.from));
        self.control_of(id, index, peek, &mut received);
        self.at_mut(id).move_peek_offset(flags, n);
        if !peek {
            self.drop_message(id);
        }
        // The message is gone even when its place was not there, as in Linux.
        fault.map(|()| received)
    }

    /// Takes the first message off a queue, and tells those who wait for the room.
    fn drop_message(&mut self, id: SocketId) {
        let entry = self.slab.at_mut(id);
        let mut sender = None;
        if let Some(datagram) = entry.receive_queue.pop_datagram() {
            self.pool.give(datagram.payload);
            sender = Some((datagram.sender, datagram.truesize));
        }
        self.log.settle(entry);
        match entry.local.protocol {
            Protocol::Unix => {
                if let Some((sender, truesize)) = sender {
                    self.unix_released(sender, truesize);
                }
                self.unix_room(id);
            }
            Protocol::Netlink(_) => self.netlink_continue(id),
            _ => {}
        }
    }
}

/// An address as a socket of `family` sees it.
pub(crate) fn seen(family: Family, addr: &Addr) -> Addr {
    match addr {
        Addr::Ip(end) => Addr::Ip(end.seen_by(family)),
        Addr::Unspec => family.unbound(),
        Addr::Unix(UnixAddr::Unnamed) => addr.clone(),
        _ => addr.clone(),
    }
}

/// What the three numbers of `socket` mean.
fn shape(domain: u32, kind: u32, protocol: u32, cred: Cred) -> Result<(Family, SocketType, Protocol), Errno> {
    let family = match u16::try_from(domain) {
        Ok(af::INET) => Family::Inet,
        Ok(af::INET6) => Family::Inet6,
        Ok(af::UNIX) => Family::Unix,
        Ok(af::NETLINK) => Family::Netlink,
        _ => return Err(Errno::EAFNOSUPPORT),
    };
    let kind = match kind {
        sock::STREAM => SocketType::Stream,
        sock::DGRAM => SocketType::Datagram,
        sock::RAW => SocketType::Raw,
        sock::SEQPACKET => SocketType::Seqpacket,
        // SOCK_RDM and SOCK_PACKET are types that these families do not have; others are no types.
        4 | 6 | 10 => return Err(Errno::ESOCKTNOSUPPORT),
        _ => return Err(Errno::EINVAL),
    };
    /// `IPPROTO_MAX`.
    const MOST: u32 = 263;
    if matches!(family, Family::Inet | Family::Inet6) && protocol >= MOST {
        return Err(Errno::EINVAL);
    }
    let protocol = match family {
        Family::Unix => {
            if protocol > 1 {
                return Err(Errno::EPROTONOSUPPORT);
            }
            // unix(7): Linux has no raw AF_UNIX sockets; it makes datagram ones.
            let kind = if kind == SocketType::Raw { SocketType::Datagram } else { kind };
            return Ok((family, kind, Protocol::Unix));
        }
        Family::Netlink => match (kind, protocol) {
            (SocketType::Raw | SocketType::Datagram, 0 | 4 | 15 | 16) => Protocol::Netlink(protocol as u8),
            (SocketType::Raw | SocketType::Datagram, _) => return Err(Errno::EPROTONOSUPPORT),
            _ => return Err(Errno::ESOCKTNOSUPPORT),
        },
        Family::Inet | Family::Inet6 => {
            let icmp = if family == Family::Inet { ipproto::ICMP } else { ipproto::ICMPV6 };
            match (kind, protocol) {
                (SocketType::Stream, 0 | ipproto::TCP) => Protocol::Tcp,
                (SocketType::Datagram, 0 | ipproto::UDP) => Protocol::Udp,
                (SocketType::Datagram, p) if p == icmp => Protocol::Icmp,
                (SocketType::Raw, _) if cred.uid != 0 => return Err(Errno::EPERM),
                (SocketType::Raw, p) if p == icmp => Protocol::Icmp,
                (SocketType::Seqpacket, _) => return Err(Errno::ESOCKTNOSUPPORT),
                _ => return Err(Errno::EPROTONOSUPPORT),
            }
        }
    };
    Ok((family, kind, protocol))
}

/// The unbound endpoint of an IP family.
pub(crate) fn unbound_end(family: Family) -> Endpoint {
    family.unbound().endpoint().unwrap_or(Endpoint::new(core::net::IpAddr::V4(core::net::Ipv4Addr::UNSPECIFIED), 0))
}
