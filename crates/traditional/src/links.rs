//! Bridges, veth pairs, addresses, delays: requests to rtnetlink, one after another.

use netlink_packet_core::{
    DefaultNla, NLM_F_ACK, NLM_F_CREATE, NLM_F_EXCL, NLM_F_REQUEST, NetlinkMessage, NetlinkPayload,
};
use netlink_packet_route::address::{AddressAttribute, AddressHeaderFlags, AddressMessage};
use netlink_packet_route::link::{
    InfoBridge, InfoData, InfoKind, InfoVeth, LinkAttribute, LinkFlags, LinkInfo, LinkMessage,
};
use netlink_packet_route::tc::{TcAttribute, TcHandle, TcMessage};
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};
use netlink_sys::{Socket, SocketAddr, protocols::NETLINK_ROUTE};
use snowglobe_net::link::Interface;
use std::fs;
use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::os::fd::{AsRawFd, BorrowedFd};

/// A socket to the network namespace in which it was made.
pub struct Links {
    socket: Socket,
}

/// The index of the loopback interface.
pub const LOOPBACK: u32 = 1;

impl Links {
    /// Opens one to the namespace of the calling thread.
    pub fn here() -> io::Result<Links> {
        let mut socket = Socket::new(NETLINK_ROUTE)?;
        socket.bind_auto()?;
        socket.connect(&SocketAddr::new(0, 0))?;
        Ok(Links { socket })
    }

    fn ask(&self, request: RouteNetlinkMessage, flags: u16) -> io::Result<()> {
        let mut message = NetlinkMessage::from(request);
        message.header.flags = NLM_F_REQUEST | NLM_F_ACK | flags;
        message.finalize();
        let mut bytes = vec![0; message.buffer_len()];
        message.serialize(&mut bytes);
        self.socket.send(&bytes, 0)?;
        let (answer, _) = self.socket.recv_from_full()?;
        let answer = NetlinkMessage::<RouteNetlinkMessage>::deserialize(&answer).map_err(io::Error::other)?;
        match answer.payload {
            NetlinkPayload::Error(e) if e.code.is_some() => Err(e.to_io()),
            _ => Ok(()),
        }
    }

    /// Brings an interface up.
    pub fn up(&self, index: u32) -> io::Result<()> {
        let mut link = LinkMessage::default();
        link.header.index = index;
        (link.header.flags, link.header.change_mask) = (LinkFlags::Up, LinkFlags::Up);
        self.ask(RouteNetlinkMessage::SetLink(link), 0)
    }

    /// Makes a bridge that forwards at once and to all who may want it.
    pub fn bridge(&self, index: u32, name: &str) -> io::Result<()> {
        let mut link = LinkMessage::default();
        link.header.index = index;
        let plain = vec![InfoBridge::MulticastSnooping(false)];
        link.attributes = vec![
            LinkAttribute::IfName(name.into()),
            LinkAttribute::LinkInfo(vec![LinkInfo::Kind(InfoKind::Bridge), LinkInfo::Data(InfoData::Bridge(plain))]),
        ];
        self.ask(RouteNetlinkMessage::NewLink(link), NLM_F_CREATE | NLM_F_EXCL)
    }

    /// Makes a veth pair: `interface` here, its `peer` (index and name) in another network namespace.
    pub fn veth(&self, interface: &Interface, peer: (u32, &str), namespace: BorrowedFd<'_>) -> io::Result<()> {
        let mut other = LinkMessage::default();
        other.header.index = peer.0;
        other.attributes = vec![
            LinkAttribute::IfName(peer.1.into()),
            LinkAttribute::Mtu(interface.mtu),
            LinkAttribute::NetNsFd(namespace.as_raw_fd()),
        ];
        let mut link = LinkMessage::default();
        link.header.index = interface.index;
        link.attributes = vec![
            LinkAttribute::IfName(interface.name.clone()),
            LinkAttribute::Mtu(interface.mtu),
            LinkAttribute::Address(interface.mac.to_vec()),
            LinkAttribute::LinkInfo(vec![
                LinkInfo::Kind(InfoKind::Veth),
                LinkInfo::Data(InfoData::Veth(InfoVeth::Peer(other))),
            ]),
        ];
        self.ask(RouteNetlinkMessage::NewLink(link), NLM_F_CREATE | NLM_F_EXCL)
    }

    /// Puts an interface on a bridge and brings it up.
    pub fn join(&self, index: u32, bridge: u32) -> io::Result<()> {
        let mut link = LinkMessage::default();
        link.header.index = index;
        link.attributes = vec![LinkAttribute::Controller(bridge)];
        self.ask(RouteNetlinkMessage::SetLink(link), 0)?;
        self.up(index)
    }

    /// Gives an interface an address, in use at once.
    pub fn address(&self, index: u32, ip: IpAddr, prefix: u8) -> io::Result<()> {
        let mut address = AddressMessage::default();
        address.header.index = index;
        address.header.prefix_len = prefix;
        address.attributes = vec![AddressAttribute::Local(ip), AddressAttribute::Address(ip)];
        match ip {
            IpAddr::V4(v4) => {
                address.header.family = AddressFamily::Inet;
                let host_bits = u32::MAX.checked_shr(u32::from(prefix)).unwrap_or(0);
                if prefix < 31 {
                    let broadcast = Ipv4Addr::from(u32::from(v4) | host_bits);
                    address.attributes.push(AddressAttribute::Broadcast(broadcast));
                }
            }
            IpAddr::V6(_) => {
                address.header.family = AddressFamily::Inet6;
                address.header.flags = AddressHeaderFlags::Nodad;
            }
        }
        self.ask(RouteNetlinkMessage::NewAddress(address), NLM_F_CREATE | NLM_F_EXCL)
    }

    /// Delays what leaves by an interface, where the kernel has netem.
    pub fn delay(&self, index: u32, nanoseconds: u64) -> io::Result<()> {
        const OPTIONS: u16 = 2;
        const LATENCY64: u16 = 10;
        /// Packets that may be under way.
        const LIMIT: u32 = 100_000;
        let mut message = TcMessage::default();
        message.header.index = index as i32;
        message.header.parent = TcHandle::ROOT;
        // struct tc_netem_qopt, then attributes (linux/pkt_sched.h).
        let mut options = Vec::new();
        for word in [0, LIMIT, 0, 0, 0, 0] {
            options.extend_from_slice(&u32::to_ne_bytes(word));
        }
        options.extend_from_slice(&12u16.to_ne_bytes());
        options.extend_from_slice(&LATENCY64.to_ne_bytes());
        options.extend_from_slice(&nanoseconds.to_ne_bytes());
        message.attributes =
            vec![TcAttribute::Kind("netem".into()), TcAttribute::Other(DefaultNla::new(OPTIONS, options))];
        self.ask(RouteNetlinkMessage::NewQueueDiscipline(message), NLM_F_CREATE | NLM_F_EXCL)
    }
}

/// Makes a new namespace's settings those of the world: no forwarding between networks, IPv6 addresses in use at once, and
/// no questions for a router, as there is none.
pub fn settle() -> io::Result<()> {
    fs::write("/proc/sys/net/ipv4/ip_forward", "0")?;
    for (name, value) in [("accept_dad", "0"), ("dad_transmits", "0"), ("router_solicitations", "0")] {
        for which in ["all", "default"] {
            // A kernel without IPv6 has none of these.
            let _ = fs::write(format!("/proc/sys/net/ipv6/conf/{which}/{name}"), value);
        }
    }
    Ok(())
}
