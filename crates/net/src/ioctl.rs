//! Interface ioctls (netdevice(7)), on `struct ifreq` as bytes.

use crate::addr::{Addr, Endpoint};
use crate::link::{Interface, mask};
use crate::linux::af;
use crate::netlink::{flags_of, hardware_of};
use crate::table::SocketTable;
use alloc::vec::Vec;
use core::net::{IpAddr, Ipv4Addr};
use snowglobe_abi::Errno;

/// Bytes of a `struct ifreq`.
pub const IFREQ: usize = 40;
/// Bytes of a name in it.
const NAME: usize = 16;

/// Bytes of a `struct arpreq`: two addresses, flags, a netmask and the name of an interface.
pub const ARPREQ: usize = 68;
const ARP_FLAGS: usize = 32;
const ARP_DEVICE: usize = 52;

/// SIOCGARP, which [`SocketTable::arp_request`] answers.
pub const SIOCGARP: u32 = 0x8954;
/// SIOCGIFCONF, which [`SocketTable::interface_list`] answers.
pub const SIOCGIFCONF: u32 = 0x8912;
const SIOCGIFNAME: u32 = 0x8910;
const SIOCGIFFLAGS: u32 = 0x8913;
const SIOCGIFADDR: u32 = 0x8915;
const SIOCGIFDSTADDR: u32 = 0x8917;
const SIOCGIFBRDADDR: u32 = 0x8919;
const SIOCGIFNETMASK: u32 = 0x891b;
const SIOCGIFMETRIC: u32 = 0x891d;
const SIOCGIFMTU: u32 = 0x8921;
const SIOCGIFHWADDR: u32 = 0x8927;
const SIOCGIFINDEX: u32 = 0x8933;
const SIOCGIFTXQLEN: u32 = 0x8942;
const SIOCGIFMAP: u32 = 0x8970;
const SIOCETHTOOL: u32 = 0x8946;
const SIOCGMIIPHY: u32 = 0x8947;
/// SIOCADDRT, SIOCDELRT, SIOCSIFFLAGS, SIOCSIFADDR, SIOCSIFDSTADDR, SIOCSIFBRDADDR, SIOCSIFNETMASK, SIOCSIFMETRIC,
/// SIOCSIFMTU, SIOCSIFNAME, SIOCSIFHWADDR, SIOCADDMULTI, SIOCDELMULTI, SIOCSIFTXQLEN, SIOCDARP and SIOCSARP.
const CHANGES: [u32; 16] = [
    0x890b, 0x890c, 0x8914, 0x8916, 0x8918, 0x891a, 0x891c, 0x891e, 0x8922, 0x8923, 0x8924, 0x8931, 0x8932, 0x8943,
    0x8953, 0x8955,
];

fn put(request: &mut [u8; IFREQ], bytes: &[u8]) {
    request[NAME..].fill(0);
    request[NAME..NAME + bytes.len()].copy_from_slice(bytes);
}

fn put_name(request: &mut [u8], interface: &Interface) {
    request[..NAME].fill(0);
    request[..interface.name.len()].copy_from_slice(interface.name.as_bytes());
}

fn sockaddr(ip: Ipv4Addr) -> [u8; 16] {
    let mut out = [0; 16];
    out.copy_from_slice(&Addr::Ip(Endpoint::new(IpAddr::V4(ip), 0)).to_bytes());
    out
}

