//! What programs call: send, receive, shut down, close.

use super::{SECOND, SEGMENT, TcpState, Urgent, WINDOW_MOST};
use crate::call::{Close, Connect, How, Received, Send, SocketId};
use crate::entry::{Entry, Path, Phase, SHUT_BOTH, SHUT_RECEIVE, SHUT_SEND};
use crate::io::{Sink, Source};
use crate::linux::{msg, poll};
use crate::options::Flag;
use crate::table::SocketTable;
use snowglobe_abi::Errno;

impl<R: Clone> SocketTable<R> {
    #[inline]
    pub(crate) fn tcp_send(&mut self, id: SocketId, source: &mut dyn Source, call: &Send<R>) -> Result<usize, Errno> {
        if call.flags & msg::FASTOPEN != 0 {
            self.open_by_sending(id, call)?;
        }
        let entry = self.at_mut(id);
        if !entry.connection.tcp.can_send() || entry.connection.error.is_some() || entry.is_shut(SHUT_SEND) {
            return Err(no_send(entry));
        }
        if call.len == 0 {
            return Ok(0);
        }
        let (urgent, more) = (call.flags & msg::OOB != 0, call.flags & msg::MORE != 0);
        let corked = more || entry.local.options.flag(Flag::Cork);
        let mut done = 0;
        let mut fault = None;
        if !corked && let Some(peer) = self.local_peer(id) {
            (done, fault) = self.send_locally(id, peer, source, call.len, urgent);
        }
        let few = self.at(id).low_water() != 0;
        while done < call.len && fault.is_none() {
            // Linux looks at the low-water mark whenever it has filled a buffer, and sends in between.
            let most = match few {
                true if self.at(id).unsent() >= self.at(id).low_water() => break,
                true => SEGMENT,
                false => usize::MAX,
            };
            let (queued, error) = self.send_queued(id, source, (call.len - done).min(most), urgent, more);
            done += queued;
            fault = error;
            if !few || queued == 0 {
                break;
            }
        }
        let entry = self.slab.at_mut(id);
        if done == 0 {
            return Err(fault.unwrap_or(Errno::EAGAIN));
        }
        if self.log.tracing {
            let to = entry.remote.address.clone();
            self.log.sent(entry, done, &to);
        }
        Ok(done)
    }

    /// MSG_FASTOPEN (tcp(7)). By Linux's defaults no server gives the cookie that data in a SYN needs, so this connects
    /// first and then sends.
    #[cold]
    fn open_by_sending(&mut self, id: SocketId, call: &Send<R>) -> Result<(), Errno> {
        let entry = self.at(id);
        let begun = entry.connection.outcome_due || entry.connection.tcp.state != TcpState::Close;
        if begun && !entry.connection.outcome_due {
            return Ok(());
        }
        let waits = entry.local.blocking && call.flags & msg::DONTWAIT == 0;
        let Some(to) = call.dest else { return if begun { Ok(()) } else { Err(Errno::EINVAL) } };
        match self.tcp_connect(id, to) {
            Ok(Connect::Done) => Ok(()),
            Ok(Connect::InProgress) if !waits => Err(Errno::EINPROGRESS),
            Ok(Connect::InProgress) => Err(Errno::EAGAIN),
            Err(Errno::EALREADY) if waits => Err(Errno::EAGAIN),
            Err(e) => Err(e),
        }
    }

    /// Puts bytes into the send queue and sends what the other end takes.
    fn send_queued(
        &mut self,
        id: SocketId,
        source: &mut dyn Source,
        len: usize,
        urgent: bool,
        more: bool,
    ) -> (usize, Option<Errno>) {
        let entry = self.slab.at_mut(id);
        let room = entry.send_capacity().saturating_sub(entry.send_queue.bytes.len());
        let (n, fault) = entry.send_queue.bytes.push_from(&mut self.pool, source, len.min(room));
        if n > 0 {
            if urgent && n == len {
                let tcp = &mut entry.connection.tcp;
                tcp.urgent_out = Some(tcp.unacked + entry.send_queue.bytes.len() as u64 - 1);
            }
            self.log.settle(entry);
            self.push(id, more);
            self.pump();
        }
        (n, fault)
    }

