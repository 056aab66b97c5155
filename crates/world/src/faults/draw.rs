//! Faults drawn from the seed by a profile.
//!
//! A run draws which kinds are on, and for each that is on how often it strikes and how hard (swarm testing: Groce, Zhang,
//! Eide, Chen and Regehr, ISSTA 2012). Runs with few kinds on find what runs with all of them on hide, since one kind keeps
//! another from having its effect.
//!
//! Each kind draws from a stream of its own, so that a kind that is left out moves no other. What would damage more hosts at
//! one moment than the cap allows is left out afterwards, the later first.

use std::collections::BTreeMap;

use snowglobe_abi::fault::{ClockVerb, DiskVerb, Fault, HostVerb, Planned, Schedule, When};
use snowglobe_abi::spec::{Chance, Latency, LinkChange, Loss, Nanos, Slow, Strike, Verb};
use snowglobe_kernel::rng::Rng;

use super::Scope;
use super::shape::Shape;
use crate::units;

const MS: Nanos = 1_000_000;
const SECOND: Nanos = 1_000 * MS;

/// Least and most of something that is drawn; small and large ones are as likely by their orders of magnitude.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    /// The least.
    pub min: u64,
    /// The most.
    pub max: u64,
}

const fn range(min: u64, max: u64) -> Range {
    Range { min, max }
}

/// A kind of fault that can be drawn.
pub struct Kind {
    /// As in a timeline.
    pub name: &'static str,
    /// The profile that has it, besides `everything`; none for one that is only drawn when its rate is given.
    pub profile: &'static str,
    /// Time between two of the kind.
    every: Range,
    /// How long one lasts.
    lasts: Range,
}

impl Range {
    /// As it is read.
    pub fn show(self) -> String {
        format!("{} to {}", units::show_duration(self.min), units::show_duration(self.max))
    }
}

impl Kind {
    /// Time between two of the kind, and how long one lasts, where nothing else is said.
    pub fn bounds(&self) -> (Range, Range) {
        (self.every, self.lasts)
    }
}

const fn kind(name: &'static str, profile: &'static str, every: Range, lasts: Range) -> Kind {
    Kind { name, profile, every, lasts }
}

const SELDOM: Range = range(3 * SECOND, 60 * SECOND);
const OFTEN: Range = range(SECOND, 20 * SECOND);
const SHORT: Range = range(100 * MS, 5 * SECOND);
const LONG: Range = range(500 * MS, 15 * SECOND);

/// The kinds that can be drawn, in the order in which they draw.
pub const KINDS: &[Kind] = &[
    kind("partition", "network", SELDOM, LONG),
    kind("cut", "network", SELDOM, LONG),
    kind("clog", "network", OFTEN, SHORT),
    kind("slow", "network", OFTEN, LONG),
    kind("slow-close", "network", SELDOM, LONG),
    kind("reset", "network", OFTEN, SHORT),
    kind("latency", "network", OFTEN, LONG),
    kind("bandwidth", "network", SELDOM, LONG),
    kind("loss", "network", OFTEN, LONG),
    kind("duplicate", "network", OFTEN, LONG),
    kind("reorder", "network", OFTEN, LONG),
    kind("corrupt", "network", SELDOM, LONG),
    kind("kill", "crash", SELDOM, SHORT),
    kind("stop", "crash", SELDOM, SHORT),
    kind("power-loss", "crash", SELDOM, SHORT),
    kind("pause", "crash", SELDOM, LONG),
    kind("sync-error", "disk", SELDOM, SHORT),
    kind("read-error", "disk", SELDOM, SHORT),
    kind("write-error", "disk", SELDOM, SHORT),
    kind("short-io", "disk", SELDOM, LONG),
    kind("disk-latency", "disk", SELDOM, LONG),
    kind("disk-stall", "disk", SELDOM, SHORT),
    kind("disk-full", "disk", SELDOM, SHORT),
    kind("clock-jump", "clock", SELDOM, LONG),
    kind("clock-drift", "clock", SELDOM, LONG),
    kind("clock-strobe", "clock", SELDOM, SHORT),
    kind("leap-second", "clock", SELDOM, SHORT),
    kind("starve", "schedule", SELDOM, SHORT),
    kind("slow-cpu", "schedule", SELDOM, LONG),
    kind("memory", "memory", SELDOM, LONG),
    // What no program is made to live through, or what few are, is drawn only where it is asked for.
    kind("descriptors", "", SELDOM, SHORT),
    kind("quota", "", SELDOM, SHORT),
    kind("read-only", "", SELDOM, SHORT),
    kind("bit-flip", "", SELDOM, SHORT),
    kind("lost-write", "", SELDOM, SHORT),
    kind("misdirected-write", "", SELDOM, SHORT),
];

