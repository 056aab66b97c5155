//! How long the current task may keep the baton while others could run.

use crate::rng::Rng;
use snowglobe_abi::spec::Nanos;

/// The turn of the task that has the baton.
///
/// Turns have no fixed length. Threads that take a lock and give it back in step with their turns would lose the baton at the
/// same place of their loop every time, and if that is where they hold the lock, nobody else ever had it. And some turns are short,
/// as where the tick of a processor's clock falls into one: a thread that waits for a moment in each round of its loop has a new
/// turn in each, and would never lose one in between. If it wakes others there, and takes back what it woke them for before it
/// waits, they never got on.
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

/// One turn in so many is short.
const SHORT: u64 = 64;
/// Each scale of short turns is half of the one before.
const SCALES: u64 = 9;

impl Turn {
    /// Before the first one.
    pub fn new(seed: u64) -> Turn {
        Turn { lengths: Rng::stream(seed, "turn lengths"), ends: 0, given_up: false, calls: 0, brief: 0 }
    }

    /// One begins: of half a quantum to one and a half, virtual nanoseconds, or a short one of any scale.
    pub fn begin(&mut self, now: Nanos, quantum: Nanos, calls: u64) {
        let length = if self.lengths.below(SHORT) == 0 {
            let most = quantum >> self.lengths.below(SCALES);
            self.lengths.below(most.max(1))
        } else {
            quantum / 2 + self.lengths.below(quantum.max(1))
        };
        self.ends = now + length;
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
    fn turns_differ_around_the_quantum_and_some_are_short() {
        let mut turn = Turn::new(1);
        let lengths: alloc::vec::Vec<Nanos> = (0..10_000)
            .map(|_| {
                turn.begin(1000, 200_000, 0);
                turn.ends() - 1000
            })
            .collect();
        let (usual, short): (alloc::collections::BTreeSet<_>, alloc::collections::BTreeSet<_>) =
            lengths.into_iter().partition(|length| *length >= 100_000);
        assert!(usual.len() > 5000 && *usual.last().unwrap() < 300_000);
        assert!((100..250).contains(&short.len()), "{}", short.len());
        assert!(short.range(..5000).count() > 20, "a good part of them is very short");
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
