//! What is on its way: packets between hosts, packets within one, and timers, in order of time and then of birth.

use crate::addr::Endpoint;
use crate::call::SocketId;
use crate::entry::Path;
use crate::linux::{ipproto, poll};
use crate::log::DropReason;
use crate::options::Int;
use crate::queue::Chunk;
use crate::table::SocketTable;
use crate::tcp::{Segment, bit};
use crate::verdict::{Verdict, Way};
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
    /// So many bytes of any of these, whose checksum is wrong, and of which protocol (`ipproto`) they are.
    Damaged(usize, u32),
}

/// Bytes of a TCP header with the options that Linux sends: timestamps, and more with a SYN.
const TCP_HEADER: usize = 32;
const SYN_HEADER: usize = 40;
const UDP_HEADER: usize = 8;

impl Body {
    /// Bytes of its own, without headers.
    pub(crate) fn len(&self) -> usize {
        match self {
            Body::Tcp(segment) => segment.payload.as_ref().map_or(0, Chunk::len),
            Body::Udp(chunk) | Body::Icmp(chunk) => chunk.len(),
            Body::Damaged(len, _) => *len,
        }
    }

    /// Its protocol (`ipproto`), where that is counted.
    fn protocol(&self) -> u32 {
        match self {
            Body::Tcp(_) => ipproto::TCP,
            Body::Udp(_) => ipproto::UDP,
            Body::Icmp(_) => ipproto::ICMP,
            Body::Damaged(_, protocol) => *protocol,
        }
    }

    /// Bytes of its IP packet after the IP header.
    fn length(&self) -> usize {
        self.len()
            + match self {
                Body::Tcp(segment) if segment.bits & bit::SYN != 0 => SYN_HEADER,
                Body::Tcp(_) => TCP_HEADER,
                Body::Udp(_) => UDP_HEADER,
                Body::Icmp(_) | Body::Damaged(..) => 0,
            }
    }
}

/// A datagram that counts against its sender's buffer while it is in the sender's interface.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Charge {
    socket: SocketId,
    unique: u64,
    bytes: u32,
}

/// How a packet has left its sender.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Departure {
    /// The interface had no room for it.
    NoRoom,
    /// At once.
    Gone,
    /// Its last byte leaves at this time.
    At(u64),
    /// It waits for the end of a clog, on its way to this host of this network.
    Held(u32, u32),
}

/// A packet that waits for the end of a clog.
#[derive(Debug)]
struct Held {
    packet: Packet,
    /// Unique ID of the sender, for the trace.
    socket: u64,
    charge: Option<Charge>,
}

/// What a timer is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Timer {
    /// A connection looks at its deadlines.
    Tcp(SocketId),
}

/// When a timer is due, and its number: the handle by which it is cancelled.
pub(crate) type TimerKey = (u64, u64);

/// What happens at a time by itself.
#[derive(Clone, Copy, Debug)]
enum Alarm {
    Timer(Timer),
    /// A datagram has left its sender's interface.
    Left(Charge),
}

