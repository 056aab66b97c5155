//! Clocks, sleeping and timers.

use crate::machine::Machine;
use crate::mem::{self, Struct};
use crate::sched::TimerAction;
use crate::signal::Info;
use crate::task::{IntervalTimer, ProcId, TaskId};
use crate::time::{Moment, PosixTimer, SECOND, TimerFd};
use crate::uapi::*;
use crate::wait::{Interrupt, Kind, Wait};
use crate::{Answer, Cx, Kernel};
use alloc::rc::Rc;
use snowglobe_abi::errno::{Errno, Result};
use snowglobe_abi::spec::Nanos;

/// Reads a `struct timespec`; `None` for a null pointer.
///
/// # Errors
/// `EFAULT`; `EINVAL` for negative seconds or bad nanoseconds.
pub fn get_timeout(m: &mut dyn Machine, addr: u64) -> Result<Option<Nanos>> {
    if addr == 0 {
        return Ok(None);
    }
    let raw: [u8; 16] = mem::array(m, addr)?;
    timespec(&raw).map(Some)
}

fn timespec(raw: &[u8]) -> Result<Nanos> {
    let (sec, nsec) = (mem::field64(raw, 0) as i64, mem::field64(raw, 8));
    if sec < 0 || nsec >= SECOND {
        return Err(Errno::EINVAL);
    }
    Ok((sec as u64).saturating_mul(SECOND).saturating_add(nsec))
}

fn timeval(raw: &[u8]) -> Result<Nanos> {
    let (sec, usec) = (mem::field64(raw, 0) as i64, mem::field64(raw, 8));
    if sec < 0 || usec >= 1_000_000 {
        return Err(Errno::EINVAL);
    }
    Ok((sec as u64).saturating_mul(SECOND).saturating_add(usec * 1000))
}

/// Writes a `struct timespec`.
///
/// # Errors
/// `EFAULT`.
pub fn put_timespec(m: &mut dyn Machine, addr: u64, t: Nanos) -> Result<()> {
    Struct::new().u64(t / SECOND).u64(t % SECOND).put(m, addr)
}

const REALTIME: u32 = 0;
const MONOTONIC: u32 = 1;
const PROCESS_CPU: u32 = 2;
const THREAD_CPU: u32 = 3;
const BOOTTIME: u32 = 7;

impl Cx<'_> {
    /// What a clock shows.
    fn clock(&self, id: u32) -> Result<Nanos> {
        match id {
            REALTIME | 5 | 8 => Ok(self.k.realtime()),
            // The coarse clocks show what the fine ones show.
            MONOTONIC | 4 | 6 | BOOTTIME | 9 => Ok(self.k.monotonic()),
            11 => Ok(self.k.realtime().saturating_add_signed(self.k.tai_offset(self.proc().host))),
            PROCESS_CPU => Ok(self.k.process_cpu(self.proc().id)),
            THREAD_CPU => Ok(self.me().cpu_time),
            id if (id as i32) < 0 => self.cpu_clock(id),
            _ => Err(Errno::EINVAL),
        }
    }

    /// Clocks of other processes and threads: `~pid << 3` with the kind in the low bits (`clock_getcpuclockid(3)`).
    fn cpu_clock(&self, id: u32) -> Result<Nanos> {
        let pid = !(id as i32 >> 3) as u32;
        let host = self.k.host_of(self.task);
        match (id & 7, pid) {
            // The low two bits say what is counted, and 3 is nothing; 4 says of a thread.
            (kind, _) if kind & 3 == 3 => Err(Errno::EINVAL),
            (kind, 0) if kind & 4 != 0 => Ok(self.me().cpu_time),
            (_, 0) => Ok(self.k.process_cpu(self.proc().id)),
            (kind, tid) if kind & 4 != 0 => {
                Ok(host.tids.get(&tid).map(|t| self.k.task(*t).cpu_time).ok_or(Errno::EINVAL)?)
            }
            (_, pid) => Ok(host.pids.get(&pid).map(|p| self.k.process_cpu(*p)).ok_or(Errno::EINVAL)?),
        }
    }

    /// When a clock will show a time.
    fn when(&self, clock: u32, at: Nanos) -> Result<Moment> {
        match clock {
            REALTIME | 8 => Ok(self.at_wall(at)),
            MONOTONIC | BOOTTIME | 9 => Ok(self.at_monotonic(at)),
            11 => Ok(self.at_wall(at.saturating_add_signed(-self.k.tai_offset(self.proc().host)))),
            _ => Err(Errno::EINVAL),
        }
    }

    /// When the wall clock of the caller's host will show a time.
    pub fn at_wall(&self, wall: Nanos) -> Moment {
        Moment { at: self.k.when_wall(self.proc().host, wall), wall: Some(wall) }
    }

    /// When its monotonic clock will.
    pub fn at_monotonic(&self, at: Nanos) -> Moment {
        // It has never shown less than when its host booted.
        Moment::fixed((i128::from(at) - i128::from(self.k.up.cast_signed())).clamp(0, i128::from(u64::MAX)) as u64)
    }
}

