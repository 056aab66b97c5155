//! NETLINK_ROUTE (rtnetlink(7)): links, addresses, routes, rules and neighbours of a host. They can be looked at, and
//! not changed: the world file has made them.

use crate::link::{Host, Interface, Route, mask};
use crate::linux::af;
use crate::netlink::{Answers, Request, flags_of, hardware_of};
use crate::table::SocketTable;
use alloc::vec::Vec;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use snowglobe_abi::Errno;

const NEW_LINK: u16 = 16;
const GET_LINK: u16 = 18;
const NEW_ADDRESS: u16 = 20;
const GET_ADDRESS: u16 = 22;
const NEW_ROUTE: u16 = 24;
const GET_ROUTE: u16 = 26;
const NEW_NEIGHBOUR: u16 = 28;
const GET_NEIGHBOUR: u16 = 30;
const NEW_RULE: u16 = 32;
const GET_RULE: u16 = 34;
/// Which of the four kinds a request is: new, delete, get, set.
const KIND: u16 = 3;
const GET: u16 = 2;

/// Routing tables.
const MAIN: u8 = 254;
const LOCAL: u8 = 255;
/// RTPROT_KERNEL.
const BY_KERNEL: u8 = 2;
/// Types of routes.
const UNICAST: u8 = 1;
const TO_SELF: u8 = 2;
const TO_ALL: u8 = 3;
const TO_GROUP: u8 = 5;
/// Scopes.
const SCOPE_HOST: u8 = 254;
const SCOPE_LINK: u8 = 253;

/// Bytes of IFLA_STATS64 and IFLA_STATS, `struct rtnl_link_stats64` and `rtnl_link_stats`: programs read them unasked
/// (Prometheus' node exporter). As in `/proc/net/dev`, interfaces count nothing.
const STATS64: usize = 25 * 8;
const STATS: usize = 24 * 4;

/// One route, as it is told.
struct Line {
    to: IpAddr,
    prefix: u8,
    table: u8,
    kind: u8,
    scope: u8,
    interface: u32,
    source: Option<IpAddr>,
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
        .attribute(23, &[0; STATS64])
        .attribute(7, &[0; STATS])
        .finish()
}

/// RTM_NEWADDR.
fn address(request: &Request, i: &Interface, ip: IpAddr, prefix: u8) -> Vec<u8> {
    const PERMANENT: u8 = 0x80;
    let family = if ip.is_ipv4() { af::INET } else { af::INET6 } as u8;
    let scope = match ip {
        ip if ip.is_loopback() => SCOPE_HOST,
        IpAddr::V6(v6) if v6.is_unicast_link_local() => SCOPE_LINK,
        _ => 0,
    };
    let mut body = alloc::vec![family, prefix, PERMANENT, scope];
    body.extend_from_slice(&i.index.to_ne_bytes());
    let message = request.reply(NEW_ADDRESS, &body);
    let for_ever = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 0];
    let message = match ip {
        IpAddr::V4(v4) => {
            let message = message.ip(1, ip).ip(2, ip);
            let wide = i.network.is_some() && v4 != i.broadcast();
            if wide { message.ip(4, IpAddr::V4(i.broadcast())) } else { message }.text(3, &i.name)
        }
        IpAddr::V6(_) => message.ip(1, ip),
    };
    message.number(8, u32::from(PERMANENT)).attribute(6, &for_ever).finish()
}

/// RTM_NEWROUTE.
fn route(request: &Request, line: &Line) -> Vec<u8> {
    let six = line.to.is_ipv6();
    let family = if six { af::INET6 } else { af::INET } as u8;
    let scope = if six { 0 } else { line.scope };
    let body = [family, line.prefix, 0, 0, line.table, BY_KERNEL, scope, line.kind, 0, 0, 0, 0];
    let message = request.reply(NEW_ROUTE, &body).number(15, u32::from(line.table));
    let message = message.ip(1, line.to);
    let message = if let Some(source) = line.source { message.ip(7, source) } else { message };
    // RTA_PRIORITY and RTA_PREF.
    let metric = if line.kind == TO_SELF { 0 } else { 256 };
    let message = if six { message.number(6, metric).attribute(20, &[0]) } else { message };
    message.number(4, line.interface).finish()
}

/// The network of an address.
fn network(ip: IpAddr, prefix: u8) -> IpAddr {
    match ip {
        IpAddr::V4(ip) => IpAddr::V4(Ipv4Addr::from(u32::from(ip) & mask(prefix))),
        IpAddr::V6(ip) => {
            let mask = u128::MAX.checked_shl(128 - u32::from(prefix)).unwrap_or(0);
            IpAddr::V6(Ipv6Addr::from(u128::from(ip) & mask))
        }
    }
}

