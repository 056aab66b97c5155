//! What Linux tells of sockets: the texts of `/proc/net/{tcp,tcp6,udp,udp6,unix,raw}`.
//!
//! The inode number of a socket is its unique ID: the kernel crate shows the same in `/proc/PID/fd`.

use crate::addr::{Addr, Endpoint, Family, UnixAddr};
use crate::call::SocketId;
use crate::entry::{Entry, Path, Phase, Protocol, SocketType};
use crate::link::Route;
use crate::table::SocketTable;
use crate::tcp::{NO_THRESHOLD, TcpState};
use alloc::string::String;
use core::fmt::{self, Write};
use core::net::IpAddr;
use snowglobe_abi::Errno;

/// A file of `/proc/net` about sockets.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ProcFile {
    /// `/proc/net/tcp`
    Tcp,
    /// `/proc/net/tcp6`
    Tcp6,
    /// `/proc/net/udp`
    Udp,
    /// `/proc/net/udp6`
    Udp6,
    /// `/proc/net/raw`
    Raw,
    /// `/proc/net/raw6`
    Raw6,
    /// `/proc/net/icmp`
    Icmp,
    /// `/proc/net/icmp6`
    Icmp6,
    /// `/proc/net/netlink`
    Netlink,
    /// `/proc/net/unix`
    Unix,
}

/// Clock ticks of a time, a hundred a second.
fn ticks(ns: u64) -> u64 {
    ns / 10_000_000
}

/// An endpoint as `/proc/net` writes it: the address's words as the processor reads them, and the port.
struct Hex(Endpoint);

impl fmt::Display for Hex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = |b: &[u8]| u32::from_ne_bytes([b[0], b[1], b[2], b[3]]);
        match self.0.ip {
            IpAddr::V4(ip) => write!(f, "{:08X}", word(&ip.octets()))?,
            IpAddr::V6(ip) => ip.octets().chunks(4).try_for_each(|b| write!(f, "{:08X}", word(b)))?,
        }
        write!(f, ":{:04X}", self.0.port)
    }
}

/// Pads the last line to `width`, and ends it.
fn end_line(out: &mut String, begin: usize, width: usize) {
    let missing = (begin + width).saturating_sub(out.len());
    out.extend(core::iter::repeat_n(' ', missing));
    out.push('\n');
}

const TCP_HEAD: &str =
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode";
const TCP6_HEAD: &str = "  sl  local_address                         remote_address                        \
                         st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode";
const UDP_HEAD: &str = "   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   \
                        uid  timeout inode ref pointer drops";
const UDP6_HEAD: &str = "  sl  local_address                         remote_address                        \
                         st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops";
const UNIX_HEAD: &str = "Num       RefCount Protocol Flags    Type St Inode Path";

impl<R: Clone> SocketTable<R> {
    /// The text of a file of `/proc/net` on a host.
    pub fn proc_text(&self, host: u32, file: ProcFile) -> String {
        let mut out = String::new();
        let of = |family, protocol| {
            move |e: &&Entry<R>| e.connection.host == host && e.local.family == family && e.local.protocol == protocol
        };
        match file {
            ProcFile::Tcp => self.tcp_text(&mut out, host, Family::Inet),
            ProcFile::Tcp6 => self.tcp_text(&mut out, host, Family::Inet6),
            ProcFile::Udp => {
                self.udp_text(&mut out, Family::Inet, self.entries().filter(of(Family::Inet, Protocol::Udp)))
            }
            ProcFile::Udp6 => {
                self.udp_text(&mut out, Family::Inet6, self.entries().filter(of(Family::Inet6, Protocol::Udp)));
            }
            ProcFile::Raw | ProcFile::Raw6 | ProcFile::Icmp | ProcFile::Icmp6 => {
                let six = matches!(file, ProcFile::Raw6 | ProcFile::Icmp6);
                let raw = matches!(file, ProcFile::Raw | ProcFile::Raw6);
                let family = if six { Family::Inet6 } else { Family::Inet };
                let of_kind = |e: &&Entry<R>| (e.local.kind == SocketType::Raw) == raw;
                let all = self.entries().filter(of(family, Protocol::Icmp)).filter(of_kind);
                self.udp_text(&mut out, family, all);
            }
            ProcFile::Netlink => self.netlink_text(&mut out, host),
            ProcFile::Unix => self.unix_text(&mut out, host),
        }
        out
    }

