//! The world's name service (RFC 1035): on each network's resolver address, and on 127.0.0.11 of every host.
//!
//! It knows services, host names and aliases of the networks that the asking host is on, and their addresses back. A
//! name with several replicas gives all of them, each answer beginning one further on than the last about the same name and
//! kind of address (who asks for IPv4 and IPv6 in turn gets every replica first in each). Any other name does not exist.
//! Names have IPv6 addresses on networks with `enable_ipv6` only, as with Compose: who is found by one must listen there.

use crate::addr::Endpoint;
use crate::call::{Cred, SocketId};
use crate::entry::{Path, Protocol, SocketType};
use crate::fabric::{Body, Packet};
use crate::link::{Host, RESOLVER, World};
use crate::table::SocketTable;
use crate::tcp::Arrival;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Write;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use snowglobe_abi::spec::{HostSpec, NetworkSpec};

const A: u16 = 1;
const PTR: u16 = 12;
const AAAA: u16 = 28;
const OPT: u16 = 41;
const ANY: u16 = 255;
/// Seconds for which an answer holds.
const LIFETIME: u32 = 600;
/// Bytes of an answer by UDP when the question says nothing else (RFC 1035, 2.3.4).
const SHORT: usize = 512;

/// How often each name with several addresses has been asked for, by kind of record.
type Rotations = BTreeMap<(String, u16), u32>;

/// A question, cut out of its message.
struct Question<'a> {
    id: [u8; 2],
    recursion: bool,
    /// The question section as it came.
    bytes: &'a [u8],
    /// The name, in lower case, without the last dot.
    name: String,
    kind: u16,
    /// Room for the answer, if the question states one (RFC 6891).
    room: Option<usize>,
}

fn word(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes([*bytes.get(at)?, *bytes.get(at + 1)?]))
}

