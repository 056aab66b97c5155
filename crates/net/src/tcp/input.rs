//! Segments that arrive.

use super::clock::{JIFFY, Pending};
use super::wire::Word;
use super::{Arrival, Segment, TcpState, Urgent, bit, is_deaf};
use crate::addr::Endpoint;
use crate::call::SocketId;
use crate::entry::{Path, Phase, SHUT_RECEIVE};
use crate::fabric::{Body, Packet};
use crate::linux::poll;
use crate::log::DropReason;
use crate::options::Int;
use crate::ports::{Flow, FlowKey, TIME_WAIT};
use crate::queue::Chunk;
use crate::table::SocketTable;
use snowglobe_abi::Errno;

impl<R: Clone> SocketTable<R> {
    pub(crate) fn tcp_arrive(
        &mut self,
        from: u32,
        host: u32,
        network: Option<u32>,
        src: Endpoint,
        dst: Endpoint,
        segment: Segment,
    ) {
        let packet = Arrival { from, host, network, src, dst, segment };
        let key = FlowKey::new(host, dst, src);
        let syn_only = packet.segment.bits & (bit::SYN | bit::ACK | bit::RST) == bit::SYN;
        match self.ports.flows.get(&key) {
            Some(&Flow::Live(id)) => return self.segment_arrives(id, packet),
            // RFC 6191: a new SYN may take over from a connection at rest.
            Some(Flow::TimeWait(_)) if !syn_only => self.rest_answers(key, &packet),
            _ if syn_only => self.syn_arrives(&packet),
            _ if packet.segment.has(bit::RST) => {}
            _ => self.refuse(&packet),
        }
        self.give_payload(packet.segment.payload);
    }

    fn give_payload(&mut self, payload: Option<Chunk>) {
        if let Some(chunk) = payload {
            self.pool.give(chunk);
        }
    }

    /// A connection at rest answers what comes late: the other end may not have seen our last acknowledgement.
    fn rest_answers(&mut self, key: FlowKey, packet: &Arrival) {
        let now = self.log.now;
        let Some(Flow::TimeWait(rest)) = self.ports.flows.get_mut(&key) else { return };
        let segment = &packet.segment;
        let same = segment.streams[0] == rest.streams[1];
        if segment.has(bit::RST) {
            // RFC 1337 is not followed by Linux unless it is told to.
            if same && segment.seq == rest.expected {
                self.ports.flows.remove(&key);
            }
            return;
        }
        if same && segment.end() == segment.seq && segment.seq == rest.expected {
            return;
        }
        let again = same && segment.has(bit::FIN);
        if again {
            rest.until = now + TIME_WAIT;
        }
        let rest = *rest;
        let answer = Segment {
            bits: bit::ACK,
            seq: rest.next,
            ack: rest.expected,
            edge: rest.edge,
            streams: rest.streams,
            clock: (now / 1_000_000) as u32,
            echo: segment.clock,
            urgent: None,
            blocks: None,
            payload: None,
        };
        if again {
            self.ports.rest(key, rest);
        }
        self.answer(packet, answer);
    }

    /// Sends a segment that no socket sends back to where a packet came from.
    fn answer(&mut self, packet: &Arrival, segment: Segment) {
        let answer = Packet {
            from: packet.host,
            to: packet.from,
            network: packet.network,
            src: packet.dst,
            dst: packet.src,
            ttl: 64,
            tos: 0,
            body: Body::Tcp(segment),
        };
        self.transmit(packet.back(), answer, 0);
    }

    /// Answers a segment that nobody expects by a reset (RFC 9293, 3.10.7.1).
    pub(crate) fn refuse(&mut self, packet: &Arrival) {
        let segment = &packet.segment;
        let [theirs, ours] = segment.streams;
        let (bits, seq, ack) = match segment.has(bit::ACK) {
            true => (bit::RST, segment.ack, 0),
            false => (bit::RST | bit::ACK, 0, segment.end()),
        };
        let reset = Segment {
            bits,
            seq,
            ack,
            edge: 0,
            streams: [ours, theirs],
            clock: 0,
            echo: 0,
            urgent: None,
            blocks: None,
            payload: None,
        };
        self.answer(packet, reset);
    }

