//! NETLINK_SOCK_DIAG (sock_diag(7)): what `ss` asks. The inode number of a socket is its unique ID.

use crate::addr::{Addr, Endpoint, Family, UnixAddr};
use crate::entry::{Entry, Phase, Protocol, SHUT_RECEIVE, SHUT_SEND, SocketType};
use crate::linux::{af, ipproto};
use crate::netlink::{Answers, Message, Request};
use crate::options::{Flag, Int};
use crate::table::SocketTable;
use crate::tcp::TcpState;
use alloc::vec::Vec;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use snowglobe_abi::Errno;

/// SOCK_DIAG_BY_FAMILY, which is the type of the answers too, and SOCK_DESTROY.
const BY_FAMILY: u16 = 20;
const DESTROY: u16 = 21;
/// Bytes of `struct inet_diag_req_v2` and `struct unix_diag_req`.
const INET_REQUEST: usize = 56;
const UNIX_REQUEST: usize = 24;

/// `struct inet_diag_sockid` of two ends.
struct Ends {
    own: Endpoint,
    other: Endpoint,
    device: u32,
    cookie: u64,
}

impl Ends {
    fn put(&self, out: &mut Vec<u8>) {
        for end in [self.own, self.other] {
            out.extend_from_slice(&end.port.to_be_bytes());
        }
        for end in [self.own, self.other] {
            match end.ip {
                IpAddr::V4(ip) => {
                    out.extend_from_slice(&ip.octets());
                    out.extend_from_slice(&[0; 12]);
                }
                IpAddr::V6(ip) => out.extend_from_slice(&ip.octets()),
            }
        }
        out.extend_from_slice(&self.device.to_ne_bytes());
        out.extend_from_slice(&self.cookie.to_ne_bytes());
    }
}

/// What a request for IP sockets asks.
struct InetRequest {
    family: Family,
    protocol: u32,
    /// Which attributes: a bit for each number less one.
    extensions: u8,
    /// Which states: a bit for each.
    states: u32,
    /// The ends and the cookie of the one that is asked for, where it is one.
    own: Endpoint,
    other: Endpoint,
    cookie: u64,
}

impl InetRequest {
    fn read(request: &Request) -> Option<InetRequest> {
        let body = request.body.get(..INET_REQUEST)?;
        let family = if u16::from(body[0]) == af::INET { Family::Inet } else { Family::Inet6 };
        let ip = |at: usize| {
            let raw: [u8; 16] = body[at..at + 16].try_into().unwrap_or_default();
            match family {
                Family::Inet => IpAddr::V4(Ipv4Addr::new(raw[0], raw[1], raw[2], raw[3])),
                _ => IpAddr::V6(Ipv6Addr::from(raw)),
            }
        };
        let end = |port: usize, at| Endpoint::new(ip(at), u16::from_be_bytes([body[port], body[port + 1]]));
        let cookie = u64::from(request.word(52)) << 32 | u64::from(request.word(48));
        let (own, other) = (end(8, 12), end(10, 28));
        let (protocol, extensions) = (u32::from(body[1]), body[2]);
        Some(InetRequest { family, protocol, extensions, states: request.word(4), own, other, cookie })
    }

    fn wants(&self, attribute: u16) -> bool {
        self.extensions >> (attribute - 1) & 1 != 0
    }
}

/// State of a socket as the diagnostics count: those of TCP, of which others use two.
fn state<R>(entry: &Entry<R>) -> u8 {
    match entry.local.protocol {
        Protocol::Tcp => entry.tcp_state() as u8,
        Protocol::Unix => match entry.connection.phase {
            Phase::Listening => TcpState::Listen as u8,
            Phase::Connected | Phase::Shutdown | Phase::Disconnected => TcpState::Established as u8,
            _ => TcpState::Close as u8,
        },
        _ if entry.is_associated() => TcpState::Established as u8,
        _ => TcpState::Close as u8,
    }
}

impl<R: Clone> SocketTable<R> {
    /// What a request of NETLINK_SOCK_DIAG brings.
    pub(crate) fn diag_answers(&self, host: u32, request: &Request) -> Answers {
        match (request.kind, request.family()) {
            (DESTROY, _) => Err(Errno::EOPNOTSUPP.0),
            (BY_FAMILY, af::INET | af::INET6) => self.diag_inet(host, request),
            (BY_FAMILY, af::UNIX) => self.diag_unix(host, request),
            (BY_FAMILY, _) => Err(Errno::ENOENT.0),
            _ => Err(Errno::EINVAL.0),
        }
    }

