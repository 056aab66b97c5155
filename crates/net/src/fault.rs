//! What faults do to the network between hosts.
//!
//! A cut lets nothing arrive that is sent from then on, in one direction: a partition of any shape is a set of cut directions. A
//! clog makes packets wait in the sender's interface, in order, until it is gone; the queue of the interface takes no more than
//! it does otherwise, so that a datagram socket's sender waits, too. A slow link has more latency and less bandwidth. A reset ends
//! the TCP connections between hosts as if each end had got an RST of the other. A host that stands still clogs everything from
//! and to it, and what is on its way to it already. What was sent before a cut or a clog arrives.
//!
//! A fault of a plan has a number ([`SocketTable::begin_fault`]). Faults that go on at the same time are all kept, and what the
//! links are like follows from all of them: so one that ends takes nothing of another along. [`SocketTable::strike`] changes
//! what is beneath them.

use crate::call::SocketId;
use crate::entry::{Entry, Path, Protocol};
use crate::fabric::Body;
use crate::log::DropReason;
use crate::table::SocketTable;
use crate::tcp::{Segment, TcpState, bit};
use crate::verdict::{Judged, Verdict, Way};
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use snowglobe_abi::fault::{Fault, HostVerb};
use snowglobe_abi::spec::{LinkChange, Loss, Slow, Strike, Verb};

/// Which ways of a network a fault is about.
#[derive(Clone, Debug)]
pub(crate) enum Reach {
    /// From each of the ones to each of the others; both are sorted.
    Ways(Vec<u32>, Vec<u32>),
    /// Between hosts that are named and share no group.
    Apart(Vec<Vec<u32>>),
    /// From and to these.
    Around(Vec<u32>),
}

/// What a fault that goes on does.
#[derive(Clone, Debug)]
pub(crate) enum Effect {
    Cut,
    Clog,
    Slow(Slow),
    Link(LinkChange),
    SlowClose(u64),
    /// Hosts stand still.
    Still,
    /// Hosts have no power.
    Dark,
}

/// A fault that goes on.
#[derive(Debug)]
struct Going {
    index: u32,
    network: Option<u32>,
    reach: Reach,
    effect: Effect,
}

/// Faults that go on, and what each has hit.
#[derive(Debug, Default)]
pub(crate) struct Active {
    going: Vec<Going>,
    hits: BTreeMap<u32, u64>,
}

impl Reach {
    fn ways(from: &[u32], to: &[u32]) -> Reach {
        let sorted = |list: &[u32]| {
            let mut list = list.to_vec();
            list.sort_unstable();
            list
        };
        Reach::Ways(sorted(from), sorted(to))
    }

    pub(crate) fn covers(&self, from: u32, to: u32) -> bool {
        match self {
            Reach::Ways(senders, receivers) => {
                from != to && senders.binary_search(&from).is_ok() && receivers.binary_search(&to).is_ok()
            }
            Reach::Apart(groups) => {
                let named = |host: u32| groups.iter().any(|group| group.contains(&host));
                let together = groups.iter().any(|group| group.contains(&from) && group.contains(&to));
                from != to && !together && named(from) && named(to)
            }
            Reach::Around(hosts) => hosts.contains(&from) || hosts.contains(&to),
        }
    }

    /// Each way between hosts that it covers.
    pub(crate) fn each(&self, hosts: u32, mut act: impl FnMut(u32, u32)) {
        let all = || (0..hosts).collect::<Vec<u32>>();
        let (senders, receivers) = match self {
            Reach::Ways(senders, receivers) => (senders.clone(), receivers.clone()),
            Reach::Apart(groups) => {
                let mut named: Vec<u32> = groups.iter().flatten().copied().collect();
                named.sort_unstable();
                named.dedup();
                (named.clone(), named)
            }
            Reach::Around(_) => (all(), all()),
        };
        for &from in &senders {
            receivers.iter().filter(|&&to| self.covers(from, to)).for_each(|&to| act(from, to));
        }
    }
}

impl Active {
    /// Whether any goes on.
    #[inline]
    pub(crate) fn any(&self) -> bool {
        !self.going.is_empty()
    }