#[derive(Debug)]
pub(crate) struct Fabric {
    births: u64,
    flights: BinaryHeap<Reverse<(u64, u64, u32)>>,
    packets: Vec<Option<Packet>>,
    free: Vec<u32>,
    timers: BTreeMap<TimerKey, Alarm>,
    /// What waits in the senders' interfaces, by way.
    held: BTreeMap<Way, VecDeque<Held>>,
    /// What has reached a host whose network stands still, in order.
    stranded: BTreeMap<u32, Vec<Packet>>,
    /// When the first of them is due: it is asked for far more often than it changes.
    first_timer: u64,
    /// Packets within a host: they arrive before the call that sent them returns.
    pub(crate) looped: VecDeque<Packet>,
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
            held: BTreeMap::new(),
            stranded: BTreeMap::new(),
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
        self.timers.insert(key, Alarm::Timer(timer));
        self.first_timer = self.first_timer.min(at);
        key
    }

    fn leaves(&mut self, at: u64, charge: Charge) {
        let key = (at, self.birth());
        self.timers.insert(key, Alarm::Left(charge));
        self.first_timer = self.first_timer.min(at);
    }

    pub(crate) fn cancel_timer(&mut self, key: &mut Option<TimerKey>) {
        if let Some(key) = key.take() {
            self.remove_timer(&key);
        }
    }

    fn remove_timer(&mut self, key: &TimerKey) -> Option<Alarm> {
        let alarm = self.timers.remove(key);
        self.first_timer = self.timers.first_key_value().map_or(u64::MAX, |((at, _), _)| *at);
        alarm
    }

    /// Whether the link is to be given one packet at a time, whatever it takes.
    #[inline]
    pub(crate) fn wants_packets(&self) -> bool {
        #[cfg(test)]
        return self.packets_only;
        #[cfg(not(test))]
        false
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
            return self.remove_timer(&key).map(|alarm| (key.0, Due::Alarm(alarm)));
        }
        if flight.0 > now {
            return None;
        }
        let Reverse((at, _, slot)) = self.flights.pop()?;
        self.free.push(slot);
        self.packets[slot as usize].take().map(|packet| (at, Due::Packet(packet)))
    }

    /// Takes what is on its way to a host out of the air.
    pub(crate) fn strand(&mut self, host: u32) {
        let flights = core::mem::take(&mut self.flights).into_sorted_vec();
        // Sorted in reverse, since they are.
        for flight in flights.into_iter().rev() {
            let slot = flight.0.2;
            let packet = &mut self.packets[slot as usize];
            match packet.take_if(|p| p.to == host && p.network.is_some()) {
                Some(packet) => {
                    self.free.push(slot);
                    self.stranded.entry(host).or_default().push(packet);
                }
                None => self.flights.push(flight),
            }
        }
    }

    /// Throws away what is on its way to a host, and what waits in its interfaces: how many packets that were.
    pub(crate) fn lose_of(&mut self, host: u32) -> u64 {
        self.strand(host);
        let mut lost = self.stranded.remove(&host).map_or(0, |list| list.len());
        self.held.retain(|way, list| {
            let stays = way.from != host;
            lost += if stays { 0 } else { list.len() };
            stays
        });
        lost as u64
    }

    /// Lets a host have what was on its way to it.
    pub(crate) fn unstrand(&mut self, host: u32, now: u64) {
        for packet in self.stranded.remove(&host).unwrap_or_default() {
            self.fly(now, packet);
        }
    }

    /// The ways on which something waits.
    pub(crate) fn waiting(&self) -> Vec<Way> {
        self.held.keys().copied().collect()
    }
}

