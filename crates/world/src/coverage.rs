//! What a run's trace has seen, as a set of small numbers: pairs of events that follow each other, with how often they did, to a
//! power of two (as AFL counts branches). It follows from the trace alone, so a run that is run again has seen the same.

use std::collections::BTreeMap;

use snowglobe_abi::trace::{Kind, Record};

/// Pairs that are kept apart.
const SIZE: usize = 1 << 16;

/// Takes a trace as it comes.
pub struct Coverage {
    counts: Vec<u32>,
    /// The role of each host: replicas of one service have one.
    roles: Vec<u64>,
    /// Of each task, its role and its last event.
    tasks: BTreeMap<u32, (u64, u64)>,
    last: (u32, u64),
}

fn mix(a: u64, b: u64) -> u64 {
    let mut z = a.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ b;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

impl Coverage {
    /// One for hosts of these names.
    pub fn new(hosts: &[String]) -> Coverage {
        let role = |name: &String| {
            name.trim_end_matches(|c: char| c.is_ascii_digit()).bytes().fold(7, |a, b| mix(a, u64::from(b)))
        };
        let roles = hosts.iter().map(role).collect();
        Coverage { counts: vec![0; SIZE], roles, tasks: BTreeMap::new(), last: (0, 0) }
    }

    /// Takes a whole record.
    pub fn take(&mut self, kind: Kind, bytes: &[u8]) {
        use Kind::*;
        if matches!(kind, Output | Note | Queues | Packet | Socket | Options | Wake | Yield) {
            return;
        }
        let Ok((record, and, _)) = Record::decode(bytes) else { return };
        self.one(&record);
        if let Some(and) = and {
            self.one(&and);
        }
    }

    fn one(&mut self, record: &Record) {
        let num = |i: usize| record.nums.get(i).copied().unwrap_or(0);
        let blob = |i: usize| record.blobs.get(i).map_or(0, |b| b.iter().fold(3, |a, b| mix(a, u64::from(*b))));
        let detail = match record.kind {
            Kind::Begin => return,
            Kind::Return => {
                // An error is told apart; of what is no error only whether it is nothing.
                let value = snowglobe_abi::trace::unzigzag(num(1));
                mix(num(0), if (-4095..=0).contains(&value) { value as u64 } else { 1 })
            }
            Kind::Block => num(0),
            Kind::Status => mix(num(1), num(2)),
            Kind::Drop => blob(0),
            Kind::Signal => num(0),
            Kind::Exit => num(0),
            Kind::Fault => mix(blob(0), num(1)),
            Kind::Verdict => num(4),
            Kind::Host => mix(num(0), num(1)),
            _ => 0,
        };
        if record.kind == Kind::Spawn {
            let role = self.roles.get(num(0) as usize).copied().unwrap_or(0);
            self.tasks.insert(record.task, (role, 0));
        }
        let (role, before) = self.tasks.get(&record.task).copied().unwrap_or((0, 0));
        let event = mix(mix(role, record.kind as u64), detail);
        self.tasks.insert(record.task, (role, event));
        self.count(mix(before, event));
        // Who was interrupted where, and by what.
        if self.last.0 != record.task {
            self.count(mix(mix(self.last.1, event), 1));
        }
        self.last = (record.task, event);
    }

    fn count(&mut self, pair: u64) {
        self.counts[pair as usize % SIZE] += 1;
    }

    /// What was seen.
    pub fn finish(&self) -> Vec<u32> {
        let seen = self.counts.iter().enumerate().filter(|(_, count)| **count > 0);
        seen.map(|(pair, count)| (pair as u32) << 5 | count.ilog2().min(24) / 2).collect()
    }
}
