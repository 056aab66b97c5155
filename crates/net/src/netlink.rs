//! AF_NETLINK (netlink(7)): sockets, requests, and answers in messages and dumps. What is told of interfaces is in
//! `rtnetlink`, of sockets in `diag`.

use crate::addr::Addr;
use crate::call::{Send, SocketId};
use crate::entry::{Entry, Phase, Protocol};
use crate::io::Source;
use crate::link::Interface;
use crate::linux::poll;
use crate::options::{Flag, Int};
use crate::queue::{Datagram, unix_truesize};
use crate::table::SocketTable;
use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::net::{IpAddr, Ipv4Addr};
use snowglobe_abi::Errno;

/// NETLINK_ROUTE, NETLINK_SOCK_DIAG and NETLINK_GENERIC.
const ROUTE: u8 = 0;
const SOCK_DIAG: u8 = 4;
const GENERIC: u8 = 16;

const ERROR: u16 = 2;
const DONE: u16 = 3;

const REQUEST: u16 = 1;
const MULTI: u16 = 2;
const ACK: u16 = 4;
const CAPPED: u16 = 0x100;
/// NLM_F_ROOT and NLM_F_MATCH: all that fit.
const DUMP: u16 = 0x300;

/// Bytes of one answer at most: what a reader with a page has room for.
const ROOM: usize = 3712;
/// Groups of a family at most that can be told: a word of them.
const GROUPS: u32 = 32;

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
pub(crate) struct Message(Vec<u8>);

impl Message {
    fn new(kind: u16, flags: u16, seq: u32, port: u32, body: &[u8]) -> Message {
        let mut bytes = alloc::vec![0; 4];
        bytes.extend_from_slice(&kind.to_ne_bytes());
        bytes.extend_from_slice(&flags.to_ne_bytes());
        bytes.extend_from_slice(&seq.to_ne_bytes());
        bytes.extend_from_slice(&port.to_ne_bytes());
        bytes.extend_from_slice(body);
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        Message(bytes)
    }

    pub(crate) fn attribute(mut self, kind: u16, data: &[u8]) -> Message {
        self.0.extend_from_slice(&(data.len() as u16 + 4).to_ne_bytes());
        self.0.extend_from_slice(&kind.to_ne_bytes());
        self.0.extend_from_slice(data);
        self.0.resize(self.0.len().next_multiple_of(4), 0);
        self
    }

    pub(crate) fn text(self, kind: u16, text: &str) -> Message {
        let mut data = text.as_bytes().to_vec();
        data.push(0);
        self.attribute(kind, &data)
    }

    pub(crate) fn number(self, kind: u16, v: u32) -> Message {
        self.attribute(kind, &v.to_ne_bytes())
    }

    /// An address of either version.
    pub(crate) fn ip(self, kind: u16, ip: IpAddr) -> Message {
        match ip {
            IpAddr::V4(ip) => self.attribute(kind, &ip.octets()),
            IpAddr::V6(ip) => self.attribute(kind, &ip.octets()),
        }
    }

    pub(crate) fn finish(mut self) -> Vec<u8> {
        let len = self.0.len() as u32;
        self.0[..4].copy_from_slice(&len.to_ne_bytes());
        self.0
    }
}

/// A request.
pub(crate) struct Request<'a> {
    pub(crate) kind: u16,
    flags: u16,
    seq: u32,
    /// The requester's port.
    port: u32,
    pub(crate) body: &'a [u8],
    /// All of it.
    whole: &'a [u8],
    /// NETLINK_GET_STRICT_CHK: the fixed part of a dump's request says which are wanted.
    pub(crate) strict: bool,
    /// NETLINK_CAP_ACK: errors do not quote the request.
    capped: bool,
}

impl Request<'_> {
    /// Whether all that fit are asked for.
    pub(crate) fn dump(&self) -> bool {
        self.flags & DUMP == DUMP
    }

    pub(crate) fn reply(&self, kind: u16, body: &[u8]) -> Message {
        Message::new(kind, if self.dump() { MULTI } else { 0 }, self.seq, self.port, body)
    }

    /// The data of an attribute behind a fixed part of `skip` bytes.
    pub(crate) fn attribute(&self, skip: usize, kind: u16) -> Option<&[u8]> {
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

    /// The word at a place of the body; 0 where it ends before.
    pub(crate) fn word(&self, at: usize) -> u32 {
        self.body.get(at..at + 4).map_or(0, |b| u32::from_ne_bytes([b[0], b[1], b[2], b[3]]))
    }

    /// NLMSG_ERROR: an error quotes the whole request unless it is asked not to, an acknowledgement its header only.
    fn error(&self, errno: u16) -> Vec<u8> {
        let short = errno == 0 || self.capped;
        let mut body = (-i32::from(errno)).to_ne_bytes().to_vec();
        body.extend_from_slice(if short { &self.whole[..16] } else { self.whole });
        Message::new(ERROR, if short { CAPPED } else { 0 }, self.seq, self.port, &body).finish()
    }

    pub(crate) fn family(&self) -> u16 {
        self.body.first().map_or(0, |&b| u16::from(b))
    }
}

