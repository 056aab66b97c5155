//! What a host counts, and the texts of `/proc/net/{snmp,netstat,sockstat,sockstat6,arp}`.

use crate::addr::Family;
use crate::entry::{Entry, Protocol, SocketType};
use crate::link::{Host, Interface};
use crate::table::SocketTable;
use crate::tcp::TcpState;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Write;
use core::net::{IpAddr, Ipv6Addr};

/// How long an address is known for certain, in nanoseconds (`base_reachable_time`).
const REACHABLE: u64 = 30_000_000_000;

/// The counters of a host.
#[derive(Clone, Default, Debug)]
pub(crate) struct Counters {
    pub(crate) udp_in: u64,
    pub(crate) udp_out: u64,
    pub(crate) udp_no_ports: u64,
    pub(crate) udp_full: u64,
    /// Datagrams, and below segments, whose checksum was wrong.
    pub(crate) udp_damaged: u64,
    pub(crate) tcp_damaged: u64,
    /// ICMP messages by version (whether it is 6) and type.
    pub(crate) icmp_in: BTreeMap<(bool, u8), u64>,
    pub(crate) icmp_out: BTreeMap<(bool, u8), u64>,
    pub(crate) tcp_active: u64,
    pub(crate) tcp_passive: u64,
    /// Segments of sockets that are no more.
    pub(crate) tcp_in: u64,
    pub(crate) tcp_out: u64,
    pub(crate) tcp_again: u64,
}

/// A host of the same network whose hardware address is known.
pub(crate) struct Neighbour<'a> {
    pub(crate) ip: IpAddr,
    pub(crate) mac: [u8; 6],
    pub(crate) interface: &'a Interface,
    /// Whether it was heard of just now.
    pub(crate) reachable: bool,
}

/// Names and values of one group of a `/proc/net` file, which are two lines.
fn group(out: &mut String, name: &str, fields: &[(&str, u64)]) {
    let _ = write!(out, "{name}:");
    for (field, _) in fields {
        let _ = write!(out, " {field}");
    }
    let _ = write!(out, "\n{name}:");
    for (_, value) in fields {
        let _ = write!(out, " {value}");
    }
    out.push('\n');
}

impl<R: Clone> SocketTable<R> {
    /// The counters of a host; those of the resolver are nobody's.
    pub(crate) fn counters(&mut self, host: u32) -> &mut Counters {
        let last = self.counts.len() - 1;
        &mut self.counts[last.min(host as usize)]
    }

    fn counted(&self, host: u32) -> &Counters {
        &self.counts[(self.counts.len() - 1).min(host as usize)]
    }

    pub(crate) fn count_icmp(&mut self, host: u32, received: bool, six: bool, kind: u8) {
        let counters = self.counters(host);
        let all = if received { &mut counters.icmp_in } else { &mut counters.icmp_out };
        *all.entry((six, kind)).or_default() += 1;
    }

    fn of_host(&self, host: u32, protocol: Protocol) -> impl Iterator<Item = &Entry<R>> {
        self.entries()
            .filter(move |e| e.connection.host == host && e.local.protocol == protocol && !e.connection.service)
    }