    fn diag_inet(&self, host: u32, request: &Request) -> Answers {
        let asked = InetRequest::read(request).ok_or(Errno::EINVAL.0)?;
        let fits = |e: &&Entry<R>| {
            let protocol = match (asked.protocol, e.local.kind) {
                (ipproto::TCP, _) => e.local.protocol == Protocol::Tcp,
                (ipproto::UDP, _) => e.local.protocol == Protocol::Udp && e.local_end().port != 0,
                (255, SocketType::Raw) => e.local.protocol == Protocol::Icmp,
                _ => false,
            };
            let closed = e.local.protocol == Protocol::Tcp && e.tcp_state() == TcpState::Close;
            protocol && e.connection.host == host && e.local.family == asked.family && !closed && !e.connection.service
        };
        if ![ipproto::TCP, ipproto::UDP, 255].contains(&asked.protocol) {
            return Err(Errno::ENOENT.0);
        }
        if !request.dump() {
            let same = |e: &&Entry<R>| {
                let ends = |own: Endpoint, other: Endpoint| {
                    seen(own, asked.family) == asked.own && seen(other, asked.family) == asked.other
                };
                let cookie = asked.cookie == u64::MAX || asked.cookie == e.local.id;
                cookie && ends(e.local_end(), e.remote_end())
            };
            let found = self.entries().filter(fits).find(same).ok_or(Errno::ENOENT.0)?;
            return Ok(alloc::vec![self.inet_line(request, &asked, found)]);
        }
        let wanted = |e: &&Entry<R>| asked.states >> state(e) & 1 != 0;
        let all = self.entries().filter(fits).filter(wanted);
        let mut out: Vec<Vec<u8>> = all.map(|e| self.inet_line(request, &asked, e)).collect();
        let time_wait = asked.states >> TcpState::TimeWait as u8 & 1 != 0;
        if asked.protocol == ipproto::TCP && asked.family == Family::Inet && time_wait {
            out.extend(self.resting_lines(host, request));
        }
        Ok(out)
    }

    /// `struct inet_diag_msg` of a socket, and the attributes that are asked for.
    fn inet_line(&self, request: &Request, asked: &InetRequest, e: &Entry<R>) -> Vec<u8> {
        let (own, other) = (seen(e.local_end(), e.local.family), seen(e.remote_end(), e.local.family));
        let tcp = &e.connection.tcp;
        let options = &e.local.options;
        let (timer, due) = tcp.clock.shown().unwrap_or((0, self.log.now));
        let left = (due.saturating_sub(self.log.now) / 1_000_000) as u32;
        // A timer's number says which of the two counts is shown.
        let retries = tcp.wire.as_deref().map_or(0, |wire| match timer {
            4 => wire.probes,
            _ => wire.retries.min(255) as u8,
        });
        let mut body = alloc::vec![e.local.family.number() as u8, state(e), timer, retries];
        Ends { own, other, device: options.device, cookie: e.local.id }.put(&mut body);
        let (received, sent) = match (&e.connection.listener, e.local.protocol) {
            (Some(l), _) => (l.accept.len(), l.backlog as usize),
            (None, Protocol::Tcp) => (e.receive_queue.bytes.len(), e.send_queue.bytes.len()),
            _ => (e.receive_queue.held(), e.send_queue.held()),
        };
        let inode = if e.connection.open { e.local.id as u32 } else { 0 };
        for word in [left, received as u32, sent as u32, e.connection.cred.uid, inode] {
            body.extend_from_slice(&word.to_ne_bytes());
        }
        let mut message = request.reply(BY_FAMILY, &body);
        // INET_DIAG_SHUTDOWN.
        let shut = e.connection.shut & (SHUT_RECEIVE | SHUT_SEND);
        message = message.attribute(8, &[shut]);
        // INET_DIAG_TOS, INET_DIAG_TCLASS and INET_DIAG_SKV6ONLY.
        if asked.wants(5) {
            message = message.attribute(5, &[options.int(Int::Tos) as u8]);
        }
        if e.local.family == Family::Inet6 {
            if asked.wants(6) {
                message = message.attribute(6, &[options.int(Int::TrafficClass) as u8]);
            }
            if matches!(state(e), 7 | 10) {
                message = message.attribute(11, &[u8::from(options.flag(Flag::V6Only))]);
            }
        }
        // INET_DIAG_SKMEMINFO and INET_DIAG_MEMINFO.
        let memory = crate::options::memory(e);
        if asked.wants(7) {
            message = message.attribute(7, &memory);
        }
        if asked.wants(1) {
            message = message.attribute(1, &[&memory[..4], &[0; 12]].concat());
        }
        self.stream_attributes(message, asked, e).finish()
    }

