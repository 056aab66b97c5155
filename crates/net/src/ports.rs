//! Ports: who has which, who may have which, and which one the next asker gets.

use crate::addr::{Addr, Endpoint, Family};
use crate::call::SocketId;
use crate::entry::{Entry, Phase, Protocol};
use crate::options::Flag;
use crate::rng::mix;
use crate::table::SocketTable;
use alloc::collections::{BTreeMap, BTreeSet, VecDeque};
use alloc::vec::Vec;
use core::net::IpAddr;
use snowglobe_abi::Errno;

/// The ports that Linux gives out (`net.ipv4.ip_local_port_range`): 32768 to 60999.
const FIRST: u32 = 32768;
const COUNT: u32 = 60999 - FIRST + 1;
/// Ports below this are for root.
const PRIVILEGED: u16 = 1024;
/// How long a closed connection keeps its addresses, in nanoseconds.
pub(crate) const TIME_WAIT: u64 = 60_000_000_000;

/// A port of a host.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct PortKey {
    pub(crate) host: u32,
    pub(crate) protocol: Protocol,
    pub(crate) port: u16,
}

/// A TCP connection as one of its hosts sees it, in words that compare fast.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct FlowKey {
    /// Host, local port, remote port, from the highest bits down.
    ends: u64,
    remote_ip: u128,
    local_ip: u128,
}

impl FlowKey {
    #[inline]
    pub(crate) fn new(host: u32, local: Endpoint, remote: Endpoint) -> FlowKey {
        let ends = u64::from(host) << 32 | u64::from(local.port) << 16 | u64::from(remote.port);
        FlowKey { ends, remote_ip: bits(remote.ip), local_ip: bits(local.ip) }
    }

    pub(crate) fn host(&self) -> u32 {
        (self.ends >> 32) as u32
    }

    pub(crate) fn local(&self) -> Endpoint {
        Endpoint::new(of_bits(self.local_ip), (self.ends >> 16) as u16)
    }

    pub(crate) fn remote(&self) -> Endpoint {
        Endpoint::new(of_bits(self.remote_ip), self.ends as u16)
    }
}

/// An address as a number; IPv4 ones are mapped.
#[inline]
fn bits(ip: IpAddr) -> u128 {
    match ip {
        IpAddr::V4(v4) => 0xffff_0000_0000 | u128::from(u32::from(v4)),
        IpAddr::V6(v6) => u128::from(v6),
    }
}

fn of_bits(bits: u128) -> IpAddr {
    IpAddr::V6(core::net::Ipv6Addr::from(bits)).to_canonical()
}

/// Who has a connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Flow {
    Live(SocketId),
    /// Nobody: it has ended, and its addresses rest.
    TimeWait(Rest),
}

/// A connection at rest (TIME_WAIT): what it takes to answer segments that come late.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Rest {
    /// Virtual nanoseconds.
    pub(crate) until: u64,
    /// Whether its socket had SO_REUSEADDR.
    pub(crate) reuse: bool,
    /// Places: after what was sent, after what has come, and after what would have been taken.
    pub(crate) next: u64,
    pub(crate) expected: u64,
    pub(crate) edge: u64,
    /// Unique IDs of its socket and of the other end.
    pub(crate) streams: [u64; 2],
}

/// The sockets of a port.
#[derive(Default, Debug)]
pub(crate) struct Bucket {
    /// All that have it, in the order of their places.
    pub(crate) owners: BTreeSet<SocketId>,
    /// Those that listen, in the order of their calls.
    pub(crate) listeners: Vec<SocketId>,
    /// Whether any of them asked for it by `bind`.
    bound: bool,
}

/// All ports of the world.
#[derive(Default, Debug)]
pub(crate) struct Ports {
    pub(crate) buckets: BTreeMap<PortKey, Bucket>,
    pub(crate) flows: BTreeMap<FlowKey, Flow>,
    /// Ends of TIME_WAIT, in order.
    resting: VecDeque<(u64, FlowKey)>,
    /// A destination for which a host's even ports have run out; forgotten when a flow ends.
    exhausted: Option<(u32, Endpoint)>,
}

impl Ports {
    pub(crate) fn rest(&mut self, key: FlowKey, rest: Rest) {
        self.flows.insert(key, Flow::TimeWait(rest));
        self.resting.push_back((rest.until, key));
    }

    pub(crate) fn end_flow(&mut self, key: &FlowKey, id: SocketId) {
        if self.flows.get(key) == Some(&Flow::Live(id)) {
            self.flows.remove(key);
            self.exhausted = None;
        }
    }