    /// `/proc/net/snmp`.
    pub fn snmp_text(&self, host: u32) -> String {
        let c = self.counted(host);
        let segments = self.of_host(host, Protocol::Tcp).fold((c.tcp_in, c.tcp_out, c.tcp_again), |(i, o, a), e| {
            let tcp = &e.connection.tcp;
            let again = tcp.wire.as_deref().map_or(0, |wire| wire.packets_again);
            (i + u64::from(tcp.segments_in), o + u64::from(tcp.segments_out), a + u64::from(again))
        });
        let established = |e: &&Entry<R>| matches!(e.tcp_state(), TcpState::Established | TcpState::CloseWait);
        let current = self.of_host(host, Protocol::Tcp).filter(established).count() as u64;
        let icmp = |all: &BTreeMap<(bool, u8), u64>, kind| all.get(&(false, kind)).copied().unwrap_or(0);
        let sum = |all: &BTreeMap<(bool, u8), u64>| all.iter().filter(|(k, _)| !k.0).map(|(_, v)| v).sum::<u64>();
        let (icmp_in, icmp_out) = (sum(&c.icmp_in), sum(&c.icmp_out));
        let received = segments.0 + c.udp_in + c.udp_no_ports + c.udp_full + icmp_in;
        let mut out = String::new();
        let mut ip: Vec<(&str, u64)> = Vec::from([("Forwarding", 2), ("DefaultTTL", 64), ("InReceives", received)]);
        ip.extend(["InHdrErrors", "InAddrErrors", "ForwDatagrams", "InUnknownProtos", "InDiscards"].map(|n| (n, 0)));
        ip.extend([("InDelivers", received), ("OutRequests", segments.1 + c.udp_out + icmp_out)]);
        ip.extend(["OutDiscards", "OutNoRoutes", "ReasmTimeout", "ReasmReqds", "ReasmOKs"].map(|n| (n, 0)));
        ip.extend(["ReasmFails", "FragOKs", "FragFails", "FragCreates"].map(|n| (n, 0)));
        group(&mut out, "Ip", &ip);
        const KINDS: [(&str, &str, u8); 11] = [
            ("InDestUnreachs", "OutDestUnreachs", 3),
            ("InTimeExcds", "OutTimeExcds", 11),
            ("InParmProbs", "OutParmProbs", 12),
            ("InSrcQuenchs", "OutSrcQuenchs", 4),
            ("InRedirects", "OutRedirects", 5),
            ("InEchos", "OutEchos", 8),
            ("InEchoReps", "OutEchoReps", 0),
            ("InTimestamps", "OutTimestamps", 13),
            ("InTimestampReps", "OutTimestampReps", 14),
            ("InAddrMasks", "OutAddrMasks", 17),
            ("InAddrMaskReps", "OutAddrMaskReps", 18),
        ];
        let mut fields: Vec<(&str, u64)> = Vec::from([("InMsgs", icmp_in), ("InErrors", 0), ("InCsumErrors", 0)]);
        fields.extend(KINDS.map(|(name, _, kind)| (name, icmp(&c.icmp_in, kind))));
        fields.extend([("OutMsgs", icmp_out), ("OutErrors", 0)]);
        fields.extend(KINDS.map(|(_, name, kind)| (name, icmp(&c.icmp_out, kind))));
        group(&mut out, "Icmp", &fields);
        // MaxConn is -1: there is no limit.
        let mut tcp = String::new();
        group(
            &mut tcp,
            "Tcp",
            &[
                ("RtoAlgorithm", 1),
                ("RtoMin", 200),
                ("RtoMax", 120_000),
                ("MaxConn", u64::MAX),
                ("ActiveOpens", c.tcp_active),
                ("PassiveOpens", c.tcp_passive),
                ("AttemptFails", 0),
                ("EstabResets", 0),
                ("CurrEstab", current),
                ("InSegs", segments.0),
                ("OutSegs", segments.1),
                ("RetransSegs", segments.2),
                ("InErrs", c.tcp_damaged),
                ("OutRsts", 0),
                ("InCsumErrors", c.tcp_damaged),
            ],
        );
        out.push_str(&tcp.replace("18446744073709551615", "-1"));
        let errors = c.udp_full + c.udp_damaged;
        let udp = [("InDatagrams", c.udp_in), ("NoPorts", c.udp_no_ports), ("InErrors", errors)];
        let udp: Vec<(&str, u64)> = udp
            .into_iter()
            .chain([("OutDatagrams", c.udp_out), ("RcvbufErrors", c.udp_full)])
            .chain([("SndbufErrors", 0), ("InCsumErrors", c.udp_damaged), ("IgnoredMulti", 0), ("MemErrors", 0)])
            .collect();
        group(&mut out, "Udp", &udp);
        let none: Vec<(&str, u64)> = udp.iter().map(|(name, _)| (*name, 0)).collect();
        group(&mut out, "UdpLite", &none);
        out
    }

