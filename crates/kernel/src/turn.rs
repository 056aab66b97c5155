//! How long the current task may keep the baton while others could run.

use crate::rng::Rng;
use snowglobe_abi::spec::Nanos;

/// The turn of the task that has the baton.
///
/// Turns have no fixed length. Threads that take a lock and give it back in step with their turns would lose the baton at the
/// same place of their loop every time, and if that is where they hold the lock, nobody else ever had it.
pub struct Turn {
    lengths: Rng,
    /// When it ends.
    ends: Nanos,
    /// Whether the rest of it has been given up.
    given_up: bool,
    /// Calls that had been made in the world when it began or last came through a yield point.
    calls: u64,
    /// How often it came through one with few passes and no call.
    brief: u32,
}

/// Yield points with few passes that are as good as one with many.
const BRIEF: u32 = 16;

impl Turn {
    /// Before the first one.
    pub fn new(seed: u64) -> Turn {
        Turn { lengths: Rng::stream(seed, "turn lengths"), ends: 0, given_up: false, calls: 0, brief: 0 }
    }

    /// One begins: of half a quantum to one and a half, virtual nanoseconds.
    pub fn begin(&mut self, now: Nanos, quantum: Nanos, calls: u64) {
        self.ends = now + quantum / 2 + self.lengths.below(quantum.max(1));
        self.given_up = false;
        self.calls = calls;
        self.brief = 0;
    }

    /// When it ends at the latest.
    pub fn ends(&self) -> Nanos {
        self.ends
    }

    /// Whether its time has passed.
    #[inline]
    pub fn has_passed(&self, now: Nanos) -> bool {
        now >= self.ends
    }

    /// Whether others go next.
    pub fn is_over(&self, now: Nanos) -> bool {
        self.given_up || self.has_passed(now)
    }

    /// Gives up the rest of it.
    pub fn give_up(&mut self) {
        self.given_up = true;
    }

    /// It comes through a yield point. Whoever has made no call since the last one may be waiting for another task, and gives
    /// up the rest; whoever has works, and goes on while the time lasts. After `few` passes that is too early to say: who
    /// works comes through as many between two calls.
    pub fn passes(&mut self, calls: u64, few: bool) {
        self.brief = if calls == self.calls { self.brief + 1 } else { 0 };
        self.given_up |= calls == self.calls && (!few || self.brief >= BRIEF);
        self.calls = calls;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_differ_around_the_quantum() {
        let mut turn = Turn::new(1);
        let lengths: alloc::collections::BTreeSet<Nanos> = (0..100)
            .map(|_| {
                turn.begin(1000, 200, 0);
                turn.ends() - 1000
            })
            .collect();
        assert!(lengths.len() > 50);
        assert!(lengths.iter().all(|length| (100..300).contains(length)));
    }

    #[test]
    fn who_calls_keeps_its_turn_at_yield_points() {
        let mut turn = Turn::new(1);
        turn.begin(0, 200, 7);
        turn.passes(8, false);
        assert!(!turn.is_over(0));
        turn.passes(8, false);
        assert!(turn.is_over(0));
        turn.begin(0, 200, 8);
        assert!(!turn.is_over(0) && turn.is_over(300));
    }

    #[test]
    fn a_few_passes_between_calls_are_no_waiting() {
        let mut turn = Turn::new(1);
        turn.begin(0, 200, 0);
        for calls in 0..10 {
            (1..BRIEF).for_each(|_| turn.passes(calls, true));
            assert!(!turn.is_over(0));
        }
        (0..BRIEF).for_each(|_| turn.passes(9, true));
        assert!(turn.is_over(0));
    }
}
