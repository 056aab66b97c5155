//! The verdict on each transmission between two hosts.
//!
//! Each direction of each pair of hosts on a network is a way of its own, with its own state and its own random streams,
//! split from the network's by the names of the two: a packet more on one way moves nothing on another. The order in which things
//! happen to a packet is that of a wire: a cut, a clog, room in the sender's queue, its turn on the wire (bandwidth), loss,
//! corruption, duplication, latency and jitter, and last its place among the others (reordering).

use crate::fault::{Effect, Reach};
use crate::link::World;
use crate::log::DropReason;
use crate::rng::{Rng, mix};
use alloc::collections::BTreeMap;
use alloc::rc::Rc;
use alloc::vec::Vec;
use snowglobe_abi::spec::{Chance, DEFAULT_QUEUE, Latency, LinkChange, LinkRule, LinkSpec, Loss, NetworkSpec, Slow};

/// Bytes that a packet takes on the wire besides itself: the Ethernet header, as Linux's queues count it.
const ETHERNET: u32 = 14;
/// Bytes of an IP header, version 4 and 6.
const IP_HEADER: [u32; 2] = [20, 40];
/// Bytes of the header of a fragment of IPv6, which one of IPv4 has in its IP header.
const FRAGMENT_HEADER: [u32; 2] = [0, 8];

/// What becomes of one transmission. One small function gives it ([`World`]'s `judge`), and the fabric obeys. Times are nanoseconds
/// from the sending to the arrival.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// It arrives after the latency of a way on which nothing else happens.
    Pass(u64),
    /// It arrives after so long.
    Delay(u64),
    /// It arrives twice.
    Duplicate(u64, u64),
    /// It arrives damaged: the receiver's checksum throws it away.
    Corrupt(u64),
    /// It waits in the sender's interface until a clog is gone.
    Hold,
    /// It does not arrive.
    Drop(DropReason),
}

/// A verdict, and when the last byte has left the sender's interface: until then it counts against the sender.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Judged {
    pub(crate) verdict: Verdict,
    pub(crate) left: u64,
    /// Whether others may overtake it.
    pub(crate) reordered: bool,
}

impl Judged {
    /// What leaves at once, if it leaves.
    fn at(verdict: Verdict, now: u64) -> Judged {
        Judged { verdict, left: now, reordered: false }
    }
}

/// One direction between two hosts.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Way {
    pub(crate) network: u32,
    pub(crate) from: u32,
    pub(crate) to: u32,
}

/// The random streams of a way, one for each thing that may happen: what one draws moves no other.
#[derive(Clone, Debug)]
struct Streams {
    loss: Rng,
    corrupt: Rng,
    duplicate: Rng,
    latency: Rng,
    reorder: Rng,
}

impl Streams {
    fn new(seed: u64) -> Streams {
        let stream = |name| Rng::new(named(seed, &[name]));
        Streams {
            loss: stream("loss"),
            corrupt: stream("corrupt"),
            duplicate: stream("duplicate"),
            latency: stream("latency"),
            reorder: stream("reorder"),
        }
    }
}

/// A seed that belongs to these names (FNV-1a keeps them apart, the finisher of SplitMix64 spreads the bits).
fn named(seed: u64, names: &[&str]) -> u64 {
    let bytes = names.iter().flat_map(|name| name.bytes().chain([0]));
    let hash = bytes.fold(0xcbf2_9ce4_8422_2325u64, |h, b| (h ^ u64::from(b)).wrapping_mul(0x100_0000_01b3));
    mix(seed ^ mix(hash))
}

/// What a way is like, and how it is.
#[derive(Clone, Debug)]
pub(crate) struct Direction {
    link: Rc<LinkSpec>,
    /// Bytes that the sender's queue takes.
    room: u64,
    plain: bool,
    slow: Option<Slow>,
    /// How slow faults make it besides.
    struck: Option<Slow>,
    mtu: u32,
    /// When the sender's interface will have sent what it has taken.
    free_at: u64,
    /// The latest arrival of a packet that kept its place.
    latest: u64,
    /// The bad state of a link with bursts of loss.
    bad: bool,
    /// Bytes that wait for the end of a clog.
    waiting: u64,
    streams: Streams,
}

/// Whether a link has a constant latency and nothing else.
fn is_plain(link: &LinkSpec) -> bool {
    let none =
        LinkSpec { latency: link.latency, queue: link.queue, reorder_by: link.reorder_by, ..LinkSpec::default() };
    matches!(link.latency, Latency::Constant(_)) && *link == none
}