pub fn clock_gettime(cx: &mut Cx) -> Answer {
    let now = cx.clock(cx.uint(0))?;
    let mut out = [0; 16];
    out[..8].copy_from_slice(&(now / SECOND).to_le_bytes());
    out[8..].copy_from_slice(&(now % SECOND).to_le_bytes());
    cx.m.write(cx.args[1], &out)?;
    Ok(0)
}

pub fn clock_getres(cx: &mut Cx) -> Answer {
    cx.clock(cx.uint(0))?;
    if cx.args[1] != 0 {
        let coarse = matches!(cx.uint(0), 5 | 6);
        put_timespec(cx.m, cx.args[1], if coarse { 4_000_000 } else { 1 })?;
    }
    Ok(0)
}

pub fn clock_settime(cx: &mut Cx) -> Answer {
    if cx.uint(0) != REALTIME {
        return Err(Errno::EINVAL.into());
    }
    get_timeout(cx.m, cx.args[1])?.ok_or(Errno::EFAULT)?;
    // A host's clock is the world's to set.
    Err(Errno::EPERM.into())
}

pub fn settimeofday(_: &mut Cx) -> Answer {
    Err(Errno::EPERM.into())
}

pub fn gettimeofday(cx: &mut Cx) -> Answer {
    let now = cx.k.realtime();
    if cx.args[0] != 0 {
        Struct::new().u64(now / SECOND).u64(now % SECOND / 1000).put(cx.m, cx.args[0])?;
    }
    if cx.args[1] != 0 {
        Struct::new().u64(0).put(cx.m, cx.args[1])?;
    }
    Ok(0)
}

pub fn time(cx: &mut Cx) -> Answer {
    let now = cx.k.realtime() / SECOND;
    if cx.args[0] != 0 {
        cx.m.write(cx.args[0], &now.to_le_bytes())?;
    }
    Ok(now as i64)
}

pub fn nanosleep(cx: &mut Cx) -> Answer {
    let time = get_timeout(cx.m, cx.args[0])?.ok_or(Errno::EFAULT)?;
    cx.sleep_until(Moment::fixed(cx.k.sched.now.saturating_add(time)), cx.args[1])
}

pub fn clock_nanosleep(cx: &mut Cx) -> Answer {
    let (clock, absolute) = (cx.uint(0), cx.uint(1) & 1 != 0);
    cx.clock(clock)?;
    // Nobody can sleep by a thread's own time, nor by the raw and the coarse clocks.
    if matches!(clock, PROCESS_CPU | THREAD_CPU | 4..=6) || (clock as i32) < 0 {
        return Err(Errno::EOPNOTSUPP.into());
    }
    let time = get_timeout(cx.m, cx.args[2])?.ok_or(Errno::EFAULT)?;
    let moment = cx.when(clock, time)?;
    if absolute {
        return cx.sleep_until(moment, 0);
    }
    cx.sleep_until(Moment::fixed(cx.k.sched.now.saturating_add(time)), cx.args[3])
}

impl Cx<'_> {
    fn sleep_until(&mut self, until: Moment, rem: u64) -> Answer {
        if until.at <= self.k.sched.now {
            return Ok(0);
        }
        Err(Wait::new(Kind::Sleep { rem }).until_moment(Some(until)).on_signal(Interrupt::Fail).stop())
    }
}

// setitimer and alarm

