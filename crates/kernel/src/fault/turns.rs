//! How threads take turns when the plan says so: at random, or by priorities that change at random moments.
//!
//! Probabilistic concurrency testing (Burckhardt, Kothari, Musuvathi and Nagarakatte, ASPLOS 2010) gives each thread a random
//! priority and lowers that of whoever runs at a few random steps: a bug of depth d shows with a chance of at least
//! 1 / (n k^(d-1)) for n threads and k steps. A step here is a call or a learned yield point.

use crate::Kernel;
use crate::rng::Rng;
use crate::task::TaskId;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use snowglobe_abi::fault::Schedule;
use snowglobe_abi::spec::Chance;

/// Where the priorities of threads that were lowered begin; they go down from there.
pub(crate) const LOWERED: u64 = 1 << 32;

/// The schedule of the plan.
#[derive(Default)]
pub(crate) struct Turns {
    /// Steps so far.
    step: u64,
    /// Steps at which whoever runs is lowered, the last first.
    changes: Vec<u64>,
    lowered: u64,
    rng: Option<Rng>,
    /// Whom each fault that goes on starves.
    starved: BTreeMap<u32, Vec<TaskId>>,
}

impl Kernel {
    /// Makes the scheduler take turns as the plan says.
    pub(super) fn set_schedule(&mut self) {
        let mut rng = Rng::stream(self.spec.seed, "turns");
        match self.spec.faults.schedule {
            Schedule::Usual => return,
            Schedule::Random(_) => self.sched.take_any(),
            Schedule::Pct { changes, calls } => {
                let mut steps: Vec<u64> = (0..changes).map(|_| 1 + rng.below(calls)).collect();
                steps.sort_unstable_by(|a, b| b.cmp(a));
                self.faults.turns.changes = steps;
                self.sched.take_highest(Rng::stream(self.spec.seed, "priorities"));
            }
        }
        self.faults.turns.rng = Some(rng);
    }

    /// Turns are those of another seed from now on.
    pub(crate) fn reseed_turns(&mut self, seed: u64) {
        if self.faults.turns.rng.is_some() {
            self.faults.turns.rng = Some(Rng::stream(seed, "turns"));
        }
    }

    /// A call or a yield point of a task: whether its turn ends here is the plan's to say.
    pub(crate) fn step_schedule(&mut self, task: TaskId) {
        let turns = &mut self.faults.turns;
        turns.step += 1;
        match self.spec.faults.schedule {
            Schedule::Usual => {}
            Schedule::Random(chance) => {
                let Some(rng) = &mut turns.rng else { return };
                if rng.below(u64::from(Chance::SURE.0)) < u64::from(chance.0) {
                    self.end_turn();
                }
            }
            Schedule::Pct { .. } => {
                while turns.changes.last().is_some_and(|&step| step <= turns.step) {
                    turns.changes.pop();
                    turns.lowered += 1;
                    self.sched.set_priority(task, LOWERED - turns.lowered);
                }
                if self.sched.is_overtaken(task) {
                    self.end_turn();
                }
            }
        }
    }

    /// A task gives way by itself, as who spins does: with priorities it would otherwise never let another run.
    pub(crate) fn give_way(&mut self, task: TaskId) {
        if let Schedule::Pct { .. } = self.spec.faults.schedule {
            self.faults.turns.lowered += 1;
            self.sched.set_priority(task, LOWERED - self.faults.turns.lowered);
        }
    }

    /// Threads of hosts do not get their turn while others can run.
    pub(super) fn starve(&mut self, index: u32, hosts: &[u32], threads: &[u32]) {
        let mut rng = Rng::stream(self.spec.seed, &alloc::format!("starve {hosts:?} {index}"));
        let mut struck = Vec::new();
        for &host in hosts {
            for (tid, task) in &self.hosts[host as usize].tids {
                if if threads.is_empty() { rng.one_in(2) } else { threads.contains(tid) } {
                    struck.push(*task);
                }
            }
        }
        struck.iter().for_each(|task| self.sched.set_starved(*task, true));
        self.hit(index, struck.len() as u64);
        self.faults.turns.starved.insert(index, struck);
    }

    /// Those that a fault has starved are no more, as far as it goes.
    pub(super) fn feed(&mut self, index: u32) {
        for task in self.faults.turns.starved.remove(&index).unwrap_or_default() {
            self.sched.set_starved(task, false);
        }
    }
}
