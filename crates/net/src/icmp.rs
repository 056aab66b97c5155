//! ICMP: raw sockets and ping sockets, the answers that every host gives to echoes, and what tells a sender that its
//! datagram found nobody.

use crate::addr::{Addr, Endpoint, Family};
use crate::call::{Send, SocketId};
use crate::entry::{Entry, Path, Protocol, SocketType};
use crate::errors::Report;
use crate::fabric::{Body, Departure, Packet};
use crate::io::Source;
use crate::link::Route;
use crate::linux::{ipproto, msg, origin};
use crate::log::DropReason;
use crate::ports::PortKey;
use crate::queue::Datagram;
use crate::table::SocketTable;
use crate::udp::Stated;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use snowglobe_abi::Errno;

const ECHO_REPLY: [u8; 2] = [0, 129];
const ECHO: [u8; 2] = [8, 128];
/// Bytes of the ICMP header of an echo.
const HEADER: usize = 8;
/// Destination unreachable, and its codes for a port and for a host, for ICMP and ICMPv6.
const UNREACHABLE: [u8; 2] = [3, 1];
const PORT: [u8; 2] = [3, 4];
const HOST: [u8; 2] = [1, 3];
/// How much of a datagram is quoted at most: RFC 1812, 4.3.2.3 (576 bytes in all), and RFC 4443, 2.4 (1280 bytes).
const QUOTED: [usize; 2] = [576 - 20 - HEADER, 1280 - 40 - HEADER];
/// How long a host asks for the hardware address of another, in nanoseconds: three times, a second each.
const RESOLUTION: u64 = 3_000_000_000;
/// Packets that wait for a hardware address at most (`net.ipv4.neigh.default.unres_qlen`).
const WAITING: u32 = 101;

/// Searches for the hardware address of nobody: until when, and how many packets wait. By host and address.
pub(crate) type Searches = BTreeMap<(u32, IpAddr), (u64, u32)>;

/// The checksum of RFC 1071.
pub(crate) fn checksum(parts: &[&[u8]]) -> u16 {
    let mut sum = 0u32;
    for part in parts {
        for pair in part.chunks(2) {
            sum += u32::from(u16::from_be_bytes([pair[0], *pair.get(1).unwrap_or(&0)]));
        }
    }
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}

/// The checksum over a pseudo header too (RFC 768; RFC 8200, 8.1).
fn checksum_with_addresses(src: IpAddr, dst: IpAddr, protocol: u32, message: &[u8]) -> u16 {
    let (len, protocol) = ((message.len() as u32).to_be_bytes(), protocol.to_be_bytes());
    match (src, dst) {
        (IpAddr::V4(src), IpAddr::V4(dst)) => checksum(&[&src.octets(), &dst.octets(), &len, &protocol, message]),
        (IpAddr::V6(src), IpAddr::V6(dst)) => checksum(&[&src.octets(), &dst.octets(), &len, &protocol, message]),
        // Both addresses of a packet are of one family.
        _ => 0,
    }
}

/// Writes the checksum of an ICMP message; ICMPv6 counts a pseudo header too (RFC 4443, 2.3).
fn seal(message: &mut [u8], src: IpAddr, dst: IpAddr) {
    message[2..4].fill(0);
    let sum =
        if dst.is_ipv4() { checksum(&[message]) } else { checksum_with_addresses(src, dst, ipproto::ICMPV6, message) };
    message[2..4].copy_from_slice(&sum.to_be_bytes());
}