/// Names of profiles, and what they have.
pub const PROFILES: &[(&str, &str)] = &[
    ("calm", "nothing: runs differ by the seed alone"),
    ("network", "partitions of all shapes, clogs, slow and lossy links, resets"),
    ("crash", "processes killed and stopped, power lost, hosts paused"),
    ("disk", "errors of reads, writes and syncs, short reads and writes, slow and full disks"),
    ("clock", "wall clocks that jump, drift and strobe, leap seconds"),
    ("memory", "hosts short of memory: calls fail, or the largest process is killed"),
    ("schedule", "threads that starve, slow processors, turns that end at any call, changes of priority"),
    ("everything", "all of these"),
];

/// How likely a kind of a profile is on in a run.
const RATE: Chance = Chance(500_000_000);

/// What bounds a kind's draws.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bounds {
    /// Time between two of the kind.
    pub every: Option<Range>,
    /// How long one lasts.
    pub lasts: Option<Range>,
}

/// How many hosts may be damaged at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Cap {
    /// Fewer than half of those that may be struck, so that a majority can recover.
    #[default]
    Majority,
    /// So many.
    Hosts(usize),
    /// All.
    None,
}

/// A random profile: what a world file says of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Profile {
    /// Its name, or nothing where rates alone are given.
    pub name: String,
    /// How likely kinds are on in a run, by their names: those of the profile, and others.
    pub rates: BTreeMap<String, Chance>,
    /// Bounds of kinds by their names; `*` of all that have none of their own.
    pub bounds: BTreeMap<String, Bounds>,
    /// Hosts whose processes, disks and clocks may be struck, and whose majority the cap is about.
    pub hosts: Vec<u32>,
    /// No fault is drawn before this time.
    pub after: Nanos,
    /// See [`Cap`].
    pub cap: Cap,
}

/// Draws the faults of a run that last until `end` at the latest: a pure function of the profile, the seed and the world.
pub fn draw(profile: &Profile, scope: &Scope, end: Nanos) -> (Vec<Planned>, Schedule) {
    let mut drawn = Vec::new();
    for kind in KINDS {
        draw_kind(kind, profile, scope, end, &mut drawn);
    }
    drawn.sort_by_key(|planned: &Planned| time(planned));
    (capped(drawn, profile), draw_schedule(profile, scope.seed))
}

fn time(planned: &Planned) -> Nanos {
    match planned.when {
        When::At(at) => at,
        When::Call { .. } => Nanos::MAX,
    }
}

/// How likely a kind is on.
fn rate(name: &str, home: &str, profile: &Profile) -> Chance {
    let of_profile = !home.is_empty() && (profile.name == home || profile.name == "everything");
    profile.rates.get(name).copied().unwrap_or(if of_profile { RATE } else { Chance::NEVER })
}

