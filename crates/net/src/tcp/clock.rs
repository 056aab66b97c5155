//! What a connection does by itself when time has passed.
//!
//! A socket has several deadlines and at most one timer of the fabric. Moving a deadline into the future does not touch the
//! timer: when it goes off too early it is set again. So a segment that is acknowledged in time costs no timer.

use crate::call::SocketId;
use crate::fabric::{Timer, TimerKey};
use crate::options::{Flag, Int};
use crate::table::SocketTable;
use crate::tcp::{SECOND, TcpState, bit};
use snowglobe_abi::Errno;

/// A tick of Linux with 250 of them a second: time-outs are whole ticks.
pub(crate) const JIFFY: u64 = 4_000_000;
/// No deadline.
pub(crate) const NEVER: u64 = u64::MAX;
/// The retransmission time-out before a round trip is known, at least, and at most (RFC 6298; Linux's TCP_RTO_MIN, TCP_RTO_MAX).
pub(crate) const RTO_FIRST: u64 = SECOND;
pub(crate) const RTO_LEAST: u64 = SECOND / 5;
pub(crate) const RTO_MOST: u64 = 120 * SECOND;
/// tcp(7) `tcp_retries2`: 15 doublings of the least time-out are how long data is sent again.
const RETRIES: u32 = 15;
/// tcp(7) `tcp_orphan_retries` 0 stands for 8: the same for a closed socket.
const ORPHAN_RETRIES: u32 = 8;
/// tcp(7) `tcp_synack_retries`.
const SYN_ACK_RETRIES: u8 = 5;
/// tcp(7) `tcp_syn_linear_timeouts`: SYNs that are sent a second apart before the time doubles.
const LINEAR_SYNS: u8 = 4;
/// How long address resolution tries before it gives up.
pub(crate) const RESOLUTION: u64 = 3 * SECOND;

/// A time in whole ticks, rounded up.
#[inline]
pub(crate) fn jiffies(ns: u64) -> u64 {
    ns.next_multiple_of(JIFFY)
}

/// How long `boundary` retransmissions take whose time-outs double from `first` to the longest (`tcp_model_timeout`).
fn retrying(boundary: u32, first: u64) -> u64 {
    let doubled = boundary.min((RTO_MOST / first).ilog2());
    ((2u64 << doubled) - 1) * first + u64::from(boundary - doubled) * RTO_MOST
}

/// Time until the SYN after `sent` ones.
fn syn_interval(sent: u8) -> u64 {
    SECOND << u32::from(sent.saturating_sub(LINEAR_SYNS + 1)).min(7)
}

/// What the deadline of the sending side is for.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(crate) enum Pending {
    #[default]
    Nothing,
    /// A SYN or a SYN-ACK has not been answered.
    Syn,
    SynAck,
    /// The address resolution of a connecting socket has failed.
    Unreachable,
    /// What is not acknowledged is lost (RFC 6298).
    Retransmit,
    /// The last packet may be lost (RFC 8985, 7).
    TailProbe,
    /// What was taken for reordered is lost (RFC 8985, 6.2).
    Reordering,
    /// The other end takes nothing, or what is to be sent was held back.
    WindowProbe,
}

/// The deadlines of a connection, in virtual nanoseconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    /// The timer, which may be earlier than all deadlines.
    timer: Option<TimerKey>,
    /// Of the sending side, and what it is for.
    pub(crate) write: u64,
    pub(crate) pending: Pending,
    /// Of an acknowledgement that waits.
    pub(crate) ack: u64,
    /// Of keepalive; in FIN_WAIT2 that of the other end's FIN.
    pub(crate) keep: u64,
}

impl Default for Clock {
    fn default() -> Clock {
        Clock { timer: None, write: NEVER, pending: Pending::Nothing, ack: NEVER, keep: NEVER }
    }
}

impl Clock {
    #[inline]
    fn first(&self) -> u64 {
        self.write.min(self.ack).min(self.keep)
    }

