//! Clocks, timers and the descriptors that carry them.

use crate::sched::WaitQueue;
use crate::task::HostId;
use alloc::rc::Rc;
use core::cell::{Cell, RefCell};
use snowglobe_abi::spec::Nanos;

/// Nanoseconds in a second.
pub const SECOND: Nanos = 1_000_000_000;
/// What CLOCK_MONOTONIC and CLOCK_BOOTTIME show at the world's beginning: a host that has been up for a while.
pub const UPTIME: Nanos = 100 * SECOND;
/// What they show when power is back on a host: it has just booted.
pub const BOOTED: Nanos = 2 * SECOND;
/// TAI is so much ahead of UTC.
pub const TAI_OFFSET: i64 = 37 * SECOND as i64;

/// When a timer goes off.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Moment {
    /// In virtual time.
    pub at: Nanos,
    /// What CLOCK_REALTIME of its host shows then, if that is what was asked for: who sets that clock moves the moment.
    pub wall: Option<Nanos>,
}

impl Moment {
    /// A moment that no wall clock moves.
    pub fn fixed(at: Nanos) -> Moment {
        Moment { at, wall: None }
    }
}

/// A timerfd (`timerfd_create(2)`).
pub struct TimerFd {
    /// CLOCK_REALTIME, CLOCK_MONOTONIC or CLOCK_BOOTTIME.
    pub clock: u32,
    /// The host that it is on.
    pub host: HostId,
    /// Next expiry.
    pub expiry: Cell<Option<Moment>>,
    /// TFD_TIMER_CANCEL_ON_SET: a wall clock that is set ends the wait for it.
    pub cancels: Cell<bool>,
    /// That has happened, and nobody has been told.
    pub cancelled: Cell<bool>,
    /// Whether the host has it among the timers that its wall clock moves.
    pub listed: Cell<bool>,
    /// Period, or 0.
    pub interval: Cell<Nanos>,
    /// Expiries not yet read.
    pub count: Cell<u64>,
    /// Its entry in the timer queue.
    pub key: Cell<Option<(Nanos, u64)>>,
    /// Who waits on it.
    pub queue: WaitQueue,
    /// Itself, for the timer queue.
    pub this: RefCell<alloc::rc::Weak<TimerFd>>,
}

impl TimerFd {
    /// A disarmed timer.
    pub fn new(clock: u32, host: HostId) -> Rc<TimerFd> {
        let timer = Rc::new(TimerFd {
            clock,
            host,
            cancels: Cell::new(false),
            cancelled: Cell::new(false),
            listed: Cell::new(false),
            expiry: Cell::new(None),
            interval: Cell::new(0),
            count: Cell::new(0),
            key: Cell::new(None),
            queue: WaitQueue::default(),
            this: RefCell::new(alloc::rc::Weak::new()),
        });
        *timer.this.borrow_mut() = Rc::downgrade(&timer);
        timer
    }
}

/// A `timer_create` timer.
#[derive(Clone, Debug)]
pub struct PosixTimer {
    /// Its clock.
    pub clock: u32,
    /// SIGEV_SIGNAL 0, SIGEV_NONE 1, SIGEV_THREAD_ID 4.
    pub notify: u32,
    /// The signal.
    pub signal: u32,
    /// `sigev_value`.
    pub value: u64,
    /// The thread id for SIGEV_THREAD_ID.
    pub tid: u32,
    /// Next expiry.
    pub expiry: Option<Moment>,
    /// Period, or 0.
    pub interval: Nanos,
    /// Its entry in the timer queue.
    pub key: Option<(Nanos, u64)>,
    /// Expiries since the signal that is still pending was sent.
    pub overrun: u32,
    /// Overrun of the signal delivered last.
    pub last_overrun: u32,
}
