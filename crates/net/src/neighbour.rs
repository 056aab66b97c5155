//! Neighbours that do not answer: hosts without power (arp(7); `net/core/neighbour.c`).
//!
//! What a host knows of another's hardware address holds for a while after it has last heard of it ([`REACHABLE`]), and packets
//! go there and are lost. Then the next packet makes it doubt ([`DELAY`]) and ask that address thrice, a second each; until then
//! packets are lost as before. From then on it knows nothing: a packet waits while all are asked, thrice again, and in the
//! end its sender is told that the host is unreachable.

use crate::fabric::{Alarm, Packet};
use crate::icmp::{RESOLUTION, WAITING};
use crate::stats::REACHABLE;
use crate::table::SocketTable;
use crate::verdict::Way;
use alloc::collections::BTreeMap;
use alloc::collections::btree_map::Entry;
use alloc::vec::Vec;

/// How long a host waits for a sign of one that it doubts before it asks (`delay_first_probe_time`), in nanoseconds.
const DELAY: u64 = 5_000_000_000;

/// A search for the hardware address of a host that has no power.
#[derive(Debug)]
pub(crate) struct Lookup {
    until: u64,
    /// Whether an address is still known, to which packets are sent meanwhile.
    known: bool,
    /// What will be said of the packets that wait.
    errors: Vec<Packet>,
}

/// Searches that go on: on which way, and whether for IPv6.
pub(crate) type Lookups = BTreeMap<(Way, bool), Lookup>;

impl<R: Clone> SocketTable<R> {
    /// A packet was sent to a host that has no power.
    #[cold]
    pub(crate) fn find_in_vain(&mut self, way: Way, packet: &Packet) {
        let (now, six) = (self.log.now, packet.dst.ip.is_ipv6());
        let met = self.world.met(way.from, way.to, six);
        if met != 0 && now < met + REACHABLE {
            return;
        }
        let known = match self.lookups.entry((way, six)) {
            Entry::Occupied(lookup) => lookup.get().known,
            Entry::Vacant(place) => {
                let known = met != 0;
                let until = now + RESOLUTION + if known { DELAY } else { 0 };
                place.insert(Lookup { until, known, errors: Vec::new() });
                self.fabric.set_alarm(until, Alarm::Lookup(way, six));
                known
            }
        };
        if known {
            return;
        }
        let Some(error) = self.host_unreachable(packet) else { return };
        if let Some(lookup) = self.lookups.get_mut(&(way, six)).filter(|l| l.errors.len() < WAITING as usize) {
            lookup.errors.push(error);
        }
    }

    /// A search has been given up, unless the host has power again.
    pub(crate) fn lookup_over(&mut self, way: Way, six: bool) {
        let now = self.log.now;
        let Some(lookup) = self.lookups.remove(&(way, six)) else { return };
        if lookup.until != now || !self.world.is_dark(way.to) {
            return;
        }
        self.world.forget(way.from, way.to, six);
        if !self.world.is_dark(way.from) {
            lookup.errors.into_iter().for_each(|error| self.fabric.looped.push_back(error));
        }
    }
}
