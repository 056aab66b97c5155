//! Multicast groups (ip(7), ipv6(7), RFC 3678): who has joined which, by which interface, from which sources.

use crate::addr::Addr;
use crate::call::SocketId;
use crate::entry::{Entry, Protocol};
use crate::fabric::Packet;
use crate::link::Route;
use crate::linux::{ip, sol};
use crate::options::{Flag, int_of, v4_at, v6_at};
use crate::table::SocketTable;
use alloc::vec::Vec;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use snowglobe_abi::Errno;

/// Groups of one socket at most (`net.ipv4.igmp_max_memberships`).
const MOST_GROUPS: usize = 20;
/// Sources of one group at most (`net.ipv4.igmp_max_msf`).
const MOST_SOURCES: usize = 10;
/// Bytes of a `struct sockaddr_storage`.
const STORAGE: usize = 128;

/// A group that a socket has joined.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Membership {
    pub(crate) group: IpAddr,
    pub(crate) interface: u32,
    /// Whether `sources` are those that are let in, and not those that are kept out.
    include: bool,
    sources: Vec<IpAddr>,
}

impl Membership {
    fn lets_in(&self, source: IpAddr) -> bool {
        self.sources.contains(&source) == self.include
    }
}

/// What an option does to the groups of a socket.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Change {
    Join,
    Leave,
    /// Takes one source more.
    JoinSource,
    LeaveSource,
    /// Keeps one source out.
    Block,
    Unblock,
}

impl Change {
    fn has_source(self) -> bool {
        !matches!(self, Change::Join | Change::Leave)
    }
}

/// An option's value, read.
struct Request {
    group: IpAddr,
    interface: u32,
    source: Option<IpAddr>,
}

/// An address in a `struct sockaddr_storage`, of the level's family.
fn storage(value: &[u8], at: usize, level: u32) -> Result<IpAddr, Errno> {
    let raw = value.get(at..at + STORAGE).ok_or(Errno::EINVAL)?;
    let end = Addr::parse(raw).ok().and_then(|addr| addr.endpoint()).ok_or(Errno::EADDRNOTAVAIL)?;
    if end.ip.is_ipv4() == (level == sol::IP) { Ok(end.ip) } else { Err(Errno::EADDRNOTAVAIL) }
}

impl<R: Clone> SocketTable<R> {
    /// A change by an option of the older kind: `struct ip_mreqn`, `ip_mreq`, `ip_mreq_source` or `ipv6_mreq`.
    pub(crate) fn change_group(&mut self, id: SocketId, level: u32, change: Change, value: &[u8]) -> Result<(), Errno> {
        // What a stream wants in a group is not asked where a source or `struct group_req` is named: Linux checks it here alone.
        if self.get(id)?.local.protocol == Protocol::Tcp && !change.has_source() {
            return Err(Errno::EPROTO);
        }
        let request = if level == sol::IPV6 {
            let interface = int_of(value.get(16..).ok_or(Errno::EINVAL)?)? as u32;
            let group = IpAddr::V6(v6_at(value, 0)?);
            Request { group, interface: self.group_interface(id, group, interface)?, source: None }
        } else {
            let group = IpAddr::V4(v4_at(value, 0)?);
            let by_index = if change.has_source() || value.len() < 12 { 0 } else { int_of(&value[8..])? as u32 };
            let interface = match (by_index, v4_at(value, 4)?) {
                (0, Ipv4Addr::UNSPECIFIED) => 0,
                (0, address) => self.interface_of(id, address).ok_or(Errno::ENODEV)?,
                (index, _) => index,
            };
            let source = change.has_source().then(|| v4_at(value, 8)).transpose()?;
            Request { group, interface: self.group_interface(id, group, interface)?, source: source.map(IpAddr::V4) }
        };
        self.apply(id, change, request)
    }

    /// A change by one of RFC 3678: `struct group_req` or `group_source_req`.
    pub(crate) fn change_group_by_request(
        &mut self,
        id: SocketId,
        level: u32,
        change: Change,
        value: &[u8],
    ) -> Result<(), Errno> {
        let interface = int_of(value)? as u32;
        let group = storage(value, 8, level)?;
        let source = change.has_source().then(|| storage(value, 8 + STORAGE, level)).transpose()?;
        let interface = self.group_interface(id, group, interface)?;
        self.apply(id, change, Request { group, interface, source })
    }

