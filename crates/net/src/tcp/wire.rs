//! What a connection between two hosts has besides: what is in flight, how long the way is, how much it takes, what has
//! come before its turn, and when to acknowledge.

use super::acks::Acks;
use super::clock::{RTO_FIRST, RTO_LEAST, jiffies};
use super::congestion::{Algorithm, Congestion, Judgement};
use super::flight::{Flight, Told};
use super::pieces::{Blocks, Pieces};
use super::rtt::RoundTrip;
use snowglobe_abi::Errno;

/// Packets that must have come after one for it to be lost at once (RFC 5681).
const DUPLICATES: u32 = 3;
/// Linux's TCP_TIMEOUT_MIN_US.
const TIMEOUT_LEAST: u64 = 2_000_000;
const MILLI: u64 = 1_000_000;

/// The part of a connection's state that only links need.
#[derive(Default, Debug)]
pub(crate) struct Wire {
    pub(crate) flight: Flight,
    pub(crate) trip: RoundTrip,
    pub(crate) congestion: Congestion,
    pub(crate) acks: Acks,
    pub(crate) pieces: Pieces,
    /// Place of a FIN that has come before its turn.
    pub(crate) fin_at: Option<u64>,
    /// Retransmission time-outs in a row, and since when something is being sent again (0: nothing is).
    pub(crate) retries: u32,
    pub(crate) again_since: u64,
    /// What the network has said of packets since the other end was last heard of.
    pub(crate) soft: Option<Errno>,
    /// Probes without an answer (of the window, of keepalive), and since when.
    pub(crate) probes: u8,
    pub(crate) probes_since: u64,
    /// A tail probe is out: everything before this place was sent before it (0: none is), and whether it was old data.
    tail_probe: u64,
    tail_again: bool,
    /// When reordered packets are lost that are not yet; 0 for no such time.
    pub(crate) look_again: u64,
    /// Packets have come out of order: reordering is given a little time.
    reordered: bool,
    /// Place after the last segment that was less than full.
    pub(crate) small_end: u64,
    /// When the other end was last heard of.
    pub(crate) heard_at: u64,
    /// When a segment out of the window was last answered.
    refused_at: u64,
    /// The clock of the other end, in milliseconds: what goes back with the next segment (RFC 7323).
    pub(crate) echo: u32,
    /// For `struct tcp_info`.
    pub(crate) packets_again: u32,
    pub(crate) bytes_again: u64,
    pub(crate) duplicates: u32,
    pub(crate) packets_acked: u32,
    pub(crate) data_out: u32,
    pub(crate) data_in: u32,
    pub(crate) ooo_in: u32,
}

/// What an acknowledgement says.
pub(crate) struct Word<'a> {
    pub(crate) ack: u64,
    pub(crate) blocks: Option<&'a Blocks>,
    /// Our clock in milliseconds, as it comes back.
    pub(crate) echo: u32,
    /// It brings data, or moves the window: it is not a duplicate.
    pub(crate) more: bool,
}

impl Wire {
    pub(crate) fn new(mss: u32, algorithm: Algorithm) -> Wire {
        Wire { flight: Flight::new(mss), congestion: Congestion::new(algorithm), ..Wire::default() }
    }

    /// Packets that may be sent now.
    #[inline]
    pub(crate) fn quota(&self) -> u32 {
        self.congestion.window.saturating_sub(self.flight.in_network())
    }

    /// Takes in an acknowledgement of a connection of which everything before `unacked` was acknowledged before.
    #[inline]
    pub(crate) fn hear(&mut self, word: &Word, unacked: u64, next: u64, now: u64) {
        self.heard_at = now;
        self.probes = 0;
        let least = self.trip.least();
        let mut told = Told::default();
        let lost_before = self.flight.lost;
        for &(start, end) in word.blocks.map_or(&[][..], Blocks::as_slice) {
            if start > word.ack {
                self.flight.sack(start, end.min(next), now, least, &mut told);
            }
        }
        if word.blocks.is_some_and(|blocks| blocks.duplicate(word.ack).is_some()) {
            self.duplicates += 1;
        }
        let forward = word.ack > unacked;
        if forward {
            self.retries = 0;
            self.soft = None;
            self.flight.acknowledge(word.ack, now, least, &mut told);
        }
        self.packets_acked += told.acked + told.sacked;
        self.reordered |= told.reordered;
        self.measure(&told, word, next, now);
        self.judge_tail_probe(word, forward, &told, next);
        let calm = self.congestion.judgement == Judgement::Open && self.flight.sacked == 0;
        if !calm {
            self.judge(word, forward, next, now);
        }
        let newly = told.acked + told.sacked;
        match self.congestion.judgement {
            Judgement::Recovery | Judgement::Reduced => {
                let steady = forward && self.flight.lost <= lost_before;
                self.congestion.follow(newly, self.flight.in_network(), steady);
            }
            _ if forward => self.congestion.grow(newly, least, now),
            _ => {}
        }
        if forward && !self.flight.any_again() && self.congestion.judgement != Judgement::Loss {
            self.again_since = 0;
        }
    }

