//! Epoll instances (`epoll(7)`).
//!
//! An item hangs in the wait queue of what it watches; an event there puts it on its instance's ready list, so that
//! `epoll_wait` costs what is ready and not what is watched.

use super::file::{FileRef, OpenFile};
use crate::sched::{Sched, WaitQueue};
use crate::uapi::*;
use alloc::collections::{BTreeMap, VecDeque};
use alloc::rc::{Rc, Weak};
use core::cell::{Cell, RefCell};

/// An instance.
#[derive(Default)]
pub struct Epoll {
    /// Items by descriptor and description.
    pub items: RefCell<BTreeMap<(i32, u64), Rc<EpollItem>>>,
    /// Items that may be ready, in the order in which they became so.
    pub ready: RefCell<VecDeque<Rc<EpollItem>>>,
    /// Who waits on the instance.
    pub queue: WaitQueue,
}

/// A watched descriptor.
pub struct EpollItem {
    /// The instance.
    pub epoll: Weak<Epoll>,
    /// What is watched; gone when all its descriptors are closed.
    pub file: Weak<OpenFile>,
    /// Under which it was added.
    pub key: (i32, u64),
    /// Events asked for, with EPOLLET and its kin.
    pub events: Cell<u32>,
    /// What `epoll_wait` gives back.
    pub data: Cell<u64>,
    /// Whether it is on the ready list.
    pub queued: Cell<bool>,
    /// Whether EPOLLONESHOT has disabled it.
    pub disabled: Cell<bool>,
}

impl EpollItem {
    /// Something happened on what is watched.
    ///
    /// Says whether that was for one only (EPOLLEXCLUSIVE), and found one who waits.
    pub fn notify(self: &Rc<Self>, sched: &mut Sched, events: u32) -> bool {
        if self.disabled.get() || events & (self.events.get() | POLLERR | POLLHUP) == 0 {
            return false;
        }
        let Some(epoll) = self.epoll.upgrade() else { return false };
        if !self.queued.replace(true) {
            epoll.ready.borrow_mut().push_back(self.clone());
        }
        let found = self.is_exclusive() && epoll.queue.holds_task(sched);
        epoll.queue.wake(sched, POLLIN | POLLRDNORM);
        found
    }

    /// Whether it was added with EPOLLEXCLUSIVE.
    pub fn is_exclusive(&self) -> bool {
        self.events.get() & EPOLLEXCLUSIVE != 0
    }

    /// What is watched, if it is still open.
    pub fn target(&self) -> Option<FileRef> {
        self.file.upgrade()
    }
}
