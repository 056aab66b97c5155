//! The plan of faults, carried out. A run is given its plan and draws none ([`snowglobe_abi::fault`]).
//!
//! | Module | Content |
//! |---|---|
//! | here | when each fault begins and ends, the quiet time, what is told and counted |
//! | [`calls`] | calls that set faults off, or are struck |
//! | [`clock`] | wall clocks that are wrong |
//! | [`turns`] | how threads take turns |
//! | [`hosts`] | processes killed, power lost, hosts paused, services started again |
//!
//! A timer of the plan only notes what is due. It is done while nobody runs, since whoever runs may be what is struck
//! ([`Kernel::pick`]). The network's part is the socket table's, which keeps all faults that go on and lets what links are like
//! follow from them.

pub mod calls;
pub mod clock;
pub mod hosts;
pub mod turns;

use crate::Kernel;
use crate::machine::Machine;
use crate::sched::TimerAction;
use crate::task::HostId;
use alloc::collections::{BTreeMap, BTreeSet, VecDeque};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use snowglobe_abi::fault::{Fault, FaultReport, HostVerb, Planned, When};
use snowglobe_abi::spec::Nanos;

/// Something of the plan that is due.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Due {
    /// The fault at this place begins.
    Begin(u32),
    /// It ends.
    End(u32),
    /// It keeps this host's service down no longer.
    Return(u32, u32),
    /// The time in which this host's service was asked to stop by this fault is over.
    Grace(u32, u32),
    /// A clock jumps to or fro.
    Strobe(u32),
    /// The quiet time begins.
    Quiet,
}

/// How far one fault is.
#[derive(Clone, Copy, Default, Debug)]
struct State {
    began: Option<Nanos>,
    ended: Option<Nanos>,
    hits: u64,
}

/// The plan, and how far it is.
#[derive(Default)]
pub struct Faults {
    /// What is due, in order.
    pub due: VecDeque<Due>,
    states: Vec<State>,
    /// Faults that go on.
    going: BTreeSet<u32>,
    /// Hosts whose services faults keep down, with these.
    held: BTreeSet<(u32, u32)>,
    /// How many pauses each host is in.
    paused: Vec<u32>,
    quiet: bool,
    /// Whether every call is looked at: calls are watched, hosts are slow, memory is counted, clocks drift, or turns are not as
    /// usual.
    pub(crate) odd: bool,
    watches: Vec<calls::Watch>,
    /// Time that each call of a host takes longer.
    slow: Vec<Nanos>,
    /// Faults that slow hosts: which, whom, by how much.
    slowed_by: Vec<(u32, u32, Nanos)>,
    /// By host; empty as long as all are right.
    pub(crate) clocks: Vec<clock::Clock>,
    /// Clocks that strobe by their faults, and whether they are ahead.
    strobes: BTreeMap<u32, bool>,
    turns: turns::Turns,
    /// Faults that bound the descriptors of hosts: which, whom, how many.
    descriptors: Vec<(u32, u32, u32)>,
    /// Hosts that are short of memory.
    pub(crate) short_of_memory: Vec<hosts::Short>,
}

impl Faults {
    /// Whether a host stands still.
    pub fn is_paused(&self, host: HostId) -> bool {
        self.paused.get(host.0 as usize).is_some_and(|&pauses| pauses > 0)
    }
}

impl Kernel {
    /// Sets the timers of the plan.
    pub(crate) fn arm_faults(&mut self) {
        let plan = &self.spec.faults;
        let at = |(index, planned): (usize, &Planned)| match planned.when {
            When::At(at) => Some((at, Due::Begin(index as u32))),
            When::Call { .. } => None,
        };
        let mut timers: Vec<(Nanos, Due)> = plan.timeline.iter().enumerate().filter_map(at).collect();
        // What begins with the quiet time does not begin.
        timers.splice(0..0, plan.quiet_from.map(|from| (from, Due::Quiet)));
        self.faults.states = alloc::vec![State::default(); plan.timeline.len()];
        self.faults.paused = alloc::vec![0; self.spec.hosts.len()];
        for (at, due) in timers {
            self.arm_fault(at, due);
        }
        self.set_schedule();
        self.watch_triggers();
    }

    fn arm_fault(&mut self, at: Nanos, due: Due) {
        self.sched.arm(at, TimerAction::Fault(due));
    }

    /// Does what is due of the plan. Nobody runs meanwhile.
    pub(crate) fn strike_due(&mut self, m: &mut dyn Machine) {
        while let Some(due) = self.faults.due.pop_front() {
            match due {
                Due::Begin(index) => self.begin_fault(index, m),
                Due::End(index) => self.end_fault(index),
                Due::Return(index, host) => self.return_host(index, host),
                Due::Grace(index, host) => self.grace_is_over(index, host),
                Due::Strobe(index) => self.strobe(index),
                Due::Quiet => self.begin_quiet(),
            }
        }
        self.arm_services();
    }

