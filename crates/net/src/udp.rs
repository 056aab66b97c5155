//! UDP: datagrams, one queue each, and what comes back when nobody takes them.

use crate::addr::{Addr, Endpoint, Family};
use crate::call::{Control, Received, Send, SocketId};
use crate::entry::{Entry, Path, Phase, Protocol, SHUT_SEND};
use crate::fabric::{Body, Departure, Packet};
use crate::io::Source;
use crate::link::{RESOLVER, Route};
use crate::linux::poll;
use crate::log::DropReason;
use crate::options::{Flag, Int};
use crate::ports::PortKey;
use crate::queue::{Chunk, Datagram, truesize};
use crate::table::{SocketTable, unbound_end};
use alloc::vec::Vec;
use core::net::{IpAddr, Ipv4Addr};
use snowglobe_abi::Errno;

/// Payload of a UDP datagram at most, for IPv4 and IPv6.
const LONGEST: [usize; 2] = [65507, 65527];
/// What fits into a packet of every network.
const NEVER_TOO_LONG: usize = 1232;

/// Whether what a socket has sent and its interface still has fills its buffer (`sock_alloc_send_skb`).
#[inline]
pub(crate) fn send_buffer_full<R>(entry: &Entry<R>) -> bool {
    let held = entry.send_queue.held;
    held != 0 && held >= entry.local.options.int(Int::SendBuffer) as usize
}

impl<R: Clone> SocketTable<R> {
    /// `connect` of UDP and ICMP sockets: from now on they talk to one address only.
    pub(crate) fn datagram_connect(&mut self, id: SocketId, addr: &Addr) -> Result<(), Errno> {
        if *addr == Addr::Unspec {
            self.datagram_disconnect(id);
            return Ok(());
        }
        let entry = self.at(id);
        let to = self.own_family_or_mapped(entry, addr)?;
        let options = &entry.local.options;
        let route = self.world.route(entry.connection.host, to.ip, options.device, to.scope)?;
        if matches!(route, Route::Broadcast { .. }) && !options.flag(Flag::Broadcast) {
            return Err(Errno::EACCES);
        }
        let source = self.world.source(entry.connection.host, to.ip, route);
        if entry.local.protocol == Protocol::Udp {
            self.autobind(id)?;
        }
        let entry = self.at_mut(id);
        let own = entry.local_end();
        if own.ip.is_unspecified() {
            entry.local.address = Addr::Ip(Endpoint { ip: source, ..own });
        }
        let to = if to.ip.is_unspecified() { Endpoint { ip: source, ..to } } else { to };
        entry.remote.address = Addr::Ip(to);
        entry.connection.phase = entry.shut_phase(Phase::Connected);
        self.settle(id);
        Ok(())
    }

    fn datagram_disconnect(&mut self, id: SocketId) {
        let entry = self.at(id);
        let (ip, port) = (entry.connection.bound_ip, entry.connection.bound_port);
        let none = unbound_end(entry.local.family);
        let end = entry.local_end();
        if !port {
            self.leave_port(id);
        }
        let entry = self.at_mut(id);
        let kept = Endpoint::new(if ip { end.ip } else { none.ip }, if port { end.port } else { 0 });
        entry.local.address = Addr::Ip(kept);
        entry.remote.address = Addr::Ip(none);
        entry.remote.id = 0;
        entry.connection.phase = entry.shut_phase(entry.idle_phase());
        self.settle(id);
    }

    /// IPv6 sockets take mapped addresses; those that are IPv6 only find no route to them.
    fn own_family_or_mapped(&self, entry: &Entry<R>, addr: &Addr) -> Result<Endpoint, Errno> {
        match (addr, entry.local.family) {
            (Addr::Ip(end), Family::Inet) if end.ip.is_ipv6() => Err(Errno::EAFNOSUPPORT),
            (Addr::Ip(end), _) => {
                let end = end.canonical();
                let only = entry.local.family == Family::Inet6 && entry.local.options.flag(Flag::V6Only);
                if only && end.ip.is_ipv4() { Err(Errno::ENETUNREACH) } else { Ok(end) }
            }
            _ => Err(Errno::EAFNOSUPPORT),
        }
    }

