//! The congestion window: slow start, CUBIC (RFC 9438) or Reno, recovery by proportional rate reduction (RFC 6937).
//!
//! Windows are in packets. CUBIC's curve is in the fixed point of Linux: time in 1024ths of a second.

use super::clock::JIFFY;

/// RFC 6928.
pub(crate) const FIRST_WINDOW: u32 = 10;
/// No slow-start threshold yet.
pub(crate) const NO_THRESHOLD: u32 = 0x7fff_ffff;

/// What is thought of the network, with the numbers by which `struct tcp_info` shows it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Debug)]
#[repr(u8)]
pub(crate) enum Judgement {
    /// Nothing is amiss.
    #[default]
    Open = 0,
    /// Packets arrive out of order: perhaps one is lost.
    Disorder = 1,
    /// The window is being reduced without a retransmission.
    Reduced = 2,
    /// What is lost is sent again.
    Recovery = 3,
    /// The retransmission timer has run out.
    Loss = 4,
}

/// Which algorithm: TCP_CONGESTION.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(crate) enum Algorithm {
    #[default]
    Cubic,
    Reno,
}

/// Parts of 1024 of the window that CUBIC keeps after a loss.
const KEPT: u64 = 717;
/// 0.4 packets per cubed second, as 1024ths: CUBIC's constant C times ten.
const SCALE: u64 = 410;

/// The curve of CUBIC.
#[derive(Clone, Copy, Default, Debug)]
struct Cubic {
    /// The window before the last loss.
    most: u32,
    /// When this growth began; 0 for not yet.
    began: u64,
    /// 1024ths of a second from the begin to the plateau, and the plateau.
    plateau_after: u64,
    plateau: u32,
    /// Packets acknowledged, and the window of a Reno beside it.
    acked: u32,
    reno: u32,
    /// Packets that must be acknowledged for the window to grow by one.
    each: u32,
    looked_at: u64,
}

/// The state of a sender's window.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Congestion {
    pub(crate) judgement: Judgement,
    pub(crate) algorithm: Algorithm,
    pub(crate) window: u32,
    pub(crate) threshold: u32,
    /// Acknowledged packets that have not yet made it grow.
    count: u32,
    /// Place up to which the present trouble reaches.
    pub(crate) until: u64,
    /// Window and threshold before the trouble.
    before: u32,
    threshold_before: u32,
    /// Packets that were delivered and sent during a reduction.
    delivered: u32,
    pub(crate) sent: u32,
    /// Whether the window is what held the sender back, when that is asked again, and what was out at most.
    limited: bool,
    limited_until: u64,
    most_out: u32,
    cubic: Cubic,
}

impl Default for Congestion {
    fn default() -> Congestion {
        Congestion {
            judgement: Judgement::Open,
            algorithm: Algorithm::Cubic,
            window: FIRST_WINDOW,
            threshold: NO_THRESHOLD,
            count: 0,
            until: 0,
            before: 0,
            threshold_before: 0,
            delivered: 0,
            sent: 0,
            limited: false,
            limited_until: 0,
            most_out: 0,
            cubic: Cubic::default(),
        }
    }
}

/// The whole cube root.
fn cube_root(n: u64) -> u64 {
    let mut root = 0u64;
    for bit in (0..22).rev() {
        let with = root | 1 << bit;
        if with.pow(3) <= n {
            root = with;
        }
    }
    root
}

impl Cubic {
    fn begin(&mut self, window: u32, acked: u32, now: u64) {
        *self = Cubic { most: self.most, began: now.max(1), acked, reno: window, looked_at: now, ..*self };
        let below = u64::from(self.most.saturating_sub(window));
        self.plateau = self.most.max(window);
        self.plateau_after = cube_root((1 << 40) / SCALE * below);
    }

    /// The window that the curve has `after` 1024ths of a second.
    fn target(&self, after: u64) -> u64 {
        let away = after.abs_diff(self.plateau_after).min(1 << 17);
        let rise = (SCALE * away * away * away) >> 40;
        let plateau = u64::from(self.plateau);
        if after < self.plateau_after { plateau.saturating_sub(rise) } else { plateau + rise }
    }

