//! The socket table's place in the kernel.

use crate::fs::file::FileRef;
use crate::machine::Machine;
use crate::mem::Iov;
use crate::sched::{Sched, Waiter};
use crate::{Answer, Cx, Kernel};
use alloc::vec::Vec;
use snowglobe_abi::errno::{Errno, Result};
use snowglobe_abi::spec::{Nanos, WorldSpec};

/// Names a socket.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct SocketId(pub u32);

/// The table and who waits on its entries.
pub struct Sockets {}

/// A blocked call on a socket.
pub struct SocketWait {
    /// On which.
    pub socket: SocketId,
}

impl SocketWait {
    /// What the call gives when its time is up.
    pub fn timed_out(&self) -> Result<i64> {
        Err(Errno::EAGAIN)
    }
    /// What has been done already, if a signal may end the call with it.
    pub fn partial(&self) -> Option<i64> {
        None
    }
}

impl Sockets {
    /// An empty table.
    pub fn new(_spec: &WorldSpec) -> Sockets {
        Sockets {}
    }
    /// Poll bits.
    pub fn readiness(&self, _id: SocketId) -> u32 {
        0
    }
    /// Hangs a waiter in an entry's queue.
    pub fn watch(&self, _id: SocketId, _waiter: Waiter, _sched: &Sched) {}
    /// O_NONBLOCK has changed.
    pub fn set_nonblocking(&mut self, _id: SocketId, _on: bool) {}
}

impl Kernel {
    /// The last descriptor of a socket is closed.
    pub fn close_socket(&mut self, _id: SocketId, _m: &mut dyn Machine) {}
    /// Something in flight arrives.
    pub fn network_due(&mut self) {}
    /// When SO_RCVTIMEO or SO_SNDTIMEO ends a wait that begins now.
    pub fn socket_deadline(&self, _file: &FileRef, _read: bool) -> Option<Nanos> {
        None
    }
}

impl Cx<'_> {
    /// `read` of a socket.
    ///
    /// # Errors
    /// What `recv` gives.
    pub fn read_socket(&mut self, _id: SocketId, _iov: &Iov) -> Result<u64> {
        Err(Errno::EAGAIN)
    }
    /// `write` to a socket.
    ///
    /// # Errors
    /// What `send` gives.
    pub fn write_socket(&mut self, _id: SocketId, _iov: &Iov, _done: u64) -> Result<u64> {
        Err(Errno::EAGAIN)
    }
    /// Sends bytes of the kernel's own.
    ///
    /// # Errors
    /// What `send` gives.
    pub fn put_socket(&mut self, _id: SocketId, _data: &[u8]) -> Result<usize> {
        Err(Errno::EAGAIN)
    }
    /// Takes bytes for the kernel's own use.
    ///
    /// # Errors
    /// What `recv` gives.
    pub fn take_socket(&mut self, _id: SocketId, _max: usize) -> Result<Vec<u8>> {
        Err(Errno::EAGAIN)
    }
    /// Goes on with a blocked call.
    ///
    /// # Errors
    /// `EAGAIN` while it must wait.
    pub fn socket_now(&mut self, _wait: &mut SocketWait) -> Result<i64> {
        Err(Errno::EAGAIN)
    }
    /// `ioctl` of a socket.
    pub fn socket_ioctl(&mut self, _id: SocketId, _cmd: u32, _arg: u64) -> Answer {
        Err(Errno::ENOTTY.into())
    }
}

impl Sockets {
    /// A table of `/proc/net`.
    ///
    /// # Errors
    /// `ENOENT` for one that is not there.
    pub fn proc_net(&self, _host: u32, _name: &str) -> Result<Vec<u8>> {
        Ok(Vec::new())
    }
}
