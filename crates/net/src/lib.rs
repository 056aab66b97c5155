//! The socket table of FIG. 48: one table for all sockets of a simulated world.
//!
//! | Module | Content |
//! |---|---|
//! | [`table`] | the table: places, the calls of all families, who is told of what |
//! | [`entry`] | an entry: local and remote socket structure, status, socket, queues, connection |
//! | [`addr`] | addresses, and their form in guest memory |
//! | [`call`] | what calls take and give |
//! | [`io`] | how bytes come from and go to a program's memory |
//! | [`options`] | every option that is known, in one table |
//! | `queue` | byte queues over pooled, shared chunks; datagram queues |
//! | `tcp`, `udp`, `icmp`, `unix`, `netlink` | the protocols |
//! | `errors` | the error queue |
//! | `multicast` | groups and their sources |
//! | `rtnetlink`, `diag` | what netlink tells of interfaces, and of sockets |
//! | `stats` | what hosts count |
//! | `ports` | who has which port, who may, and who gets which next |
//! | `readiness` | which poll bits hold in which state |
//! | [`link`] | hosts, interfaces, routes |
//! | [`verdict`] | what links are like, and the verdict on each transmission |
//! | `draw` | distributions |
//! | [`fault`] | what a fault does to the network: cut, clog, slow, reset, pause |
//! | `fabric` | what is on its way: packets and timers, in order of time |
//! | [`resolver`] | the world's name service |
//! | [`ioctl`] | interface ioctls |
//! | [`report`] | the texts of `/proc/net` and `struct tcp_info` |
//! | [`capture`] | copies of packets, for a packet capture |
//! | [`log`] | activity for sleepers, events for the trace |
//! | [`linux`] | Linux's numbers |
//!
//! What it does not know: the host operating system, a clock, a source of randomness, threads, descriptors, blocking.
//! Time and a seed are arguments. A call that would block returns [`EAGAIN`](snowglobe_abi::Errno::EAGAIN) (or
//! [`InProgress`](call::Connect::InProgress)); the caller waits for a
//! [notification](table::SocketTable::take_notifications) or for [`readiness`](table::SocketTable::readiness) and
//! calls again. Before a call with a later time, [`advance`](table::SocketTable::advance) does what is due until then.
//!
//! ```
//! use snowglobe_net::{Addr, Connect, Cred, Endpoint, Send, SocketTable, linux::{af, sock}};
//! # use snowglobe_abi::spec::{HostSpec, RootSpec};
//! # let host = |name: &str| HostSpec { name: name.into(), hostname: name.into(), root: RootSpec::Machine,
//! #     mounts: vec![], interfaces: vec![], memory: None, service: None };
//! let mut table: SocketTable<()> = SocketTable::new(&[], &[host("a")], 1);
//! let cred = Cred { pid: 1, uid: 0, gid: 0 };
//! let server = table.socket(0, af::INET.into(), sock::STREAM, 0, cred)?;
//! let address = Addr::Ip(Endpoint::new([127, 0, 0, 1].into(), 80));
//! table.bind(server, &address)?;
//! table.listen(server, 5)?;
//! let client = table.socket(0, af::INET.into(), sock::STREAM, 0, cred)?;
//! assert_eq!(table.connect(client, &address, 0)?, Connect::Done);
//! let (accepted, _) = table.accept(server, 0)?;
//! table.send(client, &mut &b"hello"[..], Send::bytes(5), 0)?;
//! let mut got = Vec::new();
//! table.recv(accepted, &mut got, 64, 0, 0)?;
//! assert_eq!(got, b"hello");
//! # Ok::<(), snowglobe_abi::Errno>(())
//! ```
#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]

extern crate alloc;
// Tests of links that lose packets share their world with the scenarios in `tests`.
#[cfg(test)]
extern crate self as snowglobe_net;

pub mod addr;
pub mod call;
pub mod capture;
mod diag;
mod draw;
pub mod entry;
mod errors;
mod fabric;
pub mod fault;
mod icmp;
pub mod io;
pub mod ioctl;
pub mod link;
pub mod linux;
pub mod log;
mod multicast;
mod netlink;
pub mod options;
mod ports;
mod queue;
mod readiness;
pub mod report;
pub mod resolver;
mod rng;
mod rtnetlink;
mod stats;
pub mod table;
mod tcp;
mod udp;
mod unix;
pub mod verdict;

pub use addr::{Addr, Endpoint, Family, UnixAddr};
pub use call::{Ancillary, Close, Connect, Control, Cred, How, Received, Send, SocketId};
pub use entry::{Descriptor, Entry, Protocol, SocketStatus, SocketStructure, SocketType};
pub use io::{Sink, Source};
pub use log::{Description, DropReason, Event, Lengths, What};
pub use options::{Flag, Int, Options};
pub use queue::Queue;
pub use table::SocketTable;
pub use tcp::TcpState;
pub use verdict::Verdict;
