//! When a receiver acknowledges: at once, with the next segment of its own, or after a while (RFC 5681, 4.2, as Linux
//! does it).

use super::clock::NEVER;

/// Acknowledgements at the beginning that do not wait.
const QUICK_MOST: u32 = 16;
/// Bytes that a full segment is thought to have before one is seen.
const LEAST_FULL: u32 = 536;
/// How long one may wait: at least, and at most.
const WAIT_LEAST: u64 = 40_000_000;
pub(crate) const WAIT_MOST: u64 = 200_000_000;

/// The receiver's side of acknowledging.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct Acks {
    /// One is owed.
    pub(crate) owed: bool,
    /// How many segments that end a write have come since the last one: 2 stands for more.
    short: u8,
    /// Bytes of a full segment, as far as has been seen.
    full: u32,
    /// So many more go out at once.
    quick: u32,
    /// Both ends talk: an acknowledgement can go with the answer.
    pub(crate) pingpong: bool,
    /// How long one may wait now, in nanoseconds; 0 before the first data.
    pub(crate) wait: u64,
    /// When data last came.
    pub(crate) data_at: u64,
    /// Place that the last one told of.
    pub(crate) told: u64,
}

impl Acks {
    /// Takes note of data: of how many bytes a packet of it has, and whether it ends a write. `window` is what the receiver
    /// takes.
    #[inline]
    pub(crate) fn data(&mut self, len: u32, push: bool, window: u32, rto: u64, now: u64) {
        self.owed = true;
        self.full = self.full.max(LEAST_FULL);
        if len < self.full {
            self.short = (self.short + 1).min(2);
        } else {
            self.full = len;
            self.short = self.short.max(u8::from(push));
        }
        let since = now - self.data_at;
        if self.wait == 0 {
            self.be_quick(window);
            self.wait = WAIT_LEAST;
        } else if since <= WAIT_LEAST / 2 {
            self.wait = self.wait / 2 + WAIT_LEAST / 2;
        } else if since < self.wait {
            self.wait = (self.wait / 2 + since).min(rto);
        } else if since > rto {
            // The sender seems to begin anew after a pause: it needs them.
            self.be_quick(window);
        }
        self.data_at = now;
    }

    fn be_quick(&mut self, window: u32) {
        self.quick = self.quick.max((window / (2 * self.full.max(LEAST_FULL))).clamp(2, QUICK_MOST));
    }

    /// Something is amiss on the way: the next ones do not wait.
    pub(crate) fn hurry(&mut self, window: u32) {
        self.owed = true;
        self.be_quick(window);
        self.pingpong = false;
        self.wait = WAIT_LEAST;
    }

    /// The buffer is more than half full: the sender is not to be hurried.
    pub(crate) fn be_slow(&mut self) {
        self.quick = 0;
    }

    /// Whether each one goes out at once now.
    #[inline]
    pub(crate) fn is_quick(&self) -> bool {
        self.quick > 0 && !self.pingpong
    }

    /// Whether more than a full segment has come since the last one. `expected` is what has come in order.
    #[inline]
    pub(crate) fn is_much(&self, expected: u64) -> bool {
        expected - self.told > u64::from(self.full)
    }

    /// Whether one is due when the program has read: `emptied` says that nothing is left to be read.
    #[inline]
    pub(crate) fn is_due_after_read(&self, expected: u64, emptied: bool) -> bool {
        let drained = emptied && (self.short == 2 || self.short == 1 && !self.pingpong);
        self.owed && (self.is_much(expected) || drained)
    }

    /// Until when it may wait; `due` is when one that already waits is due. Nothing when it is due so soon that it is
    /// sent now.
    #[inline]
    pub(crate) fn deadline(&self, due: u64, smoothed: Option<u64>, now: u64) -> Option<u64> {
        let mut wait = self.wait;
        if wait > WAIT_LEAST {
            let both = self.pingpong || self.short > 0;
            let most = if both { WAIT_MOST } else { 500_000_000 };
            wait = wait.min(smoothed.map_or(most, |rtt| rtt.max(WAIT_LEAST).min(most)));
        }
        wait = wait.min(WAIT_MOST);
        if due == NEVER {
            return Some(now + wait);
        }
        (due > now + wait / 4).then(|| due.min(now + wait))
    }

    /// One has gone out, alone or with data; `expected` is what it told of.
    #[inline]
    pub(crate) fn told(&mut self, expected: u64) {
        if self.quick > 0 && self.owed {
            self.quick -= 1;
            if self.quick == 0 {
                self.wait = WAIT_LEAST;
            }
        }
        self.owed = false;
        self.short = 0;
        self.told = expected;
    }

    /// Data goes out: an answer, if it comes soon after data.
    #[inline]
    pub(crate) fn answered(&mut self, now: u64) {
        if now - self.data_at < self.wait {
            self.pingpong = true;
        }
    }

    /// It has waited long enough. `rto` bounds how long the next may wait.
    pub(crate) fn missed(&mut self, rto: u64) {
        if self.pingpong {
            self.pingpong = false;
            self.wait = WAIT_LEAST;
        } else {
            self.wait = (self.wait * 2).min(rto);
        }
    }

    /// As `/proc/net/tcp` shows it: how many more go out at once, and whether both ends talk.
    pub(crate) fn shown(&self) -> u32 {
        self.quick << 1 | u32::from(self.pingpong)
    }

    /// Bytes of a full segment, as far as has been seen.
    pub(crate) fn full_segment(&self) -> u32 {
        self.full.max(LEAST_FULL)
    }

    /// TCP_QUICKACK.
    pub(crate) fn set_quick(&mut self, on: bool) {
        self.pingpong = !on;
        if on {
            self.short = self.short.max(u8::from(self.owed));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sixteen_go_out_at_once_and_then_they_wait_40_ms() {
        let mut acks = Acks { told: 1, ..Acks::default() };
        let mut at_once = 0;
        for n in 0..30u64 {
            acks.data(100, true, 65_536, 204_000_000, n * 1_000_000);
            if acks.is_quick() {
                at_once += 1;
            } else {
                assert_eq!(acks.deadline(NEVER, None, 0), Some(WAIT_LEAST));
            }
            acks.told(1 + (n + 1) * 100);
        }
        assert_eq!(at_once, 16);
    }

    #[test]
    fn whoever_answers_soon_does_not_acknowledge_alone() {
        let mut acks = Acks { told: 1, ..Acks::default() };
        acks.data(100, true, 65_536, 204_000_000, 5_000_000);
        assert!(acks.is_quick());
        acks.answered(6_000_000);
        assert!(!acks.is_quick());
        assert!(acks.is_much(1 + 2 * 536), "two full segments do not wait");
        acks.missed(204_000_000);
        assert!(acks.is_quick());
    }
}