/// The header of a packet with `len` bytes behind it.
fn ip_header(packet: &Packet, protocol: u8, len: usize) -> Vec<u8> {
    let mut h = Vec::new();
    match (packet.src.ip, packet.dst.ip) {
        (IpAddr::V6(src), IpAddr::V6(dst)) => {
            h.extend_from_slice(&(6 << 28 | u32::from(packet.tos) << 20).to_be_bytes());
            h.extend_from_slice(&(len as u16).to_be_bytes());
            h.extend_from_slice(&[protocol, packet.ttl]);
            h.extend_from_slice(&src.octets());
            h.extend_from_slice(&dst.octets());
        }
        (src, dst) => {
            let octets = |ip| if let IpAddr::V4(ip) = ip { Ipv4Addr::octets(&ip) } else { [0; 4] };
            h.extend_from_slice(&[0x45, packet.tos]);
            h.extend_from_slice(&((20 + len) as u16).to_be_bytes());
            // No identification; not to be fragmented.
            h.extend_from_slice(&[0, 0, 0x40, 0, packet.ttl, protocol, 0, 0]);
            h.extend_from_slice(&octets(src));
            h.extend_from_slice(&octets(dst));
            let sum = checksum(&[&h]);
            h[10..12].copy_from_slice(&sum.to_be_bytes());
        }
    }
    h
}

/// The beginning of a packet as it is on the wire, header and all.
fn quote(packet: &Packet) -> Option<Vec<u8>> {
    let six = usize::from(packet.dst.ip.is_ipv6());
    let (protocol, mut inner) = match &packet.body {
        Body::Udp(chunk) => {
            let mut datagram = Vec::new();
            for v in [packet.src.port, packet.dst.port, 8 + chunk.len() as u16, 0] {
                datagram.extend_from_slice(&v.to_be_bytes());
            }
            datagram.extend_from_slice(chunk.bytes());
            let sum = checksum_with_addresses(packet.src.ip, packet.dst.ip, ipproto::UDP, &datagram);
            // RFC 768: none is 0, and one that is 0 is all ones.
            datagram[6..8].copy_from_slice(&(if sum == 0 { 0xffff } else { sum }).to_be_bytes());
            (ipproto::UDP as u8, datagram)
        }
        Body::Icmp(chunk) => ([1, 58][six], chunk.bytes().to_vec()),
        Body::Tcp(_) | Body::Damaged(..) => return None,
    };
    let mut out = ip_header(packet, protocol, inner.len());
    out.append(&mut inner);
    out.truncate(QUOTED[six]);
    Some(out)
}

/// What an ICMP error quotes.
struct Quote<'a> {
    protocol: u8,
    /// Who sent it, and to whom: ports where it has them.
    own: Endpoint,
    remote: Endpoint,
    /// What is behind the IP header.
    inner: &'a [u8],
}

impl Quote<'_> {
    /// Reads what is behind the header of an ICMP error.
    fn read(bytes: &[u8], six: bool) -> Option<Quote<'_>> {
        let (protocol, src, dst, inner): (u8, IpAddr, IpAddr, &[u8]) = if six {
            let at = |from: usize| Some(Ipv6Addr::from(<[u8; 16]>::try_from(bytes.get(from..from + 16)?).ok()?));
            (*bytes.get(6)?, at(8)?.into(), at(24)?.into(), bytes.get(40..)?)
        } else {
            let at = |from: usize| Some(Ipv4Addr::from(<[u8; 4]>::try_from(bytes.get(from..from + 4)?).ok()?));
            let len = usize::from(bytes.first()? & 15) * 4;
            (*bytes.get(9)?, at(12)?.into(), at(16)?.into(), bytes.get(len.max(20)..)?)
        };
        let port = |from: usize| Some(u16::from_be_bytes(<[u8; 2]>::try_from(inner.get(from..from + 2)?).ok()?));
        let ports = if u32::from(protocol) == ipproto::UDP { (port(0)?, port(2)?) } else { (0, 0) };
        Some(Quote { protocol, own: Endpoint::new(src, ports.0), remote: Endpoint::new(dst, ports.1), inner })
    }
}