enum Due {
    Packet(Packet),
    Alarm(Alarm),
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
                Due::Packet(packet) => {
                    self.capture_arrival(&packet);
                    self.arrive(packet);
                }
                Due::Alarm(Alarm::Timer(Timer::Tcp(id))) => self.tcp_timer(id),
                Due::Alarm(Alarm::Left(charge)) => self.datagram_left(charge),
            }
            self.pump();
        }
        self.log.now = self.log.now.max(now);
    }

    /// Sends a packet on its way. `socket` is the unique ID of the sender, for the trace.
    pub(crate) fn transmit(&mut self, path: Path, mut packet: Packet, socket: u64) -> Departure {
        self.capture_sent(path, &packet, socket);
        match path {
            Path::Local => self.fabric.looped.push_back(packet),
            Path::Nobody { .. } => {
                self.send_host_unreachable(&packet);
                self.drop_packet(packet, socket, DropReason::NoSuchAddress);
            }
            Path::Link { network: index, host } => {
                packet.network = Some(index);
                packet.to = host;
                self.world.meet(packet.from, host, packet.dst.ip.is_ipv6(), self.log.now);
                #[cfg(test)]
                if let Some(script) = self.fabric.script.as_mut() {
                    let arrivals = (script.0)(&packet, self.log.now);
                    if arrivals.is_empty() {
                        self.drop_packet(packet, socket, DropReason::Loss);
                    } else {
                        arrivals.into_iter().for_each(|at| self.fabric.fly(self.log.now + at, packet.clone()));
                    }
                    return Departure::Gone;
                }
                if !self.world.takes_units(index) {
                    return self.travel(Way { network: index, from: packet.from, to: host }, packet, socket);
                }
                let arrival = self.log.now + self.world.networks[index as usize].latency;
                self.fabric.fly(arrival, packet);
            }
        }
        Departure::Gone
    }

    /// Sends a packet over a link with character.
    #[cold]
    fn travel(&mut self, way: Way, mut packet: Packet, socket: u64) -> Departure {
        let six = packet.dst.ip.is_ipv6();
        let most = self.world.segment_most(way.network, six);
        let Body::Tcp(segment) = &mut packet.body else { return self.send_one(way, packet, socket) };
        let Some(whole) = segment.payload.take_if(|payload| payload.len() > most) else {
            return self.send_one(way, packet, socket);
        };
        // As an interface with segmentation offload cuts what TCP hands it in one piece.
        let (len, seq, urgent, bits) = (whole.len(), segment.seq, segment.urgent, segment.bits);
        for from in (0..len).step_by(most) {
            let mut piece = packet.clone();
            let Body::Tcp(segment) = &mut piece.body else { break };
            let payload = whole.slice(from, most);
            let end = from + payload.len();
            segment.seq = seq + from as u64;
            segment.bits = if end == len { bits } else { bits & !bit::FIN };
            segment.urgent = urgent.filter(|&at| end == len || at < seq + end as u64).filter(|&at| at >= segment.seq);
            segment.payload = Some(payload);
            self.send_one(way, piece, socket);
        }
        self.pool.give(whole);
        Departure::Gone
    }

    /// Sends one packet over a link with character, as the verdict says.
    fn send_one(&mut self, way: Way, mut packet: Packet, socket: u64) -> Departure {
        let (now, len) = (self.log.now, packet.body.len());
        let mut judged = self.world.judge(way, packet.body.length(), packet.dst.ip.is_ipv6(), now);
        if self.faults.any() {
            self.faults.strike_packet(way, now, &packet.body, &mut judged);
        }
        self.log.judged(socket, len, (way.from, way.to), judged.verdict);
        match judged.verdict {
            Verdict::Pass(after) | Verdict::Delay(after) => self.fabric.fly(now.saturating_add(after), packet),
            Verdict::Duplicate(first, second) => {
                self.fabric.fly(now.saturating_add(first), packet.clone());
                self.fabric.fly(now.saturating_add(second), packet);
            }
            Verdict::Corrupt(after) => {
                let protocol = packet.body.protocol();
                let body = core::mem::replace(&mut packet.body, Body::Damaged(len, protocol));
                self.give_back(body);
                self.fabric.fly(now.saturating_add(after), packet);
            }
            Verdict::Hold => {
                let held = Held { packet, socket, charge: None };
                self.fabric.held.entry(way).or_default().push_back(held);
                return Departure::Held(way.network, way.to);
            }
            Verdict::Drop(reason) => {
                self.drop_packet(packet, socket, reason);
                if reason == DropReason::QueueFull {
                    return Departure::NoRoom;
                }
            }
        }
        if judged.left > now { Departure::At(judged.left) } else { Departure::Gone }
    }

    /// Counts a datagram of `bytes` against its sender's buffer until it has left the interface.
    pub(crate) fn charge(&mut self, id: SocketId, bytes: u32, departure: Departure) {
        if !matches!(departure, Departure::At(_) | Departure::Held(..)) {
            return;
        }
        let entry = self.slab.at_mut(id);
        entry.send_queue.held += bytes as usize;
        let (from, charge) = (entry.connection.host, Charge { socket: id, unique: entry.local.id, bytes });
        self.log.settle(entry);
        match departure {
            Departure::At(at) => self.fabric.leaves(at, charge),
            Departure::Held(network, to) => {
                let held = self.fabric.held.get_mut(&Way { network, from, to }).and_then(VecDeque::back_mut);
                if let Some(held) = held {
                    held.charge = Some(charge);
                }
            }
            _ => {}
        }
    }

    /// A datagram has left its sender's interface (`sock_wfree`, `sock_def_write_space`).
    fn datagram_left(&mut self, charge: Charge) {
        let Some(entry) = self.slab.get_mut(charge.socket).filter(|e| e.local.id == charge.unique) else { return };
        entry.send_queue.held = entry.send_queue.held.saturating_sub(charge.bytes as usize);
        self.log.settle(entry);
        if entry.send_queue.held * 2 <= entry.local.options.int(Int::SendBuffer) as usize {
            self.log.notify(entry, poll::WRITE);
        }
    }

    /// Lets everything go on its way that waits where there is no clog any more.
    pub(crate) fn release(&mut self) {
        for way in self.fabric.waiting() {
            if self.world.is_clogged(way) {
                continue;
            }
            self.world.direction(way).release();
            for Held { packet, socket, charge } in self.fabric.held.remove(&way).unwrap_or_default() {
                let departure = self.send_one(way, packet, socket);
                match (charge, departure) {
                    (Some(charge), Departure::At(at)) => self.fabric.leaves(at, charge),
                    (Some(charge), _) => self.datagram_left(charge),
                    (None, _) => {}
                }
            }
        }
    }

    fn give_back(&mut self, body: Body) {
        match body {
            Body::Udp(chunk) | Body::Icmp(chunk) => self.pool.give(chunk),
            Body::Tcp(Segment { payload: Some(chunk), .. }) => self.pool.give(chunk),
            _ => {}
        }
    }

    pub(crate) fn drop_packet(&mut self, packet: Packet, socket: u64, reason: DropReason) {
        self.log.dropped(socket, packet.body.len(), reason);
        self.give_back(packet.body);
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
            Body::Damaged(len, protocol) => {
                self.log.dropped(0, len, DropReason::Checksum);
                let counters = self.counters(packet.to);
                match protocol {
                    ipproto::TCP => counters.tcp_damaged += 1,
                    ipproto::UDP => counters.udp_damaged += 1,
                    _ => {}
                }
            }
        }
    }
}
