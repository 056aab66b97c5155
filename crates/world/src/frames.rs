//! Captured packets as Ethernet frames: the headers that they would have had on a wire, with right checksums.
//!
//! The network of a world moves places in streams and whole datagrams. Here a stream's bytes are cut to segments that fit a
//! frame and numbered from an initial sequence number that each connection has of its own; datagrams that do not fit are
//! cut to fragments. Both ends of a packet's way give the same bytes.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use etherparse::{
    EtherType, Ethernet2Header, IpDscp, IpEcn, IpFragOffset, IpNumber, Ipv4Header, Ipv6FragmentHeader, Ipv6Header,
    TcpHeader, TcpOptionElement, UdpHeader,
};
use snowglobe_abi::spec::{DEFAULT_MTU, NetworkSpec};
use snowglobe_abi::trace::packet;

/// Bytes of an IP packet at most on the loopback.
const MTU_LOOPBACK: usize = 65_535;
/// Bytes of a segment on the loopback at most: what TCP_MAXSEG says there.
const SEGMENT_LOOPBACK: usize = 32_741;
/// The scale of windows (RFC 7323): that of the largest window that the table gives.
const WINDOW_SCALE: u8 = 7;

/// The flags of a TCP header.
const FIN: u64 = 1;
const SYN: u64 = 2;
const RST: u64 = 4;
const ACK: u64 = 16;

/// A captured packet whose payload is whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packet {
    /// The numbers of its record, see [`packet`].
    pub nums: [u64; packet::COUNT],
    /// Where it comes from.
    pub src: IpAddr,
    /// Where it goes.
    pub dst: IpAddr,
    /// What it carries.
    pub payload: Vec<u8>,
}

impl Packet {
    fn number(&self, place: usize) -> u64 {
        self.nums[place]
    }

    fn ports(&self) -> (u16, u16) {
        let ports = self.number(packet::PORTS);
        (ports as u16, (ports >> 16) as u16)
    }

    fn is_loopback(&self) -> bool {
        self.number(packet::NETWORK) == 0
    }

    fn flow(&self) -> Flow {
        let network = self.number(packet::NETWORK);
        // The loopback addresses of two hosts are not the same.
        let place = if network == 0 { self.number(packet::HOST) } else { 0 };
        let (from, to) = self.ports();
        (network, place, (self.src, from), (self.dst, to))
    }
}

/// One direction of a connection.
type Flow = (u64, u64, (IpAddr, u16), (IpAddr, u16));

/// Makes frames of packets.
#[derive(Default)]
pub struct Framer {
    broadcasts: Vec<Ipv4Addr>,
    /// Bytes of an IP packet at most, by network.
    mtus: Vec<usize>,
    /// Which socket sends in each direction.
    senders: BTreeMap<Flow, u64>,
}

impl Framer {
    /// For the networks of a world.
    pub fn new(networks: &[NetworkSpec]) -> Framer {
        let broadcast = |network: &NetworkSpec| {
            let (address, prefix) = network.subnet;
            let host = u32::MAX.checked_shr(u32::from(prefix)).unwrap_or(0);
            Ipv4Addr::from(u32::from(Ipv4Addr::from(address)) | host)
        };
        let mtus = networks.iter().map(|network| network.mtu as usize).collect();
        Framer { broadcasts: networks.iter().map(broadcast).collect(), mtus, senders: BTreeMap::new() }
    }

    fn mtu(&self, packet: &Packet) -> usize {
        let network = (packet.number(packet::NETWORK) as usize).checked_sub(1);
        network.map_or(MTU_LOOPBACK, |network| self.mtus.get(network).map_or(DEFAULT_MTU as usize, |&mtu| mtu))
    }

    /// Bytes of a segment at most.
    fn segment_most(&self, packet: &Packet) -> usize {
        let headers = if packet.src.is_ipv4() { 40 } else { 60 };
        if packet.is_loopback() { SEGMENT_LOOPBACK } else { self.mtu(packet) - headers }
    }

    /// The frames of a packet, in order.
    pub fn frames(&mut self, packet: &Packet) -> Vec<Vec<u8>> {
        let mut out = Vec::new();
        match packet.number(packet::TRANSPORT) {
            packet::TCP => {
                for segment in self.segments(packet) {
                    self.put(packet, IpNumber::TCP, &segment, &mut out);
                }
            }
            packet::UDP => self.put(packet, IpNumber::UDP, &udp(packet), &mut out),
            packet::ICMP => self.put(packet, icmp_of(packet), &packet.payload, &mut out),
            _ => {}
        }
        out
    }

