//! What a sender has in flight, and what it knows of it: the scoreboard of RFC 6675 with the times of RFC 8985 (RACK).
//!
//! A record is one emission: a packet, or a unit of several on a link that takes them together. Counts are of packets.

use alloc::collections::VecDeque;

/// What is known of a record.
pub(crate) mod mark {
    /// The other end has it, out of order.
    pub(crate) const SACKED: u8 = 1;
    /// It is taken for lost.
    pub(crate) const LOST: u8 = 2;
    /// It was sent again, and that one is on its way.
    pub(crate) const AGAIN: u8 = 4;
    /// It has been sent more than once.
    pub(crate) const EVER: u8 = 8;
}

/// One emission.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Sent {
    /// Place of its first byte.
    pub(crate) seq: u64,
    /// Place after its last; a FIN counts as a byte.
    pub(crate) end: u64,
    /// When it was last sent, in virtual nanoseconds.
    pub(crate) at: u64,
    /// Bits of [`mark`].
    pub(crate) marks: u8,
}

impl Sent {
    pub(crate) fn is(&self, marks: u8) -> bool {
        self.marks & marks != 0
    }
}

/// What an acknowledgement told.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct Told {
    /// Packets acknowledged in order, that no selective acknowledgement had told of.
    pub(crate) acked: u32,
    /// Packets of which the other end says that it has them out of order.
    pub(crate) sacked: u32,
    /// When the first and the last of those acknowledged were sent, if they were sent only once.
    pub(crate) first_at: Option<u64>,
    pub(crate) last_at: Option<u64>,
    /// The same of the first and the last of those selectively acknowledged.
    pub(crate) sack_first_at: Option<u64>,
    pub(crate) sack_last_at: Option<u64>,
    /// One of those acknowledged had been sent again.
    pub(crate) again: bool,
    /// A packet that was sent once has come after later ones.
    pub(crate) reordered: bool,
}

/// The newest transmission that is known to have arrived (RFC 8985, 5.2).
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct Rack {
    at: u64,
    end: u64,
    /// The round trip that it took, in nanoseconds.
    pub(crate) rtt: u64,
    /// It has moved since losses were looked for.
    advanced: bool,
}

impl Rack {
    /// Takes note of a record that has arrived. `least` is the shortest round trip known.
    fn advance(&mut self, sent: &Sent, now: u64, least: u64) {
        let rtt = now - sent.at;
        // Of one that was sent again and is answered so soon, the first transmission may have arrived.
        if rtt < least && sent.is(mark::EVER) {
            return;
        }
        self.advanced = true;
        self.rtt = rtt;
        if (sent.at, sent.end) > (self.at, self.end) {
            (self.at, self.end) = (sent.at, sent.end);
        }
    }
}

/// All that is in flight.
#[derive(Default, Debug)]
pub(crate) struct Flight {
    sent: VecDeque<Sent>,
    /// Bytes of a packet at most.
    pub(crate) mss: u32,
    /// Packets sent and not acknowledged in order.
    pub(crate) out: u32,
    /// Of those: selectively acknowledged, taken for lost, sent again.
    pub(crate) sacked: u32,
    pub(crate) lost: u32,
    pub(crate) again: u32,
    /// Place after the highest byte selectively acknowledged.
    highest: u64,
    pub(crate) rack: Rack,
}

impl Flight {
    /// Packets that the network holds, as far as is known.
    #[inline]
    pub(crate) fn in_network(&self) -> u32 {
        (self.out + self.again).saturating_sub(self.sacked + self.lost)
    }

    #[inline]
    pub(crate) fn packets(&self, len: u64) -> u32 {
        if len <= u64::from(self.mss) { 1 } else { (len as u32).div_ceil(self.mss) }
    }

    #[inline]
    pub(crate) fn push(&mut self, seq: u64, end: u64, at: u64) {
        self.out += self.packets(end - seq);
        self.sent.push_back(Sent { seq, end, at, marks: 0 });
    }

