//! What is on the wires, for those who want a packet capture: copies, which change nothing of what they are copies of.
//!
//! A packet is told where it leaves its host and where it arrives; one that its link drops only leaves. What a host sends to
//! itself is told once. Payloads are copied, never shared: a shared buffer would be filled otherwise than one that is not.

use crate::addr::Endpoint;
use crate::call::SocketId;
use crate::entry::Path;
use crate::fabric::{Body, Packet};
use crate::table::SocketTable;
use crate::tcp::bit;
use alloc::vec::Vec;
use core::net::{IpAddr, Ipv4Addr};
use snowglobe_abi::spec::Capture;

/// A packet at one end of its way.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Captured {
    /// Virtual nanoseconds.
    pub at: u64,
    /// Index of the host at whose interface it is seen.
    pub host: u32,
    /// Index of the network; none for the host's loopback.
    pub network: Option<u32>,
    /// Whether it leaves the host.
    pub out: bool,
    /// Unique ID of the socket that sent it; 0 where there is none, or where it arrives.
    pub socket: u64,
    /// Where it comes from.
    pub src: Endpoint,
    /// Where it goes.
    pub dst: Endpoint,
    /// Time to live.
    pub ttl: u8,
    /// Type of service.
    pub tos: u8,
    /// What its transport says.
    pub transport: Transport,
    /// What it carries.
    pub payload: Vec<u8>,
}

/// The transport's part of a packet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Transport {
    /// TCP.
    Tcp {
        /// The flags of its header.
        bits: u8,
        /// Place of its first byte in the stream, from 0, the SYN's.
        seq: u64,
        /// Place that its sender expects next.
        ack: u64,
        /// Bytes that its sender would take from there.
        window: u64,
        /// Place of the urgent byte, if one is announced.
        urgent: Option<u64>,
    },
    /// UDP.
    Udp,
    /// ICMP or ICMPv6: the payload is the whole message.
    Icmp,
}

/// What was captured since the last time.
#[derive(Default, Debug)]
pub(crate) struct Captures {
    pub(crate) wanted: Capture,
    list: Vec<Captured>,
}

impl Captures {
    pub(crate) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    fn wants(&self, network: Option<u32>) -> bool {
        match self.wanted {
            Capture::Nothing => false,
            Capture::Networks => network.is_some(),
            Capture::Everything => true,
        }
    }
}

impl<R: Clone> SocketTable<R> {
    /// Says what is to be captured.
    pub fn set_capture(&mut self, wanted: Capture) {
        self.captures.wanted = wanted;
    }

    /// What was captured since the last time, in order.
    pub fn take_captured(&mut self) -> alloc::vec::Drain<'_, Captured> {
        self.captures.list.drain(..)
    }

    /// A packet of `socket` sets out.
    #[inline]
    pub(crate) fn capture_sent(&mut self, path: Path, packet: &Packet, socket: u64) {
        if self.captures.wanted != Capture::Nothing {
            let network = match path {
                Path::Local => None,
                // One to all was seen once when it set out to all.
                Path::Link { network, .. } if !self.goes_to_all(packet) => Some(network),
                // Nobody answers who has the address: there is no packet.
                Path::Link { .. } | Path::Nobody { .. } => return,
            };
            self.capture(packet.from, network, true, socket, packet);
        }
    }

    /// A packet sets out to all hosts of a network.
    pub(crate) fn capture_flood(&mut self, network: u32, packet: &Packet, socket: u64) {
        self.capture(packet.from, Some(network), true, socket, packet);
    }

    /// A packet from another host arrives.
    #[inline]
    pub(crate) fn capture_arrival(&mut self, packet: &Packet) {
        if self.captures.wanted != Capture::Nothing {
            self.capture(packet.to, packet.network, false, 0, packet);
        }
    }

    fn capture(&mut self, host: u32, network: Option<u32>, out: bool, socket: u64, packet: &Packet) {
        if !self.captures.wants(network) {
            return;
        }
        let (transport, payload) = match &packet.body {
            Body::Tcp(s) => {
                let window = s.edge.saturating_sub(s.ack);
                let transport = Transport::Tcp { bits: s.bits, seq: s.seq, ack: s.ack, window, urgent: s.urgent };
                (transport, s.payload.as_ref().map_or(&[][..], |chunk| chunk.bytes()))
            }
            Body::Udp(chunk) => (Transport::Udp, chunk.bytes()),
            Body::Icmp(chunk) => (Transport::Icmp, chunk.bytes()),
            // What has come of its bytes is not known, and nobody takes it.
            Body::Damaged(..) => return,
        };
        let payload = payload.to_vec();
        let &Packet { src, dst, ttl, tos, .. } = packet;
        let at = self.log.now;
        self.captures.list.push(Captured { at, host, network, out, socket, src, dst, ttl, tos, transport, payload });
    }

    /// Bytes that went into a peer's receive queue on the same host without being a segment: the last `n` there.
    #[inline]
    pub(crate) fn capture_local(&mut self, id: SocketId, peer: SocketId, n: usize) {
        if self.captures.wanted == Capture::Everything {
            self.capture_as_segments(id, peer, n);
        }
    }

    /// The segment that would have brought them, and its acknowledgement.
    #[cold]
    fn capture_as_segments(&mut self, id: SocketId, peer: SocketId, n: usize) {
        let (entry, other) = (self.at(id), self.at(peer));
        let mut payload = Vec::new();
        let queue = &other.receive_queue.bytes;
        let _ = queue.copy_out(queue.len() - n, n, &mut payload);
        let segment = |e: &crate::entry::Entry<R>, seq: u64, payload: Vec<u8>| {
            let tcp = &e.connection.tcp;
            let window = u64::from(tcp.window).saturating_sub(e.receive_queue.bytes.len() as u64);
            let transport = Transport::Tcp { bits: bit::ACK, seq, ack: tcp.expected, window, urgent: None };
            let (host, src, dst) = (e.connection.host, e.local_end(), e.remote_end());
            let (at, socket) = (self.log.now, e.local.id);
            Captured { at, host, network: None, out: true, socket, src, dst, ttl: 64, tos: 0, transport, payload }
        };
        let data = segment(entry, entry.connection.tcp.next - n as u64, payload);
        let acknowledgement = segment(other, other.connection.tcp.next, Vec::new());
        self.captures.list.extend([data, acknowledgement]);
    }

    fn goes_to_all(&self, packet: &Packet) -> bool {
        let to = packet.dst.ip;
        let broadcast = |i: &crate::link::Interface| to == IpAddr::V4(i.broadcast()) && i.network.is_some();
        to.is_multicast()
            || to == IpAddr::V4(Ipv4Addr::BROADCAST)
            || self.world.host(packet.from).interfaces.iter().any(broadcast)
    }
}