    /// Forgets connections whose rest is over.
    pub(crate) fn expire(&mut self, now: u64) {
        while let Some(&(until, key)) = self.resting.front() {
            if until > now {
                return;
            }
            self.resting.pop_front();
            if matches!(self.flows.get(&key), Some(Flow::TimeWait(rest)) if rest.until == until) {
                self.flows.remove(&key);
                self.exhausted = None;
            }
        }
    }

    /// Connections at rest, for `/proc/net/tcp`.
    pub(crate) fn resting(&self, host: u32) -> impl Iterator<Item = (&FlowKey, u64)> {
        self.flows.iter().filter(move |(key, _)| key.host() == host).filter_map(|(key, flow)| match flow {
            Flow::TimeWait(rest) => Some((key, rest.until)),
            Flow::Live(_) => None,
        })
    }

    fn resting_on(&self, host: u32, port: u16) -> impl Iterator<Item = (IpAddr, bool)> {
        let begin = u64::from(host) << 32 | u64::from(port) << 16;
        let from = FlowKey { ends: begin, remote_ip: 0, local_ip: 0 };
        let same_port = move |(key, _): &(&FlowKey, &Flow)| key.ends >> 16 == begin >> 16;
        self.flows.range(from..).take_while(same_port).filter_map(|(key, flow)| match flow {
            Flow::TimeWait(rest) => Some((key.local().ip, rest.reuse)),
            Flow::Live(_) => None,
        })
    }
}

/// Whether two bound addresses overlap; `only` says that the unspecified IPv6 address does not stand for IPv4 too.
fn overlap(a: IpAddr, a_only: bool, b: IpAddr, b_only: bool) -> bool {
    match (a, b) {
        (IpAddr::V4(x), IpAddr::V4(y)) => x == y || x.is_unspecified() || y.is_unspecified(),
        (IpAddr::V6(x), IpAddr::V6(y)) => x == y || x.is_unspecified() || y.is_unspecified(),
        (IpAddr::V6(x), IpAddr::V4(_)) => x.is_unspecified() && !a_only,
        (IpAddr::V4(_), IpAddr::V6(y)) => y.is_unspecified() && !b_only,
    }
}

fn only<R>(entry: &Entry<R>) -> bool {
    entry.local.options.flag(Flag::V6Only)
}

/// Whether `b` keeps `a` from having `ip` on the port that `b` has.
fn conflict<R>(a: &Entry<R>, ip: IpAddr, b: &Entry<R>) -> bool {
    let (x, y) = (&a.local.options, &b.local.options);
    if x.device != 0 && y.device != 0 && x.device != y.device {
        return false;
    }
    if !overlap(ip, only(a), b.local_end().ip, only(b)) {
        return false;
    }
    let both = |flag| x.flag(flag) && y.flag(flag);
    if both(Flag::ReusePort) && a.connection.cred.uid == b.connection.cred.uid {
        return false;
    }
    // socket(7): "For AF_INET sockets this means that a socket may bind, except when there is an active listening
    // socket bound to the address."
    !(both(Flag::ReuseAddr) && b.connection.phase != Phase::Listening)
}

impl<R: Clone> SocketTable<R> {
    /// Whether another socket or a connection at rest keeps `id` from having `ip` and `port`.
    fn port_taken(&self, id: SocketId, ip: IpAddr, port: u16) -> bool {
        let entry = self.at(id);
        let (host, protocol) = (entry.connection.host, entry.local.protocol);
        if let Some(bucket) = self.ports.buckets.get(&PortKey { host, protocol, port }) {
            let others = bucket.owners.iter().filter(|&&other| other != id);
            if others.into_iter().any(|&other| conflict(entry, ip, self.at(other))) {
                return true;
            }
        }
        let reuse = entry.local.options.flag(Flag::ReuseAddr);
        protocol == Protocol::Tcp
            && self
                .ports
                .resting_on(host, port)
                .any(|(rests, its_reuse)| !(reuse && its_reuse) && overlap(ip, only(entry), rests, false))
    }

    /// `listen` asks again: two sockets that share a port by SO_REUSEADDR cannot both listen.
    pub(crate) fn may_listen(&self, id: SocketId) -> bool {
        let end = self.at(id).local_end();
        !self.port_taken(id, end.ip, end.port)
    }