/// Bytes that the queue of a link's sender takes.
fn room(link: &LinkSpec, mtu: u32) -> u64 {
    match link.queue {
        0 => DEFAULT_QUEUE * u64::from(mtu + ETHERNET),
        bytes => bytes,
    }
}

/// Whether what gets on a link arrives after the same time; cuts and clogs have bits of their own, which come and go.
fn carries_plainly(link: &LinkSpec) -> bool {
    is_plain(&LinkSpec { cut: false, clog: false, ..link.clone() })
}

impl Direction {
    fn new(link: Rc<LinkSpec>, mtu: u32, seed: u64) -> Direction {
        let streams = Streams::new(seed);
        let (room, plain) = (room(&link, mtu), carries_plainly(&link));
        let (slow, struck) = (None, None);
        Direction { link, room, plain, slow, struck, mtu, free_at: 0, latest: 0, bad: false, waiting: 0, streams }
    }

    /// Changes the link; what is on its way, and what was drawn, stays.
    fn relink(&mut self, link: Rc<LinkSpec>, struck: Option<Slow>) {
        (self.room, self.plain) = (room(&link, self.mtu), carries_plainly(&link));
        (self.link, self.struck) = (link, struck);
    }

    /// How slow it is.
    fn slowness(&self) -> Option<Slow> {
        match (self.slow, self.struck) {
            (Some(a), Some(b)) => {
                Some(Slow { latency: a.latency.saturating_add(b.latency), bandwidth: a.bandwidth.min(b.bandwidth) })
            }
            (a, b) => a.or(b),
        }
    }

    /// A packet of so many bytes on the wire.
    fn judge(&mut self, bytes: u64, now: u64) -> Judged {
        let Some(left) = self.depart(bytes, now) else {
            return Judged::at(Verdict::Drop(DropReason::QueueFull), now);
        };
        let (verdict, reordered) = match self.loses() {
            true => (Verdict::Drop(DropReason::Loss), false),
            false => self.travel(left, now),
        };
        Judged { verdict, left, reordered }
    }

    /// Bits per second, 0 for no limit.
    fn bandwidth(&self) -> u64 {
        match (self.link.bandwidth, self.slowness()) {
            (0, _) => 0,
            (bits, None) => bits,
            (bits, Some(slow)) => {
                let part = u128::from(bits) * u128::from(slow.bandwidth.0) / u128::from(Chance::SURE.0);
                (part as u64).max(1)
            }
        }
    }

    /// Puts a packet into the sender's queue: when its last byte will have left, or nothing if the queue is full.
    fn depart(&mut self, bytes: u64, now: u64) -> Option<u64> {
        const SECOND: u128 = 1_000_000_000;
        let bandwidth = self.bandwidth();
        if bandwidth == 0 {
            return Some(now);
        }
        let begin = self.free_at.max(now);
        let queued = u128::from(begin - now) * u128::from(bandwidth) / (8 * SECOND);
        if queued + u128::from(bytes) > u128::from(self.room) {
            return None;
        }
        let takes = (u128::from(bytes) * 8 * SECOND).div_ceil(u128::from(bandwidth));
        self.free_at = begin.saturating_add(u64::try_from(takes).unwrap_or(u64::MAX / 4));
        Some(self.free_at)
    }

    fn loses(&mut self) -> bool {
        let draw = &mut self.streams.loss;
        match self.link.loss {
            Loss::Independent(chance) => draw.hits(chance),
            Loss::Bursty { to_bad, to_good, in_good, in_bad } => {
                self.bad ^= draw.hits(if self.bad { to_good } else { to_bad });
                draw.hits(if self.bad { in_bad } else { in_good })
            }
        }
    }

    /// What happens on the wire to a packet that has left.
    fn travel(&mut self, left: u64, now: u64) -> (Verdict, bool) {
        let corrupt = self.streams.corrupt.hits(self.link.corrupt);
        let twice = self.streams.duplicate.hits(self.link.duplicate);
        let takes = self.latency();
        let mut due = left.saturating_add(takes);
        let reordered = self.streams.reorder.hits(self.link.reorder);
        if reordered {
            let most = if self.link.reorder_by == 0 { takes } else { self.link.reorder_by };
            due = due.saturating_add(1 + self.streams.reorder.up_to(most.saturating_sub(1)));
        } else {
            // The others keep their order, however their latencies are drawn.
            due = due.max(self.latest);
            self.latest = due;
        }
        let verdict = if corrupt {
            Verdict::Corrupt(due - now)
        } else if twice {
            let second = left.saturating_add(self.latency()).max(due);
            Verdict::Duplicate(due - now, second - now)
        } else {
            Verdict::Delay(due - now)
        };
        (verdict, reordered)
    }