pub fn alarm(cx: &mut Cx) -> Answer {
    let seconds = u64::from(cx.uint(0));
    let old = cx.k.set_interval(cx.me().proc, 0, seconds * SECOND, 0);
    Ok(old.0.div_ceil(SECOND) as i64)
}

pub fn getitimer(cx: &mut Cx) -> Answer {
    let which = cx.uint(0) as usize;
    if which > 2 {
        return Err(Errno::EINVAL.into());
    }
    let (left, interval) = cx.k.interval_left(cx.me().proc, which);
    cx.put_itimerval(cx.args[1], left, interval)
}

pub fn setitimer(cx: &mut Cx) -> Answer {
    let which = cx.uint(0) as usize;
    if which > 2 {
        return Err(Errno::EINVAL.into());
    }
    let raw: [u8; 32] = if cx.args[1] == 0 { [0; 32] } else { mem::array(cx.m, cx.args[1])? };
    let (interval, value) = (timeval(&raw[..16])?, timeval(&raw[16..])?);
    let (left, old) = cx.k.set_interval(cx.me().proc, which, value, interval);
    if cx.args[2] != 0 {
        return cx.put_itimerval(cx.args[2], left, old);
    }
    Ok(0)
}

impl Cx<'_> {
    fn put_itimerval(&mut self, addr: u64, left: Nanos, interval: Nanos) -> Answer {
        let us = |t: Nanos| (t / SECOND, t % SECOND / 1000);
        let ((is, iu), (ls, lu)) = (us(interval), us(left));
        Struct::new().u64(is).u64(iu).u64(ls).u64(lu).put(self.m, addr)?;
        Ok(0)
    }
}

impl Kernel {
    /// What a `setitimer` timer counts: virtual time, or (ITIMER_VIRTUAL, ITIMER_PROF) what its process has run.
    fn interval_clock(&self, proc: ProcId, which: usize) -> Nanos {
        if which == 0 { self.sched.now } else { self.process_cpu(proc) }
    }

    fn interval_left(&self, proc: ProcId, which: usize) -> (Nanos, Nanos) {
        match self.proc(proc).itimers[which] {
            Some(t) => (t.expiry.saturating_sub(self.interval_clock(proc, which)).max(1000), t.interval),
            None => (0, 0),
        }
    }

    fn arm_interval(&mut self, proc: ProcId, which: usize, expiry: Nanos, interval: Nanos) {
        let key = (which == 0).then(|| self.sched.arm(expiry, TimerAction::Interval(proc)));
        self.cpu_timers += usize::from(which > 0);
        self.proc_mut(proc).itimers[which] = Some(IntervalTimer { expiry, interval, key });
    }

    fn disarm_interval(&mut self, proc: ProcId, which: usize) {
        let Some(timer) = self.proc_mut(proc).itimers[which].take() else { return };
        match timer.key {
            Some(key) => self.sched.disarm(key),
            None => self.cpu_timers -= 1,
        }
    }

    /// Arms (or with value 0 disarms) a `setitimer` timer; returns what was left and its period.
    fn set_interval(&mut self, proc: ProcId, which: usize, value: Nanos, interval: Nanos) -> (Nanos, Nanos) {
        let old = self.interval_left(proc, which);
        self.disarm_interval(proc, which);
        if value > 0 {
            let expiry = self.interval_clock(proc, which).saturating_add(value);
            self.arm_interval(proc, which, expiry, interval);
        }
        old
    }

    /// A task has run for so long: its process's CPU timers may be due, and its CPU time used up.
    pub fn charge(&mut self, task: TaskId, cost: Nanos) {
        let t = self.task_mut(task);
        t.cpu_time += cost;
        if self.cpu_timers == 0 && !self.cpu_limits {
            return;
        }
        let proc = self.task(task).proc;
        self.judge_cpu_limit(proc);
        for which in [1, 2] {
            let due = |t: IntervalTimer| t.expiry <= self.process_cpu(proc);
            if self.proc(proc).itimers[which].is_some_and(due) {
                self.interval_due(proc, which);
            }
        }
    }