    fn segment_arrives(&mut self, id: SocketId, packet: Arrival) {
        let tcp = &mut self.slab.at_mut(id).connection.tcp;
        tcp.segments_in += 1;
        if tcp.state == TcpState::SynSent {
            return self.answer_arrives(id, packet);
        }
        if !self.is_acceptable(id, &packet) {
            return self.give_payload(packet.segment.payload);
        }
        if self.at(id).connection.tcp.state == TcpState::SynReceived {
            let taken = packet.segment.has(bit::ACK) && self.handshake_done(id, &packet);
            if !taken {
                return self.give_payload(packet.segment.payload);
            }
        }
        self.note_clock(id, &packet.segment);
        // What follows may each end the connection, and a closed socket's entry goes with it.
        if !packet.segment.has(bit::ACK) || !self.ack_arrives(id, &packet.segment) {
            return self.give_payload(packet.segment.payload);
        }
        let (fin, fin_at) = (packet.segment.has(bit::FIN), packet.segment.seq + packet.segment.len());
        self.urgent_arrives(id, packet.segment.urgent);
        if packet.segment.payload.is_some() && !self.data_arrives(id, packet.segment) {
            return;
        }
        if fin {
            self.fin_arrives(id, fin_at);
        }
        if self.slab.get(id).is_some() {
            self.after_arrival(id);
        }
    }

    /// The checks of RFC 9293, 3.10.7.4, and RFC 5961: whether the segment is of this connection and of this window. What
    /// is not is answered, so that an end that is out of step learns where this one is.
    fn is_acceptable(&mut self, id: SocketId, packet: &Arrival) -> bool {
        let segment = &packet.segment;
        let tcp = &self.at(id).connection.tcp;
        let ours = segment.streams[0] == tcp.theirs || segment.streams[0] == 0;
        if tcp.state == TcpState::SynReceived && ours && segment.has(bit::SYN) && !segment.has(bit::RST) {
            return self.syn_again(id, packet);
        }
        if segment.has(bit::RST) {
            let known = ours && (segment.streams[1] == self.at(id).local.id || segment.streams[1] == 0);
            let (exact, within) = (segment.seq == tcp.expected, (tcp.expected..tcp.advertised).contains(&segment.seq));
            if known && exact {
                self.reset_arrives(id);
            } else if known && within {
                self.challenge(id);
            }
            return false;
        }
        let told = tcp.wire.as_ref().map_or(tcp.expected, |wire| wire.acks.told.min(tcp.expected));
        let in_window = segment.end() >= told && segment.seq <= tcp.advertised.max(tcp.expected);
        if ours && in_window && !segment.has(bit::SYN) {
            return true;
        }
        if tcp.wire.is_none() {
            // Within a host only a SYN-ACK comes again: its answer was not taken.
            if segment.has(bit::SYN) {
                self.emit_ack(id);
            }
        } else if !ours || segment.has(bit::SYN) || segment.len() == 0 {
            self.challenge(id);
        } else {
            self.came_twice(id, segment.seq, segment.end());
            self.emit_ack(id);
        }
        false
    }

    /// A SYN in the middle of the handshake: it was sent again, or both ends have called at once. Returns whether the
    /// segment ends the handshake.
    fn syn_again(&mut self, id: SocketId, packet: &Arrival) -> bool {
        if packet.segment.has(bit::ACK) && self.at(id).connection.tcp.parent.is_none() {
            return true;
        }
        self.emit(id, bit::SYN | bit::ACK, 0, None);
        false
    }

    /// Acknowledges what has come, so that the other end sees where this one is (RFC 5961: a challenge).
    fn challenge(&mut self, id: SocketId) {
        let now = self.log.now;
        let Some(wire) = self.slab.at_mut(id).connection.tcp.wire.as_deref_mut() else { return };
        if wire.may_refuse(now) {
            self.emit_ack(id);
        }
    }

