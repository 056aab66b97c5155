//! Addresses: what a program names a socket by, and their form in guest memory (`struct sockaddr`).

use crate::linux::af;
use alloc::rc::Rc;
use core::fmt;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use snowglobe_abi::Errno;

/// An address family of a socket structure.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Family {
    /// AF_INET.
    Inet,
    /// AF_INET6.
    Inet6,
    /// AF_UNIX.
    Unix,
    /// AF_NETLINK.
    Netlink,
}

impl Family {
    /// Its `AF_*` number.
    pub fn number(self) -> u16 {
        match self {
            Family::Inet => af::INET,
            Family::Inet6 => af::INET6,
            Family::Unix => af::UNIX,
            Family::Netlink => af::NETLINK,
        }
    }

    /// Whether its sockets have IP addresses.
    pub fn is_ip(self) -> bool {
        matches!(self, Family::Inet | Family::Inet6)
    }

    /// The address of a socket of this family that has none yet.
    pub fn unbound(self) -> Addr {
        match self {
            Family::Inet => Addr::Ip(Endpoint::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0)),
            Family::Inet6 => Addr::Ip(Endpoint::new(IpAddr::V6(Ipv6Addr::UNSPECIFIED), 0)),
            Family::Unix => Addr::Unix(UnixAddr::Unnamed),
            Family::Netlink => Addr::Netlink { port: 0, groups: 0 },
        }
    }
}

/// An IP address and a port.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Endpoint {
    /// The address.
    pub ip: IpAddr,
    /// The port; 0 is none.
    pub port: u16,
    /// Interface index of a link-local IPv6 address, else 0.
    pub scope: u32,
}

impl Endpoint {
    /// An endpoint without a scope.
    pub const fn new(ip: IpAddr, port: u16) -> Endpoint {
        Endpoint { ip, port, scope: 0 }
    }

    /// An IPv4-mapped IPv6 address as the IPv4 address that it is; others unchanged.
    pub fn canonical(self) -> Endpoint {
        Endpoint { ip: self.ip.to_canonical(), ..self }
    }

    /// As a socket of `family` sees it: AF_INET6 sockets see IPv4 addresses mapped.
    pub fn seen_by(self, family: Family) -> Endpoint {
        match (self.ip, family) {
            (IpAddr::V4(v4), Family::Inet6) => Endpoint { ip: IpAddr::V6(v4.to_ipv6_mapped()), ..self },
            _ => self,
        }
    }
}

/// The name of an AF_UNIX socket.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum UnixAddr {
    /// No name.
    Unnamed,
    /// A file; the caller's `key` says which, `name` is the path as the program gave it.
    Path {
        /// One number for each socket file of the world.
        key: u64,
        /// The path.
        name: Rc<[u8]>,
    },
    /// A name in the host's abstract name space, without the leading zero byte.
    Abstract(Rc<[u8]>),
}

/// An address of any family.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Addr {
    /// AF_UNSPEC: `connect` dissolves an association by it.
    Unspec,
    /// AF_INET or AF_INET6.
    Ip(Endpoint),
    /// AF_UNIX.
    Unix(UnixAddr),
    /// AF_NETLINK.
    Netlink {
        /// Port id; 0 is the kernel.
        port: u32,
        /// Multicast groups mask.
        groups: u32,
    },
}

/// A `struct sockaddr` as bytes, with its length.
#[derive(Clone, Copy)]
pub struct SockAddrBytes {
    bytes: [u8; 112],
    len: usize,
}

impl core::ops::Deref for SockAddrBytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