    /// RLIMIT_CPU: SIGXCPU at the soft limit and each second after it, SIGKILL at the hard limit (setrlimit(2)). Linux moves the
    /// soft limit on with each signal, and shows that.
    fn judge_cpu_limit(&mut self, proc: ProcId) {
        let (soft, hard) = self.proc(proc).limits[RLIMIT_CPU as usize];
        let used = self.process_cpu(proc);
        let over = |limit: u64| limit.checked_mul(SECOND).is_some_and(|limit| used >= limit);
        if !over(soft) {
            return;
        }
        let signal = if over(hard) {
            SIGKILL
        } else {
            self.proc_mut(proc).limits[RLIMIT_CPU as usize].0 = soft + 1;
            SIGXCPU
        };
        let _ = self.signal_process(proc, Info::kernel(signal));
    }

    /// A `setitimer` timer is due.
    pub fn interval_due(&mut self, proc: ProcId, which: usize) {
        let Some(timer) = self.try_proc(proc).and_then(|p| p.itimers[which]) else { return };
        self.disarm_interval(proc, which);
        if timer.interval > 0 {
            let expiry = next_after(timer.expiry, timer.interval, self.interval_clock(proc, which));
            self.arm_interval(proc, which, expiry, timer.interval);
        }
        let signal = [SIGALRM, SIGVTALRM, SIGPROF][which];
        let _ = self.signal_process(proc, Info::kernel(signal));
    }
}

/// The first multiple of an interval after `expiry` that has not come yet.
pub(crate) fn next_after(expiry: Nanos, interval: Nanos, now: Nanos) -> Nanos {
    let missed = now.saturating_sub(expiry) / interval;
    expiry.saturating_add((missed + 1).saturating_mul(interval))
}

// timer_create

pub fn timer_create(cx: &mut Cx) -> Answer {
    let clock = cx.uint(0);
    cx.clock(clock)?;
    let id = cx.proc().next_timer;
    let mut timer = PosixTimer {
        clock,
        notify: 0,
        signal: SIGALRM,
        value: u64::from(id),
        tid: 0,
        expiry: None,
        interval: 0,
        key: None,
        overrun: 0,
        last_overrun: 0,
    };
    if cx.args[1] != 0 {
        let raw: [u8; 20] = mem::array(cx.m, cx.args[1])?;
        timer.value = mem::field64(&raw, 0);
        timer.signal = mem::field32(&raw, 8);
        timer.notify = mem::field32(&raw, 12);
        timer.tid = mem::field32(&raw, 16);
        // SIGEV_THREAD (2) is the C library's to make of a signal.
        let signals = matches!(timer.notify, 0 | 2 | 4);
        if !matches!(timer.notify, 0 | 1 | 2 | 4) || signals && (timer.signal == 0 || timer.signal > SIGMAX) {
            return Err(Errno::EINVAL.into());
        }
        if timer.notify == 4 {
            let mine = cx.k.host_of(cx.task).tids.get(&timer.tid).is_some_and(|t| cx.k.task(*t).proc == cx.me().proc);
            if !mine {
                return Err(Errno::EINVAL.into());
            }
        }
    }
    cx.m.write(cx.args[2], &id.to_le_bytes())?;
    let proc = cx.proc_mut();
    proc.next_timer += 1;
    proc.posix_timers.insert(id, timer);
    Ok(0)
}

impl Cx<'_> {
    fn timer(&mut self, id: u32) -> Result<&mut PosixTimer> {
        self.proc_mut().posix_timers.get_mut(&id).ok_or(Errno::EINVAL)
    }

    fn put_itimerspec(&mut self, addr: u64, left: Nanos, interval: Nanos) -> Answer {
        Struct::new()
            .u64(interval / SECOND)
            .u64(interval % SECOND)
            .u64(left / SECOND)
            .u64(left % SECOND)
            .put(self.m, addr)?;
        Ok(0)
    }

    fn get_itimerspec(&mut self, addr: u64) -> Result<(Nanos, Nanos)> {
        let raw: [u8; 32] = mem::array(self.m, addr)?;
        Ok((timespec(&raw[..16])?, timespec(&raw[16..])?))
    }

    /// When a timer goes off that is set to a value. One that is not absolute goes by virtual time, whatever its clock
    /// (`timer_settime(2)`).
    fn expiry_of(&self, clock: u32, value: Nanos, absolute: bool) -> Result<Option<Moment>> {
        let later = |more: Nanos| Ok(Some(Moment::fixed(self.k.sched.now.saturating_add(more))));
        match (value, absolute) {
            (0, _) => Ok(None),
            (value, false) => later(value),
            (value, true) if matches!(clock, PROCESS_CPU | THREAD_CPU) => {
                later(value.saturating_sub(self.clock(clock)?))
            }
            (value, true) => self.when(clock, value).map(Some),
        }
    }

    /// How long it is until a timer of the caller's host goes off.
    fn time_left(&self, expiry: Option<Moment>) -> Nanos {
        expiry.map_or(0, |moment| self.k.until(self.proc().host, moment).max(1))
    }
}