    /// Bytes have come that had come before.
    fn came_twice(&mut self, id: SocketId, seq: u64, end: u64) {
        let tcp = &mut self.slab.at_mut(id).connection.tcp;
        if let Some(wire) = tcp.wire.as_deref_mut() {
            wire.acks.hurry(tcp.window);
            wire.pieces.duplicate = Some((seq, end.min(tcp.expected)));
        }
    }

    /// Keeps the other end's clock, of segments that are not ahead of their turn (RFC 7323, 4.3).
    #[inline]
    fn note_clock(&mut self, id: SocketId, segment: &Segment) {
        if let Some(wire) = self.slab.at_mut(id).connection.tcp.wire.as_deref_mut()
            && segment.seq <= wire.acks.told
            && segment.clock.wrapping_sub(wire.echo) as i32 >= 0
        {
            wire.echo = segment.clock;
        }
    }

    /// An answer to a SYN.
    fn answer_arrives(&mut self, id: SocketId, packet: Arrival) {
        let segment = &packet.segment;
        let ours = self.at(id).local.id;
        let acks_us = segment.has(bit::ACK) && segment.ack == 1 && segment.streams[1] == ours;
        let reset = segment.has(bit::RST);
        match segment.bits & (bit::SYN | bit::ACK) {
            bits if bits & bit::ACK != 0 && !acks_us && !reset => self.disown(id, &packet),
            _ if reset && acks_us => self.fail(id, Errno::ECONNREFUSED),
            _ if reset => {}
            // Both ends called at once (RFC 9293, 3.5), or a socket called itself.
            bit::SYN => {
                self.meet(id, &packet);
                let tcp = &mut self.at_mut(id).connection.tcp;
                tcp.state = TcpState::SynReceived;
                tcp.syns = 0;
                if self.at(id).connection.path != Path::Local {
                    self.await_answer(id);
                }
                self.emit(id, bit::SYN | bit::ACK, 0, None);
            }
            bits if bits == bit::SYN | bit::ACK => {
                self.meet(id, &packet);
                let once = self.at(id).connection.tcp.syns <= 1;
                self.measure_handshake(id, segment, once);
                self.at_mut(id).connection.tcp.unacked = 1;
                let peer = self.other_end(&packet);
                self.join(id, peer);
                self.established(id);
                self.emit(id, bit::ACK, 1, None);
                self.output(id);
            }
            _ => {}
        }
        self.give_payload(packet.segment.payload);
    }

    /// An answer that is not to our SYN: the other end still has an old connection, and must forget it. Linux then does not
    /// wait for long before it calls again.
    fn disown(&mut self, id: SocketId, packet: &Arrival) {
        self.refuse(packet);
        let now = self.log.now;
        let tcp = &mut self.at_mut(id).connection.tcp;
        if tcp.syns == 1 {
            tcp.clock.set(Pending::Syn, now + 2 * JIFFY);
            self.arm(id);
        }
    }

    /// Takes down where the other end's stream begins.
    fn meet(&mut self, id: SocketId, packet: &Arrival) {
        let segment = &packet.segment;
        let tcp = &mut self.at_mut(id).connection.tcp;
        tcp.theirs = segment.streams[0];
        tcp.expected = 1;
        tcp.edge = segment.edge;
        if let Some(wire) = tcp.wire.as_deref_mut() {
            wire.acks.told = 1;
            wire.echo = segment.clock;
        }
    }

    /// The first round trip: since our SYN if that was sent `once`, or else by the clock that comes back.
    pub(crate) fn measure_handshake(&mut self, id: SocketId, segment: &Segment, once: bool) {
        let now = self.log.now;
        let tcp = &mut self.at_mut(id).connection.tcp;
        let opened = tcp.opened_at;
        let Some(wire) = tcp.wire.as_deref_mut() else { return };
        wire.heard_at = now;
        let rtt = match once {
            true => now - opened,
            false => u64::from(((now / 1_000_000) as u32).wrapping_sub(segment.echo).max(1)) * 1_000_000,
        };
        wire.trip.measure(rtt, rtt, 1, 1, now);
    }