    fn latency(&mut self) -> u64 {
        let stream = &mut self.streams.latency;
        let mut time = stream.latency(self.link.latency);
        let jitter = self.link.jitter;
        if jitter != 0 {
            time = time.saturating_add(stream.up_to(jitter.saturating_mul(2))).saturating_sub(jitter);
        }
        time.saturating_add(self.slowness().map_or(0, |slow| slow.latency))
    }

    /// A datagram in fragments: it arrives with the last of them, or not at all. `each` and `last` are their bytes on the wire.
    fn judge_fragments(&mut self, full: u64, each: u64, last: u64, now: u64) -> Judged {
        let mut whole = self.judge(each, now);
        for n in 1..=full {
            let next = self.judge(if n == full { last } else { each }, now);
            whole = Judged {
                verdict: both(whole.verdict, next.verdict),
                left: whole.left.max(next.left),
                reordered: whole.reordered || next.reordered,
            };
        }
        whole
    }
}

/// The verdict on two fragments together: reassembly wants both, and takes the first of what comes twice.
fn both(a: Verdict, b: Verdict) -> Verdict {
    use Verdict::{Corrupt, Delay, Drop, Duplicate, Hold, Pass};
    match (a, b) {
        (Drop(_) | Hold, _) => a,
        (_, Drop(_) | Hold) => b,
        (Pass(x) | Delay(x) | Duplicate(x, _) | Corrupt(x), Pass(y) | Delay(y) | Duplicate(y, _) | Corrupt(y)) => {
            let damaged = matches!(a, Corrupt(_)) || matches!(b, Corrupt(_));
            if damaged { Corrupt(x.max(y)) } else { Delay(x.max(y)) }
        }
    }
}

/// A bit for each direction between two hosts.
#[derive(Clone, Debug, Default)]
pub(crate) struct Matrix {
    hosts: usize,
    bits: Vec<u64>,
    set: usize,
}

impl Matrix {
    fn new(hosts: usize) -> Matrix {
        Matrix { hosts, ..Matrix::default() }
    }

    /// The world's own resolver is no host, and no bit is its.
    fn place(&self, from: u32, to: u32) -> Option<usize> {
        let (from, to) = (from as usize, to as usize);
        (from < self.hosts && to < self.hosts && from != to).then(|| from * self.hosts + to)
    }

    pub(crate) fn get(&self, from: u32, to: u32) -> bool {
        self.set != 0 && self.place(from, to).is_some_and(|at| self.bits[at / 64] >> (at % 64) & 1 != 0)
    }

    pub(crate) fn put(&mut self, from: u32, to: u32, on: bool) {
        if self.get(from, to) == on {
            return;
        }
        let Some(at) = self.place(from, to) else { return };
        self.bits.resize((self.hosts * self.hosts).div_ceil(64), 0);
        self.bits[at / 64] ^= 1 << (at % 64);
        self.set = if on { self.set + 1 } else { self.set - 1 };
    }
}

/// All ways of a network.
#[derive(Clone, Debug)]
pub(crate) struct Ways {
    seed: u64,
    link: Rc<LinkSpec>,
    rules: Vec<LinkRule>,
    pub(crate) cuts: Matrix,
    pub(crate) clogs: Matrix,
    /// What faults cut and clog besides, which ends with them.
    pub(crate) fault_cuts: Matrix,
    pub(crate) fault_clogs: Matrix,
    /// What faults make of the links between some hosts, in their order: the later has the last word.
    pub(crate) fault_links: Vec<(Reach, LinkChange)>,
    pub(crate) fault_slows: Vec<(Reach, Slow)>,
    /// How many directions are slow.
    slows: usize,
    /// Those that were used, or are slow.
    directions: BTreeMap<(u32, u32), Direction>,
}