fn draw_kind(kind: &Kind, profile: &Profile, scope: &Scope, end: Nanos, out: &mut Vec<Planned>) {
    let mut draw = Draw(Rng::stream(scope.seed, &format!("faults {}", kind.name)));
    if !draw.hits(rate(kind.name, kind.profile, profile)) || profile.after >= end {
        return;
    }
    let bounds = profile.bounds.get(kind.name).or_else(|| profile.bounds.get("*")).copied().unwrap_or_default();
    let lasts = bounds.lasts.unwrap_or(kind.lasts);
    let span = end - profile.after;
    // A kind that is on strikes once at least, where there is time for it.
    let every = draw.of(bounds.every.unwrap_or(kind.every));
    let hardness = draw.below(1000);
    let mut at = profile.after + draw.below(every.min(span).max(1));
    while at < end {
        let longest = end - at;
        let length = draw.of(lasts).min(longest);
        if length >= lasts.min.min(longest)
            && length > 0
            && let Some((fault, lasts)) = one(kind.name, &mut draw, profile, scope, hardness, length)
        {
            let from = if profile.name.is_empty() { "rates" } else { &profile.name };
            let cause = format!("{from}: {}", kind.name);
            out.push(Planned { when: When::At(at), lasts, fault, cause });
        }
        // Times between two are exponential in nature; evenly around the mean is near enough, and has no long tails.
        at = at.saturating_add((every / 2).saturating_add(draw.below(every.max(1))).max(1));
    }
}

/// A stream with the draws that are wanted here.
struct Draw(Rng);

impl Draw {
    fn below(&mut self, n: u64) -> u64 {
        self.0.below(n.max(1))
    }

    fn hits(&mut self, chance: Chance) -> bool {
        self.below(u64::from(Chance::SURE.0)) < u64::from(chance.0)
    }

    /// From a range, its orders of magnitude as likely as each other.
    fn of(&mut self, range: Range) -> u64 {
        let (min, max) = (range.min.max(1), range.max.max(range.min).max(1));
        // Twice as much, or half: the bits are those of the order, and within an order it is even.
        let orders = u64::from(((max - 1) / min).max(1).ilog2()) + 1;
        let low = min.saturating_mul(1 << self.below(orders));
        let high = low.saturating_mul(2).min(max);
        (low + self.below(high.saturating_sub(low) + 1)).clamp(min, max)
    }

    fn pick<T: Clone>(&mut self, list: &[T]) -> Option<T> {
        let at = self.below(list.len() as u64) as usize;
        list.get(at).cloned()
    }

    /// Some of a list, at least one and at most so many, in its order.
    fn some(&mut self, list: &[u32], most: usize) -> Vec<u32> {
        if list.is_empty() || most == 0 {
            return Vec::new();
        }
        // One is what is most often met.
        let many = if self.below(3) == 0 { 1 + self.below(most.min(list.len()) as u64) as usize } else { 1 };
        let mut rest = list.to_vec();
        let mut out: Vec<u32> =
            (0..many.min(rest.len())).map(|_| rest.remove(self.below(rest.len() as u64) as usize)).collect();
        out.sort_unstable();
        out
    }
}

/// How many hosts may be damaged at one moment.
fn most_damaged(profile: &Profile) -> usize {
    let n = profile.hosts.len();
    match profile.cap {
        // Of one host or two there is no majority that could go on without the others.
        Cap::Majority => (n.saturating_sub(1) / 2).max(1),
        Cap::Hosts(most) => most,
        Cap::None => n,
    }
}

/// From the least to the most, as hard as a run is.
fn scaled(range: Range, hardness: u64) -> u64 {
    range.min + ((u128::from(range.max - range.min) * u128::from(hardness)) / 999) as u64
}

fn share(least: u32, most: u32, hardness: u64) -> Chance {
    // Hard is ten times as hard as half as hard: shares have orders, too.
    let square = hardness * hardness / 999;
    Chance(scaled(range(u64::from(least), u64::from(most)), square.min(999)) as u32)
}

const PERCENT: u32 = 10_000_000;

