//! The world's name service.
use crate::call::SocketId;
use crate::fabric::Packet;
use crate::table::SocketTable;
use crate::tcp::Arrival;

impl<R: Clone> SocketTable<R> {
    pub(crate) fn resolver_answers(&mut self, _packet: Packet) {}
    pub(crate) fn resolver_accepts(&mut self, packet: &Arrival) -> bool {
        self.for_resolver(packet) && false
    }
    pub(crate) fn resolver_serves(&mut self, _id: SocketId) {}
}
