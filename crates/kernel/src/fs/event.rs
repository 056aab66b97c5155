//! Descriptors that carry events: eventfd, signalfd, inotify.

use super::inode::InodeRef;
use crate::sched::WaitQueue;
use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::cell::{Cell, RefCell};

/// An eventfd (`eventfd(2)`).
#[derive(Default)]
pub struct EventFd {
    /// The counter.
    pub count: Cell<u64>,
    /// EFD_SEMAPHORE.
    pub semaphore: bool,
    /// Who waits on it.
    pub queue: WaitQueue,
}

/// A signalfd (`signalfd(2)`).
pub struct SignalFd {
    /// The signals that it reads.
    pub mask: Cell<u64>,
}

/// An inotify instance (`inotify(7)`).
#[derive(Default)]
pub struct Inotify {
    /// Watches: descriptor, inode, mask.
    pub watches: RefCell<Vec<(i32, InodeRef, u32)>>,
    /// Next watch descriptor.
    pub next: Cell<i32>,
    /// Events not yet read, as `struct inotify_event` and its name.
    pub events: RefCell<VecDeque<Vec<u8>>>,
    /// Who waits on it.
    pub queue: WaitQueue,
}