    fn begin_fault(&mut self, index: u32, m: &mut dyn Machine) {
        let Some(planned) = self.spec.faults.timeline.get(index as usize).cloned() else { return };
        let state = &mut self.faults.states[index as usize];
        // A fault begins once, and none in the quiet time.
        if self.faults.quiet || state.began.is_some() {
            return;
        }
        let now = self.sched.now;
        state.began = Some(now);
        self.tell_fault(index, &planned, true);
        self.faults.going.insert(index);
        match &planned.fault {
            Fault::Network(_) | Fault::Partition { .. } | Fault::Link { .. } => {
                self.sockets.table.begin_fault(index, &planned.fault, now);
                self.network_settle();
            }
            Fault::Host { hosts, verb } => self.strike_hosts(index, hosts, *verb, &planned, m),
            Fault::Disk { hosts, path, verb } => self.strike_disks(index, hosts, path.as_deref(), *verb),
            Fault::Clock { hosts, verb } => self.strike_clocks(index, hosts, *verb),
            Fault::Call { .. } => self.strike_calls(index, &planned),
            Fault::Starve { hosts, threads } => self.starve(index, hosts, threads),
        }
        match planned.lasts {
            _ if !planned.fault.lasts() => self.end_fault(index),
            Some(lasts) => self.arm_fault(now.saturating_add(lasts), Due::End(index)),
            None => {}
        }
    }

    /// What goes on of a fault ends.
    fn end_fault(&mut self, index: u32) {
        if !self.faults.going.remove(&index) {
            return;
        }
        let Some(planned) = self.spec.faults.timeline.get(index as usize).cloned() else { return };
        let now = self.sched.now;
        self.faults.states[index as usize].ended = Some(now);
        self.tell_fault(index, &planned, false);
        match &planned.fault {
            Fault::Network(_) | Fault::Partition { .. } | Fault::Link { .. } => {
                self.sockets.table.end_fault(index, now);
                self.network_settle();
            }
            Fault::Host { hosts, verb } => self.relieve_hosts(index, hosts, *verb),
            Fault::Disk { .. } => self.heal_disks(index),
            Fault::Clock { hosts, verb } => self.relieve_clocks(index, hosts, *verb),
            Fault::Call { .. } => self.relieve_calls(index),
            Fault::Starve { .. } => self.feed(index),
        }
    }

    /// A fault of one call that has found it begins and ends there.
    fn one_call(&mut self, index: u32, planned: &Planned) {
        let now = self.sched.now;
        self.faults.states[index as usize].began = Some(now);
        self.faults.states[index as usize].ended = Some(now);
        self.tell_fault(index, planned, true);
    }

    /// Faults end, hosts that they keep down come back, and nothing strikes any more.
    fn begin_quiet(&mut self) {
        self.faults.quiet = true;
        for index in self.faults.going.clone() {
            self.end_fault(index);
        }
        for (host, index) in self.faults.held.clone() {
            self.return_host(index, host);
        }
    }

    fn tell_fault(&mut self, index: u32, planned: &Planned, begins: bool) {
        let names = |host: u32| self.spec.hosts.get(host as usize).map_or_else(String::new, |host| host.name.clone());
        let text = format!("{} {}", planned.fault.kind(), planned.fault.whom(&names));
        self.record.fault(self.sched.now, index, begins, text.trim_end(), &planned.cause);
    }

    /// A fault has hit something so many times more.
    pub(crate) fn hit(&mut self, index: u32, times: u64) {
        self.faults.states[index as usize].hits += times;
    }

    /// What became of the plan.
    pub(crate) fn fault_reports(&self) -> Vec<FaultReport> {
        let report = |(index, state): (usize, &State)| FaultReport {
            index: index as u32,
            times: state.began.map(|began| (began, state.ended)),
            hits: state.hits
                + self.sockets.table.fault_hits(index as u32)
                + self.disk_hits(index as u32)
                + self.starve_hits(index as u32),
        };
        self.faults.states.iter().enumerate().map(report).collect()
    }

    /// Whether a fault that keeps hosts down lets them come back.
    fn comes_back(&self, planned: &Planned) -> bool {
        let restart = match planned.fault {
            Fault::Host {
                verb: HostVerb::Kill { restart } | HostVerb::Stop { restart } | HostVerb::PowerLoss { restart },
                ..
            } => restart,
            _ => None,
        };
        restart.is_some() || planned.lasts.is_some() || self.spec.faults.quiet_from.is_some()
    }
}
