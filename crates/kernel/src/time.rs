//! Clocks, timers and the descriptors that carry them.

use crate::sched::WaitQueue;
use alloc::rc::Rc;
use core::cell::{Cell, RefCell};
use snowglobe_abi::spec::Nanos;

/// Nanoseconds in a second.
pub const SECOND: Nanos = 1_000_000_000;
/// What CLOCK_MONOTONIC and CLOCK_BOOTTIME show at the world's beginning: a host that has been up for a while.
pub const UPTIME: Nanos = 100 * SECOND;

/// A timerfd (`timerfd_create(2)`).
pub struct TimerFd {
    /// CLOCK_REALTIME, CLOCK_MONOTONIC or CLOCK_BOOTTIME.
    pub clock: u32,
    /// Next expiry in virtual nanoseconds.
    pub expiry: Cell<Option<Nanos>>,
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
    pub fn new(clock: u32) -> Rc<TimerFd> {
        let timer = Rc::new(TimerFd {
            clock,
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
    pub expiry: Option<Nanos>,
    /// Period, or 0.
    pub interval: Nanos,
    /// Its entry in the timer queue.
    pub key: Option<(Nanos, u64)>,
    /// Expiries since the signal that is still pending was sent.
    pub overrun: u32,
    /// Overrun of the signal delivered last.
    pub last_overrun: u32,
}