    fn tcp_text(&self, out: &mut String, host: u32, family: Family) {
        let width = if family == Family::Inet { 149 } else { 0 };
        out.push_str(if family == Family::Inet { TCP_HEAD } else { TCP6_HEAD });
        end_line(out, 0, width);
        let bound = |e: &&Entry<R>| e.local_end().port != 0 && !e.connection.service;
        let ours =
            |e: &&Entry<R>| e.connection.host == host && e.local.protocol == Protocol::Tcp && e.local.family == family;
        // Linux lists those that listen first; one that is bound and no more is in no list.
        let listening = self.entries().filter(ours).filter(|e| e.tcp_state() == TcpState::Listen);
        let live = |e: &&Entry<R>| !matches!(e.tcp_state(), TcpState::Listen | TcpState::Close);
        let connected = self.entries().filter(ours).filter(live);
        let mut row = 0;
        for entry in listening.chain(connected).filter(bound) {
            let begin = out.len();
            self.tcp_line(out, row, entry);
            end_line(out, begin, width);
            row += 1;
        }
        if family == Family::Inet {
            self.rest_lines(out, host, row);
        }
    }

    fn tcp_line(&self, out: &mut String, row: usize, e: &Entry<R>) {
        let seen = |end: Endpoint| Hex(unmapped(end, e.local.family));
        let listening = e.connection.listener.as_ref();
        let waiting = listening.map_or(e.receive_queue.bytes.len(), |l| l.accept.len());
        let unsent = e.send_queue.bytes.len();
        let tcp = &e.connection.tcp;
        let (kind, due) = tcp.clock.shown().unwrap_or((0, self.log.now));
        let timer = ticks(due.saturating_sub(self.log.now));
        let (retries, probes) = tcp.wire.as_deref().map_or((0, 0), |wire| (wire.retries, wire.probes));
        let (uid, inode) = (e.connection.cred.uid, if e.connection.open { e.local.id } else { 0 });
        let _ = write!(
            out,
            "{row:4}: {} {} {:02X} {unsent:08X}:{waiting:08X} {kind:02X}:{timer:08X} {retries:08X} {uid:5} {probes:8} {inode} 1 \
             {:016x}",
            seen(e.local_end()),
            seen(e.remote_end()),
            e.tcp_state() as u8,
            0,
        );
        // The time-out and the wait of an acknowledgement in ticks, the windows in packets.
        let _ = match (listening, tcp.wire.as_deref()) {
            (Some(_), _) => write!(out, " 100 0 0 10 0"),
            (None, None) => write!(out, " 20 4 30 10 -1"),
            (None, Some(wire)) => {
                let c = &wire.congestion;
                let threshold = if c.threshold == NO_THRESHOLD { -1 } else { i64::from(c.threshold) };
                let (rto, wait) = (ticks(wire.trip.rto), ticks(wire.acks.wait));
                write!(out, " {rto} {wait} {} {} {threshold}", wire.acks.shown(), c.window)
            }
        };
    }

    /// Connections at rest.
    fn rest_lines(&self, out: &mut String, host: u32, mut row: usize) {
        let now = self.log.now;
        for (key, until) in self.ports.resting(host).filter(|(_, until)| *until > now) {
            let begin = out.len();
            let (local, remote) = (Hex(key.local()), Hex(key.remote()));
            let left = ticks(until - now);
            let _ = write!(out, "{row:4}: {local} {remote} 06 {:08X}:{:08X} 03:{left:08X} {:08X}", 0, 0, 0);
            let _ = write!(out, " {:5} {:8} 0 3 {:016x}", 0, 0, 0);
            end_line(out, begin, 149);
            row += 1;
        }
    }