    /// Measures the round trip by what was sent once, or else by the clock that comes back.
    #[inline]
    fn measure(&mut self, told: &Told, word: &Word, next: u64, now: u64) {
        let (first, last) = match (told.first_at, told.sack_first_at) {
            _ if told.again => (None, None),
            (None, sacked) => (sacked, told.sack_last_at),
            (acked, _) => (acked, told.last_at),
        };
        if let (Some(first), Some(last)) = (first, last) {
            self.trip.measure(now - first, now - last, word.ack, next, now);
        } else if told.acked > 0 && word.echo != 0 {
            let ms = ((now / MILLI) as u32).wrapping_sub(word.echo).max(1);
            let rtt = u64::from(ms) * MILLI;
            self.trip.measure(rtt, rtt.max(self.trip.least()), word.ack, next, now);
        }
    }

    /// What the answer to a tail probe tells (RFC 8985, 7.4).
    fn judge_tail_probe(&mut self, word: &Word, forward: bool, told: &Told, next: u64) {
        if self.tail_probe == 0 || word.ack < self.tail_probe {
            return;
        }
        let duplicate = word.blocks.and_then(|blocks| blocks.duplicate(word.ack));
        let came_twice = duplicate.is_some_and(|(_, end)| end == self.tail_probe);
        if !self.tail_again || came_twice {
            self.tail_probe = 0;
        } else if word.ack > self.tail_probe {
            // It was needed: what it replaced was lost, and the window pays for it.
            self.tail_probe = 0;
            self.congestion.reduce(Judgement::Reduced, next);
            self.congestion.end();
        } else if !forward && told.sacked == 0 && !word.more {
            self.tail_probe = 0;
        }
    }

    /// Looks for losses, and enters and leaves recovery.
    fn judge(&mut self, word: &Word, forward: bool, next: u64, now: u64) {
        if self.is_undone(word, forward) {
            self.flight.none_lost();
            self.congestion.undo();
            self.again_since = 0;
        }
        if forward && word.ack >= self.congestion.until && self.congestion.judgement >= Judgement::Reduced {
            self.congestion.end();
        }
        self.settle_losses(false, next, now);
        if self.congestion.judgement <= Judgement::Disorder {
            let amiss = self.flight.sacked > 0;
            self.congestion.judgement = if amiss { Judgement::Disorder } else { Judgement::Open };
        }
    }

    /// Whether what was sent again was answered before that (RFC 3522): the clock that comes back is older.
    fn is_undone(&self, word: &Word, forward: bool) -> bool {
        let trouble = matches!(self.congestion.judgement, Judgement::Recovery | Judgement::Loss);
        let since = (self.again_since / MILLI) as u32;
        trouble && forward && self.again_since != 0 && word.echo != 0 && (word.echo.wrapping_sub(since) as i32) < 0
    }

    /// How long reordering is given, in nanoseconds (RFC 8985, 6.2).
    fn reordering_window(&self) -> u64 {
        let recovering = self.congestion.judgement >= Judgement::Recovery;
        if !self.reordered && (recovering || self.flight.sacked >= DUPLICATES) {
            return 0;
        }
        (self.trip.least() / 4).min(self.trip.smoothed().unwrap_or(0))
    }

    /// Marks what is lost, and begins a recovery if something is. `anyway` looks even if nothing has arrived. Returns
    /// how long until the next look.
    pub(crate) fn settle_losses(&mut self, anyway: bool, next: u64, now: u64) -> Option<u64> {
        let window = self.reordering_window();
        let wait = match anyway {
            true => self.flight.look_for_losses(now, window),
            false => self.flight.find_losses(now, window),
        };
        if self.flight.lost > 0 && self.congestion.judgement < Judgement::Recovery {
            if self.congestion.judgement == Judgement::Reduced {
                self.congestion.judgement = Judgement::Recovery;
            } else {
                self.congestion.reduce(Judgement::Recovery, next);
            }
            self.tail_probe = 0;
            if anyway {
                self.congestion.follow(1, self.flight.in_network(), false);
            }
        }
        self.look_again = wait.map_or(0, |wait| now + jiffies(wait + TIMEOUT_LEAST));
        wait
    }

    /// The retransmission timer has run out.
    pub(crate) fn time_out(&mut self, unacked: u64, next: u64, now: u64) {
        self.tail_probe = 0;
        self.flight.all_lost(now);
        let again = self.retries == 0;
        self.congestion.collapse(unacked, next, self.flight.in_network(), !again);
        self.retries += 1;
    }

    /// How long after the last sending the tail is probed (RFC 8985, 7.2), if it is.
    #[inline]
    pub(crate) fn tail_probe_after(&self) -> Option<u64> {
        if !matches!(self.congestion.judgement, Judgement::Open | Judgement::Reduced) {
            return None;
        }
        let Some(twice) = self.trip.twice() else { return Some(RTO_FIRST) };
        let more = if self.flight.out == 1 { RTO_LEAST } else { TIMEOUT_LEAST };
        Some(jiffies(twice + more))
    }

    /// Whether a tail probe has not been answered yet.
    pub(crate) fn is_probing_tail(&self) -> bool {
        self.tail_probe != 0
    }

    /// A tail probe was sent: of old data or of new.
    pub(crate) fn tail_probed(&mut self, next: u64, again: bool) {
        (self.tail_probe, self.tail_again) = (next, again);
    }

    /// Whether a segment out of the window is answered: those without data not more often than twice a second
    /// (Linux's `tcp_invalid_ratelimit`).
    pub(crate) fn may_refuse(&mut self, now: u64) -> bool {
        const INTERVAL: u64 = 500 * MILLI;
        if self.refused_at != 0 && now < self.refused_at + INTERVAL {
            return false;
        }
        self.refused_at = now.max(1);
        true
    }
}