    /// INET_DIAG_INFO and INET_DIAG_CONG, which are of TCP.
    fn stream_attributes(&self, mut message: Message, asked: &InetRequest, e: &Entry<R>) -> Message {
        if e.local.protocol != Protocol::Tcp {
            return message;
        }
        if asked.wants(2)
            && let Ok(info) = self.tcp_info(e.id())
        {
            message = message.attribute(2, &info);
        }
        if asked.wants(4) { message.text(4, e.local.options.congestion_name()) } else { message }
    }

    /// Connections at rest.
    fn resting_lines(&self, host: u32, request: &Request) -> Vec<Vec<u8>> {
        const TIME_WAIT_TIMER: u8 = 3;
        let now = self.log.now;
        let line = |(own, other, until): (Endpoint, Endpoint, u64)| {
            let mut body = alloc::vec![af::INET as u8, TcpState::TimeWait as u8, TIME_WAIT_TIMER, 0];
            Ends { own, other, device: 0, cookie: u64::from(own.port) }.put(&mut body);
            body.extend_from_slice(&(((until - now) / 1_000_000) as u32).to_ne_bytes());
            body.resize(72, 0);
            request.reply(BY_FAMILY, &body).finish()
        };
        let resting = self.ports.resting(host).filter(|(_, until)| *until > now);
        resting.map(|(key, until)| line((key.local(), key.remote(), until))).collect()
    }

    fn diag_unix(&self, host: u32, request: &Request) -> Answers {
        if request.body.len() < UNIX_REQUEST {
            return Err(Errno::EINVAL.0);
        }
        let (states, inode) = (request.word(4), request.word(8));
        let ours = |e: &&Entry<R>| e.connection.host == host && e.local.protocol == Protocol::Unix;
        if !request.dump() {
            let found = self.entries().filter(ours).find(|e| e.local.id as u32 == inode).ok_or(Errno::ENOENT.0)?;
            return Ok(alloc::vec![self.unix_line(request, found)]);
        }
        let wanted = |e: &&Entry<R>| states >> state(e) & 1 != 0;
        Ok(self.entries().filter(ours).filter(wanted).map(|e| self.unix_line(request, e)).collect())
    }

    /// `struct unix_diag_msg` of a socket, and the attributes that are asked for.
    fn unix_line(&self, request: &Request, e: &Entry<R>) -> Vec<u8> {
        let show = request.word(12);
        let mut body = alloc::vec![af::UNIX as u8, e.local.kind.number() as u8, state(e), 0];
        body.extend_from_slice(&(e.local.id as u32).to_ne_bytes());
        body.extend_from_slice(&e.local.id.to_ne_bytes());
        let mut message = request.reply(BY_FAMILY, &body);
        let name = match &e.local.address {
            Addr::Unix(UnixAddr::Path { name, .. }) => Some([name, &[0][..]].concat()),
            Addr::Unix(UnixAddr::Abstract(name)) => Some([&[0][..], name].concat()),
            _ => None,
        };
        if let Some(name) = name.filter(|_| show & 1 != 0) {
            message = message.attribute(0, &name);
        }
        let peer = e.connection.peer.and_then(|peer| self.slab.get(peer));
        if let Some(peer) = peer.filter(|_| show & 4 != 0) {
            message = message.number(2, peer.local.id as u32);
        }
        let listener = e.connection.listener.as_ref();
        if let Some(listener) = listener.filter(|_| show & 8 != 0) {
            let waiting = listener.accept.iter().filter_map(|child| self.at(*child).connection.peer);
            let inodes = waiting.flat_map(|client| (self.at(client).local.id as u32).to_ne_bytes());
            message = message.attribute(3, &inodes.collect::<Vec<u8>>());
        }
        if show & 0x10 != 0 {
            let unread = peer.map_or(0, |p| p.receive_queue.len());
            let own = (e.receive_queue.len(), unread);
            let (received, sent) = listener.map_or(own, |l| (l.accept.len(), l.backlog as usize));
            message = message.attribute(4, &[(received as u32).to_ne_bytes(), (sent as u32).to_ne_bytes()].concat());
        }
        if show & 0x20 != 0 {
            message = message.attribute(5, &crate::options::memory(e));
        }
        if show & 0x40 != 0 {
            message = message.number(7, e.connection.cred.uid);
        }
        // UNIX_DIAG_SHUTDOWN.
        message.attribute(6, &[e.connection.shut]).finish()
    }
}

/// An endpoint as the diagnostics of a family tell it.
fn seen(end: Endpoint, family: Family) -> Endpoint {
    crate::report::unmapped(end, family)
}
