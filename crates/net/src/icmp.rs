//! ICMP echo: raw sockets and ping sockets, and the answers that every host gives.

use crate::addr::{Addr, Endpoint, Family};
use crate::call::{Send, SocketId};
use crate::entry::{Entry, Path, Protocol, SocketType};
use crate::fabric::{Body, Departure, Packet};
use crate::io::Source;
use crate::link::Route;
use crate::log::DropReason;
use crate::queue::Datagram;
use crate::table::SocketTable;
use crate::udp::send_buffer_full;
use alloc::vec::Vec;
use core::net::IpAddr;
use snowglobe_abi::Errno;

const ECHO_REPLY: [u8; 2] = [0, 129];
const ECHO: [u8; 2] = [8, 128];
/// Bytes of the ICMP header of an echo.
const HEADER: usize = 8;

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

/// Writes the checksum of an ICMP message; ICMPv6 counts a pseudo header too (RFC 4443, 2.3).
fn seal(message: &mut [u8], src: IpAddr, dst: IpAddr) {
    message[2..4].fill(0);
    let sum = match (src, dst) {
        (IpAddr::V6(src), IpAddr::V6(dst)) => {
            let len = (message.len() as u32).to_be_bytes();
            checksum(&[&src.octets(), &dst.octets(), &len, &[0, 0, 0, 58], message])
        }
        _ => checksum(&[message]),
    };
    message[2..4].copy_from_slice(&sum.to_be_bytes());
}