    /// Counts for whom a packet is a hit, and lets the end of a stream take longer.
    pub(crate) fn strike_packet(&mut self, way: Way, now: u64, body: &Body, judged: &mut Judged) {
        for fault in &self.going {
            let here = fault.network.is_none_or(|only| only == way.network) && fault.reach.covers(way.from, way.to);
            if !here {
                continue;
            }
            let hit = match &fault.effect {
                Effect::Cut => judged.verdict == Verdict::Drop(DropReason::Partition),
                Effect::Dark => judged.verdict == Verdict::Drop(DropReason::HostDown),
                Effect::Clog | Effect::Still => {
                    matches!(judged.verdict, Verdict::Hold | Verdict::Drop(DropReason::QueueFull))
                }
                // What is left of a bandwidth without a limit is all of it.
                Effect::Slow(slow) => slow.latency > 0 || judged.left > now,
                Effect::Link(change) => shows(change, judged),
                Effect::SlowClose(by) => {
                    let ends = matches!(body, Body::Tcp(segment) if segment.bits & bit::FIN != 0);
                    if ends {
                        judged.verdict = later(judged.verdict, *by);
                    }
                    ends
                }
            };
            if hit {
                *self.hits.entry(fault.index).or_default() += 1;
            }
        }
    }
}

/// A verdict whose packet takes longer.
fn later(verdict: Verdict, by: u64) -> Verdict {
    match verdict {
        Verdict::Pass(after) | Verdict::Delay(after) => Verdict::Delay(after.saturating_add(by)),
        Verdict::Duplicate(first, second) => Verdict::Duplicate(first.saturating_add(by), second.saturating_add(by)),
        Verdict::Corrupt(after) => Verdict::Corrupt(after.saturating_add(by)),
        Verdict::Hold | Verdict::Drop(_) => verdict,
    }
}

/// Whether a packet's verdict is one that a change of its link brings about.
fn shows(change: &LinkChange, judged: &Judged) -> bool {
    let every = change.latency.is_some() || change.jitter.is_some() || change.bandwidth.is_some();
    let held = matches!(judged.verdict, Verdict::Hold);
    let gone = |reason| judged.verdict == Verdict::Drop(reason);
    every
        || change.queue.is_some() && gone(DropReason::QueueFull)
        || change.loss.is_some_and(|loss| loss != Loss::Independent(Default::default())) && gone(DropReason::Loss)
        || change.duplicate.is_some() && matches!(judged.verdict, Verdict::Duplicate(..))
        || change.corrupt.is_some() && matches!(judged.verdict, Verdict::Corrupt(_))
        || change.reorder.is_some() && judged.reordered
        || change.cut == Some(true) && gone(DropReason::Partition)
        || change.clog == Some(true) && held
}

/// What a fault of a plan does to the network for as long as it goes on.
fn effect(fault: &Fault) -> Option<(Option<u32>, Reach, Effect)> {
    Some(match fault {
        Fault::Partition { network, groups } => (*network, Reach::Apart(groups.clone()), Effect::Cut),
        Fault::Link { network, from, to, change } => (*network, Reach::ways(from, to), Effect::Link(change.clone())),
        Fault::Host { hosts, verb: HostVerb::Pause } => (None, Reach::Around(hosts.clone()), Effect::Still),
        Fault::Host { hosts, verb: HostVerb::PowerLoss { .. } } => (None, Reach::Around(hosts.clone()), Effect::Dark),
        Fault::Network(strike) => {
            let effect = match strike.verb {
                Verb::Cut => Effect::Cut,
                Verb::Clog => Effect::Clog,
                Verb::Slow(slow) => Effect::Slow(slow),
                Verb::SlowClose(by) => Effect::SlowClose(by),
                Verb::Pause => return Some((strike.network, Reach::Around(strike.from.clone()), Effect::Still)),
                Verb::Heal | Verb::Unclog | Verb::Unslow | Verb::Reset | Verb::Resume => return None,
            };
            (strike.network, Reach::ways(&strike.from, &strike.to), effect)
        }
        _ => return None,
    })
}

impl<R: Clone> SocketTable<R> {
    /// A fault of a plan begins, by its number.
    pub fn begin_fault(&mut self, index: u32, fault: &Fault, now: u64) {
        self.advance(now);
        self.faults.hits.entry(index).or_default();
        if let Fault::Network(strike) = fault
            && strike.verb == Verb::Reset
        {
            let hits = self.reset_between(strike);
            *self.faults.hits.entry(index).or_default() += hits;
        }
        if let Some((network, reach, effect)) = effect(fault) {
            self.faults.going.push(Going { index, network, reach, effect });
            self.restrike();
        }
        self.pump();
    }