    pub(crate) fn ip_bind(&mut self, id: SocketId, addr: &Addr) -> Result<(), Errno> {
        let entry = self.at(id);
        let end = self.own_family(entry, addr)?.canonical();
        if entry.held_port() != 0 {
            return Err(Errno::EINVAL);
        }
        if only(entry) && entry.local.family == Family::Inet6 && end.ip.is_ipv4() {
            return Err(Errno::EINVAL);
        }
        let host = entry.connection.host;
        let free = entry.local.options.flag(Flag::FreeBind) || entry.local.options.flag(Flag::Transparent);
        if !free && !self.world.may_bind(host, end.ip) {
            return Err(Errno::EADDRNOTAVAIL);
        }
        // ip(7): "The first 1024 port numbers ... are privileged".
        if end.port != 0 && end.port < PRIVILEGED && entry.connection.cred.uid != 0 {
            return Err(Errno::EACCES);
        }
        if end.port != 0 && self.port_taken(id, end.ip, end.port) {
            return Err(Errno::EADDRINUSE);
        }
        let no_port = entry.local.options.flag(Flag::NoPort) && entry.local.protocol == Protocol::Tcp;
        let port = match end.port {
            0 if no_port => 0,
            0 => self.free_port(id, end.ip)?,
            port => port,
        };
        let entry = self.at_mut(id);
        entry.connection.bound_ip = !end.ip.is_unspecified();
        entry.connection.bound_port = end.port != 0;
        self.take_port(id, Endpoint { port, ..end }, true);
        Ok(())
    }

    /// Checks that an address is of the socket's family.
    pub(crate) fn own_family(&self, entry: &Entry<R>, addr: &Addr) -> Result<Endpoint, Errno> {
        match (addr, entry.local.family) {
            (Addr::Ip(end), Family::Inet) if end.ip.is_ipv4() => Ok(*end),
            (Addr::Ip(end), Family::Inet6) if end.ip.is_ipv6() => Ok(*end),
            // ipv6(7) sockets take IPv4 addresses for datagrams; ip(7): AF_UNSPEC is taken with INADDR_ANY only.
            _ => Err(Errno::EAFNOSUPPORT),
        }
    }

    /// Writes a local address and puts the socket into its port's bucket.
    pub(crate) fn take_port(&mut self, id: SocketId, end: Endpoint, asked: bool) {
        let entry = self.at_mut(id);
        entry.local.address = Addr::Ip(end);
        entry.connection.stale_port = false;
        let key = PortKey { host: entry.connection.host, protocol: entry.local.protocol, port: end.port };
        if entry.connection.phase == Phase::Unconnected {
            entry.connection.phase = entry.idle_phase();
        }
        if end.port != 0 {
            let bucket = self.ports.buckets.entry(key).or_default();
            bucket.owners.insert(id);
            bucket.bound |= asked;
        }
        self.log.changed(self.slab.at_mut(id));
        self.settle(id);
    }

    /// Takes a socket out of its port's bucket.
    pub(crate) fn leave_port(&mut self, id: SocketId) {
        let entry = self.at(id);
        let port = entry.local_end().port;
        let key = PortKey { host: entry.connection.host, protocol: entry.local.protocol, port };
        if let Some(bucket) = self.ports.buckets.get_mut(&key) {
            bucket.owners.remove(&id);
            bucket.listeners.retain(|&listener| listener != id);
            if bucket.owners.is_empty() {
                self.ports.buckets.remove(&key);
            }
        }
    }

    /// A port for `bind` without one. Linux gives TCP the odd ones first, so as to leave the even ones to `connect`.
    pub(crate) fn free_port(&mut self, id: SocketId, ip: IpAddr) -> Result<u16, Errno> {
        self.ports.expire(self.log.now);
        let tcp = self.at(id).local.protocol == Protocol::Tcp;
        let offset = self.rng.below(COUNT);
        let (first, step) = if tcp { (offset | 1, 2) } else { (offset, 1) };
        for pass in 0..step {
            for i in (0..COUNT).step_by(step as usize) {
                let port = (FIRST + (first + pass + i) % COUNT) as u16;
                if !self.port_taken(id, ip, port) {
                    return Ok(port);
                }
            }
        }
        Err(Errno::EADDRINUSE)
    }