pub fn timer_settime(cx: &mut Cx) -> Answer {
    let id = cx.uint(0);
    if cx.args[2] == 0 {
        return Err(Errno::EINVAL.into());
    }
    let (interval, value) = cx.get_itimerspec(cx.args[2])?;
    let now = cx.k.sched.now;
    let timer = cx.timer(id)?.clone();
    let left = cx.time_left(timer.expiry);
    let absolute = cx.uint(1) & 1 != 0;
    let expiry = cx.expiry_of(timer.clock, value, absolute)?;
    // Periods that were over before there was a world to count them in; a wall clock knows them.
    let counted = expiry.is_none_or(|moment| moment.wall.is_some());
    let early = if absolute && !counted { cx.clock(timer.clock)?.saturating_sub(now).saturating_sub(value) } else { 0 };
    let missed = early.checked_div(interval).map_or(0, |n| n.min(i32::MAX as u64) as u32);
    if let Some(key) = timer.key {
        cx.k.sched.disarm(key);
    }
    let proc = cx.me().proc;
    let key = expiry.map(|moment| cx.k.sched.arm(moment.at, TimerAction::Posix(proc, id)));
    let t = cx.timer(id)?;
    (t.expiry, t.interval, t.key, t.overrun) = (expiry, interval, key, missed);
    if cx.args[3] != 0 {
        return cx.put_itimerspec(cx.args[3], left, timer.interval);
    }
    Ok(0)
}

pub fn timer_gettime(cx: &mut Cx) -> Answer {
    let t = cx.timer(cx.uint(0))?.clone();
    let left = cx.time_left(t.expiry);
    cx.put_itimerspec(cx.args[1], left, t.interval)
}

pub fn timer_getoverrun(cx: &mut Cx) -> Answer {
    Ok(i64::from(cx.timer(cx.uint(0))?.last_overrun))
}

pub fn timer_delete(cx: &mut Cx) -> Answer {
    let id = cx.uint(0);
    let timer = cx.proc_mut().posix_timers.remove(&id).ok_or(Errno::EINVAL)?;
    if let Some(key) = timer.key {
        cx.k.sched.disarm(key);
    }
    Ok(0)
}

impl Kernel {
    /// A `timer_create` timer is due.
    pub fn posix_timer_due(&mut self, proc: ProcId, id: u32) {
        let now = self.sched.now;
        let Some(p) = self.procs[proc.0 as usize].as_mut() else { return };
        let host = p.host;
        let Some(t) = p.posix_timers.get_mut(&id) else { return };
        let expiry = t.expiry.unwrap_or(Moment::fixed(now));
        (t.expiry, t.key) = (None, None);
        let timer = t.clone();
        if timer.interval > 0 {
            let (next, passed) = self.next_period(host, expiry, timer.interval);
            let missed = (passed - 1).min(i32::MAX as u64) as u32;
            let key = self.sched.arm(next.at, TimerAction::Posix(proc, id));
            if let Some(t) = self.proc_mut(proc).posix_timers.get_mut(&id) {
                (t.expiry, t.key) = (Some(next), Some(key));
                t.overrun = t.overrun.saturating_add(missed);
            }
        }
        if timer.notify == 1 {
            return;
        }
        let fields = [u64::from(id), timer.value, 0];
        let info = Info { signal: timer.signal, code: SI_TIMER, errno: 0, fields };
        let task: Option<TaskId> = match timer.notify {
            4 => self.host(self.proc(proc).host).tids.get(&timer.tid).copied(),
            _ => None,
        };
        let already = match task {
            Some(task) => self.task(task).pending.has_timer(timer.signal, id),
            None => self.proc(proc).pending.has_timer(timer.signal, id),
        };
        if already {
            if let Some(t) = self.proc_mut(proc).posix_timers.get_mut(&id) {
                t.overrun = t.overrun.saturating_add(1);
            }
            return;
        }
        let _ = match task {
            Some(task) => self.signal_task(task, info),
            None => self.signal_process(proc, info),
        };
    }
}