impl<R: Clone> SocketTable<R> {
    /// Answers an interface ioctl of a host in place.
    ///
    /// # Errors
    /// ENODEV for an interface that is not there, EOPNOTSUPP for ethtool, ENOTTY for a request that is not one.
    pub fn interface_ioctl(&self, host: u32, number: u32, request: &mut [u8; IFREQ]) -> Result<(), Errno> {
        let interfaces = &self.world.host(host).interfaces;
        if number == SIOCGIFNAME {
            let index = u32::from_ne_bytes([request[16], request[17], request[18], request[19]]);
            let interface = interfaces.iter().find(|i| i.index == index).ok_or(Errno::ENODEV)?;
            put_name(request, interface);
            return Ok(());
        }
        let known = [
            SIOCGIFFLAGS,
            SIOCGIFADDR,
            SIOCGIFDSTADDR,
            SIOCGIFBRDADDR,
            SIOCGIFNETMASK,
            SIOCGIFMETRIC,
            SIOCGIFMTU,
            SIOCGIFHWADDR,
            SIOCGIFINDEX,
            SIOCGIFTXQLEN,
            SIOCGIFMAP,
            SIOCETHTOOL,
            SIOCGMIIPHY,
        ];
        // netdevice(7): what changes an interface, a route or an ARP entry is for who has CAP_NET_ADMIN.
        if CHANGES.contains(&number) {
            return Err(Errno::EPERM);
        }
        if !known.contains(&number) {
            return Err(Errno::ENOTTY);
        }
        let end = request[..NAME].iter().position(|&b| b == 0).unwrap_or(NAME);
        let named = |i: &&Interface| i.name.as_bytes() == &request[..end];
        let i = interfaces.iter().find(named).ok_or(Errno::ENODEV)?;
        match number {
            SIOCGIFFLAGS => put(request, &(flags_of(i) as u16).to_ne_bytes()),
            SIOCGIFADDR | SIOCGIFDSTADDR => put(request, &sockaddr(i.v4)),
            SIOCGIFBRDADDR if i.network.is_none() => put(request, &sockaddr(Ipv4Addr::UNSPECIFIED)),
            SIOCGIFBRDADDR => put(request, &sockaddr(i.broadcast())),
            SIOCGIFNETMASK => put(request, &sockaddr(Ipv4Addr::from(mask(i.prefix)))),
            SIOCGIFMETRIC => put(request, &0u32.to_ne_bytes()),
            SIOCGIFMTU => put(request, &i.mtu.to_ne_bytes()),
            SIOCGIFINDEX => put(request, &i.index.to_ne_bytes()),
            // No device has registers.
            SIOCGIFMAP => put(request, &[0; 24]),
            SIOCGIFTXQLEN => put(request, &1000u32.to_ne_bytes()),
            SIOCGIFHWADDR => {
                let mut hardware = [0; 8];
                hardware[..2].copy_from_slice(&hardware_of(i).to_ne_bytes());
                hardware[2..].copy_from_slice(&i.mac);
                put(request, &hardware);
            }
            _ => return Err(Errno::EOPNOTSUPP),
        }
        Ok(())
    }

    /// Answers SIOCGARP (arp(7)) of a host in place: the hardware address of one with which it has exchanged packets.
    ///
    /// # Errors
    /// EPFNOSUPPORT for another family than IPv4, EINVAL for a netmask of no proxy, ENODEV without an interface, ENXIO
    /// for an address that is not known.
    pub fn arp_request(&self, host: u32, request: &mut [u8; ARPREQ]) -> Result<(), Errno> {
        const COMPLETE: u32 = 2;
        const PUBLISHED: u32 = 8;
        const MASKED: u32 = 0x20 | 0x40;
        let word = |at: usize| u32::from_ne_bytes([request[at], request[at + 1], request[at + 2], request[at + 3]]);
        if u16::from_ne_bytes([request[0], request[1]]) != af::INET {
            return Err(Errno::EPFNOSUPPORT);
        }
        if word(ARP_FLAGS) & PUBLISHED == 0 && word(ARP_FLAGS) & MASKED != 0 {
            return Err(Errno::EINVAL);
        }
        let ip = IpAddr::V4(Ipv4Addr::new(request[4], request[5], request[6], request[7]));
        let name = &request[ARP_DEVICE..];
        let name = &name[..name.iter().position(|&b| b == 0).unwrap_or(name.len())];
        let interfaces = &self.world.host(host).interfaces;
        let device = interfaces.iter().find(|i| i.name.as_bytes() == name).ok_or(Errno::ENODEV)?;
        let met = self.neighbours(host, false).into_iter().find(|n| n.ip == ip && n.interface.index == device.index);
        let mac = met.ok_or(Errno::ENXIO)?.mac;
        request[16..ARP_FLAGS].fill(0);
        request[16..18].copy_from_slice(&hardware_of(device).to_ne_bytes());
        request[18..24].copy_from_slice(&mac);
        request[ARP_FLAGS..ARP_FLAGS + 4].copy_from_slice(&COMPLETE.to_ne_bytes());
        Ok(())
    }

    /// The list of SIOCGIFCONF: a `struct ifreq` for each interface with an IPv4 address.
    pub fn interface_list(&self, host: u32) -> Vec<u8> {
        let mut out = Vec::new();
        for interface in &self.world.host(host).interfaces {
            let mut request = [0; IFREQ];
            put_name(&mut request, interface);
            put(&mut request, &sockaddr(interface.v4));
            out.extend_from_slice(&request);
        }
        out
    }
}
