//! The networks: hosts and their interfaces, and routes.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use snowglobe_abi::Errno;
use snowglobe_abi::spec::{DEFAULT_MTU, HostSpec, NetworkSpec};

use crate::verdict::Ways;

/// The host index of a network's own resolver.
pub const RESOLVER: u32 = u32::MAX;
/// Where the resolver answers on every host's loopback interface.
pub(crate) const LOCAL_RESOLVER: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 11);

/// An interface of a host.
#[derive(Clone, Debug)]
pub struct Interface {
    /// `lo`, `eth0`, ...
    pub name: String,
    /// Interface index; `lo` is 1.
    pub index: u32,
    /// Index of its network; none for `lo`.
    pub network: Option<u32>,
    /// IPv4 address.
    pub v4: Ipv4Addr,
    /// Length of its prefix.
    pub prefix: u8,
    /// IPv6 addresses with their prefix lengths.
    pub v6: Vec<(Ipv6Addr, u8)>,
    /// Hardware address.
    pub mac: [u8; 6],
    /// Bytes of a packet at most.
    pub mtu: u32,
}

impl Interface {
    /// The broadcast address of its subnet.
    pub fn broadcast(&self) -> Ipv4Addr {
        Ipv4Addr::from(u32::from(self.v4) | !mask(self.prefix))
    }

    fn has(&self, ip: IpAddr) -> bool {
        match ip {
            IpAddr::V4(v4) => self.v4 == v4,
            IpAddr::V6(v6) => self.v6.iter().any(|&(own, _)| own == v6),
        }
    }

    fn covers(&self, ip: Ipv4Addr) -> bool {
        (u32::from(ip) ^ u32::from(self.v4)) & mask(self.prefix) == 0
    }
}

/// The netmask of a prefix length.
pub(crate) fn mask(prefix: u8) -> u32 {
    u32::MAX.checked_shl(32 - u32::from(prefix)).unwrap_or(0)
}

/// A host as the network knows it.
#[derive(Clone, Debug)]
pub struct Host {
    /// The service's name.
    pub name: String,
    /// Its host name.
    pub hostname: String,
    /// Its interfaces, `lo` first.
    pub interfaces: Vec<Interface>,
    /// Names on each network, in the order of the interfaces after `lo`.
    pub(crate) aliases: Vec<Vec<String>>,
    /// Where the search for the next connecting socket's port begins.
    pub(crate) perturb: u32,
    /// Hosts with which it has exchanged packets, by IPv4 and by IPv6: when last, by index of the host; 0 is never.
    pub(crate) met: [Vec<u64>; 2],
}

impl Host {
    /// The interface with an index.
    pub fn interface(&self, index: u32) -> Option<&Interface> {
        self.interfaces.iter().find(|i| i.index == index)
    }

    pub(crate) fn owns(&self, ip: IpAddr) -> bool {
        self.owner(ip).is_some()
    }

    /// The interface that has an address.
    pub(crate) fn owner(&self, ip: IpAddr) -> Option<&Interface> {
        self.interfaces.iter().find(|i| i.has(ip))
    }

    /// Index of the interface by which something for the own address `ip` comes in.
    pub(crate) fn interface_with(&self, ip: IpAddr) -> u32 {
        self.interfaces.iter().find(|i| i.has(ip)).map_or(1, |i| i.index)
    }
}

/// A network.
#[derive(Clone, Debug)]
pub(crate) struct Network {
    pub(crate) name: String,
    /// How long a packet takes, where nothing else happens to it; about how long otherwise.
    pub(crate) latency: u64,
    /// Whether nothing but that latency happens to any packet: the way that costs nothing.
    pub(crate) plain: bool,
    pub(crate) mtu: u32,
    /// Whether names have IPv6 addresses, too.
    pub(crate) ipv6: bool,
    pub(crate) ways: Ways,
    /// Indices of its hosts, in their order.
    pub(crate) members: Vec<u32>,
    /// Addresses in use.
    pub(crate) addresses: BTreeMap<IpAddr, u32>,
}