    /// The fault with this number ends.
    pub fn end_fault(&mut self, index: u32, now: u64) {
        self.advance(now);
        let before = self.faults.going.len();
        self.faults.going.retain(|fault| fault.index != index);
        if self.faults.going.len() < before {
            self.restrike();
        }
        self.pump();
    }

    /// Packets and connections that a fault has hit so far.
    pub fn fault_hits(&self, index: u32) -> u64 {
        self.faults.hits.get(&index).copied().unwrap_or(0)
    }

    /// What the network is like follows from the faults that go on.
    fn restrike(&mut self) {
        let hosts = self.world.hosts.len() as u32;
        for (at, network) in self.world.networks.iter_mut().enumerate() {
            let here = self.faults.going.iter().filter(|f| f.network.is_none_or(|only| only as usize == at));
            let active: Vec<(Reach, Effect)> = here.map(|f| (f.reach.clone(), f.effect.clone())).collect();
            network.ways.restrike(hosts, &active);
        }
        let of = |host: u32, still: bool| {
            self.faults.going.iter().any(|f| match (&f.effect, &f.reach) {
                (Effect::Still, Reach::Around(hosts)) => still && hosts.contains(&host),
                (Effect::Dark, Reach::Around(hosts)) => !still && hosts.contains(&host),
                _ => false,
            })
        };
        let paused: Vec<bool> = (0..hosts).map(|host| of(host, true)).collect();
        self.world.dark = (0..hosts).map(|host| of(host, false)).collect();
        self.world.slow_closes = self.faults.going.iter().any(|f| matches!(f.effect, Effect::SlowClose(_)));
        for host in 0..hosts {
            let (was, is) = (self.world.paused[host as usize], paused[host as usize]);
            if was != is {
                self.set_paused(&[host], is);
            }
        }
        self.world.settle_networks();
        self.release();
    }

    /// Everything that a host has of the network is gone, and nobody is told: its sockets, what it has sent and what is on
    /// its way to it. Its open sockets have been closed while it was dark.
    pub fn vanish(&mut self, host: u32, now: u64) {
        self.advance(now);
        self.fabric.lose_of(host);
        let left: Vec<(SocketId, u64)> =
            self.entries().filter(|e| e.connection.host == host).map(|e| (e.id(), e.unique())).collect();
        for (id, unique) in left {
            if !self.get(id).is_ok_and(|e| e.unique() == unique) {
                continue;
            }
            if self.at(id).local.protocol == Protocol::Tcp {
                self.at_mut(id).connection.open = false;
                self.tcp_closed(id);
            } else {
                self.close(id, now);
            }
        }
        self.fabric.lose_of(host);
        self.ports.flows.retain(|key, _| key.host() != host);
        if let Some(host) = self.world.hosts.get_mut(host as usize) {
            host.met = Default::default();
        }
        self.pump();
    }

    /// Lets a fault strike the network, or end. Hosts and networks that are not there are passed over.
    pub fn strike(&mut self, strike: &Strike, now: u64) {
        self.advance(now);
        if self.log.tracing {
            let text = self.strike_text(strike);
            self.log.fault(text);
        }
        match strike.verb {
            Verb::Cut => self.each_way(strike, |table, way| table.set_cut(way, true)),
            Verb::Heal => self.each_way(strike, |table, way| table.set_cut(way, false)),
            Verb::Clog => self.each_way(strike, |table, way| table.set_clog(way, true)),
            Verb::Unclog => self.each_way(strike, |table, way| table.set_clog(way, false)),
            Verb::Slow(slow) => self.each_way(strike, |table, way| table.world.set_slow(way, Some(slow))),
            Verb::Unslow => self.each_way(strike, |table, way| table.world.set_slow(way, None)),
            Verb::Reset => {
                self.reset_between(strike);
            }
            // A fault of a plan, for as long as that goes on.
            Verb::SlowClose(_) => {}
            Verb::Pause => self.set_paused(&strike.from, true),
            Verb::Resume => self.set_paused(&strike.from, false),
        }
        self.world.settle_networks();
        self.release();
        self.pump();
    }