impl<'a> Question<'a> {
    /// Reads a message with one question.
    fn parse(message: &'a [u8]) -> Option<Question<'a>> {
        let flags = word(message, 2)?;
        let query = flags & 0xf800 == 0 && word(message, 4)? == 1;
        let mut name = String::new();
        let mut at = 12;
        loop {
            let len = usize::from(*message.get(at)?);
            at += 1;
            match len {
                0 => break,
                1..=63 => {
                    if !name.is_empty() {
                        name.push('.');
                    }
                    let label = message.get(at..at + len)?;
                    label.iter().for_each(|b| name.push(char::from(b.to_ascii_lowercase())));
                    at += len;
                }
                _ => return None,
            }
        }
        let kind = word(message, at)?;
        let end = at + 4;
        let extra = word(message, 10)? > 0 && message.get(end) == Some(&0) && word(message, end + 1) == Some(OPT);
        let room = if extra { word(message, end + 3).map(|room| usize::from(room).max(SHORT)) } else { None };
        let id = [message[0], message[1]];
        let bytes = message.get(12..end)?;
        query.then_some(Question { id, recursion: flags & 0x100 != 0, bytes, name, kind, room })
    }
}

/// Whether `name` is one of a host's on its interface number `at` (after `lo`).
fn is_called(host: &Host, at: usize, name: &str) -> bool {
    let is = |own: &str| own.eq_ignore_ascii_case(name);
    // The service of a replica is among its aliases.
    is(&host.name)
        || is(&host.hostname)
        || host.aliases.get(at).is_some_and(|aliases| aliases.iter().any(|alias| is(alias)))
}

/// The addresses of a name on these networks, in the order of the world file.
fn lookup(world: &World, networks: &[u32], name: &str) -> Vec<(Ipv4Addr, Option<Ipv6Addr>)> {
    if name == "localhost" {
        return alloc::vec![(Ipv4Addr::LOCALHOST, Some(Ipv6Addr::LOCALHOST))];
    }
    let mut found = Vec::new();
    for &network in networks {
        let ipv6 = world.networks[network as usize].ipv6;
        for &member in &world.networks[network as usize].members {
            let host = world.host(member);
            let interfaces = host.interfaces.iter().skip(1).enumerate();
            let ours = interfaces.filter(|(at, i)| i.network == Some(network) && is_called(host, *at, name));
            found.extend(ours.map(|(_, i)| (i.v4, i.v6.first().map(|v6| v6.0).filter(|_| ipv6))));
        }
    }
    found
}

/// The address that a name under `in-addr.arpa` or `ip6.arpa` stands for.
fn reverse(name: &str) -> Option<IpAddr> {
    if let Some(quad) = name.strip_suffix(".in-addr.arpa") {
        let mut parts = [0u8; 4];
        let mut labels = quad.split('.');
        for part in parts.iter_mut().rev() {
            *part = labels.next()?.parse().ok()?;
        }
        return labels.next().is_none().then(|| IpAddr::V4(Ipv4Addr::from(parts)));
    }
    let nibbles = name.strip_suffix(".ip6.arpa")?;
    let mut bits = 0u128;
    let mut count = 0;
    for label in nibbles.split('.') {
        bits |= u128::from(u8::from_str_radix(label, 16).ok().filter(|n| *n < 16)?).checked_shl(count * 4)?;
        count += 1;
    }
    (count == 32).then(|| IpAddr::V6(Ipv6Addr::from(bits)))
}

/// The name of the host that has an address on one of these networks.
fn name_of(world: &World, networks: &[u32], ip: IpAddr) -> Option<String> {
    if ip.is_loopback() {
        return Some("localhost".into());
    }
    let host = networks.iter().find_map(|&n| world.networks[n as usize].addresses.get(&ip))?;
    Some(world.host(*host).name.clone())
}

/// Answer records and whether the name exists at all.
fn records(world: &World, networks: &[u32], question: &Question, rotations: &mut Rotations) -> (Vec<Vec<u8>>, bool) {
    if let Some(ip) = reverse(&question.name) {
        let name = name_of(world, networks, ip);
        let records = name.iter().filter(|_| question.kind == PTR || question.kind == ANY);
        return (records.map(|name| record(PTR, &labels(name))).collect(), name.is_some());
    }
    let mut found = lookup(world, networks, &question.name);
    if found.len() > 1 && [A, AAAA, ANY].contains(&question.kind) {
        let asked = rotations.entry((question.name.clone(), question.kind)).or_default();
        let by = *asked as usize % found.len();
        *asked = asked.wrapping_add(1);
        found.rotate_left(by);
    }
    let mut records = Vec::new();
    for (v4, v6) in &found {
        if question.kind == A || question.kind == ANY {
            records.push(record(A, &v4.octets()));
        }
        if let Some(v6) = v6.filter(|_| question.kind == AAAA || question.kind == ANY) {
            records.push(record(AAAA, &v6.octets()));
        }
    }
    (records, !found.is_empty())
}

/// A name in the form of messages.
fn labels(name: &str) -> Vec<u8> {
    let mut out = Vec::new();
    for label in name.split('.') {
        let label = &label.as_bytes()[..label.len().min(63)];
        out.push(label.len() as u8);
        out.extend_from_slice(label);
    }
    out.push(0);
    out
}

/// A record about the name of the question.
fn record(kind: u16, data: &[u8]) -> Vec<u8> {
    let mut out = Vec::from([0xc0, 12]);
    out.extend_from_slice(&kind.to_be_bytes());
    out.extend_from_slice(&[0, 1]);
    out.extend_from_slice(&LIFETIME.to_be_bytes());
    out.extend_from_slice(&(data.len() as u16).to_be_bytes());
    out.extend_from_slice(data);
    out
}

/// The name service by itself, for who carries its messages otherwise than over this table.
#[derive(Clone, Debug)]
pub struct Resolver {
    world: World,
    rotations: Rotations,
}

impl Resolver {
    /// The service of a world.
    pub fn new(networks: &[NetworkSpec], hosts: &[HostSpec]) -> Resolver {
        // Nothing is drawn: it only looks names up.
        Resolver { world: World::new(networks, hosts, 0), rotations: Rotations::new() }
    }

    /// The answer to a message about the names of these networks; none to what is no question. By a `stream` it may be long.
    pub fn answer(&mut self, networks: &[u32], message: &[u8], stream: bool) -> Option<Vec<u8>> {
        answer(&self.world, networks, message, &mut self.rotations, stream)
    }