    #[inline]
    pub(crate) fn set(&mut self, pending: Pending, at: u64) {
        (self.pending, self.write) = (pending, at);
    }

    #[inline]
    pub(crate) fn unset(&mut self) {
        (self.pending, self.write) = (Pending::Nothing, NEVER);
    }

    /// The number and the time by which `/proc/net/tcp` shows what is due next, if anything is.
    pub(crate) fn shown(&self) -> Option<(u8, u64)> {
        match self.pending {
            Pending::WindowProbe => Some((4, self.write)),
            Pending::Nothing if self.keep != NEVER => Some((2, self.keep)),
            Pending::Nothing => None,
            _ => Some((1, self.write)),
        }
    }
}

impl<R: Clone> SocketTable<R> {
    /// Sees to it that the timer goes off no later than the first deadline.
    #[inline]
    pub(crate) fn arm(&mut self, id: SocketId) {
        let clock = &mut self.slab.at_mut(id).connection.tcp.clock;
        let due = clock.first();
        if due == NEVER || clock.timer.is_some_and(|(at, _)| at <= due) {
            return;
        }
        self.fabric.cancel_timer(&mut clock.timer);
        clock.timer = Some(self.fabric.set_timer(due, Timer::Tcp(id)));
    }

    /// Forgets all deadlines.
    pub(crate) fn disarm(&mut self, id: SocketId) {
        let clock = &mut self.slab.at_mut(id).connection.tcp.clock;
        self.fabric.cancel_timer(&mut clock.timer);
        *clock = Clock::default();
    }

    /// The timer of a connection has gone off.
    pub(crate) fn tcp_timer(&mut self, id: SocketId) {
        let now = self.log.now;
        let clock = &mut self.at_mut(id).connection.tcp.clock;
        clock.timer = None;
        if clock.ack <= now {
            clock.ack = NEVER;
            self.ack_waited(id);
        }
        let clock = &mut self.at_mut(id).connection.tcp.clock;
        if clock.write <= now {
            let pending = clock.pending;
            clock.unset();
            self.write_timer(id, pending);
        }
        // Each of them may have ended the connection, and a closed socket's entry with it.
        let Some(entry) = self.slab.get_mut(id) else { return };
        if entry.connection.tcp.clock.keep <= now {
            entry.connection.tcp.clock.keep = NEVER;
            self.keep_timer(id);
        }
        if self.slab.get(id).is_some() {
            self.arm(id);
        }
    }

    fn write_timer(&mut self, id: SocketId, pending: Pending) {
        match pending {
            Pending::Syn => self.syn_timer(id),
            Pending::SynAck => self.syn_ack_timer(id),
            Pending::Unreachable => self.fail(id, Errno::EHOSTUNREACH),
            Pending::Retransmit => self.retransmit_timer(id),
            Pending::TailProbe => self.probe_tail(id),
            Pending::Reordering => self.reordering_timer(id),
            Pending::WindowProbe => self.window_timer(id),
            Pending::Nothing => {}
        }
    }

    fn syn_timer(&mut self, id: SocketId) {
        let now = self.log.now;
        let entry = self.at_mut(id);
        let options = &entry.local.options;
        let retries = options.int(Int::SynCount) as u8;
        let user = options.int(Int::UserTimeout) as u64 * 1_000_000;
        let tcp = &entry.connection.tcp;
        // The time is bounded as if the SYNs doubled from the first on, which ends few retries before they are used up.
        let most = if user != 0 { user } else { retrying(retries.into(), RTO_FIRST) };
        let late = tcp.syns > 1 && now - tcp.opened_at >= most;
        if late || tcp.syns > retries.saturating_add(LINEAR_SYNS) {
            self.give_up(id, Errno::ETIMEDOUT);
        } else {
            self.send_syn(id);
        }
    }