    /// Gives a socket without a port one.
    pub(crate) fn autobind(&mut self, id: SocketId) -> Result<(), Errno> {
        let end = self.at(id).local_end();
        if end.port == 0 {
            let port = self.free_port(id, end.ip)?;
            self.take_port(id, Endpoint { port, ..end }, true);
        }
        Ok(())
    }

    /// Where a send of a datagram socket goes.
    pub(crate) fn destination(&self, entry: &Entry<R>, dest: Option<&Addr>) -> Result<Endpoint, Errno> {
        match dest {
            // ip(7): AF_UNSPEC is taken for the socket's own family; a null address is no address.
            Some(addr) => self.own_family_or_mapped(entry, addr),
            None if entry.is_associated() => Ok(entry.remote_end()),
            None => Err(Errno::EDESTADDRREQ),
        }
    }

    /// The route of a datagram, with the socket's and the call's choice of an interface.
    pub(crate) fn datagram_route(&self, entry: &Entry<R>, to: Endpoint, by: u32) -> Result<Route, Errno> {
        let options = &entry.local.options;
        let chosen = match to.ip {
            IpAddr::V4(ip) if ip.is_multicast() => options.multicast_interface,
            IpAddr::V6(ip) if ip.is_multicast() => options.int(Int::MulticastIf6) as u32,
            _ => 0,
        };
        let device = [by, options.device, chosen].into_iter().find(|&d| d != 0).unwrap_or(0);
        let route = self.world.route(entry.connection.host, to.ip, device, to.scope)?;
        // socket(7): SO_BROADCAST is needed to send to a broadcast address.
        if matches!(route, Route::Broadcast { .. }) && !options.flag(Flag::Broadcast) {
            return Err(Errno::EACCES);
        }
        Ok(route)
    }

    pub(crate) fn udp_send(&mut self, id: SocketId, source: &mut dyn Source, call: &Send<R>) -> Result<usize, Errno> {
        let entry = self.at_mut(id);
        if call.flags & crate::linux::msg::OOB != 0 {
            return Err(Errno::EOPNOTSUPP);
        }
        if let Some(error) = entry.take_error() {
            return Err(error);
        }
        let entry = self.at(id);
        let to = self.destination(entry, call.dest)?;
        if to.port == 0 {
            return Err(Errno::EINVAL);
        }
        if call.len > LONGEST[usize::from(to.ip.is_ipv6())] {
            return Err(Errno::EMSGSIZE);
        }
        if entry.is_shut(SHUT_SEND) {
            return Err(Errno::EPIPE);
        }
        if send_buffer_full(entry) {
            return Err(Errno::EAGAIN);
        }
        let by = call.ancillary.as_ref().map_or(0, |a| a.interface);
        let route = self.datagram_route(entry, to, by)?;
        if call.len > NEVER_TOO_LONG {
            self.may_be_as_long(entry, route, to.ip.is_ipv6(), call.len + 8)?;
        }
        // ip(7): ipi_spec_dst is the local address of the packet; another's has no route.
        let stated_source = call.ancillary.as_ref().and_then(|a| a.source);
        if stated_source.is_some_and(|ip| !ip.is_loopback() && !self.world.host(entry.connection.host).owns(ip)) {
            return Err(Errno::ENETUNREACH);
        }
        if entry.local_end().port == 0 {
            self.autobind(id)?;
        }
        let payload = self.pool.fill(source, call.len)?;
        let stated = call.ancillary.as_ref().map_or((None, None, None), |a| (a.ttl, a.tos, a.source));
        let departure = self.udp_dispatch(id, to, route, payload, stated);
        self.departed(id, call.len, departure)
    }