/// What an ICMP error means to a program, and whether it is one that does not go away (Linux's `icmp_err_convert` and
/// `icmpv6_err_convert`).
fn meaning(kind: u8, code: u8, six: bool) -> Option<(Errno, bool)> {
    Some(match (six, kind, code) {
        (false, 3, 0 | 11) => (Errno::ENETUNREACH, false),
        (false, 3, 1 | 12) => (Errno::EHOSTUNREACH, false),
        (false, 3, 2) => (Errno::ENOPROTOOPT, true),
        (false, 3, 3) | (true, 1, 4) => (Errno::ECONNREFUSED, true),
        (false, 3, 4) | (true, 2, _) => (Errno::EMSGSIZE, false),
        (false, 3, 5) => (Errno::EOPNOTSUPP, false),
        (false, 3, 6 | 9) => (Errno::ENETUNREACH, true),
        (false, 3, 7) => (Errno::EHOSTDOWN, true),
        (false, 3, 8) => (Errno::ENONET, true),
        (false, 3, 10 | 13..=15) => (Errno::EHOSTUNREACH, true),
        (false, 11, _) | (true, 3, _) => (Errno::EHOSTUNREACH, false),
        (false, 12, _) | (true, 4, _) => (Errno::EPROTO, true),
        (true, 1, 0) => (Errno::ENETUNREACH, false),
        (true, 1, 1 | 5 | 6) => (Errno::EACCES, true),
        (true, 1, _) => (Errno::EHOSTUNREACH, false),
        _ => return None,
    })
}

impl<R: Clone> SocketTable<R> {
    /// `bind` of an ICMP socket: its port is the identifier of a ping socket.
    pub(crate) fn icmp_bind(&mut self, id: SocketId, addr: &Addr) -> Result<(), Errno> {
        let entry = self.at(id);
        let end = self.own_family(entry, addr)?.canonical();
        if !self.world.may_bind(entry.connection.host, end.ip) {
            return Err(Errno::EADDRNOTAVAIL);
        }
        let port = match entry.local.kind {
            SocketType::Raw => 0,
            _ if end.port == 0 => self.free_port(id, end.ip)?,
            _ => end.port,
        };
        let entry = self.at_mut(id);
        entry.connection.bound_ip = !end.ip.is_unspecified();
        entry.connection.bound_port = end.port != 0;
        self.take_port(id, Endpoint { port, ..end }, true);
        Ok(())
    }

    pub(crate) fn icmp_send(&mut self, id: SocketId, source: &mut dyn Source, call: &Send<R>) -> Result<usize, Errno> {
        let entry = self.at(id);
        if call.flags & msg::OOB != 0 {
            return Err(Errno::EOPNOTSUPP);
        }
        let (raw, six) = (entry.local.kind == SocketType::Raw, entry.local.family == Family::Inet6);
        if call.len > 65535 {
            return Err(Errno::EMSGSIZE);
        }
        if call.len < HEADER && !raw {
            return Err(Errno::EINVAL);
        }
        let to = match call.dest {
            None if entry.remote_end().ip.is_unspecified() => return Err(Errno::EDESTADDRREQ),
            None => entry.remote_end(),
            dest => self.destination(entry, dest)?,
        };
        let (by, stated) = call.ancillary.as_ref().map_or((0, Stated::default()), Stated::of);
        let route = self.datagram_route(entry, to, by)?;
        self.may_come_from(entry, stated.source)?;
        self.check_length(id, to, route, call.len)?;
        self.may_send(id)?;
        let mut message = alloc::vec![0; call.len];
        source.read_into(&mut message)?;
        if !raw {
            // A ping socket sends echoes only, and its port is their identifier.
            if message[0] != ECHO[usize::from(six)] || message[1] != 0 {
                return Err(Errno::EINVAL);
            }
            self.autobind(id)?;
            message[4..6].copy_from_slice(&self.at(id).local_end().port.to_be_bytes());
        }
        let departure = self.icmp_dispatch(id, to, route, message, stated);
        self.departed(id, call.len, departure)
    }

