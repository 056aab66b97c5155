//! Wall clocks that go wrong. Monotonic clocks are not touched.
//!
//! What a host's wall clock shows is the world's virtual time and an offset of its own. The offset of the host that runs is
//! the kernel's and the control page's; it changes with the baton, and for a clock that drifts with every call.

use super::Due;
use crate::Kernel;
use crate::task::HostId;
use snowglobe_abi::fault::ClockVerb;
use snowglobe_abi::spec::Nanos;

const SECOND: i64 = 1_000_000_000;

/// How wrong a host's wall clock is.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct Clock {
    /// Nanoseconds that it was ahead at `since`.
    ahead: i64,
    since: Nanos,
    /// Parts in a million that it gains.
    drift: i64,
}

impl Clock {
    /// Whether it is ever more wrong.
    pub(super) fn drifts(&self) -> bool {
        self.drift != 0
    }

    fn ahead(&self, now: Nanos) -> i64 {
        let passed = i128::from(now - self.since);
        self.ahead + (passed * i128::from(self.drift) / 1_000_000) as i64
    }

    fn change(&mut self, now: Nanos, by: i64, drift: i64) {
        self.ahead = self.ahead(now).saturating_add(by);
        self.since = now;
        self.drift += drift;
    }
}

impl Kernel {
    pub(super) fn strike_clocks(&mut self, index: u32, hosts: &[u32], verb: ClockVerb) {
        match verb {
            ClockVerb::Jump(by) => self.change_clocks(hosts, by, 0),
            ClockVerb::Drift(parts) => self.change_clocks(hosts, 0, i64::from(parts)),
            // A second that is shown twice sets the clock back when it is over (adjtimex(2), TIME_INS); one that is left out
            // sets it ahead.
            ClockVerb::Leap(by) => self.change_clocks(hosts, -SECOND * i64::from(by), 0),
            ClockVerb::Strobe { by, every } => {
                self.change_clocks(hosts, by, 0);
                self.faults.strobes.insert(index, true);
                self.arm_fault(self.sched.now.saturating_add(every), Due::Strobe(index));
            }
        }
        self.hit(index, hosts.len() as u64);
    }

    pub(super) fn relieve_clocks(&mut self, index: u32, hosts: &[u32], verb: ClockVerb) {
        match verb {
            ClockVerb::Jump(by) => self.change_clocks(hosts, by.saturating_neg(), 0),
            ClockVerb::Drift(parts) => self.change_clocks(hosts, 0, -i64::from(parts)),
            ClockVerb::Leap(_) => {}
            ClockVerb::Strobe { by, .. } => {
                if self.faults.strobes.remove(&index) == Some(true) {
                    self.change_clocks(hosts, by.saturating_neg(), 0);
                }
            }
        }
    }

    /// A clock that strobes jumps to or fro.
    pub(super) fn strobe(&mut self, index: u32) {
        let Some(ahead) = self.faults.strobes.get_mut(&index) else { return };
        *ahead = !*ahead;
        let is_ahead = *ahead;
        let planned = self.spec.faults.timeline[index as usize].clone();
        let snowglobe_abi::fault::Fault::Clock { hosts, verb: ClockVerb::Strobe { by, every } } = planned.fault else {
            return;
        };
        self.change_clocks(&hosts, if is_ahead { by } else { by.saturating_neg() }, 0);
        self.hit(index, hosts.len() as u64);
        self.arm_fault(self.sched.now.saturating_add(every), Due::Strobe(index));
    }

    fn change_clocks(&mut self, hosts: &[u32], by: i64, drift: i64) {
        let now = self.sched.now;
        self.faults.clocks.resize(self.hosts.len(), Clock::default());
        for host in hosts {
            self.faults.clocks[*host as usize].change(now, by, drift);
        }
        self.settle_odd();
    }

    /// Makes the clock of a host the one that is shown.
    #[inline]
    pub(crate) fn settle_clock(&mut self, host: u32) {
        if !self.faults.clocks.is_empty() {
            self.zero = self.zero_of(HostId(host));
        }
    }

    /// The same for the host of a task.
    pub fn settle_host_clock(&mut self, task: crate::task::TaskId) {
        self.settle_clock(self.proc_of(task).host.0);
    }

    fn zero_of(&self, host: HostId) -> Nanos {
        let clock = self.faults.clocks.get(host.0 as usize).copied().unwrap_or_default();
        self.spec.start_realtime.saturating_add_signed(clock.ahead(self.sched.now))
    }

    /// Whether reading the clock of the host that runs must be a call.
    #[inline]
    pub(crate) fn clock_drifts(&self) -> bool {
        !self.faults.clocks.is_empty()
            && self.try_task(self.current).is_some_and(|task| {
                let host = self.proc(task.proc).host.0;
                self.faults.clocks.get(host as usize).is_some_and(Clock::drifts)
            })
    }
}
