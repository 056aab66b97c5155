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
    /// ICMP port unreachable: nobody has the port to which `src` (here the destination) sent a datagram.
    PortUnreachable,
}

impl Body {
    pub(crate) fn len(&self) -> usize {
        match self {
            Body::Tcp(segment) => segment.payload.as_ref().map_or(0, Chunk::len),
            Body::Udp(chunk) | Body::Icmp(chunk) => chunk.len(),
            Body::PortUnreachable => 0,
        }
    }
}

/// What a timer is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Timer {
    /// A connection looks at its deadlines.
    Tcp(SocketId),
}

/// When a timer is due, and its number: the handle by which it is cancelled.
pub(crate) type TimerKey = (u64, u64);

#[derive(Debug)]
pub(crate) struct Fabric {
    births: u64,
    flights: BinaryHeap<Reverse<(u64, u64, u32)>>,
    packets: Vec<Option<Packet>>,
    free: Vec<u32>,
    timers: BTreeMap<TimerKey, Timer>,
    /// When the first of them is due: it is asked for far more often than it changes.
    first_timer: u64,
    /// Packets within a host: they arrive before the call that sent them returns.
    looped: VecDeque<Packet>,
    /// Tests say when each packet between hosts arrives, in nanoseconds from now: never, once, or more often.
    #[cfg(test)]
    pub(crate) script: Option<Script>,
    /// Every packet on its own, as on a link with a character.
    #[cfg(test)]
    pub(crate) packets_only: bool,
}

/// What becomes of a packet, and its time.
#[cfg(test)]
pub(crate) struct Script(pub(crate) alloc::boxed::Box<Fate>);

/// When a packet that is sent at a time arrives.
#[cfg(test)]
pub(crate) type Fate = dyn FnMut(&Packet, u64) -> Vec<u64>;

#[cfg(test)]
impl core::fmt::Debug for Script {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Script")
    }
}

impl Default for Fabric {
    fn default() -> Fabric {
        Fabric {
            births: 0,
            flights: BinaryHeap::new(),
            packets: Vec::new(),
            free: Vec::new(),
            timers: BTreeMap::new(),
            first_timer: u64::MAX,
            looped: VecDeque::new(),
            #[cfg(test)]
            script: None,
            #[cfg(test)]
            packets_only: false,
        }
    }
}

impl Fabric {
    fn birth(&mut self) -> u64 {
        self.births += 1;
        self.births
    }

    pub(crate) fn set_timer(&mut self, at: u64, timer: Timer) -> TimerKey {
        let key = (at, self.birth());
        self.timers.insert(key, timer);
        self.first_timer = self.first_timer.min(at);
        key
    }

    pub(crate) fn cancel_timer(&mut self, key: &mut Option<TimerKey>) {
        if let Some(key) = key.take() {
            self.remove_timer(&key);
        }
    }

    fn remove_timer(&mut self, key: &TimerKey) -> Option<Timer> {
        let timer = self.timers.remove(key);
        self.first_timer = self.timers.first_key_value().map_or(u64::MAX, |((at, _), _)| *at);
        timer
    }

    /// Whether the link is to be given one packet at a time, whatever it takes.
    #[inline]
    pub(crate) fn wants_packets(&self) -> bool {
        #[cfg(test)]
        return self.packets_only;
        #[cfg(not(test))]
        false
    }

    fn fly(&mut self, at: u64, packet: Packet) {
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

    #[inline]
    fn next_flight(&self) -> Option<u64> {
        self.flights.peek().map(|Reverse((at, ..))| *at)
    }

    #[inline]
    fn next_timer(&self) -> Option<u64> {
        (self.first_timer != u64::MAX).then_some(self.first_timer)
    }

    fn pop_due(&mut self, now: u64) -> Option<(u64, Due)> {
        let flight = self.flights.peek().map_or((u64::MAX, 0), |Reverse((at, birth, _))| (*at, *birth));
        if flight.0 >= self.first_timer
            && let Some((&key, _)) = self.timers.first_key_value()
            && key < flight
        {
            if key.0 > now {
                return None;
            }
            return self.remove_timer(&key).map(|timer| (key.0, Due::Timer(timer)));
        }
        if flight.0 > now {
            return None;
        }
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
        [self.fabric.next_flight(), self.fabric.next_timer()].into_iter().flatten().min()
    }

    /// When the next packet arrives, in virtual nanoseconds.
    #[inline]
    pub fn next_arrival(&self) -> Option<u64> {
        self.fabric.next_flight()
    }

    /// When the next deadline is looked at, in virtual nanoseconds. It changes far less often than the next arrival, so a
    /// caller does well to keep a timer for each.
    #[inline]
    pub fn next_deadline(&self) -> Option<u64> {
        self.fabric.next_timer()
    }

    /// Does all that is due until `now`.
    pub fn advance(&mut self, now: u64) {
        while let Some((at, due)) = self.fabric.pop_due(now) {
            self.log.now = self.log.now.max(at);
            match due {
                Due::Packet(packet) => self.arrive(packet),
                Due::Timer(Timer::Tcp(id)) => self.tcp_timer(id),
            }
            self.pump();
        }
        self.log.now = self.log.now.max(now);
    }

    /// Sends a packet on its way. `socket` is the unique ID of the sender, for the trace.
    pub(crate) fn transmit(&mut self, path: Path, mut packet: Packet, socket: u64) {
        match path {
            Path::Local => self.fabric.looped.push_back(packet),
            Path::Nobody { .. } => self.drop_packet(packet, socket, DropReason::NoSuchAddress),
            Path::Link { network, host } => {
                packet.network = Some(network);
                packet.to = host;
                #[cfg(test)]
                if let Some(script) = self.fabric.script.as_mut() {
                    let arrivals = (script.0)(&packet, self.log.now);
                    if arrivals.is_empty() {
                        self.drop_packet(packet, socket, DropReason::Loss);
                    } else {
                        arrivals.into_iter().for_each(|at| self.fabric.fly(self.log.now + at, packet.clone()));
                    }
                    return;
                }
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
            Body::PortUnreachable => self.udp_unreachable(packet.to, packet.dst, packet.src),
        }
    }
}