/// One fault of a kind: what, and how long it lasts where it does.
fn one(
    name: &str,
    draw: &mut Draw,
    profile: &Profile,
    scope: &Scope,
    hardness: u64,
    length: Nanos,
) -> Option<(Fault, Option<Nanos>)> {
    let most = most_damaged(profile);
    let hosts = |draw: &mut Draw| Some(draw.some(&profile.hosts, most)).filter(|hosts| !hosts.is_empty());
    let lasting = |fault| Some((fault, Some(length)));
    let host = |draw: &mut Draw, verb| Some(Fault::Host { hosts: hosts(draw)?, verb });
    let clock = |draw: &mut Draw, verb| Some(Fault::Clock { hosts: hosts(draw)?, verb });
    match name {
        "partition" => lasting(partition(draw, profile, scope)?),
        "cut" | "clog" | "slow" | "slow-close" | "reset" => {
            let verb = match name {
                "cut" => Verb::Cut,
                "clog" => Verb::Clog,
                "slow" => Verb::Slow(Slow {
                    latency: scaled(range(5 * MS, 500 * MS), hardness),
                    bandwidth: Chance(draw.of(range(u64::from(PERCENT), u64::from(100 * PERCENT))) as u32),
                }),
                "slow-close" => Verb::SlowClose(scaled(range(100 * MS, 10 * SECOND), hardness)),
                _ => Verb::Reset,
            };
            let (from, to) = ways(draw, scope)?;
            let fault = Fault::Network(Strike { verb, network: None, from, to });
            Some((fault, (verb != Verb::Reset).then_some(length)))
        }
        "latency" | "bandwidth" | "loss" | "duplicate" | "reorder" | "corrupt" => {
            let change = link_change(name, draw, hardness);
            let (from, to) = ways(draw, scope)?;
            lasting(Fault::Link { network: None, from, to, change })
        }
        // They are down for so long.
        "kill" => Some((host(draw, HostVerb::Kill { restart: Some(length) })?, None)),
        "stop" => Some((host(draw, HostVerb::Stop { restart: Some(length) })?, None)),
        "power-loss" => Some((host(draw, HostVerb::PowerLoss { restart: Some(length) })?, None)),
        "pause" => lasting(host(draw, HostVerb::Pause)?),
        "slow-cpu" => lasting(host(draw, HostVerb::Slow(scaled(range(1_000, 200_000), hardness)))?),
        "descriptors" => lasting(host(draw, HostVerb::Descriptors(scaled(range(8, 128), 999 - hardness) as u32))?),
        "memory" => {
            let limit = scaled(range(32 << 20, 512 << 20), 999 - hardness) >> 20 << 20;
            let strict = draw.below(2) == 0;
            lasting(host(draw, HostVerb::Memory { limit, strict })?)
        }
        "clock-jump" => {
            let by = draw.of(range(10 * MS, 3600 * SECOND)) as i64;
            let by = if draw.below(2) == 0 { by } else { -by };
            lasting(clock(draw, ClockVerb::Jump(by))?)
        }
        "clock-drift" => {
            let parts = draw.of(range(10, 100_000)) as i32;
            let parts = if draw.below(2) == 0 { parts } else { -parts };
            lasting(clock(draw, ClockVerb::Drift(parts))?)
        }
        "clock-strobe" => {
            let by = draw.of(range(MS, 60 * SECOND)) as i64;
            let every = draw.of(range(MS, SECOND));
            lasting(clock(draw, ClockVerb::Strobe { by, every })?)
        }
        "leap-second" => {
            let by = if draw.below(2) == 0 { 1 } else { -1 };
            Some((clock(draw, ClockVerb::Leap(by))?, None))
        }
        "starve" => lasting(Fault::Starve { hosts: hosts(draw)?, threads: Vec::new() }),
        _ => lasting(Fault::Disk { hosts: hosts(draw)?, path: None, verb: disk(name, hardness)? }),
    }
}

fn disk(name: &str, hardness: u64) -> Option<DiskVerb> {
    let often = share(PERCENT / 10, 50 * PERCENT, hardness);
    let seldom = share(PERCENT / 100, 5 * PERCENT, hardness);
    Some(match name {
        "sync-error" => DiskVerb::SyncError(often),
        "read-error" => DiskVerb::ReadError(seldom),
        "write-error" => DiskVerb::WriteError(seldom),
        "short-io" => DiskVerb::Short(often),
        "disk-latency" => DiskVerb::Latency(scaled(range(MS, 200 * MS), hardness)),
        "disk-stall" => DiskVerb::Stall,
        "disk-full" => DiskVerb::Full,
        "quota" => DiskVerb::Quota,
        "read-only" => DiskVerb::ReadOnly,
        "bit-flip" => DiskVerb::Flip(seldom),
        "lost-write" => DiskVerb::Lost(seldom),
        "misdirected-write" => DiskVerb::Misdirected(seldom),
        _ => return None,
    })
}