/// Where something for an address goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Route {
    /// To the host itself.
    Local,
    /// To one host of a network, by this interface.
    Neighbour { interface: u32, network: u32, host: u32 },
    /// To an address of a network that nobody has.
    Nobody { interface: u32, network: u32 },
    /// To all of a network.
    Broadcast { interface: u32, network: u32 },
    /// To those of a network that joined the group.
    Multicast { interface: u32, network: u32 },
}

impl Route {
    /// Index of the interface by which it leaves the host.
    pub(crate) fn interface(self) -> Option<u32> {
        match self {
            Route::Local => None,
            Route::Neighbour { interface, .. }
            | Route::Nobody { interface, .. }
            | Route::Broadcast { interface, .. }
            | Route::Multicast { interface, .. } => Some(interface),
        }
    }
}

/// All hosts and networks.
#[derive(Clone, Debug)]
pub struct World {
    /// The hosts, in the order of the world file.
    pub hosts: Vec<Host>,
    pub(crate) networks: Vec<Network>,
    /// Hosts whose network stands still, by index.
    pub(crate) paused: Vec<bool>,
    /// Hosts without power, by index.
    pub(crate) dark: Vec<bool>,
    /// Whether some ends of streams take longer.
    pub(crate) slow_closes: bool,
    /// What stands for the resolver where a host is asked for.
    outside: Host,
}

/// The unique local IPv6 address that goes with an IPv4 address: `fd00::a.b.c.d`.
pub fn ula(v4: Ipv4Addr) -> Ipv6Addr {
    let mut b = [0; 16];
    b[0] = 0xfd;
    b[12..].copy_from_slice(&v4.octets());
    Ipv6Addr::from(b)
}

/// The IPv4 address in a unique local address of ours.
fn of_ula(v6: Ipv6Addr) -> Option<Ipv4Addr> {
    let b = v6.octets();
    (b[0] == 0xfd && b[1..12] == [0; 11]).then(|| Ipv4Addr::new(b[12], b[13], b[14], b[15]))
}

/// The link-local address that goes with a hardware address (RFC 4291, appendix A).
fn link_local(mac: [u8; 6]) -> Ipv6Addr {
    let mut b = [0; 16];
    b[0] = 0xfe;
    b[1] = 0x80;
    b[8..].copy_from_slice(&[mac[0] ^ 2, mac[1], mac[2], 0xff, 0xfe, mac[3], mac[4], mac[5]]);
    Ipv6Addr::from(b)
}

fn loopback() -> Interface {
    Interface {
        name: "lo".into(),
        index: 1,
        network: None,
        v4: Ipv4Addr::LOCALHOST,
        prefix: 8,
        v6: alloc::vec![(Ipv6Addr::LOCALHOST, 128)],
        mac: [0; 6],
        mtu: 65536,
    }
}

fn outside() -> Host {
    let name = String::from("resolver");
    Host {
        hostname: name.clone(),
        name,
        interfaces: alloc::vec![loopback()],
        aliases: Vec::new(),
        perturb: 0,
        met: Default::default(),
    }
}

fn ethernet(at: usize, network: u32, v4: Ipv4Addr, prefix: u8, mtu: u32) -> Interface {
    let [a, b, c, d] = v4.octets();
    let mac = [0x02, 0x42, a, b, c, d];
    Interface {
        name: format!("eth{at}"),
        index: at as u32 + 2,
        network: Some(network),
        v4,
        prefix,
        v6: alloc::vec![(ula(v4), 96 + prefix), (link_local(mac), 64)],
        mac,
        mtu,
    }
}

