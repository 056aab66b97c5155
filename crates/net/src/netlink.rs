//! AF_NETLINK, as far as `getifaddrs`, `ip` and Go's net package ask: links, addresses and routes (rtnetlink(7)).

use crate::addr::Addr;
use crate::call::{Send, SocketId};
use crate::entry::{Phase, Protocol};
use crate::io::Source;
use crate::link::{Host, Interface, Route};
use crate::linux::{af, poll};
use crate::queue::{Datagram, unix_truesize};
use crate::table::SocketTable;
use alloc::vec::Vec;
use core::net::{IpAddr, Ipv4Addr};
use snowglobe_abi::Errno;

const ERROR: u16 = 2;
const DONE: u16 = 3;
const NEW_LINK: u16 = 16;
const GET_LINK: u16 = 18;
const NEW_ADDRESS: u16 = 20;
const GET_ADDRESS: u16 = 22;
const NEW_ROUTE: u16 = 24;
const GET_ROUTE: u16 = 26;
/// Questions whose answer is an empty list: neighbours and rules.
const GET_NEIGHBOUR: u16 = 30;
const GET_RULE: u16 = 34;

const MULTI: u16 = 2;
const ACK: u16 = 4;
const DUMP: u16 = 0x300;

/// Bytes of one answer at most: what a reader with a page has room for.
const ROOM: usize = 3712;

/// `IFF_*` of an interface.
pub(crate) fn flags_of(interface: &Interface) -> u32 {
    const UP_RUNNING: u32 = 0x1_0041;
    const LOOPBACK: u32 = 0x8;
    const BROADCAST_MULTICAST: u32 = 0x1002;
    UP_RUNNING | if interface.network.is_none() { LOOPBACK } else { BROADCAST_MULTICAST }
}

/// `ARPHRD_*` of an interface.
pub(crate) fn hardware_of(interface: &Interface) -> u16 {
    if interface.network.is_none() { 772 } else { 1 }
}

/// A message in the making.
struct Message(Vec<u8>);

impl Message {
    fn new(kind: u16, flags: u16, seq: u32, port: u32, body: &[u8]) -> Message {
        let mut bytes = alloc::vec![0; 4];
        bytes.extend_from_slice(&kind.to_ne_bytes());
        bytes.extend_from_slice(&flags.to_ne_bytes());
        bytes.extend_from_slice(&seq.to_ne_bytes());
        bytes.extend_from_slice(&port.to_ne_bytes());
        bytes.extend_from_slice(body);
        Message(bytes)
    }

    fn attribute(mut self, kind: u16, data: &[u8]) -> Message {
        self.0.extend_from_slice(&(data.len() as u16 + 4).to_ne_bytes());
        self.0.extend_from_slice(&kind.to_ne_bytes());
        self.0.extend_from_slice(data);
        self.0.resize(self.0.len().next_multiple_of(4), 0);
        self
    }

    fn text(self, kind: u16, text: &str) -> Message {
        let mut data = text.as_bytes().to_vec();
        data.push(0);
        self.attribute(kind, &data)
    }

    fn number(self, kind: u16, v: u32) -> Message {
        self.attribute(kind, &v.to_ne_bytes())
    }

    fn finish(mut self) -> Vec<u8> {
        let len = self.0.len() as u32;
        self.0[..4].copy_from_slice(&len.to_ne_bytes());
        self.0
    }
}

/// A request.
struct Request<'a> {
    kind: u16,
    flags: u16,
    seq: u32,
    /// The requester's port.
    port: u32,
    body: &'a [u8],
    header: &'a [u8],
}

impl Request<'_> {
    fn reply(&self, kind: u16, body: &[u8]) -> Message {
        let multi = if self.flags & DUMP == DUMP { MULTI } else { 0 };
        Message::new(kind, multi, self.seq, self.port, body)
    }

    /// The data of an attribute behind a fixed part of `skip` bytes.
    fn attribute(&self, skip: usize, kind: u16) -> Option<&[u8]> {
        let mut rest = self.body.get(skip..)?;
        while rest.len() >= 4 {
            let len = usize::from(u16::from_ne_bytes([rest[0], rest[1]]));
            let data = rest.get(4..len)?;
            if u16::from_ne_bytes([rest[2], rest[3]]) & 0x3fff == kind {
                return Some(data);
            }
            rest = rest.get(len.next_multiple_of(4)..)?;
        }
        None
    }

    fn error(&self, errno: u16) -> Vec<u8> {
        let mut body = (-i32::from(errno)).to_ne_bytes().to_vec();
        body.extend_from_slice(self.header);
        Message::new(ERROR, 0, self.seq, self.port, &body).finish()
    }

    fn family(&self) -> u16 {
        self.body.first().map_or(0, |&b| u16::from(b))
    }
}

