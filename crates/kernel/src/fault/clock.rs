//! Wall clocks that go wrong, and clocks of hosts that have booted again. Monotonic clocks are otherwise not touched.
//!
//! What a host's wall clock shows is the world's virtual time and an offset of its own. The offset of the host that runs is
//! the kernel's and the control page's; it changes with the baton, and for a clock that drifts with every call.

use super::Due;
use crate::Kernel;
use crate::calls::time::next_after;
use crate::sched::TimerAction;
use crate::task::{HostId, ProcId, State, TaskId};
use crate::time::{BOOTED, Moment, PosixTimer, TAI_OFFSET, TimerFd, UPTIME};
use crate::uapi::{POLLIN, POLLRDNORM};
use alloc::format;
use alloc::rc::{Rc, Weak};
use alloc::string::String;
use alloc::vec::Vec;
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
    /// Leap seconds that its host has seen, which TAI has not: nanoseconds.
    leaps: i64,
    /// When it has booted, and how often, if it has since the world's beginning.
    boot: Option<(Nanos, u32)>,
}

impl Clock {
    /// Whether it is ever more wrong.
    pub(super) fn drifts(&self) -> bool {
        self.drift != 0
    }

    /// What it gains in a million; faults that overlap do not let it stand still or go back.
    fn rate(&self) -> i128 {
        i128::from(self.drift).clamp(-900_000, 9_000_000)
    }

    fn ahead(&self, now: Nanos) -> i64 {
        let passed = i128::from(now - self.since);
        self.ahead + (passed * self.rate() / 1_000_000) as i64
    }

    /// The first moment at which it is ahead enough to show a time that a right clock shows at `right`; both may be before the
    /// world's beginning.
    fn when(&self, right: i128) -> Nanos {
        let passed = |at: i128| (at - i128::from(self.since)) * self.rate() / 1_000_000;
        let gained = right - i128::from(self.ahead) - i128::from(self.since);
        let mut at = i128::from(self.since) + gained * 1_000_000 / (1_000_000 + self.rate());
        // Roundings are less than two nanoseconds.
        at -= 2;
        while at + i128::from(self.ahead) + passed(at) < right {
            at += 1;
        }
        at.clamp(0, i128::from(u64::MAX)) as u64
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
            ClockVerb::Leap(by) => {
                let by = -SECOND * i64::from(by);
                self.change_clocks(hosts, by, 0);
                hosts.iter().for_each(|&host| self.faults.clocks[host as usize].leaps -= by);
            }
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
        self.have_clocks();
        for &host in hosts {
            self.faults.clocks[host as usize].change(now, by, drift);
            self.clock_was_set(HostId(host), by != 0);
        }
        self.settle_odd();
    }

    fn have_clocks(&mut self) {
        self.faults.clocks.resize(self.hosts.len(), Clock::default());
    }

    /// A host has booted: its monotonic clock begins anew. Its wall clock goes on by its battery.
    pub(super) fn boot_clock(&mut self, host: HostId) {
        self.have_clocks();
        let now = self.sched.now;
        let clock = &mut self.faults.clocks[host.0 as usize];
        clock.boot = Some((now, clock.boot.map_or(1, |(_, times)| times + 1)));
        self.host_mut(host).ended_cpu = 0;
    }

    /// The wall clock of a host has been set, or runs otherwise: timers that go by it go off at other moments, and those
    /// that want to know of a clock that is set are told.
    fn clock_was_set(&mut self, host: HostId, set: bool) {
        for task in self.host(host).tids.values().copied().collect::<Vec<_>>() {
            self.move_deadline(host, task);
        }
        for proc in self.host(host).pids.values().copied().collect::<Vec<_>>() {
            self.move_posix_timers(host, proc);
        }
        let mut timers = core::mem::take(&mut self.host_mut(host).wall_timers);
        timers.retain(|timer| timer.strong_count() > 0);
        for timer in timers.iter().filter_map(Weak::upgrade) {
            self.move_timerfd(host, &timer);
            if set && timer.cancels.get() {
                timer.cancelled.set(true);
                timer.count.set(timer.count.get() + 1);
                timer.queue.wake(&mut self.sched, POLLIN | POLLRDNORM);
            }
        }
        self.host_mut(host).wall_timers = timers;
        self.notice = true;
    }

    fn move_deadline(&mut self, host: HostId, task: TaskId) {
        let t = self.task(task);
        let Some(wall) = t.wait.as_ref().and_then(|wait| wait.wall).filter(|_| t.state == State::Blocked) else {
            return;
        };
        let (at, ticket) = (self.when_wall(host, wall), t.ticket);
        if let Some(key) = self.task_mut(task).timer.take() {
            self.sched.disarm(key);
        }
        let key = self.sched.arm(at, TimerAction::Task(task, ticket));
        let t = self.task_mut(task);
        t.timer = Some(key);
        if let Some(wait) = &mut t.wait {
            wait.deadline = Some(at);
        }
    }

