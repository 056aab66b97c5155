//! What is on its way: packets between hosts, packets within one, and timers, in order of time and then of birth.

use crate::addr::Endpoint;
use crate::call::SocketId;
use crate::entry::Path;
use crate::link::Verdict;
use crate::log::DropReason;
use crate::queue::Chunk;
use crate::table::SocketTable;
use crate::tcp::Segment;
use alloc::collections::{BTreeMap, BinaryHeap, VecDeque};
use alloc::vec::Vec;
use core::cmp::Reverse;

/// Something between two hosts, or from a host to itself.
#[derive(Clone, Debug)]
pub(crate) struct Packet {
    /// Host that sent it.
    pub(crate) from: u32,
    /// Host that it goes to.
    pub(crate) to: u32,
    /// Its network; none within a host.
    pub(crate) network: Option<u32>,
    pub(crate) src: Endpoint,
    pub(crate) dst: Endpoint,
    pub(crate) ttl: u8,
    pub(crate) tos: u8,
    pub(crate) body: Body,
}

/// What a packet holds.
#[derive(Clone, Debug)]
pub(crate) enum Body {
    Tcp(Segment),
    Udp(Chunk),
    Icmp(Chunk),
}

impl Body {
    pub(crate) fn len(&self) -> usize {
        match self {
            Body::Tcp(segment) => segment.payload.as_ref().map_or(0, Chunk::len),
            Body::Udp(chunk) | Body::Icmp(chunk) => chunk.len(),
        }
    }
}

/// What a timer is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Timer {
    /// A SYN has not been answered.
    Syn(SocketId),
    /// The address resolution of a connecting socket has failed.
    Unreachable(SocketId),
    /// A closed socket has waited long enough for the other end's FIN.
    FinWait(SocketId),
}

/// When a timer is due, and its number: the handle by which it is cancelled.
pub(crate) type TimerKey = (u64, u64);

#[derive(Default, Debug)]
pub(crate) struct Fabric {
    births: u64,
    flights: BinaryHeap<Reverse<(u64, u64, u32)>>,
    packets: Vec<Option<Packet>>,
    free: Vec<u32>,
    timers: BTreeMap<TimerKey, Timer>,
    /// Packets within a host: they arrive before the call that sent them returns.
    looped: VecDeque<Packet>,
}

impl Fabric {
    fn birth(&mut self) -> u64 {
        self.births += 1;
        self.births
    }

    pub(crate) fn set_timer(&mut self, at: u64, timer: Timer) -> TimerKey {
        let key = (at, self.birth());
        self.timers.insert(key, timer);
        key
    }

    pub(crate) fn cancel_timer(&mut self, key: &mut Option<TimerKey>) {
        if let Some(key) = key.take() {
            self.timers.remove(&key);
        }
    }

    pub(crate) fn fly(&mut self, at: u64, packet: Packet) {
        let birth = self.birth();
        let slot = match self.free.pop() {
            Some(slot) => {
                self.packets[slot as usize] = Some(packet);
                slot
            }
            None => {
                self.packets.push(Some(packet));
                self.packets.len() as u32 - 1
            }
        };
        self.flights.push(Reverse((at, birth, slot)));
    }

    pub(crate) fn next(&self) -> Option<u64> {
        let flight = self.flights.peek().map(|Reverse((at, ..))| *at);
        let timer = self.timers.first_key_value().map(|((at, _), _)| *at);
        [flight, timer].into_iter().flatten().min()
    }

    fn pop_due(&mut self, now: u64) -> Option<(u64, Due)> {
        let flight = self.flights.peek().map(|Reverse((at, birth, _))| (*at, *birth));
        let timer = self.timers.first_key_value().map(|(key, _)| *key);
        let timer_first = match (flight, timer) {
            (Some(flight), Some(timer)) => timer < flight,
            (None, None) => return None,
            (flight, _) => flight.is_none(),
        };
        if timer_first {
            let key = timer.filter(|key| key.0 <= now)?;
            return self.timers.remove(&key).map(|timer| (key.0, Due::Timer(timer)));
        }
        flight.filter(|key| key.0 <= now)?;
        let Reverse((at, _, slot)) = self.flights.pop()?;
        self.free.push(slot);
        self.packets[slot as usize].take().map(|packet| (at, Due::Packet(packet)))
    }
}

enum Due {
    Packet(Packet),
    Timer(Timer),
}

impl<R: Clone> SocketTable<R> {
    /// When the table next has something to do by itself, in virtual nanoseconds.
    pub fn next_event(&self) -> Option<u64> {
        self.fabric.next()
    }

    /// Does all that is due until `now`.
    pub fn advance(&mut self, now: u64) {
        while let Some((at, due)) = self.fabric.pop_due(now) {
            self.log.now = self.log.now.max(at);
            match due {
                Due::Packet(packet) => self.arrive(packet),
                Due::Timer(timer) => self.tcp_timer(timer),
            }
            self.pump();
        }
        self.log.now = self.log.now.max(now);
    }

    /// Sends a packet on its way. `socket` is the unique ID of the sender, for the trace.
    pub(crate) fn transmit(&mut self, path: Path, mut packet: Packet, socket: u64) {
        match path {
            Path::Local => self.fabric.looped.push_back(packet),
            Path::Nobody { .. } => {
                self.send_host_unreachable(&packet);
                self.drop_packet(packet, socket, DropReason::NoSuchAddress);
            }
            Path::Link { network, host } => {
                packet.network = Some(network);
                packet.to = host;
                self.world.meet(packet.from, host, packet.dst.ip.is_ipv6(), self.log.now);
                let arrival = self.log.now + self.world.networks[network as usize].latency;
                match self.world.judge(network, packet.from, host, packet.body.len()) {
                    Verdict::Pass => self.fabric.fly(arrival, packet),
                    Verdict::Delay(by) => self.fabric.fly(arrival + by, packet),
                    Verdict::Duplicate(after) => {
                        self.fabric.fly(arrival, packet.clone());
                        self.fabric.fly(arrival + after, packet);
                    }
                    Verdict::Drop(reason) => self.drop_packet(packet, socket, reason),
                    Verdict::Corrupt => self.drop_packet(packet, socket, DropReason::Loss),
                }
            }
        }
    }

    pub(crate) fn drop_packet(&mut self, packet: Packet, socket: u64, reason: DropReason) {
        self.log.dropped(socket, packet.body.len(), reason);
        match packet.body {
            Body::Udp(chunk) | Body::Icmp(chunk) => self.pool.give(chunk),
            Body::Tcp(Segment { payload: Some(chunk), .. }) => self.pool.give(chunk),
            _ => {}
        }
    }

    /// Delivers what hosts have sent to themselves, and what that brings about.
    #[inline]
    pub(crate) fn pump(&mut self) {
        while let Some(packet) = self.fabric.looped.pop_front() {
            self.arrive(packet);
        }
    }

    fn arrive(&mut self, packet: Packet) {
        match packet.body {
            Body::Tcp(segment) => {
                self.tcp_arrive(packet.from, packet.to, packet.network, packet.src, packet.dst, segment)
            }
            Body::Udp(_) => self.udp_arrive(packet),
            Body::Icmp(_) => self.icmp_arrive(packet),
        }
    }
}