impl World {
    /// `seed` is that from which the links draw.
    pub(crate) fn new(networks: &[NetworkSpec], hosts: &[HostSpec], seed: u64) -> World {
        let paused = alloc::vec![false; hosts.len()];
        let (dark, slow_closes) = (paused.clone(), false);
        let mut world =
            World { hosts: Vec::new(), networks: Vec::new(), paused, dark, slow_closes, outside: outside() };
        for spec in networks {
            let resolver = Ipv4Addr::from(spec.resolver);
            let addresses = BTreeMap::from([(IpAddr::V4(resolver), RESOLVER), (IpAddr::V6(ula(resolver)), RESOLVER)]);
            let ways = Ways::new(spec, hosts.len(), seed);
            let (latency, plain) = (spec.link.latency.typical(), ways.are_plain());
            let (name, mtu, ipv6) = (spec.name.clone(), spec.mtu, spec.ipv6);
            world.networks.push(Network { name, latency, plain, mtu, ipv6, ways, members: Vec::new(), addresses });
        }
        for (at, spec) in hosts.iter().enumerate() {
            let mut interfaces = alloc::vec![loopback()];
            for (n, i) in spec.interfaces.iter().enumerate() {
                let (prefix, mtu) = networks.get(i.network as usize).map_or((32, DEFAULT_MTU), |n| (n.subnet.1, n.mtu));
                let interface = ethernet(n, i.network, Ipv4Addr::from(i.address), prefix, mtu);
                if let Some(network) = world.networks.get_mut(i.network as usize) {
                    network.members.push(at as u32);
                    network.addresses.insert(IpAddr::V4(interface.v4), at as u32);
                    network.addresses.extend(interface.v6.iter().map(|&(ip, _)| (IpAddr::V6(ip), at as u32)));
                }
                interfaces.push(interface);
            }
            let aliases = spec.interfaces.iter().map(|i| i.aliases.clone()).collect();
            let (name, hostname) = (spec.name.clone(), spec.hostname.clone());
            world.hosts.push(Host { name, hostname, interfaces, aliases, perturb: 0, met: Default::default() });
        }
        world
    }

    /// Notes that two hosts know each other's hardware addresses.
    #[inline]
    pub(crate) fn meet(&mut self, a: u32, b: u32, six: bool, now: u64) {
        for (own, other) in [(a, b), (b, a)] {
            let Some(host) = self.hosts.get_mut(own as usize) else { continue };
            let met = &mut host.met[usize::from(six)];
            match met.get_mut(other as usize) {
                Some(at) => *at = now.max(1),
                None if other == RESOLVER => {}
                None => {
                    met.resize(other as usize + 1, 0);
                    met[other as usize] = now.max(1);
                }
            }
        }
    }

    /// When a host and another have last exchanged packets; 0 if the one knows nothing of the other's hardware address.
    pub(crate) fn met(&self, own: u32, other: u32, six: bool) -> u64 {
        self.host(own).met[usize::from(six)].get(other as usize).copied().unwrap_or(0)
    }

    /// A host knows another's hardware address no more.
    pub(crate) fn forget(&mut self, own: u32, other: u32, six: bool) {
        let host = self.hosts.get_mut(own as usize);
        if let Some(at) = host.and_then(|host| host.met[usize::from(six)].get_mut(other as usize)) {
            *at = 0;
        }
    }

    pub(crate) fn host(&self, host: u32) -> &Host {
        self.hosts.get(host as usize).unwrap_or(&self.outside)
    }