    /// What the sender of a datagram is told of how it left, and what it has to bear.
    pub(crate) fn departed(&mut self, id: SocketId, len: usize, departure: Departure) -> Result<usize, Errno> {
        if departure == Departure::Gone {
            return Ok(len);
        }
        self.charge(id, truesize(len), departure);
        let options = &self.at(id).local.options;
        // Linux tells a full queue only to those who ask for errors (`udp_send_skb`).
        let told = departure == Departure::NoRoom && (options.flag(Flag::RecvErr) || options.flag(Flag::RecvErr6));
        if told { Err(Errno::ENOBUFS) } else { Ok(len) }
    }

    /// ip(7), IP_MTU_DISCOVER: some settings allow no fragments. `len` is that of the packet after the IP header.
    pub(crate) fn may_be_as_long(&self, entry: &Entry<R>, route: Route, six: bool, len: usize) -> Result<(), Errno> {
        const DO_TO_INTERFACE: core::ops::RangeInclusive<i32> = 2..=4;
        let setting = entry.local.options.int(if six { Int::MtuDiscover6 } else { Int::MtuDiscover });
        let header = if six { 40 } else { 20 };
        let too_long = len + header > self.world.mtu(entry.connection.host, route) as usize;
        if too_long && DO_TO_INTERFACE.contains(&setting) { Err(Errno::EMSGSIZE) } else { Ok(()) }
    }

    /// `stated` are the time to live, the type of service and the source that the call asks for.
    fn udp_dispatch(
        &mut self,
        id: SocketId,
        to: Endpoint,
        route: Route,
        payload: Chunk,
        stated: (Option<u8>, Option<u8>, Option<IpAddr>),
    ) -> Departure {
        let entry = self.slab.at_mut(id);
        let (host, unique, own) = (entry.connection.host, entry.local.id, entry.local_end());
        let ip = match stated.2 {
            Some(ip) => ip,
            None if own.ip.is_unspecified() => self.world.source(host, to.ip, route),
            None => own.ip,
        };
        let to = if to.ip.is_unspecified() { Endpoint { ip, ..to } } else { to };
        if self.log.tracing {
            self.log.sent(entry, payload.len(), &Addr::Ip(to));
        }
        let multicast = to.ip.is_multicast();
        let (ttl, tos) = header(entry, multicast);
        let (ttl, tos) = (stated.0.unwrap_or(ttl), stated.1.unwrap_or(tos));
        let src = Endpoint::new(ip, own.port);
        let body = Body::Udp(payload);
        let packet = Packet { from: host, to: host, network: None, src, dst: to, ttl, tos, body };
        match route {
            Route::Local => {
                self.capture_sent(Path::Local, &packet, unique);
                self.udp_arrive(packet);
                Departure::Gone
            }
            Route::Neighbour { network, host, .. } => self.transmit(Path::Link { network, host }, packet, unique),
            Route::Nobody { network, .. } => self.transmit(Path::Nobody { network }, packet, unique),
            Route::Broadcast { network, .. } => self.flood(network, packet, unique, true),
            Route::Multicast { network, .. } => {
                let loops = Flag::MulticastLoop;
                let own_too = self.at(id).local.options.flag(loops);
                self.flood(network, packet, unique, own_too)
            }
        }
    }

    /// Sends a packet to every host of a network; the copy that leaves last says how it left.
    fn flood(&mut self, network: u32, packet: Packet, unique: u64, own_too: bool) -> Departure {
        self.capture_flood(network, &packet, unique);
        let mut last = Departure::Gone;
        let members: Vec<u32> = self.world.networks[network as usize].members.clone();
        for host in members {
            if host == packet.from {
                if own_too {
                    self.udp_arrive(packet.clone());
                }
            } else {
                last = last.max(self.transmit(Path::Link { network, host }, packet.clone(), unique));
            }
        }
        last
    }