    /// How many packets must be acknowledged for a window of `window` to grow by one.
    fn pace(&mut self, window: u32, acked: u32, least_rtt: u64, now: u64) -> u32 {
        self.acked += acked;
        if self.began == 0 {
            self.begin(window, acked, now);
        } else if now - self.looked_at < JIFFY && self.each != 0 {
            return self.beside_reno(window);
        }
        self.looked_at = now;
        let after = ((now - self.began) + least_rtt.min(1 << 40)) / 1_000_000 * 1024 / 1000;
        let window64 = u64::from(window);
        let target = self.target(after);
        let each = if target > window64 { window64 / (target - window64) } else { 100 * window64 };
        // As long as nothing was lost there is no plateau to be careful of.
        let most = if self.most == 0 { 20 } else { u64::from(u32::MAX) };
        self.each = each.min(most) as u32;
        self.beside_reno(window)
    }

    /// Not slower than Reno would be with the same reduction (RFC 9438, 4.3).
    fn beside_reno(&mut self, window: u32) -> u32 {
        const RATIO8: u64 = 8 * (1024 + KEPT) / 3 / (1024 - KEPT);
        let per_packet = ((u64::from(window) * RATIO8) >> 3).max(1) as u32;
        self.reno += self.acked / per_packet;
        self.acked %= per_packet;
        if self.reno > window {
            self.each = self.each.min(window / (self.reno - window));
        }
        self.each.max(2)
    }
}

impl Congestion {
    pub(crate) fn new(algorithm: Algorithm) -> Congestion {
        Congestion { algorithm, ..Congestion::default() }
    }

    /// The threshold that a loss now would set.
    fn reduced(&mut self) -> u32 {
        if self.algorithm == Algorithm::Reno {
            return (self.window / 2).max(2);
        }
        self.cubic.began = 0;
        let window = u64::from(self.window);
        // Fast convergence: one that got less than last time makes room for others.
        self.cubic.most = match self.window < self.cubic.most {
            true => (window * (1024 + KEPT) / 2048) as u32,
            false => self.window,
        };
        ((window * KEPT / 1024) as u32).max(2)
    }

    /// Begins to reduce the window for what happened up to the place `until`.
    pub(crate) fn reduce(&mut self, judgement: Judgement, until: u64) {
        (self.before, self.threshold_before) = (self.window, self.threshold);
        (self.delivered, self.sent, self.count) = (0, 0, 0);
        self.threshold = self.reduced();
        self.judgement = judgement;
        self.until = until;
    }

    /// The retransmission timer has run out, with `in_network` packets not taken for lost. `again` says that nothing
    /// has been acknowledged since it last did.
    pub(crate) fn collapse(&mut self, acked: u64, until: u64, in_network: u32, again: bool) {
        if self.judgement <= Judgement::Disorder || acked >= self.until || self.judgement == Judgement::Loss && !again {
            (self.before, self.threshold_before) = (self.window, self.threshold);
            self.threshold = self.reduced();
        }
        self.window = in_network + 1;
        self.count = 0;
        self.judgement = Judgement::Loss;
        self.until = until;
    }

    /// The trouble was none: what was taken for lost was late.
    pub(crate) fn undo(&mut self) {
        self.window = self.window.max(self.before);
        self.threshold = self.threshold.max(self.threshold_before);
        self.judgement = Judgement::Open;
    }

    /// Everything up to the end of the trouble has been acknowledged.
    pub(crate) fn end(&mut self) {
        if matches!(self.judgement, Judgement::Reduced | Judgement::Recovery) && self.threshold < NO_THRESHOLD {
            self.window = self.threshold;
        }
        self.judgement = Judgement::Open;
    }

    /// After an acknowledgement in a reduction: the window follows what leaves the network (RFC 6937, 3).
    pub(crate) fn follow(&mut self, newly: u32, in_network: u32, forward: bool) {
        if newly == 0 || self.before == 0 {
            return;
        }
        self.delivered += newly;
        let mut may = if in_network > self.threshold {
            let share = (u64::from(self.threshold) * u64::from(self.delivered)).div_ceil(u64::from(self.before));
            (share as u32).saturating_sub(self.sent)
        } else {
            let sent = self.delivered.saturating_sub(self.sent).max(newly) + u32::from(forward);
            sent.min(self.threshold - in_network)
        };
        // Whoever enters a recovery sends one packet again.
        if self.sent == 0 {
            may = may.max(1);
        }
        self.window = in_network + may;
    }