/// What a request brings, message by message, or an error number.
pub(crate) type Answers = Result<Vec<Vec<u8>>, u16>;

/// What a generic netlink family is found by: there is none but the one that finds them.
fn generic(request: &Request) -> Answers {
    const CONTROLLER: u16 = 16;
    const GET_FAMILY: u8 = 3;
    const NEW_FAMILY: u8 = 1;
    const ID: u16 = 1;
    const NAME: u16 = 2;
    if request.kind != CONTROLLER {
        return Err(Errno::ENOENT.0);
    }
    if request.body.first() != Some(&GET_FAMILY) {
        return Err(Errno::EOPNOTSUPP.0);
    }
    let name = request.attribute(4, NAME).map(|n| n.strip_suffix(&[0]).unwrap_or(n));
    let id = request.attribute(4, ID).and_then(|d| Some(u16::from_ne_bytes(d.try_into().ok()?)));
    match (request.dump(), name, id) {
        (false, None, None) => return Err(Errno::EINVAL.0),
        (true, ..) | (_, Some(b"nlctrl"), _) | (_, None, Some(CONTROLLER)) => {}
        _ => return Err(Errno::ENOENT.0),
    }
    let message = request.reply(CONTROLLER, &[NEW_FAMILY, 2, 0, 0]).text(NAME, "nlctrl");
    let message = message.attribute(ID, &CONTROLLER.to_ne_bytes()).number(3, 2).number(4, 0).number(5, 10);
    Ok(alloc::vec![message.finish()])
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
        let taken = |e: &Entry<R>| {
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
        let (host, protocol) = (entry.connection.host, entry.local.protocol);
        let used = |port: u32| {
            let is = |e: &Entry<R>| {
                let has = matches!(e.local.address, Addr::Netlink { port: theirs, .. } if theirs == port);
                e.connection.host == host && e.local.protocol == protocol && has
            };
            self.entries().any(is)
        };
        let fallback = u32::MAX - 4096 - id.0;
        [entry.connection.cred.pid].into_iter().find(|&pid| pid != 0 && !used(pid)).unwrap_or(fallback)
    }

    /// NETLINK_ADD_MEMBERSHIP and NETLINK_DROP_MEMBERSHIP.
    pub(crate) fn netlink_group(&mut self, id: SocketId, group: u32, join: bool) -> Result<(), Errno> {
        if group == 0 || group > GROUPS {
            return Err(Errno::EINVAL);
        }
        let Addr::Netlink { groups, .. } = &mut self.get_mut(id)?.local.address else { return Err(Errno::EINVAL) };
        let bit = 1 << (group - 1);
        *groups = if join { *groups | bit } else { *groups & !bit };
        Ok(())
    }

    pub(crate) fn netlink_connect(&mut self, id: SocketId, addr: &Addr) -> Result<(), Errno> {
        match addr {
            Addr::Netlink { .. } => self.at_mut(id).remote.address = addr.clone(),
            Addr::Unspec => self.at_mut(id).remote.address = Addr::Netlink { port: 0, groups: 0 },
            _ => return Err(Errno::EINVAL),
        }
        if matches!(self.at(id).local.address, Addr::Netlink { port: 0, .. }) {
            let Addr::Netlink { groups, .. } = self.at(id).local.address else { return Ok(()) };
            self.netlink_bind(id, &Addr::Netlink { port: 0, groups })?;
        }
        Ok(())
    }

    pub(crate) fn netlink_send(
        &mut self,
        id: SocketId,
        source: &mut dyn Source,
        call: &Send<R>,
    ) -> Result<usize, Errno> {
        if call.flags & crate::linux::msg::OOB != 0 {
            return Err(Errno::EOPNOTSUPP);
        }
        let to_kernel = match call.dest.unwrap_or(&self.at(id).remote.address) {
            Addr::Netlink { port, .. } => *port == 0,
            _ => return Err(Errno::EINVAL),
        };
        let Addr::Netlink { port, groups } = self.at(id).local.address else { return Err(Errno::EINVAL) };
        if port == 0 {
            self.netlink_bind(id, &Addr::Netlink { port: 0, groups })?;
        }
        if call.len > (self.at(id).local.options.int(Int::SendBuffer) as usize).saturating_sub(32) {
            return Err(Errno::EMSGSIZE);
        }
        let mut bytes = alloc::vec![0; call.len];
        source.read_into(&mut bytes)?;
        if !to_kernel {
            return Err(Errno::ECONNREFUSED);
        }
        self.netlink_requests(id, &bytes);
        Ok(call.len)
    }

    /// Answers each request of a message.
    fn netlink_requests(&mut self, id: SocketId, mut bytes: &[u8]) {
        let Addr::Netlink { port, .. } = self.at(id).local.address else { return };
        while let Some(header) = bytes.get(..16) {
            let short = |at: usize| u16::from_ne_bytes([header[at], header[at + 1]]);
            let long = |at: usize| u32::from_ne_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]);
            let len = long(0) as usize;
            let (Some(body), Some(whole)) = (bytes.get(16..len), bytes.get(..len)) else { return };
            let options = &self.at(id).local.options;
            let (strict, capped) = (options.flag(Flag::StrictCheck), options.flag(Flag::CapAck));
            let (kind, flags, seq) = (short(4), short(6), long(8));
            let request = Request { kind, flags, seq, port, body, whole, strict, capped };
            // netlink(7): types below 16 are control messages, which ask for nothing.
            if kind >= 16 && flags & REQUEST != 0 {
                self.netlink_request(id, &request);
            } else if flags & ACK != 0 {
                self.netlink_deliver(id, &request.error(0));
            }
            bytes = bytes.get(len.next_multiple_of(4)..).unwrap_or(&[]);
        }
    }

    /// Answers one request: messages in datagrams that fit, or an error.
    fn netlink_request(&mut self, id: SocketId, request: &Request) {
        let entry = self.at(id);
        let host = entry.connection.host;
        let dumping = entry.connection.extra.as_ref().is_some_and(|extra| !extra.dump.is_empty());
        let found = match entry.local.protocol {
            _ if dumping && request.dump() => Err(Errno::EBUSY.0),
            Protocol::Netlink(ROUTE) => self.route_answers(host, request),
            Protocol::Netlink(SOCK_DIAG) => self.diag_answers(host, request),
            Protocol::Netlink(GENERIC) => generic(request),
            // NETLINK_KOBJECT_UEVENT takes no requests.
            _ => return,
        };
        let messages = match found {
            Ok(messages) => messages,
            Err(errno) => return self.netlink_deliver(id, &request.error(errno)),
        };
        if !request.dump() {
            messages.iter().for_each(|message| self.netlink_deliver(id, message));
            if request.flags & ACK != 0 {
                self.netlink_deliver(id, &request.error(0));
            }
            return;
        }
        let mut out: VecDeque<Vec<u8>> = VecDeque::new();
        for message in messages {
            match out.back_mut().filter(|last| last.len() + message.len() <= ROOM) {
                Some(last) => last.extend_from_slice(&message),
                None => out.push_back(message),
            }
        }
        out.push_back(Message::new(DONE, MULTI, request.seq, request.port, &[0; 4]).finish());
        self.at_mut(id).extra().dump = out;
        self.netlink_continue(id);
    }

    /// Goes on with a dump, as long as the reader keeps up.
    pub(crate) fn netlink_continue(&mut self, id: SocketId) {
        loop {
            let entry = self.slab.at_mut(id);
            let limit = entry.local.options.int(Int::ReceiveBuffer) as usize;
            if entry.receive_queue.held > limit / 2 {
                return;
            }
            let next = entry.connection.extra.as_mut().and_then(|extra| extra.dump.pop_front());
            let Some(next) = next else { return };
            self.netlink_deliver(id, &next);
        }
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
        let entry = self.slab.at_mut(id);
        let options = &entry.local.options;
        // netlink(7): "if the socket buffer is full ... the message will be dropped", and ENOBUFS tells of it.
        if entry.receive_queue.held > options.int(Int::ReceiveBuffer) as usize {
            if !options.flag(Flag::NoBufferError) {
                entry.connection.error = Some(Errno::ENOBUFS);
                self.log.notify(entry, poll::ERR);
            }
            return;
        }
        let payload = self.pool.copy(bytes);
        let datagram = Datagram {
            from: Addr::Netlink { port: 0, groups: 0 },
            to: IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            to_port: 0,
            interface: 0,
            ttl: 0,
            tos: 0,
            payload,
            truesize: unix_truesize(bytes.len()),
            ancillary: None,
            at: self.log.now,
            sender: crate::queue::NOBODY,
            drops: 0,
        };
        entry.receive_queue.push_datagram(datagram);
        self.log.settle(entry);
        self.log.notify(entry, poll::READ);
    }
}