    pub(crate) fn udp_arrive(&mut self, packet: Packet) {
        let Packet { to: host, src, dst, .. } = packet;
        if dst.port == 53 && (host == RESOLVER || dst.ip == IpAddr::V4(crate::link::LOCAL_RESOLVER)) {
            return self.resolver_answers(packet);
        }
        let broadcast = |i: &crate::link::Interface| dst.ip == IpAddr::V4(i.broadcast()) && i.network.is_some();
        let to_all = dst.ip.is_multicast()
            || dst.ip == IpAddr::V4(Ipv4Addr::BROADCAST)
            || self.world.host(host).interfaces.iter().any(broadcast);
        if to_all {
            return self.udp_arrive_at_all(packet);
        }
        match self.receiver(host, src, dst) {
            Some(id) => self.udp_deliver(id, packet),
            None => {
                let (from, network) = (packet.from, packet.network);
                let quote = self.quote(&packet);
                self.drop_packet(packet, 0, DropReason::NoSuchPort);
                self.send_unreachable(host, from, network, dst, src, quote);
            }
        }
    }

    /// Tells the sender of a datagram that its port is nobody's.
    fn send_unreachable(
        &mut self,
        host: u32,
        to: u32,
        network: Option<u32>,
        dst: Endpoint,
        src: Endpoint,
        (quoted, len): (Vec<u8>, u32),
    ) {
        let path = network.map_or(Path::Local, |network| Path::Link { network, host: to });
        let body = Body::PortUnreachable { quoted, len };
        let packet = Packet { from: host, to, network, src: dst, dst: src, ttl: 64, tos: 0, body };
        if path == Path::Local {
            self.capture_sent(path, &packet, 0);
            return self.udp_unreachable(host, src, dst);
        }
        self.transmit(path, packet, 0);
    }

    /// udp(7): "fatal errors are passed to the user even when the socket is not connected" only with IP_RECVERR; a
    /// connected socket gets them always.
    pub(crate) fn udp_unreachable(&mut self, host: u32, own: Endpoint, remote: Endpoint) {
        let Some(id) = self.receiver(host, remote, own) else { return };
        let entry = self.slab.at_mut(id);
        let wants = entry.local.options.flag(Flag::RecvErr) || entry.local.options.flag(Flag::RecvErr6);
        if entry.is_associated() || wants {
            entry.connection.error = Some(Errno::ECONNREFUSED);
            self.log.notify(entry, poll::ERR);
        }
    }

    /// Broadcast and multicast go to every socket that fits.
    fn udp_arrive_at_all(&mut self, packet: Packet) {
        let key = PortKey { host: packet.to, protocol: Protocol::Udp, port: packet.dst.port };
        let Some(bucket) = self.ports.buckets.get(&key) else { return };
        let takers: Vec<SocketId> = bucket.owners.iter().copied().filter(|&id| self.takes_group(id, &packet)).collect();
        for id in takers {
            self.udp_deliver(id, packet.clone());
        }
    }

    fn takes_group(&self, id: SocketId, packet: &Packet) -> bool {
        let entry = self.at(id);
        if self.score(entry, packet.dst, Some(packet.src)).is_none() {
            return false;
        }
        if !packet.dst.ip.is_multicast() {
            return true;
        }
        // ip(7): IP_MULTICAST_ALL, which is on at first, lets in groups that any socket of the host has joined.
        let all = if packet.dst.ip.is_ipv6() { Flag::MulticastAll6 } else { Flag::MulticastAll };
        let joined = |e: &Entry<R>| e.connection.groups.iter().any(|m| m.group == packet.dst.ip);
        let on_host = || self.entries().any(|e| e.connection.host == packet.to && joined(e));
        joined(entry) || entry.local.options.flag(all) && on_host()
    }

    fn udp_deliver(&mut self, id: SocketId, packet: Packet) {
        let unique = self.at(id).local.id;
        let Packet { to: host, network, src, dst, ttl, tos, body, .. } = packet;
        let Body::Udp(payload) = body else { return };
        let interface = self.arrival_interface(host, network, dst.ip);
        let mut datagram = Datagram::plain(src, dst.ip, payload, self.log.now);
        (datagram.interface, datagram.ttl, datagram.tos) = (interface, ttl, tos);
        if !self.deliver(id, datagram) {
            self.log.dropped(unique, 0, DropReason::ReceiveQueueFull);
        }
    }