fn link_change(name: &str, draw: &mut Draw, hardness: u64) -> LinkChange {
    let mut change = LinkChange::default();
    match name {
        "latency" => {
            let mean = scaled(range(2 * MS, 300 * MS), hardness);
            change.latency = Some(match draw.below(3) {
                0 => Latency::Uniform { min: mean / 4, max: mean * 2 },
                1 => Latency::Exponential { min: mean / 10, mean },
                _ => Latency::Pareto { min: mean / 2, shape: 2_000, max: mean * 20 },
            });
        }
        "bandwidth" => change.bandwidth = Some(draw.of(range(100_000, 100_000_000))),
        "loss" if draw.below(3) == 0 => {
            change.loss = Some(Loss::Bursty {
                to_bad: share(PERCENT / 10, 10 * PERCENT, hardness),
                to_good: Chance(20 * PERCENT),
                in_good: Chance::NEVER,
                in_bad: Chance(80 * PERCENT),
            });
        }
        "loss" => change.loss = Some(Loss::Independent(share(PERCENT / 10, 30 * PERCENT, hardness))),
        "duplicate" => change.duplicate = Some(share(PERCENT / 10, 50 * PERCENT, hardness)),
        "reorder" => {
            change.reorder = Some(share(PERCENT / 10, 50 * PERCENT, hardness));
            change.reorder_by = Some(draw.of(range(MS, 200 * MS)));
        }
        _ => change.corrupt = Some(share(PERCENT / 10, 20 * PERCENT, hardness)),
    }
    change
}

/// Two hosts of one network, in one direction or both; or one and all others; or all.
fn ways(draw: &mut Draw, scope: &Scope) -> Option<(Vec<u32>, Vec<u32>)> {
    let networks: Vec<Vec<u32>> =
        scope.networks.iter().map(|n| n.members.iter().copied().collect()).filter(|n: &Vec<u32>| n.len() > 1).collect();
    let members = draw.pick(&networks)?;
    let one = draw.pick(&members)?;
    let others: Vec<u32> = members.iter().copied().filter(|&host| host != one).collect();
    Some(match draw.below(6) {
        0 => (members.clone(), members),
        1 => (vec![one], others),
        2 => (others, vec![one]),
        3 => (vec![one], vec![draw.pick(&others)?]),
        _ => {
            let mut pair = vec![one, draw.pick(&others)?];
            pair.sort_unstable();
            (pair.clone(), pair)
        }
    })
}

/// A partition of those that may be struck; the others, such as clients, are on any side, or hear all.
fn partition(draw: &mut Draw, profile: &Profile, scope: &Scope) -> Option<Fault> {
    let shapes = [Shape::One, Shape::Halves, Shape::Majority, Shape::Ring];
    let shape = draw.pick(&shapes)?;
    // One host has only the others to be parted from.
    let among = if profile.hosts.len() > 1 { profile.hosts.clone() } else { scope.all() };
    let mut groups = shape.groups(&among, &mut draw.0);
    if groups.len() < 2 {
        groups = Shape::One.groups(&among, &mut draw.0);
    }
    if groups.len() < 2 {
        return None;
    }
    for host in scope.all().into_iter().filter(|host| !among.contains(host)) {
        // One more than there are groups: who is in none hears all.
        let side = draw.below(groups.len() as u64 + 1) as usize;
        if let Some(group) = groups.get_mut(side) {
            group.push(host);
            group.sort_unstable();
        }
    }
    Some(Fault::Partition { network: None, groups })
}