    /// The hosts as the network knows them, in the order of the world file.
    pub fn hosts(&self) -> &[Host] {
        &self.world.hosts
    }
}

/// The answer to a message; none to what is no question.
fn answer(world: &World, networks: &[u32], message: &[u8], rotations: &mut Rotations, stream: bool) -> Option<Vec<u8>> {
    let question = Question::parse(message)?;
    let (records, exists) = records(world, networks, &question, rotations);
    let room = if stream { 65535 } else { question.room.unwrap_or(SHORT) };
    let extra: &[u8] = if question.room.is_some() { &[0, 0, 41, 0x10, 0, 0, 0, 0, 0, 0, 0] } else { &[] };
    let mut body = question.bytes.to_vec();
    let mut count = 0u16;
    for record in &records {
        if 12 + body.len() + record.len() + extra.len() > room {
            break;
        }
        body.extend_from_slice(record);
        count += 1;
    }
    let cut = usize::from(count) < records.len();
    let flags = 0x8480u16 | u16::from(question.recursion) << 8 | u16::from(cut) << 9 | if exists { 0 } else { 3 };
    let mut out = question.id.to_vec();
    for word in [flags, 1, count, 0, u16::from(!extra.is_empty())] {
        out.extend_from_slice(&word.to_be_bytes());
    }
    out.extend_from_slice(&body);
    out.extend_from_slice(extra);
    Some(out)
}

impl<R: Clone> SocketTable<R> {
    /// Whether a packet is for the resolver.
    fn is_for_resolver(&self, packet: &Arrival) -> bool {
        let local = packet.dst.ip == IpAddr::V4(crate::link::LOCAL_RESOLVER);
        packet.dst.port == 53 && (packet.host == RESOLVER || local)
    }

    /// The networks that a question is about: the one it came by, or all of the host that asks itself.
    fn networks_of(&self, host: u32, network: Option<u32>) -> Vec<u32> {
        match network {
            Some(network) => alloc::vec![network],
            None => self.world.host(host).interfaces.iter().filter_map(|i| i.network).collect(),
        }
    }

    fn resolve(&mut self, host: u32, network: Option<u32>, message: &[u8], stream: bool) -> Option<Vec<u8>> {
        let networks = self.networks_of(host, network);
        answer(&self.world, &networks, message, &mut self.rotations, stream)
    }

    /// Answers a datagram.
    pub(crate) fn resolver_answers(&mut self, packet: Packet) {
        let Body::Udp(chunk) = &packet.body else { return };
        let Some(message) = self.resolve(packet.from, packet.network, chunk.bytes(), false) else { return };
        let Packet { from, to, network, src, dst, .. } = packet;
        let body = Body::Udp(self.pool.copy(&message));
        let answer = Packet { from: to, to: from, network, src: dst, dst: src, ttl: 64, tos: 0, body };
        match network {
            None => self.udp_arrive(answer),
            Some(network) => {
                self.transmit(Path::Link { network, host: from }, answer, 0);
            }
        }
    }

    /// Takes a connection, if it is for the resolver.
    pub(crate) fn resolver_accepts(&mut self, packet: &Arrival) -> bool {
        if !self.is_for_resolver(packet) {
            return false;
        }
        let family = crate::addr::Family::Inet;
        let local = self.structure(family, SocketType::Stream, Protocol::Tcp);
        let id = self.insert(packet.host, Cred::default(), local);
        self.at_mut(id).connection.service = true;
        self.open_service(id, packet);
        true
    }

    /// Answers what a connection of the resolver has received: messages with their length before them.
    pub(crate) fn resolver_serves(&mut self, id: SocketId) {
        loop {
            let entry = self.at(id);
            let mut held = Vec::new();
            let _ = entry.receive_queue.bytes.copy_out(0, entry.receive_queue.bytes.len(), &mut held);
            let Some(len) = word(&held, 0).map(usize::from).filter(|len| held.len() >= 2 + len) else { return };
            let (host, network) = match entry.connection.path {
                Path::Link { network, host } => (host, Some(network)),
                _ => (entry.connection.host, None),
            };
            let answer = self.resolve(host, network, &held[2..2 + len], true).unwrap_or_default();
            let entry = self.slab.at_mut(id);
            entry.receive_queue.consume(&mut self.pool, 2 + len);
            let mut out = (answer.len() as u16).to_be_bytes().to_vec();
            out.extend_from_slice(&answer);
            entry.send_queue.bytes.push_from(&mut self.pool, &mut &out[..], out.len());
            self.settle(id);
        }
    }

    /// What `/etc/hosts` of a host says of the host itself: addresses and names, one line each.
    pub fn hosts_text(&self, host: u32) -> String {
        let host = self.world.host(host);
        let mut out = String::from("127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n");
        for interface in host.interfaces.iter().skip(1) {
            let _ = writeln!(out, "{}\t{}", interface.v4, host.hostname);
        }
        out
    }
}

/// The endpoint on which a host's own resolver answers, for its `/etc/resolv.conf`.
pub const LOCAL: Endpoint = Endpoint::new(IpAddr::V4(crate::link::LOCAL_RESOLVER), 53);
