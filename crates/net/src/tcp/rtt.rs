//! The round-trip time and the retransmission time-out (RFC 6298), in the fixed point of Linux: microseconds, the mean
//! in eighths, the deviation in quarters.

use super::clock::{JIFFY, RTO_FIRST, RTO_LEAST, RTO_MOST, jiffies};

/// How long the shortest round trip is believed (tcp(7) `tcp_min_rtt_wlen`).
const LEAST_HOLDS: u64 = 300_000_000_000;
const MICRO: u64 = 1000;

/// What is known of the way there and back.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RoundTrip {
    /// Eight times the smoothed mean, in microseconds; 0 before the first measurement.
    srtt8: u32,
    /// Four times the mean deviation, and its most in this round trip.
    mdev4: u32,
    mdev4_most: u32,
    /// Four times the deviation that the time-out counts with.
    rttvar4: u32,
    /// Place whose acknowledgement ends this round trip.
    round_ends: u64,
    /// The shortest round trip, in nanoseconds, and when it was seen.
    least: u64,
    least_at: u64,
    /// The time-out, with its back-off, in nanoseconds.
    pub(crate) rto: u64,
    /// How often it has doubled.
    pub(crate) backoff: u8,
}

impl Default for RoundTrip {
    fn default() -> RoundTrip {
        RoundTrip {
            srtt8: 0,
            mdev4: (RTO_FIRST / MICRO) as u32,
            mdev4_most: 0,
            rttvar4: 0,
            round_ends: 0,
            least: u64::MAX,
            least_at: 0,
            rto: RTO_FIRST,
            backoff: 0,
        }
    }
}

impl RoundTrip {
    /// The smoothed round trip in nanoseconds, once there is one.
    #[inline]
    pub(crate) fn smoothed(&self) -> Option<u64> {
        (self.srtt8 != 0).then(|| u64::from(self.srtt8 / 8) * MICRO)
    }

    /// Twice the smoothed round trip in nanoseconds, finer than twice [`RoundTrip::smoothed`].
    pub(crate) fn twice(&self) -> Option<u64> {
        (self.srtt8 != 0).then(|| u64::from(self.srtt8 / 4) * MICRO)
    }

    /// Smoothed mean, deviation and shortest, in microseconds, for `struct tcp_info`.
    pub(crate) fn shown(&self) -> [u32; 3] {
        [self.srtt8 / 8, self.mdev4 / 4, u32::try_from(self.least / MICRO).unwrap_or(u32::MAX)]
    }

    /// The shortest round trip in nanoseconds; the largest number before the first measurement.
    #[inline]
    pub(crate) fn least(&self) -> u64 {
        self.least
    }

    fn take_least(&mut self, rtt: u64, now: u64) {
        if rtt <= self.least || now - self.least_at > LEAST_HOLDS {
            (self.least, self.least_at) = (rtt.max(MICRO), now);
        }
    }

    /// Takes a measurement of `rtt` nanoseconds. `shortest` is that of the newest packet of the same acknowledgement;
    /// `acked` is everything that is acknowledged, `next` the place of what is sent next.
    #[inline]
    pub(crate) fn measure(&mut self, rtt: u64, shortest: u64, acked: u64, next: u64, now: u64) {
        self.take_least(shortest, now);
        let us = u32::try_from(rtt / MICRO).unwrap_or(u32::MAX / 16).max(1);
        self.smooth(us, acked, next);
        self.forget_backoff();
    }

    /// The time-out as the measurements give it, without a back-off.
    #[inline]
    pub(crate) fn forget_backoff(&mut self) {
        self.backoff = 0;
        let us = u64::from(self.srtt8 / 8) + u64::from(self.rttvar4);
        self.rto = jiffies(us * MICRO).min(RTO_MOST);
    }

    fn smooth(&mut self, us: u32, acked: u64, next: u64) {
        const LEAST: u32 = (RTO_LEAST / MICRO) as u32;
        if self.srtt8 == 0 {
            self.srtt8 = us.saturating_mul(8);
            self.mdev4 = us.saturating_mul(2);
            self.rttvar4 = self.mdev4.max(LEAST);
            self.mdev4_most = self.rttvar4;
            self.round_ends = next;
            return;
        }
        let error = i64::from(us) - i64::from(self.srtt8 / 8);
        self.srtt8 = (i64::from(self.srtt8) + error).max(1) as u32;
        let mut more = error.abs() - i64::from(self.mdev4 / 4);
        // Linux: a round trip that gets shorter raises the deviation more slowly.
        if error < 0 && more > 0 {
            more /= 8;
        }
        self.mdev4 = (i64::from(self.mdev4) + more).max(0) as u32;
        if self.mdev4 > self.mdev4_most {
            self.mdev4_most = self.mdev4;
            self.rttvar4 = self.rttvar4.max(self.mdev4_most);
        }
        if acked > self.round_ends {
            self.rttvar4 -= (self.rttvar4.saturating_sub(self.mdev4_most)) / 4;
            self.round_ends = next;
            self.mdev4_most = LEAST;
        }
    }

    /// Doubles the time-out.
    pub(crate) fn back_off(&mut self) {
        self.backoff = self.backoff.saturating_add(1);
        self.rto = (self.rto * 2).min(RTO_MOST);
    }

    /// When a zero window is probed next, in nanoseconds from now: the time-out, doubled for each probe.
    pub(crate) fn probe_interval(&self) -> u64 {
        (self.rto.max(RTO_LEAST) << self.backoff.min(16)).clamp(JIFFY, RTO_MOST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;

    #[test]
    fn the_time_out_is_a_second_at_first_and_then_at_least_200_ms_more_than_the_round_trip() {
        let mut trip = RoundTrip::default();
        assert_eq!(trip.rto, 1000 * MS);
        trip.measure(200_000, 200_000, 1, 1, 0);
        // 200.2 ms, in whole ticks of 4 ms: the 204 of every listing of `ss -i`.
        assert_eq!(trip.rto, 204 * MS);
        assert_eq!(trip.shown(), [200, 100, 200]);
        let mut trip = RoundTrip::default();
        trip.measure(100 * MS, 100 * MS, 1, 1, 0);
        assert_eq!(trip.rto, 300 * MS);
        for _ in 0..3 {
            trip.back_off();
        }
        assert_eq!((trip.rto, trip.backoff), (2400 * MS, 3));
        trip.measure(100 * MS, 100 * MS, 1, 1, 0);
        assert_eq!((trip.rto, trip.backoff), (300 * MS, 0));
    }

    #[test]
    fn a_way_that_gets_slower_is_learned_in_eighths() {
        let mut trip = RoundTrip::default();
        trip.measure(10 * MS, 10 * MS, 1, 1, 0);
        trip.measure(18 * MS, 18 * MS, 2, 2, 0);
        assert_eq!(trip.shown()[0], 11_000);
        assert_eq!(trip.least(), 10 * MS);
    }
}
