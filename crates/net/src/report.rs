//! The texts of `/proc/net` and `struct tcp_info`.
use crate::call::SocketId;
use crate::table::SocketTable;
use alloc::vec::Vec;
use snowglobe_abi::Errno;

impl<R: Clone> SocketTable<R> {
    pub(crate) fn tcp_info(&mut self, _id: SocketId) -> Result<Vec<u8>, Errno> {
        Ok(alloc::vec![0; 248])
    }
    pub(crate) fn path_mtu(&self, _id: SocketId) -> Result<u32, Errno> {
        Ok(65535)
    }
}