    fn icmp_dispatch(
        &mut self,
        id: SocketId,
        to: Endpoint,
        route: Route,
        mut message: Vec<u8>,
        stated: Stated,
    ) -> Departure {
        let entry = self.at(id);
        let (host, unique) = (entry.connection.host, entry.local.id);
        let own = stated.source.unwrap_or(entry.local_end().ip);
        let ip = if own.is_unspecified() { self.world.source(host, to.ip, route) } else { own };
        let to = if to.ip.is_unspecified() { ip } else { to.ip };
        let raw4 = entry.local.kind == SocketType::Raw && to.is_ipv4();
        if !raw4 && message.len() >= 4 {
            seal(&mut message, ip, to);
        }
        let (ttl, tos) = crate::udp::header(entry, to);
        let (ttl, tos) = (stated.ttl.unwrap_or(ttl), stated.tos.unwrap_or(tos));
        let len = message.len();
        let body = Body::Icmp(self.pool.copy(&message));
        let (src, dst) = (Endpoint::new(ip, 0), Endpoint::new(to, 0));
        let packet = Packet { from: host, to: host, network: None, src, dst, ttl, tos, body };
        self.log.sent(self.slab.at_mut(id), len, &Addr::Ip(dst));
        self.count_icmp(host, false, dst.ip.is_ipv6(), message.first().copied().unwrap_or(0));
        let departure = match route {
            Route::Local => self.transmit(Path::Local, packet, unique),
            Route::Neighbour { network, host, .. } => self.transmit(Path::Link { network, host }, packet, unique),
            Route::Nobody { network, .. } => self.transmit(Path::Nobody { network }, packet, unique),
            Route::Broadcast { network, .. } | Route::Multicast { network, .. } => {
                self.flood_icmp(network, packet, unique)
            }
        };
        self.pump();
        departure
    }

    /// Sends a packet to every host of a network, its own too; the copy that leaves last says how it left.
    fn flood_icmp(&mut self, network: u32, packet: Packet, unique: u64) -> Departure {
        self.capture_flood(network, &packet, unique);
        let mut last = Departure::Gone;
        let members: Vec<u32> = self.world.networks[network as usize].members.clone();
        for host in members {
            if host == packet.from {
                self.fabric.looped.push_back(packet.clone());
            } else {
                last = last.max(self.transmit(Path::Link { network, host }, packet.clone(), unique));
            }
        }
        last
    }

    pub(crate) fn icmp_arrive(&mut self, packet: Packet) {
        let Body::Icmp(chunk) = &packet.body else { return };
        let message = chunk.bytes().to_vec();
        let six = packet.dst.ip.is_ipv6();
        self.count_icmp(packet.to, true, six, message.first().copied().unwrap_or(0));
        let takers: Vec<SocketId> = self.icmp_takers(&packet, &message).collect();
        for id in takers {
            self.icmp_deliver(id, &packet, &message);
        }
        if message.len() >= HEADER && message[0] == ECHO[usize::from(six)] && message[1] == 0 {
            // Linux does not answer what was sent to all, unless it is IPv6 (`net.ipv4.icmp_echo_ignore_broadcasts`).
            if six || self.world.host(packet.to).owns(packet.dst.ip) || packet.dst.ip.is_loopback() {
                self.echo(&packet, message);
            }
        } else if message.len() > HEADER {
            self.icmp_error(&packet, &message);
        }
        if let Body::Icmp(chunk) = packet.body {
            self.pool.give(chunk);
        }
    }

    /// Raw sockets of the host get every message that their filter lets in; a ping socket the replies that bear its
    /// identifier.
    fn icmp_takers(&self, packet: &Packet, message: &[u8]) -> impl Iterator<Item = SocketId> {
        let (host, six) = (packet.to, packet.dst.ip.is_ipv6());
        let reply = message.len() >= HEADER && message[0] == ECHO_REPLY[usize::from(six)];
        let identifier = if reply { u16::from_be_bytes([message[4], message[5]]) } else { 0 };
        let key = PortKey { host, protocol: Protocol::Icmp, port: identifier };
        let pings = self.ports.buckets.get(&key).into_iter().flat_map(|b| b.owners.iter().copied());
        let (ip, from) = (packet.dst.ip, packet.src.ip);
        let kind = message.first().copied().unwrap_or(0);
        let raw = self.names.raw.iter().copied().filter(move |&id| !filtered(self.at(id), kind));
        raw.chain(pings.filter(move |_| reply)).filter(move |&id| self.icmp_fits(id, host, ip, from))
    }

