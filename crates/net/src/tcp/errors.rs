//! What the network says of a connection's packets.

use super::TcpState;
use crate::addr::Endpoint;
use crate::linux::poll;
use crate::ports::{Flow, FlowKey};
use crate::table::SocketTable;
use snowglobe_abi::Errno;

impl<R: Clone> SocketTable<R> {
    /// The network says what has become of a connection's packet (RFC 1122, 4.2.3.9; `tcp_v4_err`): it ends an attempt to connect. An
    /// established connection goes on trying, and ends with this error if that is in vain; who has asked for it is told.
    pub(crate) fn tcp_error(&mut self, host: u32, own: Endpoint, remote: Endpoint, error: Errno) {
        let Some(&Flow::Live(id)) = self.ports.flows.get(&FlowKey::new(host, own, remote)) else { return };
        let Some(entry) = self.slab.get_mut(id) else { return };
        match entry.connection.tcp.state {
            TcpState::SynSent => return self.fail(id, error),
            TcpState::SynReceived => return self.drop_half_open(id),
            TcpState::Close | TcpState::Listen => return,
            _ => {}
        }
        if entry.wants_reports(remote.ip) {
            entry.connection.error = Some(error);
            self.settle(id);
            self.notify(id, poll::ERR);
        } else if let Some(wire) = entry.connection.tcp.wire.as_deref_mut() {
            wire.soft = Some(error);
        }
    }
}