    /// Grows the window for `acked` packets, if it was what held the sender back.
    #[inline]
    pub(crate) fn grow(&mut self, acked: u32, least_rtt: u64, now: u64) {
        let slow_start = self.window < self.threshold;
        let held_back = if slow_start { self.window < 2 * self.most_out } else { self.limited };
        if acked == 0 || !held_back {
            return;
        }
        let mut acked = acked;
        if slow_start {
            let grown = (self.window + acked).min(self.threshold);
            acked -= grown - self.window;
            self.window = grown;
        }
        if acked > 0 {
            let each = match self.algorithm {
                Algorithm::Reno => self.window,
                Algorithm::Cubic => self.cubic.pace(self.window, acked, least_rtt, now),
            };
            self.count += acked;
            self.window += self.count / each.max(1);
            self.count %= each.max(1);
        }
    }

    /// After sending: whether the window is what stops the sender, of whose packets `out` are on their way.
    #[inline]
    pub(crate) fn sent_up_to(&mut self, next: u64, acked: u64, out: u32, stopped: bool) {
        if acked >= self.limited_until || stopped || !self.limited && out > self.most_out {
            (self.limited, self.most_out, self.limited_until) = (stopped, out, next);
        }
    }

    /// A sender that was idle for `idle` nanoseconds does not send a whole window at once (RFC 9293, 3.8.2;
    /// tcp(7) `tcp_slow_start_after_idle`).
    pub(crate) fn restart(&mut self, idle: u64, rto: u64) {
        self.cubic.began = 0;
        self.threshold = self.threshold.max((self.window >> 1) + (self.window >> 2));
        let least = self.window.min(FIRST_WINDOW);
        let halvings = (idle / rto.max(1)).min(31);
        self.window = (self.window >> halvings).max(least);
        self.most_out = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;

    /// Grows a full window for a number of round trips of `rtt` nanoseconds.
    fn rounds(c: &mut Congestion, n: u64, rtt: u64, now: &mut u64) {
        for _ in 0..n {
            c.sent_up_to(u64::MAX, 0, c.window, true);
            let window = c.window;
            for _ in 0..window {
                c.grow(1, rtt, *now);
            }
            *now += rtt;
        }
    }

    #[test]
    fn slow_start_doubles_and_a_loss_takes_three_tenths() {
        let (mut c, mut now) = (Congestion::default(), 1);
        rounds(&mut c, 3, 10 * MS, &mut now);
        assert_eq!(c.window, 80);
        c.reduce(Judgement::Recovery, 100);
        assert_eq!(c.threshold, 56);
        c.end();
        assert_eq!((c.window, c.judgement), (56, Judgement::Open));
        let mut reno = Congestion { algorithm: Algorithm::Reno, window: 80, ..Congestion::default() };
        reno.reduce(Judgement::Recovery, 100);
        assert_eq!(reno.threshold, 40);
    }

    #[test]
    fn cubic_comes_back_to_where_it_was_and_goes_on() {
        let (mut c, mut now) = (Congestion { window: 1000, ..Congestion::default() }, 1);
        c.reduce(Judgement::Recovery, 100);
        c.end();
        assert_eq!(c.window, 700);
        // K is the cube root of (1000 - 700) / 0.4 seconds: about nine.
        rounds(&mut c, 45, 100 * MS, &mut now);
        assert!((900..1000).contains(&c.window), "{}", c.window);
        rounds(&mut c, 45, 100 * MS, &mut now);
        assert!((990..1010).contains(&c.window), "{}", c.window);
        rounds(&mut c, 90, 100 * MS, &mut now);
        assert!(c.window > 1200, "{}", c.window);
    }

    #[test]
    fn the_cube_root_is_whole() {
        for (n, root) in [(0, 0), (1, 1), (7, 1), (8, 2), (26, 2), (27, 3), (1_000_000, 100), (999_999, 99)] {
            assert_eq!(cube_root(n), root);
        }
    }

    #[test]
    fn a_sender_that_has_little_to_send_keeps_its_window() {
        let mut c = Congestion::default();
        c.sent_up_to(100, 0, 1, false);
        c.grow(1, MS, 1);
        assert_eq!(c.window, FIRST_WINDOW);
    }
}