    /// Does something to every way that a strike is about.
    fn each_way(&mut self, strike: &Strike, mut act: impl FnMut(&mut Self, Way)) {
        for network in 0..self.world.networks.len() as u32 {
            if strike.network.is_some_and(|only| only != network) {
                continue;
            }
            let members = &self.world.networks[network as usize].members;
            let is_on = |host: &u32| members.binary_search(host).is_ok();
            let on = |hosts: &[u32]| -> Vec<u32> { hosts.iter().copied().filter(is_on).collect() };
            let (from, to) = (on(&strike.from), on(&strike.to));
            for &from in &from {
                for &to in to.iter().filter(|&&to| to != from) {
                    act(self, Way { network, from, to });
                }
            }
        }
    }

    fn set_cut(&mut self, way: Way, on: bool) {
        self.world.networks[way.network as usize].ways.cuts.put(way.from, way.to, on);
    }

    fn set_clog(&mut self, way: Way, on: bool) {
        self.world.networks[way.network as usize].ways.clogs.put(way.from, way.to, on);
    }

    fn set_paused(&mut self, hosts: &[u32], on: bool) {
        for &host in hosts {
            let Some(paused) = self.world.paused.get_mut(host as usize) else { continue };
            *paused = on;
            if on {
                self.fabric.strand(host);
            } else {
                self.fabric.unstrand(host, self.log.now);
            }
        }
    }

    /// Resets the connections from any of the ones to any of the others, whoever has made them, at both ends. Returns how
    /// many ends that were.
    fn reset_between(&mut self, strike: &Strike) -> u64 {
        let about = |e: &&Entry<R>| {
            let Path::Link { network, host: to } = e.connection.path else { return false };
            let from = e.connection.host;
            let named = |a: u32, b: u32| strike.from.contains(&a) && strike.to.contains(&b);
            let lives = !matches!(e.tcp_state(), TcpState::Close | TcpState::Listen | TcpState::TimeWait);
            let here = strike.network.is_none_or(|only| only == network);
            e.local.protocol == Protocol::Tcp && lives && here && (named(from, to) || named(to, from))
        };
        let struck: Vec<(SocketId, u64)> = self.entries().filter(about).map(|e| (e.id(), e.unique())).collect();
        let count = struck.len() as u64;
        for (id, unique) in struck {
            // The end of one may have been the end of another.
            if self.get(id).is_ok_and(|e| e.unique() == unique) {
                self.inject_reset(id);
            }
        }
        count
    }

    /// Gives a connection an RST that its other end might have sent.
    fn inject_reset(&mut self, id: SocketId) {
        let entry = self.at(id);
        let Path::Link { network, host: from } = entry.connection.path else { return };
        let (host, src, dst) = (entry.connection.host, entry.remote_end(), entry.local_end());
        let tcp = &entry.connection.tcp;
        let bits = bit::RST | bit::ACK;
        let segment = Segment {
            bits,
            seq: tcp.expected,
            ack: tcp.next,
            edge: 0,
            streams: [tcp.theirs, entry.local.id],
            clock: 0,
            echo: 0,
            urgent: None,
            blocks: None,
            payload: None,
        };
        self.tcp_arrive(from, host, Some(network), src, dst, segment);
    }

    /// What a strike does, as the trace says it: `cut a, b -> c`.
    fn strike_text(&self, strike: &Strike) -> String {
        let names = |hosts: &[u32]| {
            let names: Vec<&str> = hosts.iter().map(|&host| self.world.host(host).name.as_str()).collect();
            names.join(", ")
        };
        let (from, to) = (names(&strike.from), names(&strike.to));
        let way = match strike.verb {
            Verb::Pause | Verb::Resume => from,
            Verb::Reset => format!("{from} <-> {to}"),
            _ => format!("{from} -> {to}"),
        };
        let place = strike.network.and_then(|n| self.world.networks.get(n as usize));
        let place = place.map_or_else(String::new, |network| format!(" on {}", network.name));
        format!("{} {way}{place}", verb_name(strike.verb))
    }
}

/// The name of a verb, as world files and the trace have it.
pub fn verb_name(verb: Verb) -> String {
    match verb {
        Verb::Cut => "cut".into(),
        Verb::Heal => "heal".into(),
        Verb::Clog => "clog".into(),
        Verb::Unclog => "unclog".into(),
        Verb::Slow(Slow { latency, bandwidth }) => {
            format!("slow by {latency} ns, to {}/1000 of the bandwidth,", bandwidth.0 / 1_000_000)
        }
        Verb::Unslow => "unslow".into(),
        Verb::SlowClose(by) => format!("slow close by {by} ns,"),
        Verb::Reset => "reset".into(),
        Verb::Pause => "pause".into(),
        Verb::Resume => "resume".into(),
    }
}