    /// The interface of a request, or the one that leads to the group.
    fn group_interface(&self, id: SocketId, group: IpAddr, interface: u32) -> Result<u32, Errno> {
        if !group.is_multicast() {
            return Err(Errno::EINVAL);
        }
        let host = self.get(id)?.connection.host;
        if interface != 0 {
            return self.world.host(host).interface(interface).map(|i| i.index).ok_or(Errno::ENODEV);
        }
        match self.world.route(host, group, 0, 0) {
            Ok(Route::Multicast { interface, .. }) => Ok(interface),
            _ => Err(Errno::ENODEV),
        }
    }

    fn apply(&mut self, id: SocketId, change: Change, request: Request) -> Result<(), Errno> {
        let Request { group, interface, source } = request;
        let groups = &mut self.get_mut(id)?.connection.groups;
        let found = groups.iter().position(|m| m.group == group && m.interface == interface);
        match (change, found, source) {
            (Change::Join, Some(_), _) => return Err(Errno::EADDRINUSE),
            (Change::Join | Change::JoinSource, None, _) if groups.len() >= MOST_GROUPS => return Err(Errno::ENOBUFS),
            (Change::Join, None, _) => {
                groups.push(Membership { group, interface, include: false, sources: Vec::new() })
            }
            (Change::Leave, Some(at), _) => drop(groups.remove(at)),
            (Change::Leave, None, _) => return Err(Errno::EADDRNOTAVAIL),
            (Change::JoinSource, None, Some(source)) => {
                groups.push(Membership { group, interface, include: true, sources: alloc::vec![source] });
            }
            (_, Some(at), Some(source)) => {
                if change_source(&mut groups[at], change, source)? {
                    groups.remove(at);
                }
            }
            _ => return Err(Errno::EINVAL),
        }
        Ok(())
    }

    /// Whether a multicast packet is one for this socket.
    pub(crate) fn in_group(&self, entry: &Entry<R>, packet: &Packet, interface: u32) -> bool {
        let group = packet.dst.ip;
        let mut own = entry.connection.groups.iter().filter(|m| m.group == group && m.interface == interface);
        if let Some(membership) = own.next() {
            return membership.lets_in(packet.src.ip);
        }
        // ip(7): IP_MULTICAST_ALL, which is on at first, lets in groups that any socket of the host has joined.
        let all = if group.is_ipv6() { Flag::MulticastAll6 } else { Flag::MulticastAll };
        entry.local.options.flag(all) && self.host_in_group(packet.to, group, interface)
    }

    /// Whether an interface of a host takes the packets of a group.
    fn host_in_group(&self, host: u32, group: IpAddr, interface: u32) -> bool {
        const ALL_HOSTS: [IpAddr; 2] =
            [IpAddr::V4(Ipv4Addr::new(224, 0, 0, 1)), IpAddr::V6(Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1))];
        let has = |m: &Membership| m.group == group && m.interface == interface;
        ALL_HOSTS.contains(&group)
            || self.entries().any(|e| e.connection.host == host && e.connection.groups.iter().any(has))
    }
}

/// Changes the sources of a group; true when the socket leaves the group by it.
fn change_source(membership: &mut Membership, change: Change, source: IpAddr) -> Result<bool, Errno> {
    let include = matches!(change, Change::JoinSource | Change::LeaveSource);
    let add = matches!(change, Change::JoinSource | Change::Block);
    if membership.include != include {
        if !membership.sources.is_empty() {
            return Err(Errno::EINVAL);
        }
        membership.include = include;
    }
    let found = membership.sources.iter().position(|known| *known == source);
    match (add, found) {
        (true, Some(_)) | (false, None) => return Err(Errno::EADDRNOTAVAIL),
        (true, None) if membership.sources.len() >= MOST_SOURCES => return Err(Errno::ENOBUFS),
        (true, None) => membership.sources.push(source),
        (false, Some(at)) => drop(membership.sources.remove(at)),
    }
    Ok(include && membership.sources.is_empty())
}

/// Which change an option of IPPROTO_IP or IPPROTO_IPV6 asks for, where it is one of RFC 3678.
pub(crate) fn change_of(name: u32) -> Option<Change> {
    Some(match name {
        ip::MCAST_JOIN_GROUP => Change::Join,
        ip::MCAST_LEAVE_GROUP => Change::Leave,
        ip::MCAST_BLOCK_SOURCE => Change::Block,
        ip::MCAST_UNBLOCK_SOURCE => Change::Unblock,
        ip::MCAST_JOIN_SOURCE_GROUP => Change::JoinSource,
        ip::MCAST_LEAVE_SOURCE_GROUP => Change::LeaveSource,
        _ => return None,
    })
}
