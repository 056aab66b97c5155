//! System V objects and POSIX message queues of a host.

use crate::sched::Waiter;
use crate::task::{ProcId, TaskId};
use crate::{Cx, Kernel};
use snowglobe_abi::errno::{Errno, Result};

/// A host's objects.
#[derive(Default)]
pub struct Ipc {}

/// A blocked call on one of them.
pub struct IpcWait {}

impl IpcWait {
    /// What the call gives when its time is up.
    pub fn timed_out(&self) -> Errno {
        Errno::EAGAIN
    }
}

impl Kernel {
    /// Hangs a waiter in an object's queue.
    pub fn ipc_watch(&self, _task: TaskId, _wait: &IpcWait, _waiter: Waiter) {}
}

impl Cx<'_> {
    /// Goes on with a blocked call.
    ///
    /// # Errors
    /// `EAGAIN` while it must wait.
    pub fn ipc_now(&mut self, _wait: &mut IpcWait) -> Result<i64> {
        Err(Errno::EAGAIN)
    }
}

/// Takes back a process's semaphore adjustments (SEM_UNDO).
pub fn undo_all(_k: &mut Kernel, _proc: ProcId) {}