    fn move_posix_timers(&mut self, host: HostId, proc: ProcId) {
        let by_wall = |(id, timer): (&u32, &PosixTimer)| Some((*id, timer.key?, timer.expiry?.wall?));
        let all: Vec<_> = self.proc(proc).posix_timers.iter().filter_map(by_wall).collect();
        for (id, old, wall) in all {
            self.sched.disarm(old);
            let at = self.when_wall(host, wall);
            let key = self.sched.arm(at, TimerAction::Posix(proc, id));
            if let Some(timer) = self.proc_mut(proc).posix_timers.get_mut(&id) {
                (timer.expiry, timer.key) = (Some(Moment { at, wall: Some(wall) }), Some(key));
            }
        }
    }

    fn move_timerfd(&mut self, host: HostId, timer: &Rc<TimerFd>) {
        let Some(wall) = timer.expiry.get().and_then(|moment| moment.wall) else { return };
        if let Some(old) = timer.key.take() {
            self.sched.disarm(old);
        }
        let at = self.when_wall(host, wall);
        timer.expiry.set(Some(Moment { at, wall: Some(wall) }));
        timer.key.set(Some(self.sched.arm(at, TimerAction::TimerFd(Rc::downgrade(timer)))));
    }

    /// A timer goes by its host's wall clock, or wants to know when that is set.
    pub(crate) fn list_wall_timer(&mut self, timer: &Rc<TimerFd>) {
        if timer.listed.replace(true) {
            return;
        }
        let list = &mut self.host_mut(timer.host).wall_timers;
        if list.len() == list.capacity() {
            list.retain(|timer| timer.strong_count() > 0);
        }
        list.push(Rc::downgrade(timer));
    }

    /// When the wall clock of a host will show a time, if nobody sets it before.
    pub(crate) fn when_wall(&self, host: HostId, wall: Nanos) -> Nanos {
        let right = i128::from(wall) - i128::from(self.spec.start_realtime);
        self.clock_of(host).when(right)
    }

    /// What the wall clock of a host shows.
    pub(crate) fn wall_of(&self, host: HostId) -> Nanos {
        self.zero_of(host).saturating_add(self.sched.now)
    }

    /// How long it is until a moment.
    pub(crate) fn until(&self, host: HostId, moment: Moment) -> Nanos {
        match moment.wall {
            Some(wall) => wall.saturating_sub(self.wall_of(host)),
            None => moment.at.saturating_sub(self.sched.now),
        }
    }

    /// When a timer that is due and has a period goes off next, and how many periods that is from when it was due: 1 when
    /// none was missed.
    pub(crate) fn next_period(&self, host: HostId, due: Moment, interval: Nanos) -> (Moment, u64) {
        match due.wall {
            Some(wall) => {
                let next = next_after(wall, interval, self.wall_of(host).max(wall));
                (Moment { at: self.when_wall(host, next), wall: Some(next) }, (next - wall) / interval)
            }
            None => {
                let next = next_after(due.at, interval, self.sched.now);
                (Moment::fixed(next), (next - due.at) / interval)
            }
        }
    }

    /// How much TAI is ahead of a host's wall clock.
    pub(crate) fn tai_offset(&self, host: HostId) -> i64 {
        TAI_OFFSET + self.clock_of(host).leaps
    }

    /// What a host's boot id is drawn by.
    pub(crate) fn boot_name(&self, host: u32) -> String {
        match self.clock_of(HostId(host)).boot {
            None => format!("boot {host}"),
            Some((_, times)) => format!("boot {host} {times}"),
        }
    }

    fn clock_of(&self, host: HostId) -> Clock {
        self.faults.clocks.get(host.0 as usize).copied().unwrap_or_default()
    }

    /// Makes the clock of a host the one that is shown.
    #[inline]
    pub(crate) fn settle_clock(&mut self, host: u32) {
        if !self.faults.clocks.is_empty() {
            self.zero = self.zero_of(HostId(host));
            self.up = self.up_of(HostId(host));
        }
    }

    /// The same for the host of a task.
    pub fn settle_host_clock(&mut self, task: crate::task::TaskId) {
        self.settle_clock(self.proc_of(task).host.0);
    }

    fn zero_of(&self, host: HostId) -> Nanos {
        self.spec.start_realtime.saturating_add_signed(self.clock_of(host).ahead(self.sched.now))
    }

    fn up_of(&self, host: HostId) -> Nanos {
        self.clock_of(host).boot.map_or(UPTIME, |(at, _)| BOOTED.wrapping_sub(at))
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