    fn udp_text<'a>(&self, out: &mut String, family: Family, entries: impl Iterator<Item = &'a Entry<R>>)
    where
        R: 'a,
    {
        let width = if family == Family::Inet { 127 } else { 0 };
        out.push_str(if family == Family::Inet { UDP_HEAD } else { UDP6_HEAD });
        end_line(out, 0, width);
        for e in entries.filter(|e| e.local_end().port != 0 || e.local.kind == SocketType::Raw) {
            let begin = out.len();
            let seen = |end: Endpoint| Hex(unmapped(end, e.local.family));
            let state = if e.is_associated() { 1 } else { 7 };
            // A raw socket is found by its protocol.
            let raw = e.local.kind == SocketType::Raw;
            let bucket = if raw { e.local.protocol.number(e.local.family) as u16 } else { e.local_end().port };
            let drops = e.connection.extra.as_ref().map_or(0, |extra| extra.drops);
            let own = Endpoint { port: bucket, ..e.local_end() };
            let (held, uid, inode) = (e.receive_queue.held(), e.connection.cred.uid, e.local.id);
            let sent = e.send_queue.held();
            let (local, remote) = (seen(own), seen(e.remote_end()));
            let _ = write!(out, "{bucket:5}: {local} {remote} {state:02X} {sent:08X}:{held:08X} 00:{:08X}", 0);
            let _ = write!(out, " {:08X} {uid:5} {:8} {inode} 2 {:016x} {drops}", 0, 0, 0);
            end_line(out, begin, width);
        }
    }

    fn unix_text(&self, out: &mut String, host: u32) {
        let _ = writeln!(out, "{UNIX_HEAD}");
        for e in self.entries().filter(|e| e.connection.host == host && e.local.protocol == Protocol::Unix) {
            let flags = if e.connection.phase == Phase::Listening { 0x10000 } else { 0 };
            let connected = matches!(e.connection.phase, Phase::Connected | Phase::Shutdown | Phase::Disconnected);
            let state = if connected { 3 } else { 1 };
            let (kind, inode) = (e.local.kind.number(), e.local.id);
            let _ = write!(out, "{:016x}: {:08X} {:08X} {flags:08X} {kind:04X} {state:02X} {inode:5}", 0, 2, 0);
            let _ = match &e.local.address {
                Addr::Unix(UnixAddr::Path { name, .. }) => write!(out, " {}", String::from_utf8_lossy(name)),
                Addr::Unix(UnixAddr::Abstract(name)) => write!(out, " @{}", String::from_utf8_lossy(name)),
                _ => Ok(()),
            };
            out.push('\n');
        }
    }

    fn netlink_text(&self, out: &mut String, host: u32) {
        out.push_str("sk               Eth Pid        Groups   Rmem     Wmem     Dump  Locks    Drops    Inode\n");
        for e in self.entries().filter(|e| e.connection.host == host) {
            let (Protocol::Netlink(protocol), Addr::Netlink { port, groups }) = (e.local.protocol, &e.local.address)
            else {
                continue;
            };
            let dump = u8::from(e.connection.extra.as_ref().is_some_and(|extra| !extra.dump.is_empty()));
            let (held, inode) = (e.receive_queue.held(), e.local.id);
            let _ = writeln!(
                out,
                "{:016x} {protocol:<3} {port:<10} {groups:08x} {held:<8} {:<8} {dump:<5} {:<8} {:<8} {inode:<8}",
                0, 0, 2, 0
            );
        }
    }

    /// IP_MTU of a connected socket.
    pub(crate) fn path_mtu(&self, id: SocketId) -> Result<u32, Errno> {
        let entry = self.get(id)?;
        if entry.remote_end().port == 0 {
            return Err(Errno::ENOTCONN);
        }
        if let Path::Link { network, .. } | Path::Nobody { network } = entry.connection.path {
            return Ok(self.world.networks[network as usize].mtu);
        }
        // A datagram socket has no path, but a route.
        let (host, to, device) = (entry.connection.host, entry.remote_end(), entry.local.options.device);
        let route = self.world.route(host, to.ip, device, to.scope).unwrap_or(Route::Local);
        Ok(self.world.mtu(host, route, to.ip.is_ipv6()))
    }
}

/// An endpoint in the width of its file: those of AF_INET6 show IPv4 mapped.
pub(crate) fn unmapped(end: Endpoint, family: Family) -> Endpoint {
    match (end.ip, family) {
        (IpAddr::V4(ip), Family::Inet6) if ip.is_unspecified() && end.port == 0 => {
            Endpoint { ip: IpAddr::V6(core::net::Ipv6Addr::UNSPECIFIED), ..end }
        }
        _ => end.seen_by(family),
    }
}