    /// `/proc/net/netstat`: what no host of a world counts is 0.
    pub fn netstat_text(&self, host: u32) -> String {
        let resting = self.ports.resting(host).count() as u64;
        let zero = |names: &[&'static str]| names.iter().map(|n| (*n, 0)).collect::<Vec<(&str, u64)>>();
        let mut tcp = zero(&["SyncookiesSent", "SyncookiesRecv", "SyncookiesFailed", "EmbryonicRsts", "PruneCalled"]);
        tcp.extend(zero(&["RcvPruned", "OfoPruned", "OutOfWindowIcmps", "LockDroppedIcmps", "ArpFilter"]));
        tcp.push(("TW", resting));
        tcp.extend(zero(&["TWRecycled", "TWKilled", "PAWSActive", "PAWSEstab", "DelayedACKs", "DelayedACKLocked"]));
        tcp.extend(zero(&["DelayedACKLost", "ListenOverflows", "ListenDrops", "TCPHPHits", "TCPPureAcks"]));
        tcp.extend(zero(&["TCPHPAcks", "TCPRenoRecovery", "TCPSackRecovery", "TCPLostRetransmit", "TCPTimeouts"]));
        tcp.extend(zero(&["TCPFastRetrans", "TCPSlowStartRetrans", "TCPAbortOnData", "TCPAbortOnClose"]));
        tcp.extend(zero(&["TCPAbortOnMemory", "TCPAbortOnTimeout", "TCPAbortOnLinger", "TCPAbortFailed"]));
        tcp.extend(zero(&["TCPBacklogDrop", "TCPReqQFullDrop", "TCPRetransFail", "TCPRcvCoalesce", "TCPOFOQueue"]));
        tcp.extend(zero(&["TCPSynRetrans", "TCPOrigDataSent", "TCPKeepAlive", "TCPDelivered"]));
        let mut out = String::new();
        group(&mut out, "TcpExt", &tcp);
        let ip = zero(&["InNoRoutes", "InTruncatedPkts", "InMcastPkts", "OutMcastPkts", "InBcastPkts", "OutBcastPkts"]);
        let more =
            zero(&["InOctets", "OutOctets", "InMcastOctets", "OutMcastOctets", "InBcastOctets", "OutBcastOctets"]);
        let last = zero(&["InCsumErrors", "InNoECTPkts", "InECT1Pkts", "InECT0Pkts", "InCEPkts", "ReasmOverlaps"]);
        group(&mut out, "IpExt", &[ip, more, last].concat());
        out
    }

    /// `/proc/net/sockstat`, or with `six` `/proc/net/sockstat6`.
    pub fn sockstat_text(&self, host: u32, six: bool) -> String {
        let family = if six { Family::Inet6 } else { Family::Inet };
        let of = move |e: &&Entry<R>| e.local.family == family;
        let closed = |e: &&Entry<R>| e.tcp_state() == TcpState::Close;
        let tcp = || self.of_host(host, Protocol::Tcp).filter(of);
        let in_use = tcp().filter(|e| !closed(e)).count();
        let udp = self.of_host(host, Protocol::Udp).filter(of).filter(|e| e.local_end().port != 0).count();
        let raw = |e: &&Entry<R>| e.local.kind == SocketType::Raw;
        let raws = self.of_host(host, Protocol::Icmp).filter(of).filter(raw).count();
        if six {
            return alloc::format!(
                "TCP6: inuse {in_use}\nUDP6: inuse {udp}\nUDPLITE6: inuse 0\nRAW6: inuse {raws}\nFRAG6: inuse 0 memory 0\n"
            );
        }
        let all = self.entries().filter(|e| e.connection.host == host && e.connection.open).count();
        let any = || self.of_host(host, Protocol::Tcp);
        let (orphans, allocated) = (any().filter(|e| !e.connection.open).count(), any().count());
        let resting = self.ports.resting(host).filter(|(_, until)| *until > self.log.now).count();
        let bytes = |e: &Entry<R>| e.receive_queue.bytes.len() + e.receive_queue.held() + e.send_queue.bytes.len();
        let pages = |protocol| self.of_host(host, protocol).map(bytes).sum::<usize>().div_ceil(4096);
        alloc::format!(
            "sockets: used {all}\nTCP: inuse {in_use} orphan {orphans} tw {resting} alloc {allocated} mem {}\n\
             UDP: inuse {udp} mem {}\nUDPLITE: inuse 0\nRAW: inuse {raws}\nFRAG: inuse 0 memory 0\n",
            pages(Protocol::Tcp),
            pages(Protocol::Udp),
        )
    }

    /// `/proc/net/arp`.
    pub fn arp_text(&self, host: u32) -> String {
        let mut out = String::from("IP address       HW type     Flags       HW address            Mask     Device\n");
        for n in self.neighbours(host, false) {
            let [a, b, c, d, e, f] = n.mac;
            let mac = alloc::format!("{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{f:02x}");
            let ip = alloc::format!("{}", n.ip);
            let _ = writeln!(out, "{ip:<16} 0x{:<10}0x{:<10}{mac:<17}     *        {}", 1, 2, n.interface.name);
        }
        out
    }

    /// The hosts with which a host has exchanged packets, in the order of the world.
    pub(crate) fn neighbours(&self, host: u32, six: bool) -> Vec<Neighbour<'_>> {
        let here = self.world.host(host);
        let mut out = Vec::new();
        for (index, &at) in here.met[usize::from(six)].iter().enumerate().filter(|(_, at)| **at != 0) {
            let other = self.world.host(index as u32);
            let Some((own, theirs)) = shared(here, other) else { continue };
            let v6 = theirs.v6.first().map_or(Ipv6Addr::UNSPECIFIED, |(ip, _)| *ip);
            let ip = if six { IpAddr::V6(v6) } else { IpAddr::V4(theirs.v4) };
            let reachable = self.log.now.saturating_sub(at) < REACHABLE;
            out.push(Neighbour { ip, mac: theirs.mac, interface: own, reachable });
        }
        out
    }
}

/// The first network of `here` that `other` is on too: the interfaces of both.
fn shared<'a>(here: &'a Host, other: &'a Host) -> Option<(&'a Interface, &'a Interface)> {
    here.interfaces.iter().filter(|i| i.network.is_some()).find_map(|own| {
        other.interfaces.iter().find(|theirs| theirs.network == own.network).map(|theirs| (own, theirs))
    })
}