    /// The segments that bring a piece of a stream.
    fn segments(&mut self, packet: &Packet) -> Vec<Vec<u8>> {
        let flow = packet.flow();
        let back = (flow.0, flow.1, flow.3, flow.2);
        let socket = packet.number(packet::SOCKET);
        // One who refuses has no socket, and one who receives says nothing of the sender's.
        if socket != 0 {
            self.senders.insert(flow, socket);
        }
        let first = |sender: Option<&u64>| sender.map_or(0, |socket| initial_sequence(*socket));
        // The reset that answers a SYN is part of no stream.
        let refuses = packet.number(packet::BITS) & RST != 0 && packet.number(packet::SEQ) == 0;
        let (own, other) = (if refuses { 0 } else { first(self.senders.get(&flow)) }, first(self.senders.get(&back)));
        let most = self.segment_most(packet);
        let mut pieces: Vec<&[u8]> = packet.payload.chunks(most).collect();
        if pieces.is_empty() {
            pieces.push(&[]);
        }
        let mut at = packet.number(packet::SEQ);
        let count = pieces.len();
        let mut out = Vec::new();
        for (i, piece) in pieces.into_iter().enumerate() {
            let header = tcp_header(packet, at, own, other, (piece.len(), i + 1 == count), most);
            out.push(with_checksum(header, packet, piece));
            at += piece.len() as u64;
        }
        out
    }

    /// Puts the frames of a transport's message.
    fn put(&self, packet: &Packet, protocol: IpNumber, message: &[u8], out: &mut Vec<Vec<u8>>) {
        let mtu = self.mtu(packet);
        let ip_packets = match (packet.src, packet.dst) {
            (IpAddr::V4(src), IpAddr::V4(dst)) => v4_packets(packet, (src, dst), protocol, message, mtu),
            (IpAddr::V6(src), IpAddr::V6(dst)) => v6_packets(packet, (src, dst), protocol, message, mtu),
            // Both addresses of a packet are of one family.
            _ => return,
        };
        let (source, destination) =
            if packet.is_loopback() { ([0; 6], [0; 6]) } else { (self.mac(packet.src), self.mac(packet.dst)) };
        let ether_type = if packet.src.is_ipv4() { EtherType::IPV4 } else { EtherType::IPV6 };
        let ethernet = Ethernet2Header { source, destination, ether_type }.to_bytes();
        out.extend(ip_packets.into_iter().map(|ip| [&ethernet[..], &ip].concat()));
    }

    /// The hardware address that goes with an address.
    fn mac(&self, ip: IpAddr) -> [u8; 6] {
        match ip {
            IpAddr::V4(ip) if ip.is_broadcast() || self.broadcasts.contains(&ip) => [0xff; 6],
            IpAddr::V4(ip) => {
                let [a, b, c, d] = ip.octets();
                // RFC 1112, 6.4.
                if ip.is_multicast() { [1, 0, 0x5e, b & 0x7f, c, d] } else { [2, 0x42, a, b, c, d] }
            }
            IpAddr::V6(ip) => {
                let o = ip.octets();
                match ip {
                    // RFC 2464, 7.
                    _ if ip.is_multicast() => [0x33, 0x33, o[12], o[13], o[14], o[15]],
                    // RFC 4291, appendix A.
                    _ if ip.is_unicast_link_local() => [o[8] ^ 2, o[9], o[10], o[13], o[14], o[15]],
                    _ => [2, 0x42, o[12], o[13], o[14], o[15]],
                }
            }
        }
    }
}