    /// Takes in what the other end has received and what it would take; false when that was the end of the entry.
    #[inline]
    fn ack_arrives(&mut self, id: SocketId, segment: &Segment) -> bool {
        let now = self.log.now;
        let entry = self.slab.at_mut(id);
        let was_writable = entry.tcp_writable();
        let tcp = &mut entry.connection.tcp;
        if segment.ack > tcp.next {
            self.challenge(id);
            return false;
        }
        let more = segment.payload.is_some() || segment.has(bit::FIN) || segment.edge > tcp.edge;
        tcp.edge = tcp.edge.max(segment.edge);
        let gone = segment.ack.saturating_sub(tcp.unacked);
        if let Some(wire) = tcp.wire.as_deref_mut() {
            let word = Word { ack: segment.ack, blocks: segment.blocks.as_deref(), echo: segment.echo, more };
            wire.hear(&word, tcp.unacked, tcp.next, now);
        }
        if gone == 0 {
            return true;
        }
        // The FIN counts as a byte that the send queue does not hold.
        let bytes = (gone as usize).min(entry.send_queue.bytes.len());
        tcp.unacked = segment.ack;
        if tcp.urgent_out.is_some_and(|at| at < segment.ack) {
            tcp.urgent_out = None;
        }
        entry.send_queue.consume(&mut self.pool, bytes);
        let fin_acked = tcp.fin_sent && tcp.unacked == tcp.next;
        if !was_writable && entry.tcp_writable() {
            self.log.notify(entry, poll::WRITE);
        }
        self.log.settle(entry);
        self.schedule(id, true);
        if fin_acked {
            self.fin_acked(id);
        }
        self.slab.get(id).is_some()
    }

    fn fin_acked(&mut self, id: SocketId) {
        let entry = self.at_mut(id);
        match entry.connection.tcp.state {
            TcpState::FinWait1 => {
                entry.connection.tcp.state = TcpState::FinWait2;
                self.notify(id, poll::ANY);
                self.wait_for_fin(id);
            }
            TcpState::Closing => self.tcp_rest(id),
            TcpState::LastAck => self.tcp_closed(id),
            _ => {}
        }
    }

    /// What follows from a segment that was taken: sending again, sending more, acknowledging.
    #[inline]
    fn after_arrival(&mut self, id: SocketId) {
        let tcp = &mut self.slab.at_mut(id).connection.tcp;
        let Some(wire) = tcp.wire.as_deref_mut() else { return self.output(id) };
        if wire.look_again != 0 {
            tcp.clock.set(Pending::Reordering, wire.look_again);
            wire.look_again = 0;
            self.arm(id);
        }
        self.answer_window(id);
        self.resend_and_output(id);
        self.owe_ack(id);
    }

    /// The other end's window has opened, or has not: the next probe (Linux's `tcp_ack_probe`).
    #[inline]
    fn answer_window(&mut self, id: SocketId) {
        let now = self.log.now;
        let entry = self.slab.at_mut(id);
        if entry.connection.tcp.clock.pending != Pending::WindowProbe {
            return;
        }
        let waiting = entry.send_queue.bytes.len() as u64;
        let tcp = &mut entry.connection.tcp;
        let left = waiting - tcp.sent_bytes();
        let Some(wire) = tcp.wire.as_deref_mut() else { return };
        if left == 0 || wire.flight.out > 0 {
            return;
        }
        if tcp.next + left.min(u64::from(wire.flight.mss)) <= tcp.edge {
            wire.trip.backoff = 0;
            wire.probes_since = 0;
            tcp.clock.unset();
        } else {
            let wait = wire.trip.probe_interval();
            tcp.clock.set(Pending::WindowProbe, now + wait);
        }
    }

