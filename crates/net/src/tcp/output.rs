//! Segments that go out: the first time, again, and to ask or tell where things stand.

use super::clock::{Pending, RTO_LEAST};
use super::{SEGMENT, Segment, TcpState, bit};
use crate::call::SocketId;
use crate::entry::{Entry, Path};
use crate::fabric::{Body, Packet};
use crate::linux::poll;
use crate::options::Flag;
use crate::queue::Chunk;
use crate::table::SocketTable;
use alloc::boxed::Box;

/// Whether what is less than a packet has to wait for more: TCP_CORK, MSG_MORE, and the rule of Nagle (RFC 9293, 3.7.4) in
/// the form of Minshall, which holds back only behind another small packet.
#[inline]
fn is_held_back<R>(entry: &Entry<R>, more: bool) -> bool {
    let (options, tcp) = (&entry.local.options, &entry.connection.tcp);
    if tcp.fin_due || tcp.urgent_out.is_some() {
        return false;
    }
    let small_out = |wire: &super::Wire| wire.flight.out > 0 && wire.small_end > tcp.unacked;
    more || options.flag(Flag::Cork) || !options.flag(Flag::NoDelay) && tcp.wire.as_deref().is_some_and(small_out)
}

impl<R: Clone> SocketTable<R> {
    /// Sends one segment of a connection.
    pub(crate) fn emit(&mut self, id: SocketId, bits: u8, seq: u64, payload: Option<Chunk>) {
        let offered = self.offered_window(id);
        let now = self.log.now;
        let entry = self.slab.at_mut(id);
        let tcp = &mut entry.connection.tcp;
        tcp.segments_out += 1;
        tcp.advertised = tcp.advertised.max(tcp.expected + offered);
        let urgent = tcp.urgent_out.filter(|_| payload.is_some());
        let mut segment = Segment {
            bits,
            seq,
            ack: if bits & bit::ACK == 0 { 0 } else { tcp.expected },
            edge: tcp.advertised,
            streams: [entry.local.id, tcp.theirs],
            clock: 0,
            echo: 0,
            urgent,
            blocks: None,
            payload,
        };
        if let Some(wire) = tcp.wire.as_deref_mut() {
            segment.clock = (now / 1_000_000) as u32;
            segment.echo = wire.echo;
            segment.blocks = wire.pieces.blocks().map(Box::new);
            wire.acks.told(tcp.expected);
            tcp.clock.ack = super::clock::NEVER;
            if segment.payload.is_some() {
                let packets = wire.flight.packets(segment.len());
                tcp.segments_out += packets - 1;
                wire.data_out += packets;
                wire.congestion.sent += packets;
                wire.acks.answered(now);
            }
        }
        if segment.payload.is_some() {
            tcp.last_sent = now;
        } else {
            tcp.urgent_out = tcp.urgent_out.filter(|_| tcp.wire.is_some());
        }
        let (path, unique, host) = (entry.connection.path, entry.local.id, entry.connection.host);
        let (src, dst) = (entry.local_end(), entry.remote_end());
        let body = Body::Tcp(segment);
        let packet = Packet { from: host, to: host, network: None, src, dst, ttl: 64, tos: 0, body };
        self.transmit(path, packet, unique);
    }

    pub(crate) fn emit_ack(&mut self, id: SocketId) {
        let next = self.at(id).connection.tcp.next;
        self.emit(id, bit::ACK, next, None);
    }

    pub(crate) fn send_reset(&mut self, id: SocketId) {
        if self.at(id).connection.tcp.state != TcpState::Close {
            let next = self.at(id).connection.tcp.next;
            self.emit(id, bit::RST | bit::ACK, next, None);
        }
    }

    /// The window that the other end is offered: no small ones (RFC 9293, 3.8.6.2.2; Linux's `__tcp_select_window`).
    #[inline]
    pub(crate) fn offered_window(&mut self, id: SocketId) -> u64 {
        let entry = self.slab.at_mut(id);
        let window = entry.connection.tcp.window as usize;
        let free = window.saturating_sub(entry.receive_queue.bytes.len());
        let Some(wire) = entry.connection.tcp.wire.as_deref_mut() else { return free as u64 };
        if free < window / 2 {
            wire.acks.be_slow();
            let small = (wire.flight.mss as usize).min(window).max(window / 16);
            if free < small {
                return 0;
            }
        }
        free as u64
    }

    /// What the other end has been told that it may send.
    pub(crate) fn told_window(&self, id: SocketId) -> u64 {
        let tcp = &self.at(id).connection.tcp;
        tcp.advertised.saturating_sub(tcp.expected)
    }