/// The initial sequence number of a socket's stream: its unique ID, mixed (the finaliser of SplitMix64).
fn initial_sequence(socket: u64) -> u32 {
    let x = socket.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let x = (x ^ x >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    (x ^ x >> 27) as u32
}

/// The header of a segment with `len` bytes from place `at` on; `last` of its piece.
fn tcp_header(packet: &Packet, at: u64, own: u32, other: u32, (len, last): (usize, bool), most: usize) -> TcpHeader {
    let (from, to) = packet.ports();
    let bits = packet.number(packet::BITS);
    let syn = bits & SYN != 0;
    let window = packet.number(packet::WINDOW);
    // RFC 7323, 2.2: the window of a SYN is not scaled. Rounded up, so that one of a byte is not closed.
    let shown = if syn { window } else { window.div_ceil(1 << WINDOW_SCALE) };
    let mut header = TcpHeader::new(from, to, own.wrapping_add(at as u32), shown.min(0xffff) as u16);
    (header.syn, header.rst, header.ack) = (syn, bits & RST != 0, bits & ACK != 0);
    header.fin = last && bits & FIN != 0;
    header.psh = last && len > 0;
    if header.ack {
        header.acknowledgment_number = other.wrapping_add(packet.number(packet::ACK) as u32);
    }
    // RFC 6093: what Linux points to is the byte after the urgent one.
    if let Some(urgent) = packet.number(packet::URGENT).checked_sub(at).filter(|to| (1..=0xffff).contains(to)) {
        (header.urg, header.urgent_pointer) = (true, urgent as u16);
    }
    if syn {
        let options = [
            TcpOptionElement::MaximumSegmentSize(most as u16),
            TcpOptionElement::Noop,
            TcpOptionElement::WindowScale(WINDOW_SCALE),
        ];
        header.set_options(&options).expect("eight bytes of options fit");
    }
    header
}

/// A segment as bytes.
fn with_checksum(mut header: TcpHeader, packet: &Packet, payload: &[u8]) -> Vec<u8> {
    let sum = match (packet.src, packet.dst) {
        (IpAddr::V4(src), IpAddr::V4(dst)) => header.calc_checksum_ipv4_raw(src.octets(), dst.octets(), payload),
        (IpAddr::V6(src), IpAddr::V6(dst)) => header.calc_checksum_ipv6_raw(src.octets(), dst.octets(), payload),
        _ => Ok(0),
    };
    header.checksum = sum.expect("a piece is shorter than a packet may be");
    [&header.to_bytes()[..], payload].concat()
}

/// A UDP datagram.
fn udp(packet: &Packet) -> Vec<u8> {
    let ((from, to), payload) = (packet.ports(), &packet.payload[..]);
    let header = match (packet.src, packet.dst) {
        (IpAddr::V4(src), IpAddr::V4(dst)) => {
            UdpHeader::with_ipv4_checksum(from, to, &v4_header(src, dst, IpNumber::UDP, (64, 0), 0), payload).ok()
        }
        (IpAddr::V6(src), IpAddr::V6(dst)) => {
            UdpHeader::with_ipv6_checksum(from, to, &v6_header(src, dst, IpNumber::UDP, (64, 0), 0), payload).ok()
        }
        _ => None,
    };
    let length = (payload.len() + UdpHeader::LEN).min(0xffff) as u16;
    let header = header.unwrap_or(UdpHeader { source_port: from, destination_port: to, length, checksum: 0 });
    [&header.to_bytes()[..], payload].concat()
}

fn icmp_of(packet: &Packet) -> IpNumber {
    if packet.src.is_ipv4() { IpNumber::ICMP } else { IpNumber::IPV6_ICMP }
}

fn ttl_tos(packet: &Packet) -> (u8, u8) {
    let both = packet.number(packet::TTL_TOS);
    (both as u8, (both >> 8) as u8)
}

/// The header of an IPv4 packet that is not a fragment.
fn v4_header(src: Ipv4Addr, dst: Ipv4Addr, protocol: IpNumber, (ttl, tos): (u8, u8), payload: usize) -> Ipv4Header {
    let mut header = Ipv4Header {
        dscp: IpDscp::try_new(tos >> 2).unwrap_or_default(),
        ecn: IpEcn::try_new(tos & 3).unwrap_or_default(),
        total_len: (payload + Ipv4Header::MIN_LEN).min(0xffff) as u16,
        dont_fragment: true,
        time_to_live: ttl,
        protocol,
        source: src.octets(),
        destination: dst.octets(),
        ..Ipv4Header::default()
    };
    header.header_checksum = header.calc_header_checksum();
    header
}

fn v6_header(src: Ipv6Addr, dst: Ipv6Addr, next: IpNumber, (ttl, tos): (u8, u8), payload: usize) -> Ipv6Header {
    Ipv6Header {
        traffic_class: tos,
        payload_length: payload.min(0xffff) as u16,
        next_header: next,
        hop_limit: ttl,
        source: src.octets(),
        destination: dst.octets(),
        ..Ipv6Header::default()
    }
}

/// A number by which the fragments of one message are told from those of another: the same at both ends.
fn identification(message: &[u8]) -> u32 {
    message.iter().fold(0x811c_9dc5, |hash: u32, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193))
}