    pub(crate) fn tcp_recv(
        &mut self,
        id: SocketId,
        sink: &mut dyn Sink,
        len: usize,
        flags: u32,
    ) -> Result<Received<R>, Errno> {
        if flags & msg::OOB != 0 {
            return self.tcp_recv_urgent(id, sink, len, flags);
        }
        let entry = self.slab.at_mut(id);
        if entry.connection.tcp.urgent.is_some() {
            pass_urgent(entry, &mut self.pool);
        }
        let entry = self.slab.at_mut(id);
        let held = readable_to_mark(entry);
        if held == 0 {
            return no_receive(entry);
        }
        let n = held.min(len);
        // tcp(7): MSG_TRUNC "causes the received bytes of data to be discarded".
        let (got, fault) = match flags & msg::TRUNC {
            0 => entry.receive_queue.bytes.copy_out(0, n, sink),
            _ => (n, None),
        };
        if got == 0
            && let Some(fault) = fault
        {
            return Err(fault);
        }
        if flags & msg::PEEK == 0 {
            self.tcp_consume(id, got);
        }
        Ok(Received {
            more: fault.is_none() && got < held || got == held && flags & msg::PEEK == 0,
            ..Received::stream(got)
        })
    }

    /// Takes bytes that were read off the receive queue, and lets the sender go on.
    #[inline]
    fn tcp_consume(&mut self, id: SocketId, n: usize) {
        let entry = self.slab.at_mut(id);
        entry.receive_queue.consume(&mut self.pool, n);
        self.log.settle(entry);
        let locked = entry.local.options.receive_locked();
        let held = entry.receive_queue.bytes.len();
        let tcp = &mut entry.connection.tcp;
        tcp.read += n as u64;
        // Linux's dynamic right-sizing, coarsely: a program that reads what comes gets a larger window.
        if tcp.read > u64::from(tcp.window) * 2 && tcp.window < WINDOW_MOST && !locked {
            tcp.window = (tcp.window * 2).min(WINDOW_MOST);
            tcp.read = 0;
        }
        match entry.connection.path {
            Path::Local => {
                if let Some(peer) = entry.connection.peer
                    && !self.at(peer).send_queue.is_empty()
                {
                    self.output(peer);
                    self.pump();
                }
            }
            _ => self.acknowledge_reading(id, held == 0),
        }
    }

    /// What a read tells the other end, if anything (Linux's `tcp_cleanup_rbuf`): that the window has at least doubled, or
    /// an acknowledgement that was owed and has no data to go with.
    #[inline]
    fn acknowledge_reading(&mut self, id: SocketId, emptied: bool) {
        let entry = self.slab.at_mut(id);
        let tcp = &entry.connection.tcp;
        let Some(wire) = tcp.wire.as_deref() else { return };
        if wire.acks.is_due_after_read(tcp.expected, emptied) {
            return self.emit_ack(id);
        }
        let (told, window) = (tcp.advertised.saturating_sub(tcp.expected), u64::from(tcp.window));
        if !tcp.can_receive() || entry.connection.shut & SHUT_RECEIVE != 0 || 2 * told > window {
            return;
        }
        let offered = self.offered_window(id);
        if offered > 0 && offered >= 2 * told {
            self.emit_ack(id);
        }
    }

    /// MSG_OOB.
    fn tcp_recv_urgent(
        &mut self,
        id: SocketId,
        sink: &mut dyn Sink,
        len: usize,
        flags: u32,
    ) -> Result<Received<R>, Errno> {
        let entry = self.slab.at_mut(id);
        let inline = entry.local.options.flag(Flag::OobInline);
        let head = entry.receive_queue.head;
        // recv(2): EINVAL "No out-of-band data", or it is read inline, or has been read.
        let urgent = entry.connection.tcp.urgent.filter(|u| !inline && !u.taken).ok_or(Errno::EINVAL)?;
        let offset = urgent.at.checked_sub(head).ok_or(Errno::EINVAL)? as usize;
        if offset >= entry.receive_queue.bytes.len() {
            return Err(Errno::EAGAIN);
        }
        if len > 0 {
            let (_, fault) = entry.receive_queue.bytes.copy_out(offset, 1, sink);
            if let Some(fault) = fault {
                return Err(fault);
            }
        }
        if flags & msg::PEEK == 0 {
            entry.connection.tcp.urgent = Some(Urgent { taken: true, ..urgent });
        }
        Ok(Received { flags: msg::OOB, more: false, ..Received::stream(len.min(1)) })
    }