    /// Index of the interface by which a packet came.
    pub(crate) fn arrival_interface(&self, host: u32, network: Option<u32>, to: IpAddr) -> u32 {
        let host = self.world.host(host);
        match network {
            Some(_) => host.interfaces.iter().find(|i| i.network == network).map_or(1, |i| i.index),
            None if to.is_multicast() => host.interfaces.get(1).map_or(1, |i| i.index),
            None => 1,
        }
    }

    /// Puts a message into a receive queue; false when that is full or shut.
    pub(crate) fn deliver(&mut self, id: SocketId, datagram: Datagram<R>) -> bool {
        let entry = self.slab.at_mut(id);
        let limit = entry.local.options.int(Int::ReceiveBuffer) as usize;
        // An empty queue takes one whatever its size.
        let held = entry.receive_queue.held;
        if held != 0 && held + datagram.truesize as usize > limit {
            self.pool.give(datagram.payload);
            return false;
        }
        let len = datagram.payload.len();
        entry.receive_queue.push_datagram(datagram);
        self.log.delivered(entry, len);
        self.log.settle(entry);
        self.log.notify(entry, poll::READ);
        true
    }

    /// The control messages that the options of a socket ask for.
    pub(crate) fn control_of(&mut self, id: SocketId, peek: bool, received: &mut Received<R>) {
        let entry = self.slab.at_mut(id);
        let host = entry.connection.host;
        let options = &entry.local.options;
        let Some(front) = entry.receive_queue.datagrams.front_mut() else { return };
        if options.flag(Flag::Timestamp) {
            received.control.push(Control::Timestamp(front.at));
        } else if options.flag(Flag::TimestampNs) {
            received.control.push(Control::TimestampNs(front.at));
        }
        if entry.local.family == Family::Unix {
            return crate::unix::control_of_message(entry, peek, received);
        }
        if !entry.local.family.is_ip() {
            return;
        }
        let (interface, ttl, tos) = (front.interface, front.ttl, front.tos);
        let to = front.to;
        match to {
            IpAddr::V4(to) if options.flag(Flag::PktInfo) => {
                let here = self.world.host(host);
                let own = here.owns(IpAddr::V4(to)) || to.is_loopback();
                let local = if own { to } else { here.interface(interface).map_or(to, |i| i.v4) };
                received.control.push(Control::PktInfo { interface, local, to });
            }
            _ if options.flag(Flag::PktInfo6) => {
                let to = match to {
                    IpAddr::V4(to) => to.to_ipv6_mapped(),
                    IpAddr::V6(to) => to,
                };
                received.control.push(Control::PktInfo6 { interface, to });
            }
            _ => {}
        }
        for (flag, control) in [
            (Flag::RecvTtl, Control::Ttl(ttl)),
            (Flag::RecvTos, Control::Tos(tos)),
            (Flag::RecvHopLimit, Control::HopLimit(ttl)),
            (Flag::RecvTclass, Control::TrafficClass(tos)),
        ] {
            if options.flag(flag) {
                received.control.push(control);
            }
        }
    }
}

/// Time to live and type of service that a socket's packets bear.
pub(crate) fn header<R>(entry: &Entry<R>, multicast: bool) -> (u8, u8) {
    let options = &entry.local.options;
    let six = entry.local.family == Family::Inet6;
    let (ttl, tos) = match (six, multicast) {
        (false, false) => (Int::Ttl, Int::Tos),
        (false, true) => (Int::MulticastTtl, Int::Tos),
        (true, false) => (Int::HopLimit, Int::TrafficClass),
        (true, true) => (Int::MulticastHops, Int::TrafficClass),
    };
    (options.int(ttl) as u8, options.int(tos) as u8)
}
