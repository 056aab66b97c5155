//! UDP: datagrams, one queue each, and what comes back when nobody takes them.

use crate::addr::{Addr, Endpoint, Family};
use crate::call::{Ancillary, Control, Received, Send, SocketId};
use crate::entry::{Cork, Entry, Path, Phase, Protocol, SHUT_SEND};
use crate::fabric::{Body, Departure, Packet};
use crate::io::Source;
use crate::link::{RESOLVER, Route};
use crate::linux::{msg, poll, timestamping};
use crate::log::DropReason;
use crate::options::{Flag, Int, Options};
use crate::ports::PortKey;
use crate::queue::{Chunk, Datagram, truesize};
use crate::table::{SocketTable, unbound_end};
use alloc::vec::Vec;
use core::net::{IpAddr, Ipv4Addr};
use snowglobe_abi::Errno;

/// Payload of a UDP datagram at most, for IPv4 and IPv6.
const LONGEST: [usize; 2] = [65507, 65527];
const UDP_HEADER: usize = 8;
/// Bytes of the headers of a UDP datagram, for IPv4 and IPv6.
const HEADERS: [usize; 2] = [28, 48];
/// What fits, with its UDP header, into a packet of every network.
const NEVER_TOO_LONG: usize = 1240;

impl<R: Clone> SocketTable<R> {
    /// `connect` of UDP and ICMP sockets: from now on they talk to one address only.
    pub(crate) fn datagram_connect(&mut self, id: SocketId, addr: &Addr) -> Result<(), Errno> {
        if *addr == Addr::Unspec {
            self.datagram_disconnect(id);
            return Ok(());
        }
        // Linux's inet_dgram_connect: a port first, whatever the address.
        if self.at(id).local.protocol == Protocol::Udp {
            self.autobind(id)?;
        }
        let entry = self.at(id);
        let to = self.own_family_or_mapped(entry, addr)?;
        let options = &entry.local.options;
        let route = self.world.route(entry.connection.host, to.ip, options.device, to.scope)?;
        if self.world.is_broadcast(entry.connection.host, to.ip, route) && !options.flag(Flag::Broadcast) {
            return Err(Errno::EACCES);
        }
        let source = self.world.source(entry.connection.host, to.ip, route);
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
            // ip(7), IP_UNICAST_IF, is in network byte order.
            IpAddr::V4(_) => options.int(Int::UnicastIf).swap_bytes() as u32,
            IpAddr::V6(_) => options.int(Int::UnicastIf6).swap_bytes() as u32,
        };
        let device = [by, options.device, chosen].into_iter().find(|&d| d != 0).unwrap_or(0);
        let route = self.world.route(entry.connection.host, to.ip, device, to.scope)?;
        // socket(7): SO_BROADCAST is needed to send to a broadcast address.
        if self.world.is_broadcast(entry.connection.host, to.ip, route) && !options.flag(Flag::Broadcast) {
            return Err(Errno::EACCES);
        }
        Ok(route)
    }

    pub(crate) fn udp_send(&mut self, id: SocketId, source: &mut dyn Source, call: &Send<R>) -> Result<usize, Errno> {
        let entry = self.at(id);
        if call.flags & msg::OOB != 0 {
            return Err(Errno::EOPNOTSUPP);
        }
        if entry.connection.extra.as_ref().is_some_and(|extra| extra.cork.is_some()) {
            return self.udp_add(id, source, call);
        }
        let to = self.destination(entry, call.dest)?;
        // A socket may be connected to port 0 and sends there: the answer is that nobody is there.
        if to.port == 0 && call.dest.is_some() {
            return Err(Errno::EINVAL);
        }
        if call.len > LONGEST[usize::from(to.ip.is_ipv6())] {
            return Err(Errno::EMSGSIZE);
        }
        if entry.is_shut(SHUT_SEND) {
            return Err(Errno::EPIPE);
        }
        let (by, header) = call.ancillary.as_ref().map_or((0, Stated::default()), Stated::of);
        let route = self.datagram_route(entry, to, by)?;
        self.may_come_from(entry, header.source)?;
        let corked = call.flags & msg::MORE != 0 || entry.local.options.flag(Flag::UdpCork);
        if entry.local_end().port == 0 {
            self.autobind(id)?;
        }
        if corked {
            self.may_send(id)?;
            self.at_mut(id).extra().cork = Some(Cork { to, bytes: Vec::new(), header });
            return self.udp_add(id, source, call);
        }
        let stated = call.ancillary.as_ref().and_then(|a| a.segment);
        let segment = stated.map_or(self.at(id).local.options.int(Int::UdpSegment) as usize, usize::from);
        let longest = if segment == 0 { call.len } else { segment.min(call.len) };
        self.check_length(id, to, route, longest + UDP_HEADER)?;
        self.may_send(id)?;
        if segment != 0 && segment < call.len {
            self.udp_send_segments(id, source, (to, route, header), call.len, segment)?;
            return Ok(call.len);
        }
        let payload = self.pool.fill(source, call.len)?;
        let departure = self.udp_dispatch(id, to, route, payload, header);
        self.departed(id, call.len, departure)
    }

    /// ip(7), IP_PKTINFO: the source that a message states must be an address of the host's.
    pub(crate) fn may_come_from(&self, entry: &Entry<R>, source: Option<IpAddr>) -> Result<(), Errno> {
        let foreign = |ip: IpAddr| !ip.is_loopback() && !self.world.host(entry.connection.host).owns(ip);
        if source.is_some_and(foreign) { Err(Errno::ENETUNREACH) } else { Ok(()) }
    }

    /// What may keep a datagram from leaving, in Linux's order (`sock_alloc_send_skb`).
    #[inline]
    pub(crate) fn may_send(&mut self, id: SocketId) -> Result<(), Errno> {
        let entry = self.slab.at_mut(id);
        if let Some(error) = entry.take_error() {
            return Err(error);
        }
        if entry.is_shut(SHUT_SEND) {
            return Err(Errno::EPIPE);
        }
        let held = entry.send_queue.held;
        let full = held != 0 && held >= entry.local.options.int(Int::SendBuffer) as usize;
        if full { Err(Errno::EAGAIN) } else { Ok(()) }
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

    /// ip(7), IP_MTU_DISCOVER: who forbids fragments is told what does not fit. `len` is that of the packet after the IP
    /// header.
    #[inline]
    pub(crate) fn check_length(&mut self, id: SocketId, to: Endpoint, route: Route, len: usize) -> Result<(), Errno> {
        if len <= NEVER_TOO_LONG { Ok(()) } else { self.check_great_length(id, to, route, len) }
    }

    fn check_great_length(&mut self, id: SocketId, to: Endpoint, route: Route, len: usize) -> Result<(), Errno> {
        /// IP_PMTUDISC_DO, IP_PMTUDISC_PROBE and IP_PMTUDISC_INTERFACE (`ip_sk_ignore_df`).
        const WHOLE: core::ops::RangeInclusive<i32> = 2..=4;
        let entry = self.at(id);
        let options = &entry.local.options;
        let six = to.ip.is_ipv6();
        let discover = options.int(if six { Int::MtuDiscover6 } else { Int::MtuDiscover });
        let whole = WHOLE.contains(&discover) || six && options.flag(Flag::DontFragment);
        if !whole {
            return Ok(());
        }
        let mtu = self.world.mtu(entry.connection.host, route, six);
        if len + if six { 40 } else { 20 } <= mtu as usize {
            return Ok(());
        }
        self.report_too_long(id, to, mtu);
        Err(Errno::EMSGSIZE)
    }

    /// udp(7), UDP_SEGMENT: one message is many datagrams of this length, the last perhaps a shorter one.
    fn udp_send_segments(
        &mut self,
        id: SocketId,
        source: &mut dyn Source,
        (to, route, header): (Endpoint, Route, Stated),
        len: usize,
        segment: usize,
    ) -> Result<(), Errno> {
        const MOST: usize = 64;
        let six = to.ip.is_ipv6();
        let mtu = self.world.mtu(self.at(id).connection.host, route, six) as usize;
        if segment + HEADERS[usize::from(six)] > mtu || len > segment * MOST {
            return Err(Errno::EINVAL);
        }
        let mut bytes = alloc::vec![0; len];
        source.read_into(&mut bytes)?;
        for part in bytes.chunks(segment) {
            let payload = self.pool.copy(part);
            let departure = self.udp_dispatch(id, to, route, payload, header);
            self.departed(id, part.len(), departure)?;
        }
        Ok(())
    }

    /// udp(7), UDP_CORK, and MSG_MORE: what is sent is put behind what waits, until a send that does not say so.
    fn udp_add(&mut self, id: SocketId, source: &mut dyn Source, call: &Send<R>) -> Result<usize, Errno> {
        let entry = self.slab.at_mut(id);
        let more = call.flags & msg::MORE != 0 || entry.local.options.flag(Flag::UdpCork);
        let Some(cork) = &mut entry.extra().cork else { return Err(Errno::EINVAL) };
        let begin = cork.bytes.len();
        if begin + call.len > LONGEST[usize::from(cork.to.ip.is_ipv6())] {
            // Linux throws away what was put together.
            entry.extra().cork = None;
            return Err(Errno::EMSGSIZE);
        }
        cork.bytes.resize(begin + call.len, 0);
        if let Err(fault) = source.read_into(&mut cork.bytes[begin..]) {
            entry.extra().cork = None;
            return Err(fault);
        }
        if !more {
            self.udp_uncork(id)?;
        }
        Ok(call.len)
    }

    /// Sends what has been put together.
    pub(crate) fn udp_uncork(&mut self, id: SocketId) -> Result<(), Errno> {
        let extra = self.slab.at_mut(id).connection.extra.as_mut();
        let Some(cork) = extra.and_then(|extra| extra.cork.take()) else { return Ok(()) };
        let route = self.datagram_route(self.at(id), cork.to, 0)?;
        self.check_length(id, cork.to, route, cork.bytes.len() + UDP_HEADER)?;
        let payload = self.pool.copy(&cork.bytes);
        let departure = self.udp_dispatch(id, cork.to, route, payload, cork.header);
        self.departed(id, cork.bytes.len(), departure).map(|_| ())
    }

    fn udp_dispatch(&mut self, id: SocketId, to: Endpoint, route: Route, payload: Chunk, stated: Stated) -> Departure {
        let entry = self.slab.at_mut(id);
        let (host, unique, own) = (entry.connection.host, entry.local.id, entry.local_end());
        let ip = match stated.source {
            Some(ip) => ip,
            None if own.ip.is_unspecified() || own.ip.is_multicast() => self.world.source(host, to.ip, route),
            None => own.ip,
        };
        let to = if to.ip.is_unspecified() { Endpoint { ip, ..to } } else { to };
        if self.log.tracing {
            self.log.sent(entry, payload.len(), &Addr::Ip(to));
        }
        let options = &entry.local.options;
        let loops = options.flag(if to.ip.is_ipv6() { Flag::MulticastLoop6 } else { Flag::MulticastLoop });
        let timed = options.int(Int::Timestamping) != 0;
        let (ttl, tos) = header(entry, to.ip);
        let (ttl, tos) = (stated.ttl.unwrap_or(ttl), stated.tos.unwrap_or(tos));
        if timed {
            self.report_sent(id, to, payload.bytes());
        }
        self.counters(host).udp_out += 1;
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
            Route::Multicast { network, .. } => self.flood(network, packet, unique, loops),
        }
    }

    /// Sends a packet to every host of a network; the copy that leaves last says how it left.
    fn flood(&mut self, network: u32, packet: Packet, unique: u64, own_too: bool) -> Departure {
        if packet.ttl > 0 {
            self.capture_flood(network, &packet, unique);
        }
        let mut last = Departure::Gone;
        let members: Vec<u32> = self.world.networks[network as usize].members.clone();
        for host in members {
            if host == packet.from {
                if own_too {
                    self.udp_arrive(Packet { network: Some(network), ..packet.clone() });
                }
            } else if packet.ttl > 0 {
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
        let broadcast = |i: &crate::link::Interface| dst.ip == IpAddr::V4(i.broadcast());
        let to_all = dst.ip.is_multicast()
            || dst.ip == IpAddr::V4(Ipv4Addr::BROADCAST)
            || self.world.host(host).interfaces.iter().any(broadcast);
        if to_all {
            return self.udp_arrive_at_all(packet);
        }
        match self.receiver(host, src, dst) {
            Some(id) => self.udp_deliver(id, packet),
            None => {
                self.counters(host).udp_no_ports += 1;
                self.send_port_unreachable(&packet);
                self.drop_packet(packet, 0, DropReason::NoSuchPort);
            }
        }
    }

    /// Broadcast and multicast go to every socket that fits.
    fn udp_arrive_at_all(&mut self, packet: Packet) {
        let key = PortKey { host: packet.to, protocol: Protocol::Udp, port: packet.dst.port };
        let Some(bucket) = self.ports.buckets.get(&key) else { return };
        let interface = self.arrival_interface(packet.to, packet.network);
        let takes = |&id: &SocketId| self.takes_group(self.at(id), &packet, interface);
        let takers: Vec<SocketId> = bucket.owners.iter().copied().filter(takes).collect();
        for id in takers {
            self.udp_deliver(id, packet.clone());
        }
    }

    fn takes_group(&self, entry: &Entry<R>, packet: &Packet, interface: u32) -> bool {
        let device = entry.local.options.device;
        let fits = self.score(entry, packet.dst, Some(packet.src)).is_some();
        fits && (device == 0 || device == interface)
            && (!packet.dst.ip.is_multicast() || self.in_group(entry, packet, interface))
    }

    fn udp_deliver(&mut self, id: SocketId, packet: Packet) {
        let unique = self.at(id).local.id;
        let Packet { to: host, network, src, dst, ttl, tos, body, .. } = packet;
        let Body::Udp(payload) = body else { return };
        let interface = self.arrival_interface(host, network);
        let mut datagram = Datagram::plain(src, dst.ip, payload, self.log.now);
        (datagram.interface, datagram.ttl, datagram.tos) = (interface, ttl, tos);
        datagram.to_port = dst.port;
        if self.deliver(id, datagram) {
            self.counters(host).udp_in += 1;
        } else {
            self.counters(host).udp_full += 1;
            self.log.dropped(unique, 0, DropReason::ReceiveQueueFull);
        }
    }

    /// Index of the interface by which a packet came.
    pub(crate) fn arrival_interface(&self, host: u32, network: Option<u32>) -> u32 {
        let host = self.world.host(host);
        match network {
            Some(_) => host.interfaces.iter().find(|i| i.network == network).map_or(1, |i| i.index),
            None => 1,
        }
    }

    /// Puts a message into a receive queue; false when that is full or shut.
    pub(crate) fn deliver(&mut self, id: SocketId, mut datagram: Datagram<R>) -> bool {
        let entry = self.slab.at_mut(id);
        let limit = entry.local.options.int(Int::ReceiveBuffer) as usize;
        // An empty queue takes one whatever its size.
        let held = entry.receive_queue.held;
        if held != 0 && held + datagram.truesize as usize > limit {
            self.pool.give(datagram.payload);
            let drops = &mut entry.extra().drops;
            *drops = drops.wrapping_add(1);
            return false;
        }
        let len = datagram.payload.len();
        if let Some(extra) = &entry.connection.extra {
            datagram.drops = extra.drops;
        }
        entry.receive_queue.push_datagram(datagram);
        self.log.delivered(entry, len);
        self.log.settle(entry);
        self.log.notify(entry, poll::READ);
        true
    }

    /// The control messages that the options of a socket ask for, in Linux's order.
    pub(crate) fn control_of(&mut self, id: SocketId, index: usize, peek: bool, received: &mut Received<R>) {
        let entry = self.slab.at_mut(id);
        let host = entry.connection.host;
        let Some(front) = entry.receive_queue.datagrams.get(index) else { return };
        let (at, interface, to) = (front.at, front.interface, Endpoint::new(front.to, front.to_port));
        let (header, drops) = ((front.ttl, front.tos, interface), front.drops);
        let from_ip = front.to;
        entry.connection.stamp = at;
        let options = &entry.local.options;
        if options.flag(Flag::Timestamp) {
            received.control.push(Control::Timestamp(at));
        } else if options.flag(Flag::TimestampNs) {
            received.control.push(Control::TimestampNs(at));
        }
        const RECEIVED: u32 = timestamping::RX_SOFTWARE | timestamping::SOFTWARE;
        if options.int(Int::Timestamping) as u32 & RECEIVED == RECEIVED {
            received.control.push(Control::Timestamping(at));
        }
        if options.flag(Flag::RxqOvfl) && drops != 0 {
            received.control.push(Control::Drops(drops));
        }
        if entry.local.family == Family::Unix {
            return crate::unix::control_of_message(entry, index, peek, received);
        }
        if !entry.local.family.is_ip() {
            return;
        }
        if entry.local.family == Family::Inet6
            && let IpAddr::V6(to) = to.seen_by(Family::Inet6).ip
        {
            let kinds = [
                (Flag::PktInfo6, Control::PktInfo6 { interface, to }),
                (Flag::OldPktInfo6, Control::OldPktInfo6 { interface, to }),
            ];
            received.control.extend(wanted(options, kinds));
        }
        if let IpAddr::V4(to) = to.ip
            && options.flag(Flag::PktInfo)
        {
            let here = self.world.host(host);
            let own = here.owns(IpAddr::V4(to)) || to.is_loopback();
            let local = if own { to } else { here.interface(interface).map_or(to, |i| i.v4) };
            received.control.push(Control::PktInfo { interface, local, to });
        }
        header_controls(options, from_ip, header, &mut received.control);
        let original = if to.ip.is_ipv4() { Flag::RecvOrigDst } else { Flag::RecvOrigDst6 };
        if options.flag(original) {
            received.control.push(Control::OriginalDestination(to));
        }
    }
}

/// What the options of a socket want to know of a packet's header: those of the packet's own version of IP.
pub(crate) fn header_controls<F>(
    options: &Options,
    ip: IpAddr,
    (ttl, tos, _): (u8, u8, u32),
    out: &mut Vec<Control<F>>,
) {
    if ip.is_ipv4() {
        let kinds = [(Flag::RecvTtl, Control::Ttl(ttl)), (Flag::RecvTos, Control::Tos(tos))];
        return out.extend(wanted(options, kinds));
    }
    let kinds = [
        (Flag::RecvHopLimit, Control::HopLimit(ttl)),
        (Flag::RecvTclass, Control::TrafficClass(tos)),
        (Flag::OldHopLimit, Control::OldHopLimit(ttl)),
    ];
    out.extend(wanted(options, kinds));
}

/// Those of some control messages for which a socket has asked.
fn wanted<F, const N: usize>(options: &Options, kinds: [(Flag, Control<F>); N]) -> impl Iterator<Item = Control<F>> {
    kinds.into_iter().filter(|(flag, _)| options.flag(*flag)).map(|(_, control)| control)
}

/// What one message states of its header.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct Stated {
    pub(crate) source: Option<IpAddr>,
    pub(crate) ttl: Option<u8>,
    pub(crate) tos: Option<u8>,
}

impl Stated {
    /// By which interface a message goes, and what its header says.
    pub(crate) fn of<R>(ancillary: &Ancillary<R>) -> (u32, Stated) {
        let Ancillary { interface, source, ttl, tos, .. } = *ancillary;
        (interface, Stated { source, ttl, tos })
    }
}

/// Time to live and type of service that a socket's packets to an address bear.
pub(crate) fn header<R>(entry: &Entry<R>, to: IpAddr) -> (u8, u8) {
    let options = &entry.local.options;
    let (ttl, tos) = match (to.is_ipv6(), to.is_multicast()) {
        (false, false) => (Int::Ttl, Int::Tos),
        (false, true) => (Int::MulticastTtl, Int::Tos),
        (true, false) => (Int::HopLimit, Int::TrafficClass),
        (true, true) => (Int::MulticastHops, Int::TrafficClass),
    };
    (options.int(ttl) as u8, options.int(tos) as u8)
}