    /// Where `host` sends what is for `to`; `device` is the interface it is bound to, or 0.
    pub(crate) fn route(&self, host: u32, to: IpAddr, device: u32, scope: u32) -> Result<Route, Errno> {
        let here = self.host(host);
        // ip(7) has no word on it, but Linux takes the unspecified address as the host itself.
        if to.is_loopback() || to.is_unspecified() || here.owns(to) {
            return Ok(Route::Local);
        }
        let device = if device == 0 { scope } else { device };
        // What is for a group by the loopback interface goes round.
        if to.is_multicast() && device == 1 {
            // Linux gives the loopback interface no route to groups of IPv6.
            return if to.is_ipv4() { Ok(Route::Local) } else { Err(Errno::ENETUNREACH) };
        }
        let usable = here.interfaces.iter().filter(|i| i.network.is_some() && (device == 0 || i.index == device));
        for i in usable {
            let Some(network) = i.network else { continue };
            let interface = i.index;
            let covered = match to {
                IpAddr::V4(Ipv4Addr::BROADCAST) => return Ok(Route::Broadcast { interface, network }),
                _ if to.is_multicast() => return Ok(Route::Multicast { interface, network }),
                IpAddr::V4(v4) if v4 == i.broadcast() && i.prefix < 31 => {
                    return Ok(Route::Broadcast { interface, network });
                }
                IpAddr::V4(v4) => i.covers(v4),
                IpAddr::V6(v6) if v6.is_unicast_link_local() => true,
                IpAddr::V6(v6) => of_ula(v6).is_some_and(|v4| i.covers(v4)),
            };
            if covered {
                return Ok(match self.networks[network as usize].addresses.get(&to) {
                    Some(&host) => Route::Neighbour { interface, network, host },
                    None => Route::Nobody { interface, network },
                });
            }
        }
        Err(Errno::ENETUNREACH)
    }

    /// Bytes of a packet of IPv4 or IPv6 at most on a route of `host`. One of IPv4 says its length in 16 bits.
    pub(crate) fn mtu(&self, host: u32, route: Route, six: bool) -> u32 {
        let mtu = match route {
            Route::Local => self.host(host).interfaces[0].mtu,
            Route::Neighbour { network, .. }
            | Route::Nobody { network, .. }
            | Route::Broadcast { network, .. }
            | Route::Multicast { network, .. } => self.networks[network as usize].mtu,
        };
        if six { mtu } else { mtu.min(65535) }
    }

    /// Payload of a TCP segment at most on a network: what a packet holds besides its headers and timestamps.
    pub(crate) fn segment_most(&self, network: u32, six: bool) -> usize {
        let headers = if six { 40 + 32 } else { 20 + 32 };
        self.networks[network as usize].mtu as usize - headers
    }

    /// Whether a network takes many packets of a connection as one unit, as with segmentation offload: where nothing but
    /// the latency happens to them.
    #[inline]
    pub(crate) fn takes_units(&self, network: u32) -> bool {
        self.networks[network as usize].plain
    }

    /// The address that a packet of `host` to `to` by `route` bears.
    pub(crate) fn source(&self, host: u32, to: IpAddr, route: Route) -> IpAddr {
        let here = self.host(host);
        let index = match route {
            Route::Local => {
                return match to {
                    _ if here.owns(to) => to,
                    IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::LOCALHOST),
                    IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::LOCALHOST),
                };
            }
            Route::Neighbour { interface, .. }
            | Route::Nobody { interface, .. }
            | Route::Broadcast { interface, .. }
            | Route::Multicast { interface, .. } => interface,
        };
        let interface = here.interface(index).unwrap_or(&here.interfaces[0]);
        match to {
            IpAddr::V4(_) => IpAddr::V4(interface.v4),
            IpAddr::V6(to) => {
                let local = to.is_unicast_link_local() || to.octets()[..2] == [0xff, 0x02];
                IpAddr::V6(interface.v6.get(usize::from(local)).map_or(Ipv6Addr::LOCALHOST, |&(ip, _)| ip))
            }
        }
    }

    /// Whether what is sent to `ip` by `route` goes to all of a network, be it the host's own.
    pub(crate) fn is_broadcast(&self, host: u32, ip: IpAddr, route: Route) -> bool {
        let of_loopback = || self.host(host).interfaces.first().is_some_and(|lo| ip == IpAddr::V4(lo.broadcast()));
        matches!(route, Route::Broadcast { .. }) || route == Route::Local && of_loopback()
    }

    /// Whether a socket of `host` may be bound to `ip`.
    pub(crate) fn may_bind(&self, host: u32, ip: IpAddr) -> bool {
        let here = self.host(host);
        let broadcast = |ip| here.interfaces.iter().any(|i| IpAddr::V4(i.broadcast()) == ip);
        ip.is_unspecified() || ip.is_loopback() || ip.is_multicast() || here.owns(ip) || broadcast(ip)
    }
}