impl Ways {
    pub(crate) fn new(spec: &NetworkSpec, hosts: usize, seed: u64) -> Ways {
        let mut rules = spec.rules.clone();
        for rule in &mut rules {
            rule.from.sort_unstable();
            rule.to.sort_unstable();
        }
        let mut ways = Ways {
            seed: named(seed, &[&spec.name]),
            link: Rc::new(spec.link.clone()),
            rules,
            cuts: Matrix::new(hosts),
            clogs: Matrix::new(hosts),
            fault_cuts: Matrix::new(hosts),
            fault_clogs: Matrix::new(hosts),
            fault_links: Vec::new(),
            fault_slows: Vec::new(),
            slows: 0,
            directions: BTreeMap::new(),
        };
        ways.cut_and_clog(hosts as u32);
        ways
    }

    /// Cuts and clogs what the world file says is so from the beginning.
    fn cut_and_clog(&mut self, hosts: u32) {
        let all: Vec<u32> = (0..hosts).collect();
        let every = [(all.as_slice(), all.as_slice(), Some(self.link.cut), Some(self.link.clog))];
        let rules = self.rules.iter().map(|r| (r.from.as_slice(), r.to.as_slice(), r.change.cut, r.change.clog));
        for (from, to, cut, clog) in every.into_iter().chain(rules) {
            for (matrix, on) in [(&mut self.cuts, cut), (&mut self.clogs, clog)] {
                // Most links are neither, and then there is nothing to go through.
                let Some(on) = on.filter(|on| *on || matrix.set != 0) else { continue };
                from.iter().for_each(|&a| to.iter().for_each(|&b| matrix.put(a, b, on)));
            }
        }
    }

    /// Whether nothing but one latency happens to any packet.
    pub(crate) fn are_plain(&self) -> bool {
        let struck = self.fault_cuts.set + self.fault_clogs.set + self.fault_links.len() + self.fault_slows.len();
        is_plain(&self.link) && self.rules.is_empty() && self.cuts.set + self.clogs.set + self.slows + struck == 0
    }

    /// What faults make of a way's link.
    fn struck_link(&self, from: u32, to: u32) -> Rc<LinkSpec> {
        let link = link_of(&self.link, &self.rules, from, to);
        let mut changed: Option<LinkSpec> = None;
        for (_, change) in self.fault_links.iter().filter(|(reach, _)| reach.covers(from, to)) {
            change.apply(changed.get_or_insert_with(|| (*link).clone()));
        }
        changed.map_or(link, Rc::new)
    }

    /// How slow faults make a way: latencies add up, and of the bandwidth the least is left.
    fn struck_slow(&self, from: u32, to: u32) -> Option<Slow> {
        let about = self.fault_slows.iter().filter(|(reach, _)| reach.covers(from, to));
        about.fold(None, |sum: Option<Slow>, (_, slow)| {
            let sum = sum.unwrap_or(Slow { latency: 0, bandwidth: Chance::SURE });
            let latency = sum.latency.saturating_add(slow.latency);
            Some(Slow { latency, bandwidth: sum.bandwidth.min(slow.bandwidth) })
        })
    }

    /// Faults have begun or ended: the links are as those that last say.
    pub(crate) fn restrike(&mut self, hosts: u32, active: &[(Reach, Effect)]) {
        (self.fault_cuts, self.fault_clogs) = (Matrix::new(hosts as usize), Matrix::new(hosts as usize));
        self.fault_links.clear();
        self.fault_slows.clear();
        for (reach, effect) in active {
            match effect {
                Effect::Cut => reach.each(hosts, |from, to| self.fault_cuts.put(from, to, true)),
                Effect::Clog => reach.each(hosts, |from, to| self.fault_clogs.put(from, to, true)),
                Effect::Link(change) => self.fault_links.push((reach.clone(), change.clone())),
                Effect::Slow(slow) => self.fault_slows.push((reach.clone(), *slow)),
                Effect::SlowClose(_) | Effect::Still | Effect::Dark => {}
            }
        }
        let mut directions = core::mem::take(&mut self.directions);
        for ((from, to), direction) in &mut directions {
            direction.relink(self.struck_link(*from, *to), self.struck_slow(*from, *to));
        }
        self.directions = directions;
    }
}

/// The link of a way: the network's, with every change of a rule that is about it.
fn link_of(default: &Rc<LinkSpec>, rules: &[LinkRule], from: u32, to: u32) -> Rc<LinkSpec> {
    let about = |r: &&LinkRule| r.from.binary_search(&from).is_ok() && r.to.binary_search(&to).is_ok();
    let mut changed: Option<LinkSpec> = None;
    for rule in rules.iter().filter(about) {
        rule.change.apply(changed.get_or_insert_with(|| (**default).clone()));
    }
    changed.map_or_else(|| default.clone(), Rc::new)
}