    pub(crate) fn first(&self) -> Option<&Sent> {
        self.sent.front()
    }

    pub(crate) fn get(&self, index: usize) -> Option<&Sent> {
        self.sent.get(index)
    }

    /// Nothing in flight, in packets of `mss` bytes at most.
    pub(crate) fn new(mss: u32) -> Flight {
        Flight { mss, ..Flight::default() }
    }

    pub(crate) fn clear(&mut self) {
        *self = Flight::new(self.mss);
    }

    /// Takes a record out of the counts, or into them.
    fn count(&mut self, sent: Sent, into: bool) {
        let n = self.packets(sent.end - sent.seq);
        let counts = [
            (&mut self.out, true),
            (&mut self.sacked, sent.is(mark::SACKED)),
            (&mut self.lost, sent.is(mark::LOST)),
            (&mut self.again, sent.is(mark::AGAIN)),
        ];
        for (count, _) in counts.into_iter().filter(|(_, counted)| *counted) {
            *count = if into { *count + n } else { count.saturating_sub(n) };
        }
    }

    /// Replaces the marks of a record.
    fn remark(&mut self, index: usize, set: u8, clear: u8) {
        let old = self.sent[index];
        let new = Sent { marks: (old.marks | set) & !clear, ..old };
        self.count(old, false);
        self.count(new, true);
        self.sent[index] = new;
    }

    /// Makes two records of one, so that one of them begins at `at`.
    fn split(&mut self, index: usize, at: u64) {
        let whole = self.sent[index];
        if at <= whole.seq || at >= whole.end {
            return;
        }
        self.count(whole, false);
        let (head, tail) = (Sent { end: at, ..whole }, Sent { seq: at, ..whole });
        self.count(head, true);
        self.count(tail, true);
        self.sent[index] = head;
        self.sent.insert(index + 1, tail);
    }

    /// Cuts a record to one packet.
    pub(crate) fn cut(&mut self, index: usize) {
        if let Some(sent) = self.sent.get(index) {
            self.split(index, sent.seq + u64::from(self.mss));
        }
    }

    /// The last record, cut so that it is one packet.
    pub(crate) fn last_packet(&mut self) -> Option<usize> {
        let index = self.sent.len().checked_sub(1)?;
        let last = self.sent[index];
        let before = u64::from(self.packets(last.end - last.seq) - 1) * u64::from(self.mss);
        self.split(index, last.seq + before);
        Some(self.sent.len() - 1)
    }

    /// Takes an acknowledgement in order, of everything before `ack`.
    #[inline]
    pub(crate) fn acknowledge(&mut self, ack: u64, now: u64, least: u64, told: &mut Told) {
        while let Some(&sent) = self.sent.front() {
            if sent.seq >= ack {
                break;
            }
            let whole = sent.end <= ack;
            self.count(sent, false);
            if whole {
                self.sent.pop_front();
                self.arrived(&sent, now, least, told);
            } else {
                let rest = Sent { seq: ack, ..sent };
                self.count(rest, true);
                self.sent[0] = rest;
                told.acked += self.packets(sent.end - sent.seq).saturating_sub(self.packets(rest.end - rest.seq));
            }
        }
        if self.sent.is_empty() {
            self.highest = 0;
        }
    }

    /// What the arrival of a whole record tells.
    #[inline]
    fn arrived(&mut self, sent: &Sent, now: u64, least: u64, told: &mut Told) {
        if sent.is(mark::EVER) {
            told.again = true;
        } else if !sent.is(mark::SACKED) {
            told.last_at = Some(sent.at);
            told.first_at.get_or_insert(sent.at);
            told.reordered |= sent.end <= self.highest;
        }
        if !sent.is(mark::SACKED) {
            told.acked += self.packets(sent.end - sent.seq);
            self.rack.advance(sent, now, least);
        }
    }