    /// A port for `connect` from `ip` to `remote`: even ones first, and any that no other connection to the same
    /// place uses and that nobody has asked for by `bind`.
    pub(crate) fn connect_port(&mut self, id: SocketId, ip: IpAddr, remote: Endpoint) -> Result<u16, Errno> {
        self.ports.expire(self.log.now);
        let host = self.at(id).connection.host;
        // Linux hashes the destination and goes on from there by small random steps.
        let hash = mix(self.port_seed ^ u64::from(host) << 32 ^ u64::from(remote.port) ^ ip_hash(remote.ip)) as u32;
        let step = self.rng.below(8) * 2;
        let perturb = self.world.hosts[host as usize].perturb;
        let offset = ((hash % COUNT).wrapping_add(perturb) % COUNT) & !1;
        let even_gone = self.ports.exhausted == Some((host, remote));
        for odd in u32::from(even_gone)..2 {
            for i in (0..COUNT).step_by(2) {
                let port = (FIRST + (offset + i) % COUNT + odd) as u16;
                let key = FlowKey::new(host, Endpoint::new(ip, port), remote);
                let bucket = self.ports.buckets.get(&PortKey { host, protocol: Protocol::Tcp, port });
                if bucket.is_none_or(|b| !b.bound) && !self.ports.flows.contains_key(&key) {
                    self.world.hosts[host as usize].perturb = perturb.wrapping_add(i.max(step) + 2) % COUNT;
                    return Ok(port);
                }
            }
            if odd == 0 {
                self.ports.exhausted = Some((host, remote));
            }
        }
        Err(Errno::EADDRNOTAVAIL)
    }

    /// The socket that listens for a connection from `src` to `dst`.
    pub(crate) fn listener(&self, host: u32, src: Endpoint, dst: Endpoint) -> Option<SocketId> {
        let bucket = self.ports.buckets.get(&PortKey { host, protocol: Protocol::Tcp, port: dst.port })?;
        let scored = bucket.listeners.iter().filter_map(|&id| Some((self.score(self.at(id), dst, None)?, id)));
        self.best(scored, src, dst)
    }

    /// The socket to which a datagram from `src` to `dst` goes.
    pub(crate) fn receiver(&self, host: u32, src: Endpoint, dst: Endpoint) -> Option<SocketId> {
        let bucket = self.ports.buckets.get(&PortKey { host, protocol: Protocol::Udp, port: dst.port })?;
        if bucket.owners.len() == 1 {
            return bucket.owners.first().copied().filter(|&id| self.score(self.at(id), dst, Some(src)).is_some());
        }
        let scored = bucket.owners.iter().filter_map(|&id| Some((self.score(self.at(id), dst, Some(src))?, id)));
        self.best(scored, src, dst)
    }

    /// How well a socket fits, as Linux's `compute_score` counts: by its family, address, peer and device.
    pub(crate) fn score(&self, entry: &Entry<R>, dst: Endpoint, src: Option<Endpoint>) -> Option<u32> {
        let own = entry.local_end().ip;
        let mut score = u32::from(entry.local.family == Family::Inet) + 1;
        if !overlap(own, only(entry), dst.ip, false) {
            return None;
        }
        if !own.is_unspecified() {
            score += 4;
        }
        if let Some(src) = src
            && entry.is_associated()
        {
            let peer = entry.remote_end();
            // One that is connected to port 0 takes from all ports of that address.
            if peer.ip != src.ip || peer.port != 0 && peer.port != src.port {
                return None;
            }
            score += if peer.port == 0 { 4 } else { 8 };
        }
        if entry.local.options.device != 0 {
            let host = self.world.host(entry.connection.host);
            // What is for all of a network is looked at by the interface by which it came.
            let by = if dst.ip.is_loopback() { Some(1) } else { host.owner(dst.ip).map(|i| i.index) };
            if by.is_some_and(|by| by != entry.local.options.device) {
                return None;
            }
            score += 4;
        }
        Some(score)
    }

    /// The best of those scored: the newest, or with SO_REUSEPORT one of the best by a seeded hash of the addresses.
    fn best(
        &self,
        scored: impl Iterator<Item = (u32, SocketId)> + Clone,
        src: Endpoint,
        dst: Endpoint,
    ) -> Option<SocketId> {
        let (top, newest) = scored.clone().max_by_key(|&(score, id)| (score, self.at(id).local.id))?;
        if !self.at(newest).local.options.flag(Flag::ReusePort) || self.at(newest).is_associated() {
            return Some(newest);
        }
        let group = scored.filter(|&(score, id)| score == top && self.at(id).local.options.flag(Flag::ReusePort));
        let words = ip_hash(src.ip) ^ ip_hash(dst.ip).rotate_left(32) ^ u64::from(src.port) << 16 ^ u64::from(dst.port);
        let hash = mix(self.port_seed ^ words) >> 32;
        let pick = (hash * group.clone().count() as u64) >> 32;
        group.map(|(_, id)| id).nth(pick as usize)
    }
}

fn ip_hash(ip: IpAddr) -> u64 {
    match ip {
        IpAddr::V4(ip) => u64::from(u32::from(ip)),
        IpAddr::V6(ip) => mix(u128::from(ip) as u64) ^ (u128::from(ip) >> 64) as u64,
    }
}