    /// Whether an ICMP socket of a host takes part in what is between these addresses.
    fn icmp_fits(&self, id: SocketId, host: u32, own: IpAddr, other: IpAddr) -> bool {
        let entry = self.at(id);
        let (local, remote) = (entry.local_end().ip, entry.remote_end().ip);
        entry.connection.host == host
            && (entry.local.family == Family::Inet6) == own.is_ipv6()
            && (local.is_unspecified() || local == own)
            && (remote.is_unspecified() || remote == other)
    }

    fn icmp_deliver(&mut self, id: SocketId, packet: &Packet, message: &[u8]) {
        let entry = self.at(id);
        // raw(7): an IPv4 socket receives the header too.
        let with_header = entry.local.kind == SocketType::Raw && packet.dst.ip.is_ipv4();
        let mut bytes = if with_header { ip_header(packet, 1, message.len()) } else { Vec::new() };
        bytes.extend_from_slice(message);
        let chunk = self.pool.copy(&bytes);
        let mut datagram = Datagram::plain(Endpoint::new(packet.src.ip, 0), packet.dst.ip, chunk, self.log.now);
        datagram.interface = self.arrival_interface(packet.to, packet.network);
        (datagram.ttl, datagram.tos) = (packet.ttl, packet.tos);
        if !self.deliver(id, datagram) {
            let unique = self.at(id).local.id;
            self.log.dropped(unique, message.len(), DropReason::ReceiveQueueFull);
        }
    }

    /// Every host answers an echo.
    fn echo(&mut self, packet: &Packet, mut message: Vec<u8>) {
        let kind = ECHO_REPLY[usize::from(packet.dst.ip.is_ipv6())];
        message[0] = kind;
        let (from, to) = (packet.to, packet.from);
        let own = if packet.dst.ip.is_multicast() { self.own_address(from, packet.src.ip) } else { Some(packet.dst) };
        let Some(src) = own else { return };
        seal(&mut message, src.ip, packet.src.ip);
        let body = Body::Icmp(self.pool.copy(&message));
        let answer = Packet { from, to, src, dst: packet.src, ttl: 64, body, ..packet.clone() };
        let path = packet.network.map_or(Path::Local, |network| Path::Link { network, host: to });
        self.count_icmp(from, false, answer.dst.ip.is_ipv6(), kind);
        self.transmit(path, answer, 0);
    }

    /// The address of a host's own from which it talks to another.
    fn own_address(&self, host: u32, other: IpAddr) -> Option<Endpoint> {
        let route = self.world.route(host, other, 0, 0).ok()?;
        Some(Endpoint::new(self.world.source(host, other, route), 0))
    }

    // Errors.

    /// An ICMP error about `packet`.
    fn error_about(&mut self, packet: &Packet, src: Endpoint, codes: [u8; 2]) -> Option<Packet> {
        let quoted = quote(packet)?;
        let six = usize::from(packet.dst.ip.is_ipv6());
        let mut message = alloc::vec![0; HEADER];
        message[0] = UNREACHABLE[six];
        message[1] = codes[six];
        message.extend_from_slice(&quoted);
        seal(&mut message, src.ip, packet.src.ip);
        let body = Body::Icmp(self.pool.copy(&message));
        let dst = Endpoint::new(packet.src.ip, 0);
        // RFC 1812, 4.3.2.5: errors have the precedence of internetwork control.
        let tos = if six == 1 { 0 } else { 0xc0 | packet.tos & 0x1e };
        Some(Packet { from: packet.to, to: packet.from, network: None, src, dst, ttl: 64, tos, body })
    }