/// The IPv4 routes of a host, as Linux makes them for its addresses: the main table, then the local one.
fn routes4(host: &Host) -> Vec<Line> {
    let mut out = Vec::new();
    for i in host.interfaces.iter().filter(|i| i.network.is_some()) {
        let ip = IpAddr::V4(i.v4);
        let (to, interface, source) = (network(ip, i.prefix), i.index, Some(ip));
        out.push(Line { to, prefix: i.prefix, table: MAIN, kind: UNICAST, scope: SCOPE_LINK, interface, source });
    }
    for i in &host.interfaces {
        let ip = IpAddr::V4(i.v4);
        let line = |to, prefix, kind, scope| Line {
            to,
            prefix,
            table: LOCAL,
            kind,
            scope,
            interface: i.index,
            source: Some(ip),
        };
        if i.network.is_none() {
            out.push(line(network(ip, i.prefix), i.prefix, TO_SELF, SCOPE_HOST));
        }
        out.push(line(ip, 32, TO_SELF, SCOPE_HOST));
        if i.prefix < 31 {
            out.push(line(IpAddr::V4(i.broadcast()), 32, TO_ALL, SCOPE_LINK));
        }
    }
    out
}

/// The IPv6 routes of a host.
fn routes6(host: &Host) -> Vec<Line> {
    const ALL_GROUPS: Ipv6Addr = Ipv6Addr::new(0xff00, 0, 0, 0, 0, 0, 0, 0);
    let addresses = || host.interfaces.iter().flat_map(|i| i.v6.iter().map(move |&(ip, prefix)| (i, ip, prefix)));
    let line = |i: &Interface, to, prefix, table, kind| {
        let (interface, source) = (i.index, None);
        Line { to, prefix, table, kind, scope: 0, interface, source }
    };
    let mut out: Vec<Line> =
        addresses().map(|(i, ip, prefix)| line(i, network(IpAddr::V6(ip), prefix), prefix, MAIN, UNICAST)).collect();
    out.extend(addresses().map(|(i, ip, _)| line(i, IpAddr::V6(ip), 128, LOCAL, TO_SELF)));
    let wide = host.interfaces.iter().filter(|i| i.network.is_some());
    out.extend(wide.map(|i| line(i, IpAddr::V6(ALL_GROUPS), 8, LOCAL, TO_GROUP)));
    out
}

/// The rules that every host has: all is looked up in the local table, then in the main one.
fn rules(request: &Request, family: u16) -> Vec<Vec<u8>> {
    const TO_TABLE: u8 = 1;
    const DEFAULT: u8 = 253;
    let mut all = alloc::vec![(0u32, LOCAL), (32766, MAIN)];
    if family == af::INET {
        all.push((32767, DEFAULT));
    }
    let rule = |(priority, table): (u32, u8)| {
        let body = [family as u8, 0, 0, 0, table, 0, 0, TO_TABLE, 0, 0, 0, 0];
        let message = request.reply(NEW_RULE, &body).number(15, u32::from(table)).number(14, u32::MAX);
        let message = message.attribute(21, &[BY_KERNEL]);
        let message = if priority == 0 { message } else { message.number(6, priority) };
        message.finish()
    };
    all.into_iter().map(rule).collect()
}

/// One link, by its index or its name.
fn one_link(host: &Host, request: &Request) -> Answers {
    let index = request.word(4);
    let name = request.attribute(16, 3).or_else(|| request.attribute(16, 53));
    let name = name.map(|n| n.strip_suffix(&[0]).unwrap_or(n));
    if index == 0 && name.is_none() {
        return Err(Errno::EINVAL.0);
    }
    let is = |i: &&Interface| if index != 0 { i.index == index } else { Some(i.name.as_bytes()) == name };
    let found = host.interfaces.iter().find(is).ok_or(Errno::ENODEV.0)?;
    Ok(alloc::vec![link(request, found)])
}

/// All addresses of a family, or of an interface where the request may say so.
fn addresses(host: &Host, request: &Request) -> Vec<Vec<u8>> {
    let family = request.family();
    let of = |f: u16| family == 0 || family == f;
    let index = if request.strict { request.word(4) } else { 0 };
    let chosen = || host.interfaces.iter().filter(move |i| index == 0 || i.index == index);
    let mut out = Vec::new();
    if of(af::INET) {
        out.extend(chosen().map(|i| address(request, i, IpAddr::V4(i.v4), i.prefix)));
    }
    if of(af::INET6) {
        let all = chosen().flat_map(|i| i.v6.iter().map(move |&(ip, prefix)| (i, ip, prefix)));
        out.extend(all.map(|(i, ip, prefix)| address(request, i, IpAddr::V6(ip), prefix)));
    }
    out
}

/// All routes of a family, of the table and by the interface that the request may name.
fn routes(host: &Host, request: &Request) -> Vec<Vec<u8>> {
    let family = request.family();
    let attribute = |kind| request.attribute(12, kind).and_then(|d| Some(u32::from_ne_bytes(d.try_into().ok()?)));
    let stated = attribute(15).or(request.body.get(4).map(|table| u32::from(*table)));
    let table = stated.filter(|table| request.strict && *table != 0);
    let interface = attribute(4).filter(|_| request.strict);
    let mut all = Vec::new();
    if family != af::INET6 {
        all.extend(routes4(host));
    }
    if family != af::INET {
        all.extend(routes6(host));
    }
    let wanted = |line: &&Line| {
        table.is_none_or(|t| t == u32::from(line.table)) && interface.is_none_or(|i| i == line.interface)
    };
    all.iter().filter(wanted).map(|line| route(request, line)).collect()
}