    pub(crate) fn tcp_shutdown(&mut self, id: SocketId, how: How) -> Result<(), Errno> {
        let entry = self.at_mut(id);
        match entry.connection.tcp.state {
            TcpState::Listen => {
                // Linux: a listening socket whose receive side is shut listens no more.
                if how != How::Write {
                    self.stop_listening(id);
                    let entry = self.at_mut(id);
                    entry.connection.phase = entry.idle_phase();
                    self.settle(id);
                    self.notify(id, poll::ANY);
                    self.pump();
                }
                return Ok(());
            }
            TcpState::SynSent => {
                self.end_connection(id);
                self.unconnect(id);
                self.notify(id, poll::ANY);
                return Ok(());
            }
            TcpState::Close | TcpState::TimeWait => return Err(Errno::ENOTCONN),
            _ => {}
        }
        let before = entry.connection.shut;
        entry.connection.shut |= how.bits();
        entry.connection.phase = entry.shut_phase(Phase::Connected);
        self.settle(id);
        self.notify(id, poll::ANY);
        if how.bits() & SHUT_SEND != 0 && before & SHUT_SEND == 0 {
            self.end_sending(id);
        }
        self.pump();
        Ok(())
    }

    /// Lets a FIN follow what is in the send queue.
    fn end_sending(&mut self, id: SocketId) {
        let tcp = &mut self.at_mut(id).connection.tcp;
        tcp.state = match tcp.state {
            TcpState::Established => TcpState::FinWait1,
            TcpState::CloseWait => TcpState::LastAck,
            // It follows when the connection is made.
            TcpState::SynReceived => TcpState::SynReceived,
            _ => return,
        };
        tcp.fin_due = true;
        self.output(id);
    }

    pub(crate) fn tcp_close(&mut self, id: SocketId) -> Close {
        let entry = self.at_mut(id);
        entry.connection.open = false;
        let unread = entry.receive_queue.bytes.len() > 0;
        let linger = entry.local.options.linger;
        let state = entry.connection.tcp.state;
        entry.connection.shut = SHUT_BOTH;
        entry.connection.phase = Phase::Disconnected;
        self.settle(id);
        match state {
            TcpState::Listen => {
                self.stop_listening(id);
                self.tcp_closed(id);
            }
            TcpState::Close | TcpState::SynSent => self.tcp_closed(id),
            // RFC 2525, 2.17: data that was never read is answered by a reset; so is SO_LINGER with no time.
            _ if unread || linger == Some(0) || state == TcpState::SynReceived => {
                self.send_reset(id);
                self.tcp_closed(id);
            }
            TcpState::FinWait2 => self.wait_for_fin(id),
            _ => self.end_sending(id),
        }
        self.pump();
        match (linger, self.slab.get(id)) {
            (Some(seconds @ 1..), Some(e)) if !e.connection.open && e.connection.tcp.state != TcpState::FinWait2 => {
                Close::Linger { until: self.log.now + u64::from(seconds) * SECOND, unique: e.local.id }
            }
            _ => Close::Done,
        }
    }
}

/// Why a socket cannot send.
#[cold]
fn no_send<R>(entry: &mut Entry<R>) -> Errno {
    if let Some(error) = entry.connection.error.take() {
        return error;
    }
    match entry.connection.tcp.state {
        TcpState::SynSent | TcpState::SynReceived => Errno::EAGAIN,
        _ => Errno::EPIPE,
    }
}

/// What a receive gives when nothing is there to be read.
#[cold]
fn no_receive<R>(entry: &mut Entry<R>) -> Result<Received<R>, Errno> {
    let connection = &mut entry.connection;
    if connection.tcp.state == TcpState::Listen {
        return Err(Errno::ENOTCONN);
    }
    if let Some(error) = connection.error.take() {
        return Err(error);
    }
    if connection.shut & SHUT_RECEIVE != 0 {
        return Ok(Received::end());
    }
    if connection.tcp.state == TcpState::Close {
        return Err(Errno::ENOTCONN);
    }
    Err(Errno::EAGAIN)
}

/// Steps over an urgent byte that is not read inline, and forgets one that has been passed.
fn pass_urgent<R>(entry: &mut Entry<R>, pool: &mut crate::queue::Pool) {
    let inline = entry.local.options.flag(Flag::OobInline);
    let Some(urgent) = entry.connection.tcp.urgent else { return };
    let head = entry.receive_queue.head;
    if urgent.at == head && !inline && entry.receive_queue.bytes.len() > 0 {
        entry.receive_queue.consume(pool, 1);
        entry.connection.tcp.urgent = None;
    } else if urgent.at < head {
        entry.connection.tcp.urgent = None;
    }
}

/// Bytes up to an urgent mark that lies ahead: a read stops there (tcp(7)).
#[inline]
fn readable_to_mark<R>(entry: &Entry<R>) -> usize {
    let held = entry.receive_queue.bytes.len();
    match entry.connection.tcp.urgent {
        Some(urgent) if urgent.at > entry.receive_queue.head => {
            held.min((urgent.at - entry.receive_queue.head) as usize)
        }
        _ => held,
    }
}