    /// Sends a SYN, and again when it is not answered.
    pub(crate) fn send_syn(&mut self, id: SocketId) {
        let now = self.log.now;
        let entry = self.at_mut(id);
        let user = entry.local.options.int(Int::UserTimeout) as u64 * 1_000_000;
        let tcp = &mut entry.connection.tcp;
        if tcp.syns == 0 {
            tcp.opened_at = now;
        }
        tcp.syns += 1;
        tcp.next = 1;
        let mut wait = syn_interval(tcp.syns);
        if user != 0 && tcp.syns > 1 {
            wait = wait.min((tcp.opened_at + user).saturating_sub(now).max(JIFFY));
        }
        tcp.clock.set(Pending::Syn, now + wait);
        self.emit(id, bit::SYN, 0, None);
    }

    /// The SYN-ACK was not answered, or the answer was not taken (TCP_DEFER_ACCEPT, a full accept queue).
    fn syn_ack_timer(&mut self, id: SocketId) {
        let defer = self.deferrals(id);
        let tcp = &mut self.at_mut(id).connection.tcp;
        let sent = tcp.syns;
        if sent >= SYN_ACK_RETRIES && (!tcp.acked || sent >= defer) {
            return self.drop_half_open(id);
        }
        // While data is waited for, the other end is not disturbed before the last moment.
        let again = defer == 0 || !tcp.acked || sent + 1 >= defer;
        tcp.syns += 1;
        self.await_answer(id);
        if again {
            self.emit(id, bit::SYN | bit::ACK, 0, None);
        }
    }

    /// Sets the time after which a SYN-ACK goes out again: a second, doubled for each.
    pub(crate) fn await_answer(&mut self, id: SocketId) {
        let now = self.log.now;
        let tcp = &mut self.at_mut(id).connection.tcp;
        tcp.clock.set(Pending::SynAck, now + (SECOND << tcp.syns.min(7)).min(RTO_MOST));
        self.arm(id);
    }

    /// A delayed acknowledgement has waited long enough.
    fn ack_waited(&mut self, id: SocketId) {
        let Some(wire) = self.at_mut(id).connection.tcp.wire.as_deref_mut() else { return };
        if wire.acks.owed {
            wire.acks.missed(wire.trip.rto);
            self.emit_ack(id);
        }
    }

    /// Nothing has been acknowledged for the retransmission time-out.
    fn retransmit_timer(&mut self, id: SocketId) {
        if self.has_retried_enough(id) {
            return self.give_up(id, Errno::ETIMEDOUT);
        }
        let now = self.log.now;
        let entry = self.slab.at_mut(id);
        let user = entry.local.options.int(Int::UserTimeout) as u64 * 1_000_000;
        let tcp = &mut entry.connection.tcp;
        let Some(wire) = tcp.wire.as_deref_mut() else { return };
        if wire.flight.out == 0 {
            return;
        }
        wire.time_out(tcp.unacked, tcp.next, now);
        wire.trip.back_off();
        self.send_again(id, 0, false);
        let Some(wire) = self.slab.at_mut(id).connection.tcp.wire.as_deref_mut() else { return };
        let mut wait = wire.trip.rto;
        if user != 0 {
            wait = wait.min((wire.again_since + user).saturating_sub(now).max(JIFFY));
        }
        self.at_mut(id).connection.tcp.clock.set(Pending::Retransmit, now + wait);
    }

    /// Whether what is lost has been sent again for long enough.
    fn has_retried_enough(&self, id: SocketId) -> bool {
        let entry = self.at(id);
        let user = entry.local.options.int(Int::UserTimeout) as u64 * 1_000_000;
        let Some(wire) = entry.connection.tcp.wire.as_deref() else { return false };
        if wire.retries == 0 {
            return false;
        }
        let alive = wire.trip.rto < RTO_MOST;
        let most = match (entry.connection.open, alive) {
            _ if user != 0 => user,
            (true, _) => retrying(RETRIES, RTO_LEAST),
            (false, true) => retrying(ORPHAN_RETRIES, RTO_LEAST),
            (false, false) => 0,
        };
        self.log.now - wire.again_since >= most
    }