impl<R: Clone> SocketTable<R> {
    /// What a request of NETLINK_ROUTE brings.
    pub(crate) fn route_answers(&self, host: u32, request: &Request) -> Answers {
        let here = self.world.host(host);
        match (request.kind, request.dump()) {
            // A container has no say in its interfaces: rtnetlink(7) asks for CAP_NET_ADMIN.
            (kind, _) if kind & KIND != GET => Err(Errno::EPERM.0),
            (GET_LINK, true) => Ok(here.interfaces.iter().map(|i| link(request, i)).collect()),
            (GET_LINK, false) => one_link(here, request),
            (GET_ADDRESS, true) => Ok(addresses(here, request)),
            (GET_ROUTE, true) => Ok(routes(here, request)),
            (GET_ROUTE, false) => self.route_answer(host, request),
            (GET_NEIGHBOUR, true) => Ok(self.neighbour_answers(host, request)),
            (GET_RULE, true) => Ok(match request.family() {
                af::INET | af::INET6 => rules(request, request.family()),
                _ => [af::INET, af::INET6].into_iter().flat_map(|family| rules(request, family)).collect(),
            }),
            _ => Err(Errno::EOPNOTSUPP.0),
        }
    }

    /// RTM_NEWNEIGH for each host whose hardware address is known.
    fn neighbour_answers(&self, host: u32, request: &Request) -> Vec<Vec<u8>> {
        const REACHABLE: u16 = 2;
        const STALE: u16 = 4;
        let family = request.family();
        let index = if request.strict { request.word(4) } else { 0 };
        let mut out = Vec::new();
        for six in [false, true] {
            let own = if six { af::INET6 } else { af::INET };
            if family != 0 && family != own {
                continue;
            }
            for n in self.neighbours(host, six).iter().filter(|n| index == 0 || n.interface.index == index) {
                let mut body = alloc::vec![own as u8, 0, 0, 0];
                body.extend_from_slice(&n.interface.index.to_ne_bytes());
                let state = if n.reachable { REACHABLE } else { STALE };
                body.extend_from_slice(&state.to_ne_bytes());
                body.extend_from_slice(&[0, UNICAST]);
                out.push(request.reply(NEW_NEIGHBOUR, &body).ip(1, n.ip).attribute(2, &n.mac).number(4, 0).finish());
            }
        }
        out
    }

    /// `ip route get`.
    fn route_answer(&self, host: u32, request: &Request) -> Answers {
        const CLONED: u32 = 0x200;
        let data = request.attribute(12, 1).ok_or(Errno::EINVAL.0)?;
        let to = match (request.family(), data.len()) {
            (af::INET, 4) => IpAddr::V4(Ipv4Addr::new(data[0], data[1], data[2], data[3])),
            (af::INET6, 16) => IpAddr::V6(Ipv6Addr::from(<[u8; 16]>::try_from(data).map_err(|_| Errno::EINVAL.0)?)),
            _ => return Err(Errno::EINVAL.0),
        };
        let device = request.attribute(12, 4).and_then(|d| Some(u32::from_ne_bytes(d.try_into().ok()?))).unwrap_or(0);
        let route = self.world.route(host, to, device, 0).map_err(|e| e.0)?;
        let here = self.world.host(host);
        let index = match route {
            // What a host sends to itself goes by the loopback interface, whatever its address.
            Route::Local => 1,
            _ => route.interface().unwrap_or(1),
        };
        let kind = match route {
            Route::Local => TO_SELF,
            Route::Broadcast { .. } => TO_ALL,
            Route::Multicast { .. } => TO_GROUP,
            _ => UNICAST,
        };
        let source = if here.owns(to) { to } else { self.world.source(host, to, route) };
        let (table, flags) = (if kind == UNICAST { MAIN } else { LOCAL }, CLONED.to_ne_bytes());
        let mut body =
            alloc::vec![request.family() as u8, if to.is_ipv4() { 32 } else { 128 }, 0, 0, table, 0, 0, kind];
        body.extend_from_slice(if to.is_ipv4() { &flags } else { &[0; 4] });
        let message = request.reply(NEW_ROUTE, &body).number(15, u32::from(table)).ip(1, to).number(4, index);
        let message = message.ip(7, source);
        // RTA_UID, of IPv4; RTA_PRIORITY, of IPv6.
        let message = if to.is_ipv4() { message.number(25, 0) } else { message.number(6, 0).attribute(20, &[0]) };
        // RTA_CACHEINFO: eight words.
        Ok(alloc::vec![message.attribute(12, &[0; 32]).finish()])
    }
}