impl Addr {
    /// Reads a `struct sockaddr` of the length the program gave. Socket files get the key 0: the caller looks them up.
    ///
    /// # Errors
    /// EINVAL when the length does not fit the family, EAFNOSUPPORT for a family that no socket here has.
    pub fn parse(bytes: &[u8]) -> Result<Addr, Errno> {
        let family = bytes.get(..2).ok_or(Errno::EINVAL)?;
        match u16::from_ne_bytes([family[0], family[1]]) {
            af::UNSPEC => Ok(Addr::Unspec),
            af::UNIX => Ok(Addr::Unix(UnixAddr::parse(&bytes[2..])?)),
            af::INET if bytes.len() >= 16 => {
                let ip = Ipv4Addr::new(bytes[4], bytes[5], bytes[6], bytes[7]);
                Ok(Addr::Ip(Endpoint::new(IpAddr::V4(ip), u16::from_be_bytes([bytes[2], bytes[3]]))))
            }
            // ipv6(7): the scope id came later; Linux takes the 24 bytes of RFC 2133 too.
            af::INET6 if bytes.len() >= 24 => {
                let ip: [u8; 16] = bytes[8..24].try_into().map_err(|_| Errno::EINVAL)?;
                let scope = bytes.get(24..28).map_or(0, |b| u32::from_ne_bytes([b[0], b[1], b[2], b[3]]));
                let port = u16::from_be_bytes([bytes[2], bytes[3]]);
                Ok(Addr::Ip(Endpoint { ip: IpAddr::V6(Ipv6Addr::from(ip)), port, scope }))
            }
            af::NETLINK if bytes.len() >= 12 => {
                let word = |at: usize| u32::from_ne_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
                Ok(Addr::Netlink { port: word(4), groups: word(8) })
            }
            af::INET | af::INET6 | af::NETLINK => Err(Errno::EINVAL),
            _ => Err(Errno::EAFNOSUPPORT),
        }
    }

    /// The `struct sockaddr` of it.
    pub fn to_bytes(&self) -> SockAddrBytes {
        let mut out = SockAddrBytes { bytes: [0; 112], len: 0 };
        let mut put = |bytes: &[u8]| {
            let n = bytes.len().min(out.bytes.len() - out.len);
            out.bytes[out.len..out.len + n].copy_from_slice(&bytes[..n]);
            out.len += n;
        };
        match self {
            Addr::Unspec => put(&af::UNSPEC.to_ne_bytes()),
            Addr::Ip(Endpoint { ip: IpAddr::V4(ip), port, .. }) => {
                put(&af::INET.to_ne_bytes());
                put(&port.to_be_bytes());
                put(&ip.octets());
                put(&[0; 8]);
            }
            Addr::Ip(Endpoint { ip: IpAddr::V6(ip), port, scope }) => {
                put(&af::INET6.to_ne_bytes());
                put(&port.to_be_bytes());
                put(&[0; 4]);
                put(&ip.octets());
                put(&scope.to_ne_bytes());
            }
            Addr::Unix(name) => {
                put(&af::UNIX.to_ne_bytes());
                match name {
                    UnixAddr::Unnamed => {}
                    UnixAddr::Path { name, .. } => {
                        put(name);
                        put(&[0]);
                    }
                    UnixAddr::Abstract(name) => {
                        put(&[0]);
                        put(name);
                    }
                }
            }
            Addr::Netlink { port, groups } => {
                put(&af::NETLINK.to_ne_bytes());
                put(&[0; 2]);
                put(&port.to_ne_bytes());
                put(&groups.to_ne_bytes());
            }
        }
        out
    }

    /// The IP endpoint, if it has one.
    pub fn endpoint(&self) -> Option<Endpoint> {
        match self {
            Addr::Ip(end) => Some(*end),
            _ => None,
        }
    }
}

impl UnixAddr {
    fn parse(path: &[u8]) -> Result<UnixAddr, Errno> {
        match path {
            [] => Ok(UnixAddr::Unnamed),
            _ if path.len() > 108 => Err(Errno::EINVAL),
            [0, name @ ..] => Ok(UnixAddr::Abstract(name.into())),
            _ => {
                let end = path.iter().position(|&b| b == 0).unwrap_or(path.len());
                Ok(UnixAddr::Path { key: 0, name: path[..end].into() })
            }
        }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.ip {
            IpAddr::V4(ip) => write!(f, "{ip}:{}", self.port),
            IpAddr::V6(ip) => write!(f, "[{ip}]:{}", self.port),
        }
    }
}

impl fmt::Display for Addr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Addr::Unspec => write!(f, "unspecified"),
            Addr::Ip(end) => end.fmt(f),
            Addr::Unix(UnixAddr::Unnamed) => write!(f, "unnamed"),
            Addr::Unix(UnixAddr::Path { name, .. }) => write!(f, "{}", name.escape_ascii()),
            Addr::Unix(UnixAddr::Abstract(name)) => write!(f, "@{}", name.escape_ascii()),
            Addr::Netlink { port, .. } => write!(f, "netlink:{port}"),
        }
    }
}