    /// Acknowledges what has come, at once or later.
    #[inline]
    fn owe_ack(&mut self, id: SocketId) {
        let now = self.log.now;
        let tcp = &mut self.slab.at_mut(id).connection.tcp;
        let Some(wire) = tcp.wire.as_deref_mut() else { return };
        if !wire.acks.owed {
            return;
        }
        let (at_once, enough) = (wire.acks.is_quick() || !wire.pieces.is_empty(), wire.acks.is_much(tcp.expected));
        if at_once || enough && self.has_more_room(id) {
            return self.emit_ack(id);
        }
        let tcp = &mut self.slab.at_mut(id).connection.tcp;
        let Some(wire) = tcp.wire.as_deref_mut() else { return };
        match wire.acks.deadline(tcp.clock.ack, wire.trip.smoothed(), now) {
            Some(due) => {
                tcp.clock.ack = due;
                self.arm(id);
            }
            None => self.emit_ack(id),
        }
    }

    /// Whether the window has not shrunk by what has come, or the program waits for more.
    fn has_more_room(&mut self, id: SocketId) -> bool {
        let entry = self.slab.at_mut(id);
        let low = entry.local.options.int(Int::ReceiveLowWater).max(1) as usize;
        entry.receive_queue.bytes.len() < low || self.offered_window(id) >= self.told_window(id)
    }

    /// An urgent byte is announced.
    #[inline]
    fn urgent_arrives(&mut self, id: SocketId, at: Option<u64>) {
        let Some(at) = at else { return };
        let entry = self.slab.at_mut(id);
        let head = entry.receive_queue.head;
        let tcp = &mut entry.connection.tcp;
        // One that was read, or announced before, is not announced again.
        if at < head || at < tcp.expected || tcp.urgent.is_some_and(|u| u.at >= at) || !tcp.can_receive() {
            return;
        }
        tcp.urgent = Some(Urgent { at, taken: false });
        self.log.notify(entry, poll::PRI);
    }

    /// Takes in data; false when the connection was reset for it.
    fn data_arrives(&mut self, id: SocketId, mut segment: Segment) -> bool {
        let now = self.log.now;
        let entry = self.slab.at_mut(id);
        let Some(payload) = segment.payload.take() else { return true };
        let end = segment.seq + payload.len() as u64;
        let tcp = &mut entry.connection.tcp;
        if end > tcp.expected && is_deaf(entry) {
            let unique = entry.local.id;
            self.log.dropped(unique, payload.len(), DropReason::NotExpected);
            self.pool.give(payload);
            self.send_reset(id);
            self.tcp_closed(id);
            return false;
        }
        let tcp = &mut entry.connection.tcp;
        if !tcp.can_receive() {
            self.pool.give(payload);
            return true;
        }
        if end <= tcp.expected {
            self.pool.give(payload);
            self.came_twice(id, segment.seq, end);
            return true;
        }
        if segment.seq > tcp.expected {
            self.keep_for_later(id, segment.seq, payload);
            return true;
        }
        let known = (tcp.expected - segment.seq) as usize;
        if let Some(wire) = tcp.wire.as_deref_mut() {
            // A probe of a window that is shut.
            if tcp.expected >= tcp.advertised {
                wire.acks.hurry(tcp.window);
                self.pool.give(payload);
                return true;
            }
            wire.data_in += wire.flight.packets(payload.len() as u64);
            let packet = (payload.len() as u32).min(wire.flight.mss);
            wire.acks.data(packet, segment.bits & bit::PSH != 0, tcp.window, wire.trip.rto, now);
            if known > 0 {
                wire.pieces.duplicate = Some((segment.seq, tcp.expected));
            }
        }
        let payload = if known == 0 { payload } else { payload.slice(known, (end - tcp.expected) as usize) };
        self.take_in(id, payload);
        match self.at(id).connection.tcp.wire.is_some() {
            true => self.take_pieces(id),
            false => self.emit_ack(id),
        }
        true
    }