impl World {
    /// The state of a way, which begins with its first use.
    pub(crate) fn direction(&mut self, way: Way) -> &mut Direction {
        let World { hosts, networks, .. } = self;
        let name = |host: u32| hosts.get(host as usize).map_or("", |h: &crate::link::Host| h.name.as_str());
        let network = &mut networks[way.network as usize];
        let (mtu, ways) = (network.mtu, &mut network.ways);
        if !ways.directions.contains_key(&(way.from, way.to)) {
            let mut new = Direction::new(ways.link.clone(), mtu, named(ways.seed, &[name(way.from), name(way.to)]));
            new.relink(ways.struck_link(way.from, way.to), ways.struck_slow(way.from, way.to));
            ways.directions.insert((way.from, way.to), new);
        }
        ways.directions.get_mut(&(way.from, way.to)).expect("it was made if it was not there")
    }

    /// Whether a host has no power.
    pub(crate) fn is_dark(&self, host: u32) -> bool {
        self.dark.get(host as usize).is_some_and(|&dark| dark)
    }

    /// Whether what is sent on a way waits.
    pub(crate) fn is_clogged(&self, way: Way) -> bool {
        let paused = |host: u32| self.paused.get(host as usize).is_some_and(|&paused| paused);
        let ways = &self.networks[way.network as usize].ways;
        ways.clogs.get(way.from, way.to) || ways.fault_clogs.get(way.from, way.to) || paused(way.from) || paused(way.to)
    }

    /// The verdict on one transmission: `len` bytes in an IP packet of version 6 or 4.
    pub(crate) fn judge(&mut self, way: Way, len: usize, six: bool, now: u64) -> Judged {
        let network = &self.networks[way.network as usize];
        if self.is_dark(way.from) || self.is_dark(way.to) {
            return Judged::at(Verdict::Drop(DropReason::HostDown), now);
        }
        if network.ways.cuts.get(way.from, way.to) || network.ways.fault_cuts.get(way.from, way.to) {
            return Judged::at(Verdict::Drop(DropReason::Partition), now);
        }
        let clogged = self.is_clogged(way);
        let (mtu, six, len) = (network.mtu, usize::from(six), len as u64);
        let direction = self.direction(way);
        if clogged {
            return direction.hold(len + u64::from(IP_HEADER[six] + ETHERNET), now);
        }
        if let (true, None, Latency::Constant(time)) = (direction.plain, direction.slowness(), direction.link.latency) {
            return Judged::at(Verdict::Pass(time), now);
        }
        let frame = u64::from(IP_HEADER[six] + ETHERNET);
        if len <= u64::from(mtu - IP_HEADER[six]) {
            return direction.judge(len + frame, now);
        }
        // RFC 791: all fragments but the last are multiples of 8 bytes long.
        let frame = frame + u64::from(FRAGMENT_HEADER[six]);
        let each = u64::from((mtu - IP_HEADER[six] - FRAGMENT_HEADER[six]) & !7);
        let full = (len - 1) / each;
        direction.judge_fragments(full, each + frame, len - full * each + frame, now)
    }

    /// Sets how slow a way is.
    pub(crate) fn set_slow(&mut self, way: Way, slow: Option<Slow>) {
        let was = core::mem::replace(&mut self.direction(way).slow, slow).is_some();
        let ways = &mut self.networks[way.network as usize].ways;
        ways.slows = ways.slows + usize::from(slow.is_some()) - usize::from(was);
    }

    /// Finds out again which networks are plain.
    pub(crate) fn settle_networks(&mut self) {
        let still = self.paused.iter().chain(&self.dark).any(|&stands| stands) || self.slow_closes;
        for network in &mut self.networks {
            network.plain = !still && network.ways.are_plain();
        }
    }
}

impl Direction {
    /// Lets a packet wait, if the sender's queue has room.
    fn hold(&mut self, bytes: u64, now: u64) -> Judged {
        let verdict = if self.waiting + bytes > self.room {
            Verdict::Drop(DropReason::QueueFull)
        } else {
            self.waiting += bytes;
            Verdict::Hold
        };
        Judged::at(verdict, now)
    }

    /// What waited goes on its way.
    pub(crate) fn release(&mut self) {
        self.waiting = 0;
    }
}