    /// What was taken for reordered has not come.
    fn reordering_timer(&mut self, id: SocketId) {
        let now = self.log.now;
        let tcp = &mut self.at_mut(id).connection.tcp;
        let Some(wire) = tcp.wire.as_deref_mut() else { return };
        wire.settle_losses(true, tcp.next, now);
        self.resend_and_output(id);
        self.rearm_retransmission(id);
    }

    /// The other end's window has not opened, or what was held back has waited long enough (Linux's probe timer serves
    /// both).
    fn window_timer(&mut self, id: SocketId) {
        let now = self.log.now;
        let entry = self.slab.at_mut(id);
        let (open, capacity) = (entry.connection.open, entry.send_queue.bytes.len() as u64);
        let user = entry.local.options.int(Int::UserTimeout) as u64 * 1_000_000;
        let tcp = &mut entry.connection.tcp;
        let held = capacity > tcp.next - tcp.unacked || tcp.fin_due && !tcp.fin_sent;
        let Some(wire) = tcp.wire.as_deref_mut() else { return self.flush(id) };
        if wire.flight.out > 0 || !held {
            wire.probes = 0;
            wire.probes_since = 0;
            return;
        }
        let late = user != 0 && wire.probes_since != 0 && now - wire.probes_since >= user;
        if wire.probes_since == 0 {
            wire.probes_since = now;
        }
        let alive = wire.trip.probe_interval() < RTO_MOST;
        let most = match (open, alive) {
            (true, _) => RETRIES,
            (false, true) => ORPHAN_RETRIES,
            (false, false) => 0,
        };
        if late || u32::from(wire.probes) >= most {
            return self.give_up(id, Errno::ETIMEDOUT);
        }
        self.probe_window(id);
    }

    /// Sends what may be sent of what waits, or asks how large the window is.
    fn probe_window(&mut self, id: SocketId) {
        self.wake_up(id);
        let now = self.log.now;
        let entry = self.at_mut(id);
        let user = entry.local.options.int(Int::UserTimeout) as u64 * 1_000_000;
        let tcp = &mut entry.connection.tcp;
        let Some(wire) = tcp.wire.as_deref_mut() else { return };
        if wire.flight.out > 0 {
            wire.probes = 0;
            wire.probes_since = 0;
            wire.trip.backoff = 0;
            return;
        }
        wire.probes += 1;
        if u32::from(wire.trip.backoff) < RETRIES {
            wire.trip.backoff += 1;
        }
        let mut wait = wire.trip.probe_interval();
        if user != 0 {
            wait = wait.min((wire.probes_since + user).saturating_sub(now).max(JIFFY));
        }
        tcp.clock.set(Pending::WindowProbe, now + wait);
    }

    /// Sets the keepalive deadline of a connection, if its option is on.
    pub(crate) fn set_keepalive(&mut self, id: SocketId) {
        let now = self.log.now;
        let entry = self.at_mut(id);
        let options = &entry.local.options;
        let (on, idle) = (options.flag(Flag::KeepAlive), options.int(Int::KeepIdle) as u64 * SECOND);
        let tcp = &mut entry.connection.tcp;
        if tcp.wire.is_none() || !tcp.is_synchronized() || !entry.connection.open {
            return;
        }
        let quiet = tcp.quiet_for(now);
        tcp.clock.keep = if on { now + idle.saturating_sub(quiet) } else { NEVER };
        self.arm(id);
    }

    fn keep_timer(&mut self, id: SocketId) {
        let now = self.log.now;
        let entry = self.at_mut(id);
        if entry.connection.tcp.state == TcpState::FinWait2 && !entry.connection.open {
            return self.tcp_closed(id);
        }
        let options = &entry.local.options;
        let seconds = |int| options.int(int) as u64 * SECOND;
        let (idle, interval) = (seconds(Int::KeepIdle), seconds(Int::KeepInterval));
        let (count, user) = (options.int(Int::KeepCount) as u32, options.int(Int::UserTimeout) as u64 * 1_000_000);
        if !options.flag(Flag::KeepAlive) {
            return;
        }
        let busy = !entry.send_queue.is_empty();
        let tcp = &mut entry.connection.tcp;
        let quiet = tcp.quiet_for(now);
        let Some(wire) = tcp.wire.as_deref_mut() else { return };
        if busy || quiet < idle {
            tcp.clock.keep = now + if busy { idle } else { idle - quiet };
            return;
        }
        let dead = if user != 0 { quiet >= user && wire.probes > 0 } else { u32::from(wire.probes) >= count };
        if dead {
            self.send_reset(id);
            return self.give_up(id, Errno::ETIMEDOUT);
        }
        wire.probes += 1;
        tcp.clock.keep = now + interval;
        self.wake_up(id);
    }