/// RTM_NEWLINK.
fn link(request: &Request, i: &Interface) -> Vec<u8> {
    let mut body = alloc::vec![0, 0];
    body.extend_from_slice(&hardware_of(i).to_ne_bytes());
    body.extend_from_slice(&i.index.to_ne_bytes());
    body.extend_from_slice(&flags_of(i).to_ne_bytes());
    body.extend_from_slice(&0u32.to_ne_bytes());
    let up = if i.network.is_none() { 0 } else { 6 };
    let broadcast = if i.network.is_none() { [0; 6] } else { [0xff; 6] };
    request
        .reply(NEW_LINK, &body)
        .text(3, &i.name)
        .number(13, 1000)
        .attribute(16, &[up])
        .attribute(17, &[0])
        .number(4, i.mtu)
        .number(27, 0)
        .number(30, 0)
        .number(31, 1)
        .number(32, 1)
        .attribute(33, &[1])
        .text(6, "noqueue")
        .attribute(1, &i.mac)
        .attribute(2, &broadcast)
        .finish()
}

/// RTM_NEWADDR.
fn address(request: &Request, i: &Interface, ip: IpAddr, prefix: u8) -> Vec<u8> {
    const PERMANENT: u8 = 0x80;
    let family = if ip.is_ipv4() { af::INET } else { af::INET6 } as u8;
    let scope = match ip {
        ip if ip.is_loopback() => 254,
        IpAddr::V6(v6) if v6.is_unicast_link_local() => 253,
        _ => 0,
    };
    let mut body = alloc::vec![family, prefix, PERMANENT, scope];
    body.extend_from_slice(&i.index.to_ne_bytes());
    let message = request.reply(NEW_ADDRESS, &body);
    let for_ever = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 0];
    let message = match ip {
        IpAddr::V4(v4) => {
            let message = message.attribute(1, &v4.octets()).attribute(2, &v4.octets());
            let wide = i.network.is_some();
            if wide { message.attribute(4, &i.broadcast().octets()) } else { message }.text(3, &i.name)
        }
        IpAddr::V6(v6) => message.attribute(1, &v6.octets()),
    };
    message.number(8, u32::from(PERMANENT)).attribute(6, &for_ever).finish()
}

/// RTM_NEWROUTE for a subnet.
fn route(request: &Request, i: &Interface) -> Vec<u8> {
    const MAIN: u8 = 254;
    let body = [af::INET as u8, i.prefix, 0, 0, MAIN, 2, 253, 1, 0, 0, 0, 0];
    let subnet = Ipv4Addr::from(u32::from(i.v4) & crate::link::mask(i.prefix));
    request
        .reply(NEW_ROUTE, &body)
        .number(15, u32::from(MAIN))
        .attribute(1, &subnet.octets())
        .attribute(7, &i.v4.octets())
        .number(4, i.index)
        .finish()
}

/// What a request brings, message by message.
fn answers(host: &Host, request: &Request) -> Result<Vec<Vec<u8>>, u16> {
    let dump = request.flags & DUMP == DUMP;
    let family = request.family();
    let of = |f: u16| family == 0 || family == f;
    match request.kind {
        GET_LINK if dump => Ok(host.interfaces.iter().map(|i| link(request, i)).collect()),
        GET_LINK => {
            let index = request.body.get(4..8).map_or(0, |b| u32::from_ne_bytes([b[0], b[1], b[2], b[3]]));
            let name = request.attribute(16, 3).map(|n| n.strip_suffix(&[0]).unwrap_or(n));
            let is = |i: &&Interface| i.index == index || Some(i.name.as_bytes()) == name;
            let found = host.interfaces.iter().find(is).ok_or(Errno::ENODEV.0)?;
            Ok(alloc::vec![link(request, found)])
        }
        GET_ADDRESS => {
            let mut out = Vec::new();
            if of(af::INET) {
                out.extend(host.interfaces.iter().map(|i| address(request, i, IpAddr::V4(i.v4), i.prefix)));
            }
            if of(af::INET6) {
                let all = host.interfaces.iter().flat_map(|i| i.v6.iter().map(move |&(ip, prefix)| (i, ip, prefix)));
                out.extend(all.map(|(i, ip, prefix)| address(request, i, IpAddr::V6(ip), prefix)));
            }
            Ok(out)
        }
        GET_ROUTE if dump => {
            let subnets = host.interfaces.iter().filter(|i| i.network.is_some() && of(af::INET));
            Ok(subnets.map(|i| route(request, i)).collect())
        }
        GET_NEIGHBOUR | GET_RULE if dump => Ok(Vec::new()),
        _ => Err(Errno::EOPNOTSUPP.0),
    }
}