    /// Sends what the other end takes of the send queue, and the FIN behind it.
    #[inline]
    pub(crate) fn output(&mut self, id: SocketId) {
        self.push(id, false);
    }

    /// The same; `more` says that the program is about to send more (MSG_MORE).
    pub(crate) fn push(&mut self, id: SocketId, more: bool) {
        let entry = self.slab.at_mut(id);
        let tcp = &entry.connection.tcp;
        if tcp.fin_sent || (entry.send_queue.bytes.len() == 0 && !tcp.fin_due) {
            return;
        }
        // In the later states a FIN is due, and bytes may still wait before it.
        if !matches!(
            tcp.state,
            TcpState::Established | TcpState::CloseWait | TcpState::FinWait1 | TcpState::Closing | TcpState::LastAck
        ) {
            return;
        }
        match self.local_peer(id) {
            Some(peer) => self.push_locally(id, peer, more),
            None => self.flow_by_segments(id, more),
        }
        self.push_fin(id);
        self.mind_the_rest(id);
    }

    /// Within a host only what is corked waits.
    fn push_locally(&mut self, id: SocketId, peer: SocketId, more: bool) {
        let entry = self.at(id);
        let held = entry.send_queue.bytes.len();
        let most = match is_held_back(entry, more) {
            true => held - held % entry.segment_size(&self.world) as usize,
            false => held,
        };
        self.flow_locally(id, peer, most);
        let now = self.log.now;
        let clock = &mut self.at_mut(id).connection.tcp.clock;
        if most == held {
            clock.unset();
        } else if clock.pending == Pending::Nothing {
            clock.set(Pending::WindowProbe, now + RTO_LEAST);
            self.arm(id);
        }
    }

    /// Sends the FIN, when everything before it has been sent.
    fn push_fin(&mut self, id: SocketId) {
        let entry = self.slab.at_mut(id);
        let waiting = entry.send_queue.bytes.len() as u64;
        let now = self.log.now;
        let tcp = &mut entry.connection.tcp;
        if !tcp.fin_due || tcp.fin_sent || tcp.next - tcp.unacked != waiting {
            return;
        }
        let seq = tcp.next;
        if let Some(wire) = tcp.wire.as_deref_mut() {
            if tcp.next >= tcp.edge {
                return;
            }
            wire.flight.push(seq, seq + 1, now);
        }
        tcp.next += 1;
        tcp.fin_sent = true;
        self.emit(id, bit::FIN | bit::ACK, seq, None);
        self.schedule(id, false);
    }

    /// Sees to it that what was not sent, with nothing on its way that would bring an answer, is not forgotten.
    #[inline]
    fn mind_the_rest(&mut self, id: SocketId) {
        let now = self.log.now;
        let entry = self.slab.at_mut(id);
        let waiting = entry.send_queue.bytes.len() as u64;
        let tcp = &mut entry.connection.tcp;
        let left = waiting > tcp.sent_bytes() || tcp.fin_due && !tcp.fin_sent;
        let Some(wire) = tcp.wire.as_deref() else { return };
        if left && wire.flight.out == 0 && tcp.clock.pending == Pending::Nothing {
            let wait = wire.trip.rto.max(RTO_LEAST);
            tcp.clock.set(Pending::WindowProbe, now + wait);
            self.arm(id);
        }
    }

    /// Sends the rest of a corked queue within a host.
    pub(crate) fn flush(&mut self, id: SocketId) {
        if let Some(peer) = self.local_peer(id) {
            self.flow_locally(id, peer, self.at(id).send_queue.bytes.len());
        }
    }

    fn flow_by_segments(&mut self, id: SocketId, more: bool) {
        let Path::Link { network, .. } = self.at(id).connection.path else { return self.flow_unheard(id) };
        let units = self.world.takes_units(network) && !self.fabric.wants_packets();
        let mut sent_some = false;
        let was_writable = self.at(id).low_water() == 0 || self.at(id).tcp_writable();
        let stopped = loop {
            match self.next_length(id, more, units) {
                Ok(len) => self.send_new(id, len, units),
                Err(stopped) => break stopped,
            }
            sent_some = true;
            let entry = self.slab.at_mut(id);
            if entry.connection.tcp.sent_bytes() == entry.send_queue.bytes.len() as u64 {
                break false;
            }
        };
        let tcp = &mut self.slab.at_mut(id).connection.tcp;
        if let Some(wire) = tcp.wire.as_deref_mut() {
            wire.congestion.sent_up_to(tcp.next, tcp.unacked, wire.flight.out, stopped);
        }
        if sent_some {
            self.schedule(id, false);
        }
        // With a low-water mark, what is sent makes room as what is acknowledged does.
        let entry = self.slab.at_mut(id);
        if !was_writable && entry.tcp_writable() {
            self.log.notify(entry, poll::WRITE);
        }
    }

