//! System V objects and POSIX message queues of a host (`sysvipc(7)`, `mq_overview(7)`).
//!
//! | Module | Content |
//! |---|---|
//! | [`ids`] | identifiers, keys, owners and rights of System V objects |
//! | [`shm`] | shared memory segments |
//! | [`sem`] | semaphore sets |
//! | [`msg`] | System V message queues |
//! | [`mqueue`] | POSIX message queues |
//!
//! Whoever makes it possible for a waiting call to be done does it on the spot: the call's task finds its result when it
//! runs next, and in between nobody can take it away.

pub mod ids;
pub mod mqueue;
pub mod msg;
pub mod sem;
pub mod shm;

use crate::task::{ProcId, TaskId};
use crate::time::SECOND;
use crate::{Cx, Kernel};
use alloc::collections::BTreeMap;
use alloc::rc::{Rc, Weak};
use alloc::vec::Vec;
use ids::Ids;
use mqueue::Mqueue;
use snowglobe_abi::errno::{Errno, Result};

/// A host's objects.
pub struct Ipc {
    /// Shared memory segments.
    pub segments: Ids<shm::Segment>,
    /// Semaphore sets.
    pub sets: Ids<sem::SemSet>,
    /// System V message queues.
    pub queues: Ids<msg::MsgQueue>,
    /// POSIX message queues by name.
    pub names: BTreeMap<Vec<u8>, Rc<Mqueue>>,
    /// All that live, those without a name too.
    pub mqueues: Vec<Weak<Mqueue>>,
}

impl Default for Ipc {
    fn default() -> Ipc {
        Ipc {
            segments: Ids::new(shm::MAX_SEGMENTS),
            sets: Ids::new(sem::MAX_SETS),
            queues: Ids::new(msg::MAX_QUEUES),
            names: BTreeMap::new(),
            mqueues: Vec::new(),
        }
    }
}

/// A blocked call on one of them.
pub enum IpcWait {
    /// `semop` on a set.
    Sem {
        /// The host.
        host: u32,
        /// The set.
        id: u32,
    },
    /// `msgsnd`.
    Send {
        /// The host.
        host: u32,
        /// The queue.
        id: u32,
    },
    /// `msgrcv`.
    Receive {
        /// The host.
        host: u32,
        /// The queue.
        id: u32,
        /// Where type and text go.
        addr: u64,
        /// Bytes of text that fit.
        size: u64,
    },
    /// `mq_timedsend`.
    MqSend(Rc<Mqueue>),
    /// `mq_timedreceive`.
    MqReceive {
        /// From which.
        queue: Rc<Mqueue>,
        /// Where the text goes.
        addr: u64,
        /// Where the priority goes, or 0.
        priority: u64,
    },
}

impl IpcWait {
    /// What the call gives when its time is up.
    pub fn timed_out(&self) -> Errno {
        match self {
            IpcWait::MqSend(_) | IpcWait::MqReceive { .. } => Errno::ETIMEDOUT,
            _ => Errno::EAGAIN,
        }
    }
}

impl Kernel {
    /// Wall clock in seconds, as objects note it.
    pub fn seconds(&self) -> u64 {
        self.realtime() / SECOND
    }

    /// Wakes tasks whose calls have their results.
    pub fn wake_all(&mut self, tasks: impl IntoIterator<Item = TaskId>) {
        for task in tasks {
            self.sched.wake(task);
        }
    }

    /// A call waits no longer, whatever became of it.
    pub fn ipc_forget(&mut self, task: TaskId, wait: &IpcWait) {
        match wait {
            IpcWait::Sem { host, id } => {
                if let Ok(set) = self.ipc[*host as usize].sets.get_mut(*id) {
                    set.forget(task);
                }
            }
            IpcWait::Send { host, id } | IpcWait::Receive { host, id, .. } => {
                if let Ok(queue) = self.ipc[*host as usize].queues.get_mut(*id) {
                    queue.forget(task);
                }
            }
            IpcWait::MqSend(queue) | IpcWait::MqReceive { queue, .. } => queue.forget(task),
        }
    }
}

impl Cx<'_> {
    /// The objects of the caller's host.
    pub fn ipc(&mut self) -> &mut Ipc {
        let host = self.proc().host;
        &mut self.k.ipc[host.0 as usize]
    }

    /// The answer of a blocked call, if it has one.
    pub fn ipc_now(&mut self, wait: &IpcWait) -> Option<Result<i64>> {
        let task = self.task;
        match wait {
            IpcWait::Sem { host, id } => match self.k.ipc[*host as usize].sets.get(*id) {
                Ok(set) => Some(set.result(task)?.map(|()| 0)),
                Err(_) => Some(Err(Errno::EIDRM)),
            },
            IpcWait::Send { host, id } => match self.k.ipc[*host as usize].queues.get(*id) {
                Ok(queue) => queue.admitted(task).then_some(Ok(0)),
                Err(_) => Some(Err(Errno::EIDRM)),
            },
            IpcWait::Receive { host, id, addr, size } => match self.k.ipc[*host as usize].queues.get_mut(*id) {
                Ok(queue) => match queue.given(task)? {
                    Ok(message) => Some(self.put_message(&message, *addr, *size)),
                    Err(e) => Some(Err(e)),
                },
                Err(_) => Some(Err(Errno::EIDRM)),
            },
            IpcWait::MqSend(queue) => queue.admitted(task).then_some(Ok(0)),
            IpcWait::MqReceive { queue, addr, priority } => {
                let message = queue.given(task)?;
                Some(self.put_mq_message(&message, *addr, *priority))
            }
        }
    }
}

/// What the end of a process means for its host's objects: SEM_UNDO, and notifications that nobody waits for any more.
pub fn process_ended(k: &mut Kernel, proc: ProcId) {
    let (host, pid, now) = (k.proc(proc).host, k.proc(proc).pid, k.seconds());
    let mut woken = Vec::new();
    for set in k.ipc[host.0 as usize].sets.iter_mut() {
        set.exit(proc, pid, now, &mut woken);
    }
    k.wake_all(woken);
    let asked: Vec<_> = k.ipc[host.0 as usize].names.values().map(|queue| queue.unask(proc)).collect();
    asked.into_iter().for_each(|notify| k.mq_unasked(notify));
}

impl Kernel {
    /// Whether a process has adjustments of semaphores that its end would make.
    pub fn adjusts_semaphores(&self, proc: ProcId) -> bool {
        self.ipc[self.proc(proc).host.0 as usize].sets.iter().any(|(_, set)| set.adjusted_by(proc))
    }
}