impl Kernel {
    /// A timer's signal is taken: it says how many expiries it stands for beyond its own (`timer_getoverrun(2)`).
    pub fn count_overrun(&mut self, task: TaskId, info: &mut Info) {
        let id = info.fields[0] as u32;
        if let Some(t) = self.proc_of_mut(task).posix_timers.get_mut(&id) {
            t.last_overrun = core::mem::take(&mut t.overrun).min(i32::MAX as u32);
            info.fields[0] = u64::from(id) | u64::from(t.last_overrun) << 32;
        }
    }
}

// timerfd

pub fn timerfd_create(cx: &mut Cx) -> Answer {
    let (clock, flags) = (cx.uint(0), cx.uint(1));
    if !matches!(clock, REALTIME | MONOTONIC | BOOTTIME | 8 | 9) || flags & !(O_CLOEXEC | O_NONBLOCK) != 0 {
        return Err(Errno::EINVAL.into());
    }
    let file =
        cx.new_file(crate::fs::file::FileKind::Timer(TimerFd::new(clock, cx.proc().host)), O_RDWR | flags & O_NONBLOCK);
    Ok(i64::from(cx.install(file, flags & O_CLOEXEC != 0)?))
}

impl Cx<'_> {
    fn timerfd(&self) -> Result<Rc<TimerFd>> {
        match &self.file(0)?.kind {
            crate::fs::file::FileKind::Timer(timer) => Ok(timer.clone()),
            _ => Err(Errno::EINVAL),
        }
    }
}

pub fn timerfd_settime(cx: &mut Cx) -> Answer {
    let flags = cx.uint(1);
    if flags & !3 != 0 {
        return Err(Errno::EINVAL.into());
    }
    let (interval, value) = cx.get_itimerspec(cx.args[2])?;
    let timer = cx.timerfd()?;
    let left = cx.time_left(timer.expiry.get());
    let old = timer.interval.get();
    let expiry = cx.expiry_of(timer.clock, value, flags & 1 != 0)?;
    if let Some(key) = timer.key.take() {
        cx.k.sched.disarm(key);
    }
    timer.count.set(0);
    timer.interval.set(interval);
    timer.expiry.set(expiry);
    // timerfd_create(2): only of an absolute time of the wall clock does setting that clock say anything.
    timer.cancels.set(flags == 3 && matches!(timer.clock, REALTIME | 8));
    if timer.cancels.get() || expiry.is_some_and(|moment| moment.wall.is_some()) {
        cx.k.list_wall_timer(&timer);
    }
    if let Some(moment) = expiry {
        timer.key.set(Some(cx.k.sched.arm(moment.at, TimerAction::TimerFd(Rc::downgrade(&timer)))));
        if timer.cancels.get() && timer.cancelled.take() {
            return Err(Errno::ECANCELED.into());
        }
    }
    if cx.args[3] != 0 {
        return cx.put_itimerspec(cx.args[3], left, old);
    }
    Ok(0)
}

pub fn timerfd_gettime(cx: &mut Cx) -> Answer {
    let timer = cx.timerfd()?;
    let left = cx.time_left(timer.expiry.get());
    cx.put_itimerspec(cx.args[1], left, timer.interval.get())
}

impl Kernel {
    /// A timerfd is due.
    pub fn timerfd_due(&mut self, timer: &Rc<TimerFd>) {
        let expiry = timer.expiry.take().unwrap_or(Moment::fixed(self.sched.now));
        timer.key.set(None);
        let mut count = 1;
        let interval = timer.interval.get();
        if interval > 0 {
            let next;
            (next, count) = self.next_period(timer.host, expiry, interval);
            timer.expiry.set(Some(next));
            timer.key.set(Some(self.sched.arm(next.at, TimerAction::TimerFd(Rc::downgrade(timer)))));
        }
        timer.count.set(timer.count.get() + count);
        timer.queue.wake(&mut self.sched, POLLIN | POLLRDNORM);
    }
}