    /// Within a host the peer that is left does not read: the first segment brings its reset. A socket that called itself
    /// does.
    fn flow_unheard(&mut self, id: SocketId) {
        loop {
            let entry = self.slab.at_mut(id);
            let tcp = &mut entry.connection.tcp;
            let sent = tcp.sent_bytes() as usize;
            let left = entry.send_queue.bytes.len() - sent;
            if left == 0 {
                return;
            }
            let chunk = entry.send_queue.bytes.share(&mut self.pool, sent, left.min(SEGMENT));
            let seq = tcp.next;
            tcp.next += chunk.len() as u64;
            tcp.bytes_out += chunk.len() as u64;
            self.emit(id, bit::ACK, seq, Some(chunk));
        }
    }

    /// How many bytes the next segment has: what the congestion window, the other end's window and the wish for full
    /// packets allow. `units` says that the link takes many packets at once.
    ///
    /// # Errors
    /// Nothing is to be sent; whether the congestion window is why.
    #[inline]
    fn next_length(&mut self, id: SocketId, more: bool, units: bool) -> Result<usize, bool> {
        let now = self.log.now;
        let entry = self.slab.at_mut(id);
        let waiting = entry.send_queue.bytes.len();
        let mss = entry.connection.tcp.wire.as_deref().map_or(0, |wire| wire.flight.mss as usize);
        let left = waiting - entry.connection.tcp.sent_bytes() as usize;
        if left == 0 {
            return Err(false);
        }
        let held = is_held_back(entry, more);
        let tcp = &mut entry.connection.tcp;
        let wire = tcp.wire.as_deref_mut().ok_or(false)?;
        let idle = now - tcp.last_sent;
        if wire.flight.out == 0 && idle > wire.trip.rto && tcp.last_sent != 0 {
            wire.congestion.restart(idle, wire.trip.rto);
        }
        let quota = wire.quota() as usize;
        if quota == 0 {
            return Err(true);
        }
        let window = tcp.edge.saturating_sub(tcp.next) as usize;
        if left.min(mss) > window || left < mss && held {
            return Err(false);
        }
        let most = if units { (quota * mss).min(SEGMENT) } else { mss };
        let len = left.min(most).min(window);
        let part = len % mss;
        Ok(if part != 0 && len > mss && (len < left || held) { len - part } else { len })
    }

    /// Sends bytes that have not been sent.
    fn send_new(&mut self, id: SocketId, len: usize, units: bool) {
        let now = self.log.now;
        let entry = self.slab.at_mut(id);
        let tcp = &mut entry.connection.tcp;
        let offset = (tcp.next - tcp.unacked) as usize;
        let chunk = match units {
            true => entry.send_queue.bytes.share(&mut self.pool, offset, len),
            false => entry.send_queue.bytes.gather(&mut self.pool, offset, len),
        };
        let seq = tcp.next;
        tcp.next += chunk.len() as u64;
        tcp.bytes_out += chunk.len() as u64;
        let last = tcp.next - tcp.unacked == entry.send_queue.bytes.len() as u64;
        let mut bits = if last { bit::ACK | bit::PSH } else { bit::ACK };
        let mut end = tcp.next;
        if last && tcp.fin_due && !tcp.fin_sent && tcp.next < tcp.edge {
            bits |= bit::FIN;
            tcp.next += 1;
            end += 1;
            tcp.fin_sent = true;
        }
        if let Some(wire) = tcp.wire.as_deref_mut() {
            wire.flight.push(seq, end, now);
            if chunk.len() < wire.flight.mss as usize {
                wire.small_end = end;
            }
        }
        self.emit(id, bits, seq, Some(chunk));
    }