/// Which hosts a fault keeps from doing their work, and until when.
fn damage(planned: &Planned, of: &[u32]) -> (Vec<u32>, Nanos) {
    let at = time(planned);
    let until = at.saturating_add(planned.lasts.unwrap_or(0));
    let struck = |hosts: &[u32]| -> Vec<u32> { hosts.iter().copied().filter(|host| of.contains(host)).collect() };
    let smaller = |a: Vec<u32>, b: Vec<u32>| if a.len() <= b.len() { a } else { b };
    match &planned.fault {
        Fault::Host { hosts, verb } => match verb {
            HostVerb::Kill { restart } | HostVerb::Stop { restart } | HostVerb::PowerLoss { restart } => {
                (struck(hosts), until.saturating_add(restart.unwrap_or(0)))
            }
            HostVerb::Pause | HostVerb::Descriptors(_) | HostVerb::Memory { .. } => (struck(hosts), until),
            HostVerb::Slow(_) => (Vec::new(), until),
        },
        Fault::Partition { groups, .. } => {
            // Who hears a majority is not damaged.
            let hears = |host: u32| {
                let others = of.iter().filter(|&&other| {
                    let named = |h: u32| groups.iter().any(|group| group.contains(&h));
                    let together = groups.iter().any(|group| group.contains(&host) && group.contains(&other));
                    other == host || together || !named(host) || !named(other)
                });
                others.count() * 2 > of.len()
            };
            (of.iter().copied().filter(|&host| !hears(host)).collect(), until)
        }
        Fault::Network(Strike { verb: Verb::Cut | Verb::Clog, from, to, .. }) => {
            (if from == to { struck(from) } else { smaller(struck(from), struck(to)) }, until)
        }
        Fault::Disk { hosts, verb, .. } => match verb {
            DiskVerb::Latency(_) | DiskVerb::Short(_) => (Vec::new(), until),
            _ => (struck(hosts), until),
        },
        Fault::Network(_) | Fault::Link { .. } | Fault::Clock { .. } | Fault::Call { .. } | Fault::Starve { .. } => {
            (Vec::new(), until)
        }
    }
}

/// Leaves out what would damage more hosts at one moment than the cap allows, and what strikes a host that is down.
fn capped(drawn: Vec<Planned>, profile: &Profile) -> Vec<Planned> {
    let most = most_damaged(profile);
    let mut going: Vec<(Vec<u32>, Nanos)> = Vec::new();
    let mut down: Vec<(Vec<u32>, Nanos)> = Vec::new();
    let mut out = Vec::new();
    for planned in drawn {
        let at = time(&planned);
        going.retain(|(_, until)| *until > at);
        down.retain(|(_, until)| *until > at);
        let (hosts, until) = damage(&planned, &profile.hosts);
        let mut all: Vec<u32> = going.iter().flat_map(|(hosts, _)| hosts).chain(&hosts).copied().collect();
        all.sort_unstable();
        all.dedup();
        let is_down = |host: &u32| down.iter().any(|(hosts, _)| hosts.contains(host));
        if let Fault::Host { hosts, .. } = &planned.fault
            && hosts.iter().any(is_down)
        {
            continue;
        }
        if profile.cap != Cap::None && !hosts.is_empty() && all.len() > most {
            continue;
        }
        if let Fault::Host { hosts, verb: HostVerb::Kill { .. } | HostVerb::Stop { .. } | HostVerb::PowerLoss { .. } } =
            &planned.fault
        {
            down.push((hosts.clone(), until));
        }
        going.push((hosts, until));
        out.push(planned);
    }
    out
}

/// How threads take turns, where the profile says something of it: as usual in half of the runs.
fn draw_schedule(profile: &Profile, seed: u64) -> Schedule {
    let mut draw = Draw(Rng::stream(seed, "faults turns"));
    if !draw.hits(rate("turns", "schedule", profile)) {
        return Schedule::Usual;
    }
    if draw.below(2) == 0 {
        Schedule::Random(Chance(draw.of(range(u64::from(PERCENT / 10), u64::from(30 * PERCENT))) as u32))
    } else {
        Schedule::Pct { changes: 1 + draw.below(6) as u32, calls: draw.of(range(1_000, 1_000_000)) }
    }
}