impl<R: Clone> SocketTable<R> {
    pub(crate) fn netlink_bind(&mut self, id: SocketId, addr: &Addr) -> Result<(), Errno> {
        let &Addr::Netlink { port, groups } = addr else { return Err(Errno::EINVAL) };
        let entry = self.at(id);
        if let Addr::Netlink { port: own @ 1.., .. } = entry.local.address
            && own != port
            && port != 0
        {
            return Err(Errno::EINVAL);
        }
        let port = if port == 0 { self.netlink_port(id) } else { port };
        let (host, protocol) = (entry.connection.host, entry.local.protocol);
        let taken = |e: &crate::entry::Entry<R>| {
            let same = e.connection.host == host && e.local.protocol == protocol && e.id() != id;
            same && matches!(e.local.address, Addr::Netlink { port: theirs, .. } if theirs == port)
        };
        if self.entries().any(taken) {
            return Err(Errno::EADDRINUSE);
        }
        let entry = self.at_mut(id);
        entry.local.address = Addr::Netlink { port, groups };
        entry.connection.phase = Phase::Bound;
        self.settle(id);
        Ok(())
    }

    /// netlink(7): the first socket of a process gets its process id, others a number of no process.
    fn netlink_port(&self, id: SocketId) -> u32 {
        let entry = self.at(id);
        if let Addr::Netlink { port: own @ 1.., .. } = entry.local.address {
            return own;
        }
        let host = entry.connection.host;
        let used = |port: u32| {
            let is = |e: &crate::entry::Entry<R>| {
                let has = matches!(e.local.address, Addr::Netlink { port: theirs, .. } if theirs == port);
                e.connection.host == host && has
            };
            self.entries().any(is)
        };
        let fallback = u32::MAX - 4096 - id.0;
        [entry.connection.cred.pid].into_iter().find(|&pid| pid != 0 && !used(pid)).unwrap_or(fallback)
    }

    pub(crate) fn netlink_connect(&mut self, id: SocketId, addr: &Addr) -> Result<(), Errno> {
        let Addr::Netlink { .. } = addr else { return Err(Errno::EINVAL) };
        self.at_mut(id).remote.address = addr.clone();
        Ok(())
    }

    pub(crate) fn netlink_send(
        &mut self,
        id: SocketId,
        source: &mut dyn Source,
        call: &Send<R>,
    ) -> Result<usize, Errno> {
        let to_kernel = match call.dest.unwrap_or(&self.at(id).remote.address) {
            Addr::Netlink { port, .. } => *port == 0,
            _ => return Err(Errno::EINVAL),
        };
        if !to_kernel {
            return Err(Errno::ECONNREFUSED);
        }
        if call.len > 65536 {
            return Err(Errno::EMSGSIZE);
        }
        if matches!(self.at(id).local.address, Addr::Netlink { port: 0, .. }) {
            self.netlink_bind(id, &Addr::Netlink { port: 0, groups: 0 })?;
        }
        let mut bytes = alloc::vec![0; call.len];
        source.read_into(&mut bytes)?;
        self.netlink_requests(id, &bytes);
        Ok(call.len)
    }