    /// Puts bytes whose turn it is into the receive queue.
    #[inline]
    fn take_in(&mut self, id: SocketId, payload: Chunk) {
        let now = self.log.now;
        let entry = self.slab.at_mut(id);
        let len = payload.len();
        let tcp = &mut entry.connection.tcp;
        tcp.expected += len as u64;
        tcp.bytes_in += len as u64;
        tcp.last_received = now;
        entry.receive_queue.bytes.push_chunk(&mut self.pool, payload);
        self.log.delivered(entry, len);
        self.log.settle(entry);
        self.log.notify(entry, poll::READ);
        if entry.connection.service {
            self.resolver_serves(id);
        }
    }

    /// Takes in the pieces whose turn has come, and a FIN behind them.
    #[inline]
    fn take_pieces(&mut self, id: SocketId) {
        loop {
            let tcp = &mut self.slab.at_mut(id).connection.tcp;
            let Some(wire) = tcp.wire.as_deref_mut() else { return };
            if wire.pieces.is_empty() {
                break;
            }
            match wire.pieces.take(tcp.expected, &mut self.pool) {
                Some(chunk) => self.take_in(id, chunk),
                None => break,
            }
        }
        let tcp = &mut self.slab.at_mut(id).connection.tcp;
        let fin = tcp.wire.as_deref_mut().and_then(|wire| wire.fin_at.take_if(|at| *at == tcp.expected));
        if let Some(at) = fin {
            self.fin_arrives(id, at);
        }
    }

    /// Keeps data that is ahead of its turn, and says so at once (RFC 5681, 4.2).
    fn keep_for_later(&mut self, id: SocketId, seq: u64, payload: Chunk) {
        let entry = self.slab.at_mut(id);
        let tcp = &mut entry.connection.tcp;
        let Some(wire) = tcp.wire.as_deref_mut() else { return self.pool.give(payload) };
        wire.ooo_in += 1;
        wire.acks.owed = true;
        // Small pieces count for what they take: Linux's buffer is twice the window that it offers.
        let room = 2 * tcp.window as usize;
        let len = (tcp.advertised.saturating_sub(seq) as usize).min(payload.len());
        if len == 0 {
            return self.pool.give(payload);
        }
        let part = if len == payload.len() { payload } else { payload.slice(0, len) };
        wire.pieces.keep(seq, part, room, &mut self.pool);
    }

    fn fin_arrives(&mut self, id: SocketId, at: u64) {
        let Some(entry) = self.slab.get_mut(id) else { return };
        let tcp = &mut entry.connection.tcp;
        if let Some(wire) = tcp.wire.as_deref_mut() {
            wire.acks.owed = true;
            if at > tcp.expected {
                wire.fin_at = Some(at);
                return;
            }
            wire.acks.hurry(tcp.window);
        }
        if at != tcp.expected || !tcp.can_receive() {
            return;
        }
        tcp.expected += 1;
        entry.connection.shut |= SHUT_RECEIVE;
        entry.connection.phase = entry.shut_phase(Phase::Connected);
        let state = entry.connection.tcp.state;
        self.settle(id);
        self.notify(id, poll::READ | poll::RDHUP | if state == TcpState::Established { 0 } else { poll::HUP });
        self.emit_ack(id);
        match state {
            TcpState::Established => {
                self.at_mut(id).connection.tcp.state = TcpState::CloseWait;
                if self.at(id).connection.service {
                    let _ = self.tcp_close(id);
                }
            }
            TcpState::FinWait1 => self.at_mut(id).connection.tcp.state = TcpState::Closing,
            _ => self.tcp_rest(id),
        }
    }

    fn reset_arrives(&mut self, id: SocketId) {
        let entry = self.at_mut(id);
        let state = entry.connection.tcp.state;
        // tcp(7): a reset after the other end has closed is a broken pipe.
        let error = match state {
            TcpState::CloseWait => Errno::EPIPE,
            TcpState::SynReceived if entry.connection.tcp.parent.is_none() => Errno::ECONNREFUSED,
            _ => Errno::ECONNRESET,
        };
        if entry.connection.tcp.parent.take().is_some() {
            // It was never shown to the program: nobody is told.
            entry.connection.open = false;
        } else {
            entry.connection.error = Some(error);
        }
        self.tcp_closed(id);
    }
}