    /// Tells the sender of a datagram that its port is nobody's.
    pub(crate) fn send_port_unreachable(&mut self, packet: &Packet) {
        let src = Endpoint::new(packet.dst.ip, 0);
        let Some(error) = self.error_about(packet, src, PORT) else { return };
        let path = packet.network.map_or(Path::Local, |network| Path::Link { network, host: packet.from });
        let six = packet.dst.ip.is_ipv6();
        self.count_icmp(packet.to, false, six, UNREACHABLE[usize::from(six)]);
        self.transmit(path, error, 0);
        self.pump();
    }

    /// A host looks in vain for the hardware address of a packet's destination, and tells the sender in the end.
    pub(crate) fn send_host_unreachable(&mut self, packet: &Packet) {
        let now = self.log.now;
        self.searches.retain(|_, (until, _)| *until > now);
        let search = self.searches.entry((packet.from, packet.dst.ip)).or_insert((now + RESOLUTION, 0));
        if matches!(packet.body, Body::Tcp(_)) || search.1 >= WAITING {
            return;
        }
        search.1 += 1;
        let until = search.0;
        let at_home = Packet { to: packet.from, ..packet.clone() };
        if let Some(error) = self.error_about(&at_home, Endpoint::new(packet.src.ip, 0), HOST) {
            self.fabric.fly(until, error);
        }
    }

    /// An ICMP error has arrived: the socket that sent what it quotes is told.
    fn icmp_error(&mut self, packet: &Packet, message: &[u8]) {
        let six = packet.dst.ip.is_ipv6();
        let (kind, code) = (message[0], message[1]);
        let Some((errno, hard)) = meaning(kind, code, six) else { return };
        let Some(quote) = Quote::read(&message[HEADER..], six) else { return };
        let host = packet.to;
        let udp = u32::from(quote.protocol) == ipproto::UDP;
        let takers: Vec<SocketId> = match quote.protocol {
            _ if udp => self.receiver(host, quote.remote, quote.own).into_iter().collect(),
            1 | 58 => self.icmp_senders(host, &quote),
            _ => return,
        };
        let info = if errno == Errno::EMSGSIZE {
            u32::from_be_bytes([message[4], message[5], message[6], message[7]])
        } else {
            0
        };
        let payload = if udp { quote.inner.get(8..).unwrap_or_default() } else { quote.inner };
        let interface = self.arrival_interface(host, packet.network);
        for id in takers {
            let origin = if six { origin::ICMP6 } else { origin::ICMP };
            let report = Report {
                kind,
                code,
                info,
                offender: Some(packet.src.ip),
                to: Some(quote.remote),
                payload: payload.to_vec(),
                header: (packet.ttl, packet.tos, interface),
                ..Report::local(origin, errno.0, self.log.now)
            };
            self.icmp_report(id, report, hard);
        }
    }

    /// Who may have sent an ICMP message: raw sockets, and the ping socket with the echo's identifier.
    fn icmp_senders(&self, host: u32, quote: &Quote) -> Vec<SocketId> {
        let port = quote.inner.get(4..6).map_or(0, |b| u16::from_be_bytes([b[0], b[1]]));
        let key = PortKey { host, protocol: Protocol::Icmp, port };
        let pings = self.ports.buckets.get(&key).into_iter().flat_map(|b| b.owners.iter().copied());
        let all = self.names.raw.iter().copied().chain(pings.filter(|_| port != 0));
        all.filter(|&id| self.icmp_fits(id, host, quote.own.ip, quote.remote.ip)).collect()
    }
}

/// icmp(7), ICMP_FILTER: whether a raw socket does not want messages of a type. Errors of ICMP are always wanted in
/// the error queue.
fn filtered<R>(entry: &Entry<R>, kind: u8) -> bool {
    let Some(extra) = &entry.connection.extra else { return false };
    let six = entry.local.family == Family::Inet6;
    let word = usize::from(kind >> 5);
    (six || word == 0) && extra.icmp_filter[word] >> (kind & 31) & 1 != 0
}