    /// Answers each request of a message.
    fn netlink_requests(&mut self, id: SocketId, mut bytes: &[u8]) {
        let Addr::Netlink { port, .. } = self.at(id).local.address else { return };
        let host = self.at(id).connection.host;
        while let Some(header) = bytes.get(..16) {
            let short = |at: usize| u16::from_ne_bytes([header[at], header[at + 1]]);
            let long = |at: usize| u32::from_ne_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]);
            let len = long(0) as usize;
            let Some(body) = bytes.get(16..len) else { return };
            let request = Request { kind: short(4), flags: short(6), seq: long(8), port, body, header };
            // rtnetlink(7) messages below 16 are control messages, which ask for nothing.
            if request.kind >= 16 && request.flags & 1 != 0 {
                let out = match self.at(id).local.protocol {
                    Protocol::Netlink(0) => self.netlink_answer(host, &request),
                    // sock_diag(7) and the others know no family: programs then read /proc/net.
                    _ => alloc::vec![request.error(Errno::ENOENT.0)],
                };
                out.into_iter().for_each(|datagram| self.netlink_deliver(id, &datagram));
            }
            bytes = bytes.get(len.next_multiple_of(4)..).unwrap_or(&[]);
        }
    }

    /// The answer to a request, in datagrams that fit.
    fn netlink_answer(&self, host: u32, request: &Request) -> Vec<Vec<u8>> {
        let dump = request.flags & DUMP == DUMP;
        let found = match request.kind {
            GET_ROUTE if !dump => self.route_answer(host, request),
            _ => answers(self.world.host(host), request),
        };
        let messages = match found {
            Ok(messages) => messages,
            Err(errno) => return alloc::vec![request.error(errno)],
        };
        let mut out: Vec<Vec<u8>> = alloc::vec![Vec::new()];
        for message in messages {
            match out.last_mut().filter(|last| last.len() + message.len() <= ROOM) {
                Some(last) => last.extend_from_slice(&message),
                None => out.push(message),
            }
        }
        out.retain(|datagram| !datagram.is_empty());
        if dump {
            out.push(Message::new(DONE, MULTI, request.seq, request.port, &[0; 4]).finish());
        } else if request.flags & ACK != 0 {
            out.push(request.error(0));
        }
        out
    }

    /// `ip route get`.
    fn route_answer(&self, host: u32, request: &Request) -> Result<Vec<Vec<u8>>, u16> {
        let to: [u8; 4] = request.attribute(12, 1).and_then(|d| d.try_into().ok()).ok_or(Errno::EINVAL.0)?;
        let to = IpAddr::V4(Ipv4Addr::from(to));
        let route = self.world.route(host, to, 0, 0).map_err(|e| e.0)?;
        let index = match route {
            Route::Local => self.world.host(host).interface_with(to),
            Route::Neighbour { interface, .. }
            | Route::Nobody { interface, .. }
            | Route::Broadcast { interface, .. }
            | Route::Multicast { interface, .. } => interface,
        };
        let (IpAddr::V4(dst), IpAddr::V4(source)) = (to, self.world.source(host, to, route)) else {
            return Err(Errno::EINVAL.0);
        };
        let kind = if route == Route::Local { 2 } else { 1 };
        let body = [af::INET as u8, 32, 0, 0, 254, 0, 0, kind, 0, 2, 0, 0];
        let message = request.reply(NEW_ROUTE, &body).number(15, 254).attribute(1, &dst.octets());
        Ok(alloc::vec![message.number(4, index).attribute(7, &source.octets()).finish()])
    }

    /// A message of the kernel's own to a netlink socket, if it is still the one with this number.
    pub fn netlink_tell(&mut self, id: SocketId, unique: u64, bytes: &[u8], now: u64) {
        let still =
            self.get(id).is_ok_and(|e| e.unique() == unique && matches!(e.local.protocol, Protocol::Netlink(_)));
        if still {
            self.log.now = now;
            self.netlink_deliver(id, bytes);
        }
    }

    fn netlink_deliver(&mut self, id: SocketId, bytes: &[u8]) {
        let payload = self.pool.copy(bytes);
        let entry = self.slab.at_mut(id);
        let datagram = Datagram {
            from: Addr::Netlink { port: 0, groups: 0 },
            to: IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            interface: 0,
            ttl: 0,
            tos: 0,
            payload,
            truesize: unix_truesize(bytes.len()),
            ancillary: None,
            at: self.log.now,
            sender: 0,
        };
        entry.receive_queue.push_datagram(datagram);
        self.log.settle(entry);
        self.log.notify(entry, poll::READ);
    }
}
