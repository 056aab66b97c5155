//! Whether a host process that has passed the baton on stays awake until it comes back.
//!
//! To sleep and to be woken are two calls to the operating system and a good part of what a hand-over costs. Where two host
//! processes answer each other, the one that waits can stay runnable and offer the core by `sched_yield` instead: then the
//! other runs, and needs to wake nobody when it answers. A round trip of futexes takes 5.2 us here, one of yields 3.0 us.
//!
//! It is tried only where it pays. Where the baton goes through many hands, who stays awake is run for nothing. And where another
//! program wants the same core, each yield gives that one a whole slice, 2 ms and more: since Linux 6.18 who yields forfeits what
//! it had left. Both are noticed, and then it is not tried for some time, which doubles while it goes on. No guest
//! sees any of this: the baton goes where it goes, and only how long that takes on the machine's clock depends on it.

use crate::state::{cpu, shared};
use crate::sys::sys;

/// How often something is left out after it has failed: twice as often each time.
pub struct Patience {
    /// Times that it is still to be left out.
    skip: u32,
    /// Times that it is left out after the next failure.
    next: u32,
}

impl Patience {
    /// One that tries.
    pub const fn new() -> Patience {
        Patience { skip: 0, next: FIRST }
    }

    fn tries(&mut self) -> bool {
        let now = self.skip == 0;
        self.skip = self.skip.saturating_sub(1);
        now
    }

    fn has_failed(&mut self, most: u32) {
        (self.skip, self.next) = (self.next, (self.next * 2).min(most));
    }

    fn has_paid(&mut self) {
        self.next = FIRST;
    }
}

const FIRST: u32 = 2;
/// Hand-overs of one host process between two trials, at most, where it is run for nothing: that costs about 1 us.
const MOST_HERE: u32 = 256;
/// Hand-overs of the world between two trials, at most, where others want the core: that costs some ms.
const MOST_OF_CORE: u32 = 1 << 16;
/// One yield in so many is timed while all is well.
const TIMED: u32 = 8;
/// Nanoseconds; a slice of another program takes longer. Where the other host process itself took so long, sleeping costs
/// little beside it.
const LONG: u64 = 500_000;

/// What decides about yields for all host processes of a world.
pub struct Core {
    patience: Patience,
    yields: u32,
}

impl Core {
    /// One that nobody else has been seen to want.
    pub const fn new() -> Core {
        Core { patience: Patience::new(), yields: 0 }
    }
}

/// Whether this host process stays awake when it now passes the baton on. Only the runner may ask.
pub fn stays() -> bool {
    cpu().patience.tries() && shared().core.patience.tries()
}

/// Offers the core once; `is_mine` tells afterwards whether the baton has come back.
pub fn offer(is_mine: impl Fn() -> bool) {
    // Another may be the runner by now: a place where nobody else writes.
    let timed = cpu().time_next.then(now);
    sys!(SCHED_YIELD);
    if !is_mine() {
        cpu().patience.has_failed(MOST_HERE);
        return;
    }
    cpu().patience.has_paid();
    let core = &mut shared().core;
    core.yields = core.yields.wrapping_add(1);
    match timed {
        Some(began) if now().saturating_sub(began) > LONG => core.patience.has_failed(MOST_OF_CORE),
        Some(_) => core.patience.has_paid(),
        None => {}
    }
    cpu().time_next = core.yields.is_multiple_of(TIMED) || core.patience.next > FIRST;
}

/// Nanoseconds of the machine's clock. Nothing that a guest can see comes of them.
fn now() -> u64 {
    const MONOTONIC: u64 = 1;
    let mut time = [0u64; 2];
    // SAFETY: the call writes a timespec of two words.
    sys!(CLOCK_GETTIME, MONOTONIC, &raw mut time);
    time[0].wrapping_mul(1_000_000_000).wrapping_add(time[1])
}
