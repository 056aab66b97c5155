//! Within a host: bytes go straight from one socket's program into the other one's receive queue. Nothing is lost on that
//! way, and nothing is acknowledged.

use super::{Tcp, Urgent, receive_room};
use crate::call::SocketId;
use crate::entry::{Entry, Path, SHUT_BOTH};
use crate::io::Source;
use crate::linux::poll;
use crate::table::SocketTable;
use snowglobe_abi::Errno;

impl<R: Clone> SocketTable<R> {
    /// The peer, if bytes can go straight into its receive queue.
    #[inline]
    pub(crate) fn local_peer(&self, id: SocketId) -> Option<SocketId> {
        let entry = self.at(id);
        let peer = entry.connection.peer.filter(|&p| p != id && entry.connection.path == Path::Local)?;
        let other = &self.at(peer).connection;
        let takes = other.open && other.shut != SHUT_BOTH && other.tcp.can_receive();
        (takes && !other.service).then_some(peer)
    }

    /// Puts bytes into the receive queue of a peer on the same host.
    #[inline]
    pub(crate) fn send_locally(
        &mut self,
        id: SocketId,
        peer: SocketId,
        source: &mut dyn Source,
        len: usize,
        urgent: bool,
    ) -> (usize, Option<Errno>) {
        let Some([entry, other]) = self.slab.pair(id, peer) else { return (0, None) };
        let room = receive_room(other);
        if entry.send_queue.bytes.len() != 0 || room == 0 {
            return (0, None);
        }
        let (n, fault) = other.receive_queue.bytes.push_from(&mut self.pool, source, len.min(room));
        if n > 0 {
            pass_along(entry, other, n, self.log.now);
            let mut activity = poll::READ;
            if urgent && n == len {
                other.connection.tcp.urgent = Some(Urgent { at: other.connection.tcp.expected - 1, taken: false });
                activity |= poll::PRI;
            }
            self.log.delivered(other, n);
            self.log.settle(other);
            self.log.notify(other, activity);
            self.capture_local(id, peer, n);
        }
        (n, fault)
    }

    /// Moves the first `most` bytes of the send queue to the receive queue of a peer on the same host, as far as it has room.
    pub(crate) fn flow_locally(&mut self, id: SocketId, peer: SocketId, most: usize) {
        let Some([entry, other]) = self.slab.pair(id, peer) else { return };
        let was_writable = entry.tcp_writable();
        let n = most.min(receive_room(other));
        if n == 0 {
            return;
        }
        entry.send_queue.bytes.move_to(&mut other.receive_queue.bytes, &mut self.pool, n);
        entry.send_queue.head += n as u64;
        pass_along(entry, other, n, self.log.now);
        self.log.delivered(other, n);
        self.log.settle(other);
        self.log.settle(entry);
        self.log.notify(other, poll::READ);
        if !was_writable && entry.tcp_writable() {
            self.log.notify(entry, poll::WRITE);
        }
        self.capture_local(id, peer, n);
    }
}

/// Counts bytes that went from one end to the other without a segment.
#[inline]
fn pass_along<R>(from: &mut Entry<R>, to: &mut Entry<R>, n: usize, now: u64) {
    let sender: &mut Tcp = &mut from.connection.tcp;
    sender.next += n as u64;
    sender.unacked = sender.next;
    sender.bytes_out += n as u64;
    sender.segments_out += 1;
    sender.last_sent = now;
    if let Some(at) = sender.urgent_out.take_if(|at| *at < sender.next) {
        to.connection.tcp.urgent = Some(Urgent { at, taken: false });
    }
    let receiver = &mut to.connection.tcp;
    receiver.expected += n as u64;
    receiver.bytes_in += n as u64;
    receiver.segments_in += 1;
    receiver.last_received = now;
}