    /// Sends a record of what is in flight again, or its first packet. `probe` says that it is not taken for lost.
    pub(crate) fn send_again(&mut self, id: SocketId, index: usize, probe: bool) {
        let now = self.log.now;
        let entry = self.slab.at_mut(id);
        let tcp = &mut entry.connection.tcp;
        let Some(wire) = tcp.wire.as_deref_mut() else { return };
        wire.flight.cut(index);
        let Some(&sent) = wire.flight.get(index) else { return };
        let fin = tcp.fin_sent && sent.end == tcp.next;
        let len = (sent.end - sent.seq - u64::from(fin)) as usize;
        wire.flight.sent_again(index, now, probe);
        if wire.again_since == 0 && !probe {
            wire.again_since = now;
        }
        wire.packets_again += 1;
        wire.bytes_again += len as u64;
        let offset = (sent.seq - tcp.unacked) as usize;
        let chunk = (len > 0).then(|| entry.send_queue.bytes.gather(&mut self.pool, offset, len));
        tcp.bytes_out += len as u64;
        let bits = bit::ACK | if fin { bit::FIN } else { 0 };
        self.emit(id, bits, sent.seq, chunk);
    }

    /// Sends again what is lost, and then what is new, as far as the congestion window allows.
    #[inline]
    pub(crate) fn resend_and_output(&mut self, id: SocketId) {
        while let Some(wire) = self.slab.at_mut(id).connection.tcp.wire.as_deref() {
            if wire.flight.lost == 0 || wire.quota() == 0 {
                break;
            }
            let Some(index) = wire.flight.next_lost() else { break };
            let rto = wire.trip.rto;
            self.send_again(id, index, false);
            if index == 0 {
                let due = self.log.now + rto;
                self.at_mut(id).connection.tcp.clock.set(Pending::Retransmit, due);
                self.arm(id);
            }
        }
        self.output(id);
    }

    /// The tail of what was sent has not been acknowledged for two round trips: a packet more brings out whether it was
    /// lost (RFC 8985, 7.3). New data if there is any and it may go, else the last packet again.
    pub(crate) fn probe_tail(&mut self, id: SocketId) {
        let now = self.log.now;
        let entry = self.slab.at_mut(id);
        let waiting = entry.send_queue.bytes.len() as u64;
        let tcp = &mut entry.connection.tcp;
        let left = waiting.saturating_sub(tcp.next - tcp.unacked);
        let Some(wire) = tcp.wire.as_deref_mut() else { return };
        if wire.flight.out == 0 {
            return;
        }
        let window = tcp.edge.saturating_sub(tcp.next);
        let new = left.min(u64::from(wire.flight.mss));
        if wire.is_probing_tail() {
            return self.rearm_retransmission(id);
        }
        if left > 0 && new <= window {
            self.send_new(id, new as usize, false);
        } else {
            let Some(index) = wire.flight.last_packet() else { return };
            self.send_again(id, index, true);
        }
        let tcp = &mut self.at_mut(id).connection.tcp;
        let next = tcp.next;
        let Some(wire) = tcp.wire.as_deref_mut() else { return };
        wire.tail_probed(next, !(left > 0 && new <= window));
        let due = now + wire.trip.rto;
        tcp.clock.set(Pending::Retransmit, due);
    }

    /// Sends something that the other end answers: what fits of what waits, or a segment before its window.
    pub(crate) fn wake_up(&mut self, id: SocketId) {
        let entry = self.slab.at_mut(id);
        let waiting = entry.send_queue.bytes.len() as u64;
        let tcp = &mut entry.connection.tcp;
        let left = waiting.saturating_sub(tcp.sent_bytes());
        let window = tcp.edge.saturating_sub(tcp.next);
        let mss = tcp.wire.as_deref().map_or(SEGMENT as u64, |wire| u64::from(wire.flight.mss));
        if left > 0 && window > 0 && !tcp.fin_sent {
            self.send_new(id, left.min(window).min(mss) as usize, false);
            return self.schedule(id, false);
        }
        if tcp.fin_due && !tcp.fin_sent && left == 0 && window > 0 {
            return self.push_fin(id);
        }
        let before = tcp.unacked.saturating_sub(1);
        self.emit(id, bit::ACK, before, None);
    }

    /// Sends what was held back (TCP_NODELAY on, TCP_CORK off).
    pub(crate) fn tcp_push_out(&mut self, id: SocketId) {
        self.output(id);
        self.pump();
    }

    /// TCP_QUICKACK: on, what is owed goes out and the next ones do not wait; off, they go with answers.
    pub(crate) fn tcp_quick_ack(&mut self, id: SocketId, on: bool) {
        let entry = self.slab.at_mut(id);
        let emptied = entry.receive_queue.is_empty();
        let tcp = &mut entry.connection.tcp;
        let takes = tcp.can_receive();
        let Some(wire) = tcp.wire.as_deref_mut() else { return };
        wire.acks.set_quick(on);
        if on && takes && wire.acks.is_due_after_read(tcp.expected, emptied) {
            self.emit_ack(id);
        }
    }
}