/// The IPv4 header that a raw socket finds before the message.
fn ip_header(packet: &Packet, len: usize) -> Option<[u8; 20]> {
    let (IpAddr::V4(src), IpAddr::V4(dst)) = (packet.src.ip, packet.dst.ip) else { return None };
    let mut h = [0u8; 20];
    h[0] = 0x45;
    h[1] = packet.tos;
    h[2..4].copy_from_slice(&((20 + len) as u16).to_be_bytes());
    h[8] = packet.ttl;
    h[9] = 1;
    h[12..16].copy_from_slice(&src.octets());
    h[16..20].copy_from_slice(&dst.octets());
    let sum = checksum(&[&h]);
    h[10..12].copy_from_slice(&sum.to_be_bytes());
    Some(h)
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
        if let Some(error) = self.at_mut(id).take_error() {
            return Err(error);
        }
        let entry = self.at(id);
        let to = match call.dest {
            None if entry.remote_end().ip.is_unspecified() => return Err(Errno::EDESTADDRREQ),
            None => entry.remote_end(),
            dest => self.destination(entry, dest)?,
        };
        let (raw, six) = (entry.local.kind == SocketType::Raw, entry.local.family == Family::Inet6);
        if call.len > 65507 {
            return Err(Errno::EMSGSIZE);
        }
        if call.len < HEADER && !raw {
            return Err(Errno::EINVAL);
        }
        if send_buffer_full(entry) {
            return Err(Errno::EAGAIN);
        }
        let by = call.ancillary.as_ref().map_or(0, |a| a.interface);
        let route = self.datagram_route(entry, to, by)?;
        self.may_be_as_long(entry, route, to.ip.is_ipv6(), call.len)?;
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
        let departure = self.icmp_dispatch(id, to, route, message);
        self.departed(id, call.len, departure)
    }

    fn icmp_dispatch(&mut self, id: SocketId, to: Endpoint, route: Route, mut message: Vec<u8>) -> Departure {
        let entry = self.at(id);
        let (host, unique) = (entry.connection.host, entry.local.id);
        let own = entry.local_end().ip;
        let ip = if own.is_unspecified() { self.world.source(host, to.ip, route) } else { own };
        let to = if to.ip.is_unspecified() { ip } else { to.ip };
        let raw4 = entry.local.kind == SocketType::Raw && to.is_ipv4();
        if !raw4 && message.len() >= 4 {
            seal(&mut message, ip, to);
        }
        let (ttl, tos) = crate::udp::header(entry, to.is_multicast());
        let len = message.len();
        let body = Body::Icmp(self.pool.copy(&message));
        let (src, dst) = (Endpoint::new(ip, 0), Endpoint::new(to, 0));
        let packet = Packet { from: host, to: host, network: None, src, dst, ttl, tos, body };
        self.log.sent(self.slab.at_mut(id), len, &Addr::Ip(dst));
        let path = match route {
            Route::Neighbour { network, host, .. } => Path::Link { network, host },
            Route::Nobody { network, .. } => Path::Nobody { network },
            _ => Path::Local,
        };
        let departure = self.transmit(path, packet, unique);
        self.pump();
        departure
    }

    pub(crate) fn icmp_arrive(&mut self, packet: Packet) {
        let Body::Icmp(chunk) = &packet.body else { return };
        let message = chunk.bytes().to_vec();
        let six = usize::from(packet.dst.ip.is_ipv6());
        let takers: Vec<SocketId> = self.icmp_takers(&packet, &message, six).collect();
        for id in takers {
            self.icmp_deliver(id, &packet, &message);
        }
        if message.len() >= HEADER && message[0] == ECHO[six] && message[1] == 0 {
            self.echo(&packet, message);
        }
        if let Body::Icmp(chunk) = packet.body {
            self.pool.give(chunk);
        }
    }

    /// Raw sockets of the host get every message; a ping socket the replies that bear its identifier.
    fn icmp_takers(&self, packet: &Packet, message: &[u8], six: usize) -> impl Iterator<Item = SocketId> {
        let host = packet.to;
        let ip = packet.dst.ip;
        let from = packet.src.ip;
        let reply = message.len() >= HEADER && message[0] == ECHO_REPLY[six];
        let identifier = if reply { u16::from_be_bytes([message[4], message[5]]) } else { 0 };
        let key = crate::ports::PortKey { host, protocol: Protocol::Icmp, port: identifier };
        let pings = self.ports.buckets.get(&key).into_iter().flat_map(|b| b.owners.iter().copied());
        let fits = move |e: &Entry<R>| {
            let (own, remote) = (e.local_end().ip, e.remote_end().ip);
            e.connection.host == host
                && (e.local.family == Family::Inet6) == ip.is_ipv6()
                && (own.is_unspecified() || own == ip)
                && (remote.is_unspecified() || remote == from)
        };
        let raw = self.names.raw.iter().copied();
        raw.chain(pings.filter(move |_| reply)).filter(move |&id| fits(self.at(id)))
    }

    fn icmp_deliver(&mut self, id: SocketId, packet: &Packet, message: &[u8]) {
        let entry = self.at(id);
        let header = ip_header(packet, message.len()).filter(|_| entry.local.kind == SocketType::Raw);
        let mut bytes = header.map_or(Vec::new(), |h| h.to_vec());
        bytes.extend_from_slice(message);
        let chunk = self.pool.copy(&bytes);
        let mut datagram = Datagram::plain(Endpoint::new(packet.src.ip, 0), packet.dst.ip, chunk, self.log.now);
        datagram.interface = self.arrival_interface(packet.to, packet.network, packet.dst.ip);
        (datagram.ttl, datagram.tos) = (packet.ttl, packet.tos);
        if !self.deliver(id, datagram) {
            let unique = self.at(id).local.id;
            self.log.dropped(unique, message.len(), DropReason::ReceiveQueueFull);
        }
    }

    /// Every host answers an echo.
    fn echo(&mut self, packet: &Packet, mut message: Vec<u8>) {
        message[0] = ECHO_REPLY[usize::from(packet.dst.ip.is_ipv6())];
        seal(&mut message, packet.dst.ip, packet.src.ip);
        let body = Body::Icmp(self.pool.copy(&message));
        let (from, to) = (packet.to, packet.from);
        let answer = Packet { from, to, src: packet.dst, dst: packet.src, ttl: 64, body, ..packet.clone() };
        let path = packet.network.map_or(Path::Local, |network| Path::Link { network, host: to });
        self.transmit(path, answer, 0);
    }
}
