//! Descriptors that carry events: eventfd, signalfd, inotify; and who is told of what happens to a file.

use super::file::OpenFile;
use super::inode::InodeRef;
use crate::sched::WaitQueue;
use crate::task::HostId;
use alloc::collections::VecDeque;
use alloc::rc::{Rc, Weak};
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

/// Who is told of what happens to an inode.
#[derive(Clone)]
pub enum Watcher {
    /// An instance, by the watch of this descriptor.
    Inotify(Weak<Inotify>, i32),
    /// Whoever owns a description of a directory (fcntl(2), F_NOTIFY).
    Owner(Notice),
}

impl Watcher {
    /// Whether it is this watch.
    pub fn is_watch(&self, of: &Rc<Inotify>, wd: i32) -> bool {
        matches!(self, Watcher::Inotify(inotify, w) if *w == wd && core::ptr::eq(inotify.as_ptr(), Rc::as_ptr(of)))
    }

    /// Whether a process asked for it by this description.
    pub fn is_asked(&self, of: &Rc<OpenFile>, by: u32) -> bool {
        matches!(self, Watcher::Owner(n) if n.by == by && core::ptr::eq(n.file.as_ptr(), Rc::as_ptr(of)))
    }
}

/// What is asked for by F_NOTIFY.
#[derive(Clone)]
pub struct Notice {
    /// The description of the directory, whose owner is told.
    pub file: Weak<OpenFile>,
    /// The process that asked, which ends it by closing the description.
    pub by: u32,
    /// Its host.
    pub host: HostId,
    /// By which descriptor (`si_fd`).
    pub fd: i32,
    /// DN_ bits.
    pub mask: u32,
}