/// The pieces of a message with their offsets, each of whole eights but the last.
fn fragments(message: &[u8], most: usize) -> impl Iterator<Item = (IpFragOffset, bool, &[u8])> {
    let most = most / 8 * 8;
    let pieces = message.len().div_ceil(most);
    message.chunks(most).enumerate().map(move |(i, piece)| {
        let offset = IpFragOffset::try_new((i * most / 8) as u16).unwrap_or_default();
        (offset, i + 1 < pieces, piece)
    })
}

fn v4_packets(
    packet: &Packet,
    (src, dst): (Ipv4Addr, Ipv4Addr),
    protocol: IpNumber,
    message: &[u8],
    mtu: usize,
) -> Vec<Vec<u8>> {
    let most = mtu - Ipv4Header::MIN_LEN;
    let whole = v4_header(src, dst, protocol, ttl_tos(packet), message.len());
    if message.len() <= most {
        return vec![[&whole.to_bytes()[..], message].concat()];
    }
    let identification = identification(message) as u16;
    let part = |(offset, more, piece): (IpFragOffset, bool, &[u8])| {
        let mut header = Ipv4Header {
            total_len: (Ipv4Header::MIN_LEN + piece.len()) as u16,
            identification,
            dont_fragment: false,
            more_fragments: more,
            fragment_offset: offset,
            ..whole.clone()
        };
        header.header_checksum = header.calc_header_checksum();
        [&header.to_bytes()[..], piece].concat()
    };
    fragments(message, most).map(part).collect()
}