    /// Ends a connection that does not work.
    pub(crate) fn give_up(&mut self, id: SocketId, error: Errno) {
        let entry = self.at_mut(id);
        if entry.connection.tcp.state == TcpState::SynSent {
            return self.fail(id, error);
        }
        // What the network has said of it since it was last heard of says more (`tcp_write_err`).
        let error = entry.connection.tcp.wire.as_deref().and_then(|wire| wire.soft).unwrap_or(error);
        entry.connection.error = Some(error);
        self.tcp_closed(id);
    }

    /// After an acknowledgement or the first segment in a row: when the next thing is due if nothing comes.
    #[inline]
    pub(crate) fn schedule(&mut self, id: SocketId, anew: bool) {
        let now = self.log.now;
        let tcp = &mut self.slab.at_mut(id).connection.tcp;
        let Some(wire) = tcp.wire.as_deref_mut() else { return };
        if wire.flight.out == 0 {
            if tcp.clock.pending != Pending::WindowProbe {
                tcp.clock.unset();
            }
            return;
        }
        let first = wire.flight.first().map_or(now, |sent| sent.at);
        let timeout = if anew { now } else { first } + wire.trip.rto;
        let timeout = timeout.max(now + 1);
        match wire.tail_probe_after() {
            Some(after) => tcp.clock.set(Pending::TailProbe, (now + after).min(timeout)),
            None if anew || !matches!(tcp.clock.pending, Pending::Retransmit | Pending::Reordering) => {
                tcp.clock.set(Pending::Retransmit, timeout);
            }
            None => {}
        }
        self.arm(id);
    }

    /// Sets the retransmission deadline from when the oldest segment was sent.
    pub(crate) fn rearm_retransmission(&mut self, id: SocketId) {
        let now = self.log.now;
        let tcp = &mut self.at_mut(id).connection.tcp;
        let Some(wire) = tcp.wire.as_deref_mut() else { return };
        if let Some(first) = wire.flight.first()
            && !matches!(tcp.clock.pending, Pending::Reordering)
        {
            let due = (first.at + wire.trip.rto).max(now + JIFFY);
            tcp.clock.set(Pending::Retransmit, due);
        }
        self.arm(id);
    }

    /// tcp(7) `tcp_fin_timeout`: a closed socket does not wait for ever for the other end's FIN.
    pub(crate) fn wait_for_fin(&mut self, id: SocketId) {
        let entry = self.at(id);
        if entry.connection.open {
            return;
        }
        let seconds = entry.local.options.int(Int::Linger2);
        if seconds < 0 {
            self.send_reset(id);
            return self.tcp_closed(id);
        }
        let due = self.log.now + seconds.min(120) as u64 * SECOND;
        let clock = &mut self.at_mut(id).connection.tcp.clock;
        clock.unset();
        clock.keep = due;
        self.arm(id);
    }

    /// How often a SYN-ACK's time must run out before a connection without data is shown to `accept`
    /// (TCP_DEFER_ACCEPT counts in seconds, Linux in doubling time-outs).
    pub(crate) fn deferrals(&self, id: SocketId) -> u8 {
        let seconds = self.parent_of(id).map_or(0, |parent| parent.local.options.int(Int::DeferAccept));
        let seconds = u32::try_from(seconds).unwrap_or(0);
        (u32::BITS - seconds.min(120).leading_zeros()) as u8
    }
}
