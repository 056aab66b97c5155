//! What a fault does to the network between hosts: the verbs of [`Strike`].
//!
//! A cut lets nothing arrive that is sent from then on, in one direction: a partition of any shape is a set of cut directions. A
//! clog makes packets wait in the sender's interface, in order, until it is gone; the queue of the interface takes no more than
//! it does otherwise, so that a datagram socket's sender waits, too. A slow link has more latency and less bandwidth. A reset ends
//! the TCP connections between hosts as if each end had got an RST of the other. A pause is a clog of everything from and
//! to a host, and of what is on its way to it already. What was sent before a cut or a clog arrives.

use crate::call::SocketId;
use crate::entry::{Entry, Path, Protocol};
use crate::table::SocketTable;
use crate::tcp::{Segment, TcpState, bit};
use crate::verdict::Way;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use snowglobe_abi::spec::{Slow, Strike, Verb};

impl<R: Clone> SocketTable<R> {
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
            Verb::Reset => self.reset_between(strike),
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

    /// Resets the connections from any of the ones to any of the others, whoever has made them, at both ends.
    fn reset_between(&mut self, strike: &Strike) {
        let about = |e: &&Entry<R>| {
            let Path::Link { network, host: to } = e.connection.path else { return false };
            let from = e.connection.host;
            let named = |a: u32, b: u32| strike.from.contains(&a) && strike.to.contains(&b);
            let lives = !matches!(e.tcp_state(), TcpState::Close | TcpState::Listen | TcpState::TimeWait);
            let here = strike.network.is_none_or(|only| only == network);
            e.local.protocol == Protocol::Tcp && lives && here && (named(from, to) || named(to, from))
        };
        let struck: Vec<(SocketId, u64)> = self.entries().filter(about).map(|e| (e.id(), e.unique())).collect();
        for (id, unique) in struck {
            // The end of one may have been the end of another.
            if self.get(id).is_ok_and(|e| e.unique() == unique) {
                self.inject_reset(id);
            }
        }
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
        Verb::Reset => "reset".into(),
        Verb::Pause => "pause".into(),
        Verb::Resume => "resume".into(),
    }
}