fn v6_packets(
    packet: &Packet,
    (src, dst): (Ipv6Addr, Ipv6Addr),
    next: IpNumber,
    message: &[u8],
    mtu: usize,
) -> Vec<Vec<u8>> {
    let whole = v6_header(src, dst, next, ttl_tos(packet), message.len());
    if message.len() <= mtu - Ipv6Header::LEN {
        return vec![[&whole.to_bytes()[..], message].concat()];
    }
    let identification = identification(message);
    let part = |(offset, more, piece): (IpFragOffset, bool, &[u8])| {
        let fragment = Ipv6FragmentHeader::new(next, offset, more, identification).to_bytes();
        let payload_length = (fragment.len() + piece.len()) as u16;
        let header = Ipv6Header { payload_length, next_header: IpNumber::IPV6_FRAGMENTATION_HEADER, ..whole.clone() };
        [&header.to_bytes()[..], &fragment, piece].concat()
    };
    fragments(message, mtu - Ipv6Header::LEN - Ipv6FragmentHeader::LEN).map(part).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use etherparse::{NetSlice, SlicedPacket, TransportSlice};

    fn packet(transport: u64, src: &str, dst: &str, payload: &[u8]) -> Packet {
        let mut nums = [0; packet::COUNT];
        nums[packet::NETWORK] = 1;
        nums[packet::TTL_TOS] = 64;
        nums[packet::PORTS] = 40_000 | 80 << 16;
        nums[packet::TRANSPORT] = transport;
        Packet { nums, src: src.parse().unwrap(), dst: dst.parse().unwrap(), payload: payload.to_vec() }
    }

    fn tcp(socket: u64, bits: u64, seq: u64, payload: &[u8]) -> Packet {
        let mut packet = packet(packet::TCP, "10.0.0.2", "10.0.0.3", payload);
        packet.nums[packet::SOCKET] = socket;
        packet.nums[packet::BITS] = bits;
        packet.nums[packet::SEQ] = seq;
        packet.nums[packet::WINDOW] = 3 << 20;
        packet
    }

    /// The sum of RFC 1071 over all of it; 0 where a checksum in it is right.
    fn sum(parts: &[&[u8]]) -> u16 {
        let bytes = parts.concat();
        let words = bytes.chunks(2).map(|w| u32::from(w[0]) << 8 | u32::from(*w.get(1).unwrap_or(&0)));
        let mut sum: u32 = words.sum();
        while sum > 0xffff {
            sum = (sum & 0xffff) + (sum >> 16);
        }
        !(sum as u16)
    }

    /// Checks an IPv4 frame's sums; gives the header of its TCP and its payload.
    fn checked(frame: &[u8]) -> (TcpHeader, Vec<u8>) {
        let sliced = SlicedPacket::from_ethernet(frame).unwrap();
        let Some(NetSlice::Ipv4(ip)) = &sliced.net else { panic!("{sliced:?}") };
        let header = ip.header();
        assert_eq!(sum(&[header.slice()]), 0);
        let message = ip.payload().payload;
        let pseudo = [&header.source()[..], &header.destination(), &[0, 6], &(message.len() as u16).to_be_bytes()];
        assert_eq!(sum(&[&pseudo.concat(), message]), 0);
        let Some(TransportSlice::Tcp(tcp)) = &sliced.transport else { panic!("{sliced:?}") };
        (tcp.to_header(), tcp.payload().to_vec())
    }

    #[test]
    fn a_stream_is_cut_to_segments_that_follow_each_other() {
        let mut framer = Framer::new(&[]);
        let syn = framer.frames(&tcp(9, SYN, 0, b""));
        let (syn, _) = checked(&syn[0]);
        assert!(syn.syn && !syn.ack && syn.window_size == 0xffff);
        let data: Vec<u8> = (0..4000u32).map(|i| i as u8).collect();
        let frames = framer.frames(&tcp(9, ACK | FIN, 1, &data));
        let segments: Vec<_> = frames.iter().map(|frame| checked(frame)).collect();
        assert_eq!(segments.iter().map(|(_, payload)| payload.len()).collect::<Vec<_>>(), [1460, 1460, 1080]);
        assert_eq!(segments.iter().flat_map(|(_, payload)| payload.clone()).collect::<Vec<_>>(), data);
        let mut next = syn.sequence_number.wrapping_add(1);
        for (header, payload) in &segments {
            assert_eq!((header.sequence_number, header.window_size), (next, 3 << 13));
            next = next.wrapping_add(payload.len() as u32);
        }
        assert_eq!(segments.iter().map(|(header, _)| header.fin).collect::<Vec<_>>(), [false, false, true]);
        assert!(frames.iter().all(|frame| frame.len() <= 1514));
    }

    #[test]
    fn each_end_acknowledges_what_the_other_numbered() {
        let mut framer = Framer::new(&[]);
        let (syn, _) = checked(&framer.frames(&tcp(9, SYN, 0, b""))[0]);
        let mut answer = tcp(12, SYN | ACK, 0, b"");
        (answer.src, answer.dst) = (answer.dst, answer.src);
        answer.nums[packet::PORTS] = 80 | 40_000 << 16;
        answer.nums[packet::ACK] = 1;
        let (answer, _) = checked(&framer.frames(&answer)[0]);
        assert_eq!(answer.acknowledgment_number, syn.sequence_number.wrapping_add(1));
        assert_ne!(answer.sequence_number, syn.sequence_number);
        // A new connection of the same addresses begins elsewhere.
        let (again, _) = checked(&framer.frames(&tcp(13, SYN, 0, b""))[0]);
        assert_ne!(again.sequence_number, syn.sequence_number);
    }

    #[test]
    fn datagrams_that_do_not_fit_are_cut_to_fragments() {
        let framer = &mut Framer::new(&[]);
        let data: Vec<u8> = (0..65_000u32).map(|i| (i / 7) as u8).collect();
        for (src, dst, head) in [("10.0.0.2", "10.0.0.3", 34), ("fd00::a00:2", "fd00::a00:3", 62)] {
            let frames = framer.frames(&packet(packet::UDP, src, dst, &data));
            assert!(frames.len() > 40 && frames.iter().all(|frame| frame.len() <= 1514));
            let whole: Vec<u8> = frames.iter().flat_map(|frame| frame[head..].to_vec()).collect();
            assert_eq!(whole[4..6], (65_008u16).to_be_bytes());
            assert_eq!(whole[8..], data);
        }
    }

    #[test]
    fn addresses_of_many_hosts_have_hardware_addresses_of_many() {
        let network = NetworkSpec::plain("n", ([10, 0, 0, 0], 24), [10, 0, 0, 1], 1);
        let framer = Framer::new(&[network]);
        assert_eq!(framer.mac("10.0.0.255".parse().unwrap()), [0xff; 6]);
        assert_eq!(framer.mac("10.0.0.7".parse().unwrap()), [2, 0x42, 10, 0, 0, 7]);
        assert_eq!(framer.mac("239.129.2.3".parse().unwrap()), [1, 0, 0x5e, 1, 2, 3]);
        assert_eq!(framer.mac("ff02::1".parse().unwrap()), [0x33, 0x33, 0, 0, 0, 1]);
        assert_eq!(framer.mac("fe80::42:aff:fe00:7".parse().unwrap()), [2, 0x42, 10, 0, 0, 7]);
    }
}