    /// Takes a selective acknowledgement of the bytes from `start` to `end`.
    pub(crate) fn sack(&mut self, start: u64, end: u64, now: u64, least: u64, told: &mut Told) {
        let mut index = self.sent.partition_point(|sent| sent.end <= start);
        while index < self.sent.len() && self.sent[index].seq < end {
            let sent = self.sent[index];
            if sent.seq < start {
                self.split(index, start);
                index += 1;
                continue;
            }
            if sent.end > end {
                self.split(index, end);
            }
            if !sent.is(mark::SACKED) {
                self.sacked_now(index, now, least, told);
            }
            index += 1;
        }
    }

    fn sacked_now(&mut self, index: usize, now: u64, least: u64, told: &mut Told) {
        let sent = self.sent[index];
        if !sent.is(mark::EVER) {
            told.reordered |= sent.end <= self.highest;
            told.sack_last_at = Some(sent.at);
            told.sack_first_at.get_or_insert(sent.at);
        }
        self.rack.advance(&sent, now, least);
        self.highest = self.highest.max(sent.end);
        told.sacked += self.packets(sent.end - sent.seq);
        self.remark(index, mark::SACKED, mark::LOST | mark::AGAIN);
    }

    /// Marks what was sent before the newest arrival and should have arrived by now (RFC 8985, 6.2). `window` is the
    /// time in nanoseconds that reordering is given. Returns how long until the next would be lost, if one may be.
    pub(crate) fn find_losses(&mut self, now: u64, window: u64) -> Option<u64> {
        if !core::mem::take(&mut self.rack.advanced) {
            return None;
        }
        self.look_for_losses(now, window)
    }

    /// The same, whether or not something has arrived.
    pub(crate) fn look_for_losses(&mut self, now: u64, window: u64) -> Option<u64> {
        let mut wait = None;
        for index in 0..self.sent.len() {
            let sent = self.sent[index];
            let waits = sent.is(mark::SACKED) || sent.is(mark::LOST) && !sent.is(mark::AGAIN);
            if waits || (sent.at, sent.end) >= (self.rack.at, self.rack.end) {
                continue;
            }
            let due = sent.at + self.rack.rtt + window;
            if due <= now {
                self.remark(index, mark::LOST, mark::AGAIN);
            } else {
                wait = wait.max(Some(due - now));
            }
        }
        wait
    }

    /// The timer has run out: everything not selectively acknowledged is lost, but what was sent within the last round
    /// trip. If the first record is selectively acknowledged, the other end has thrown away what it had (RFC 2018, 8).
    pub(crate) fn all_lost(&mut self, now: u64) {
        let reneged = self.sent.front().is_some_and(|sent| sent.is(mark::SACKED));
        for index in 0..self.sent.len() {
            if reneged {
                self.remark(index, 0, mark::SACKED);
            }
            let sent = self.sent[index];
            let young = index > 0 && !reneged && sent.at + self.rack.rtt > now;
            if !sent.is(mark::SACKED) && !young {
                self.remark(index, mark::LOST, mark::AGAIN);
            }
        }
    }

    /// Takes back that anything is lost: it was only late.
    pub(crate) fn none_lost(&mut self) {
        for index in 0..self.sent.len() {
            self.remark(index, 0, mark::LOST);
        }
    }

    /// The first record that is lost and has not been sent again.
    pub(crate) fn next_lost(&self) -> Option<usize> {
        if self.lost <= self.again && self.lost == 0 {
            return None;
        }
        self.sent.iter().position(|sent| sent.is(mark::LOST) && !sent.is(mark::AGAIN))
    }

    /// Takes note that a record has been sent again; `probe` says that it is not taken for lost.
    pub(crate) fn sent_again(&mut self, index: usize, now: u64, probe: bool) {
        self.remark(index, if probe { mark::EVER } else { mark::EVER | mark::AGAIN }, 0);
        self.sent[index].at = now;
    }

    /// Whether a record that was sent again is on its way.
    pub(crate) fn any_again(&self) -> bool {
        self.again > 0
    }
}
