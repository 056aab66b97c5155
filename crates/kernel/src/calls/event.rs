//! eventfd, inotify and F_NOTIFY.

use crate::fs::event::{EventFd, Inotify, Notice, Watcher};
use crate::fs::file::{FileKind, FileRef};
use crate::fs::inode::{Inode, InodeRef};
use crate::fs::path::{R, permit};
use crate::mem::Struct;
use crate::signal::Info;
use crate::uapi::*;
use crate::{Answer, Cx, Kernel};
use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cell::Cell;
use snowglobe_abi::errno::{Errno, Result};

pub fn eventfd(cx: &mut Cx) -> Answer {
    cx.new_eventfd(0)
}

pub fn eventfd2(cx: &mut Cx) -> Answer {
    cx.new_eventfd(cx.uint(1))
}

impl Cx<'_> {
    fn new_eventfd(&mut self, flags: u32) -> Answer {
        if flags & !(O_CLOEXEC | O_NONBLOCK | 1) != 0 {
            return Err(Errno::EINVAL.into());
        }
        let count = Cell::new(u64::from(self.uint(0)));
        let event = EventFd { count, semaphore: flags & 1 != 0, ..EventFd::default() };
        let file = self.new_file(FileKind::Event(Rc::new(event)), O_RDWR | flags & O_NONBLOCK);
        Ok(i64::from(self.install(file, flags & O_CLOEXEC != 0)?))
    }

    fn inotify(&self) -> Result<Rc<Inotify>> {
        match &self.file(0)?.kind {
            FileKind::Inotify(inotify) => Ok(inotify.clone()),
            _ => Err(Errno::EINVAL),
        }
    }
}

pub fn inotify_init(cx: &mut Cx) -> Answer {
    cx.new_inotify(0)
}

pub fn inotify_init1(cx: &mut Cx) -> Answer {
    if cx.uint(0) & !(O_CLOEXEC | O_NONBLOCK) != 0 {
        return Err(Errno::EINVAL.into());
    }
    cx.new_inotify(cx.uint(0))
}

impl Cx<'_> {
    fn new_inotify(&mut self, flags: u32) -> Answer {
        let inotify = Inotify::default();
        inotify.next.set(1);
        let file = self.new_file(FileKind::Inotify(Rc::new(inotify)), O_RDONLY | flags & O_NONBLOCK);
        Ok(i64::from(self.install(file, flags & O_CLOEXEC != 0)?))
    }
}

const IN_ALL: u32 = 0xfff;
const IN_ONLYDIR: u32 = 0x0100_0000;
const IN_EXCL_UNLINK: u32 = 0x0400_0000;
const IN_DONT_FOLLOW: u32 = 0x0200_0000;
const IN_MASK_CREATE: u32 = 0x1000_0000;
const IN_MASK_ADD: u32 = 0x2000_0000;
const IN_ONESHOT: u32 = 0x8000_0000;
const IN_IGNORED: u32 = 0x8000;

pub fn inotify_add_watch(cx: &mut Cx) -> Answer {
    let mask = cx.uint(2);
    if mask & (IN_ALL | 0xc000) == 0 {
        return Err(Errno::EINVAL.into());
    }
    let inotify = cx.inotify()?;
    let node = cx.at(AT_FDCWD, 1, mask & IN_DONT_FOLLOW == 0)?.inode()?;
    if mask & IN_ONLYDIR != 0 && !node.is_dir() {
        return Err(Errno::ENOTDIR.into());
    }
    permit(&cx.proc().cred, &node, R)?;
    let mut watches = inotify.watches.borrow_mut();
    if let Some((wd, _, old)) = watches.iter_mut().find(|(_, n, _)| Rc::ptr_eq(n, &node)) {
        if mask & IN_MASK_CREATE != 0 {
            return Err(Errno::EEXIST.into());
        }
        *old = if mask & IN_MASK_ADD != 0 { *old | mask } else { mask };
        return Ok(i64::from(*wd));
    }
    let wd = inotify.next.get();
    inotify.next.set(wd + 1);
    watches.push((wd, node.clone(), mask));
    node.watches.borrow_mut().push(Watcher::Inotify(Rc::downgrade(&inotify), wd));
    Ok(i64::from(wd))
}

pub fn inotify_rm_watch(cx: &mut Cx) -> Answer {
    let inotify = cx.inotify()?;
    let wd = cx.int(1);
    let node = {
        let mut watches = inotify.watches.borrow_mut();
        let at = watches.iter().position(|(w, _, _)| *w == wd).ok_or(Errno::EINVAL)?;
        watches.remove(at).1
    };
    node.watches.borrow_mut().retain(|w| !w.is_watch(&inotify, wd));
    cx.k.post(&inotify, wd, Happening { event: IN_IGNORED, ..Happening::default() });
    Ok(0)
}

const DN_MULTISHOT: u32 = 0x8000_0000;
/// A name of a directory became another one there: no event of inotify's, which tells of the two names.
pub const RENAMED: u32 = 0x8000_0000;
/// The kinds of change of F_NOTIFY, and the IN_ bits of each: DN_ACCESS, DN_MODIFY, DN_CREATE, DN_DELETE, DN_RENAME, DN_ATTRIB.
const DN_KINDS: [(u32, u32); 6] = [
    (1, IN_ACCESS),
    (2, IN_MODIFY),
    (4, IN_CREATE | IN_MOVED_TO),
    (8, IN_DELETE | IN_MOVED_FROM),
    (0x10, RENAMED),
    (0x20, IN_ATTRIB),
];

impl Cx<'_> {
    /// fcntl(2), F_NOTIFY: the owner of a directory's description is told of changes by a signal.
    pub fn notify_changes(&mut self, file: &FileRef, fd: i32, mask: u32) -> Answer {
        let Some(inode) = &file.inode else { return Err(Errno::ENOTDIR.into()) };
        let (by, host) = (self.proc().id.0, self.proc().host);
        let mut watches = inode.watches.borrow_mut();
        if mask & !DN_MULTISHOT == 0 {
            watches.retain(|w| !w.is_asked(file, by));
            return Ok(0);
        }
        if !inode.is_dir() {
            return Err(Errno::ENOTDIR.into());
        }
        if file.owner.get() == 0 {
            file.owner.set(self.proc().pid as i32);
        }
        let asked = watches.iter_mut().find(|w| w.is_asked(file, by));
        if let Some(Watcher::Owner(notice)) = asked {
            notice.fd = fd;
            notice.mask |= mask;
        } else {
            watches.push(Watcher::Owner(Notice { file: Rc::downgrade(file), by, host, fd, mask }));
        }
        Ok(0)
    }
}

/// What happened to a file or to a name in a directory.
#[derive(Clone, Copy, Default)]
pub struct Happening<'a> {
    /// IN_ bits.
    pub event: u32,
    /// The name, if the watcher watches its directory.
    pub name: Option<&'a [u8]>,
    /// What joins the two halves of a rename.
    pub cookie: u32,
    /// Whether the file has no name any more (IN_EXCL_UNLINK).
    pub gone: bool,
}

impl Kernel {
    /// Tells an inode's watchers what happened to it, or to a name in it.
    pub fn notify_inode(&mut self, inode: &Rc<Inode>, event: u32, name: Option<&[u8]>) {
        self.notify(inode, Happening { event, name, ..Happening::default() });
    }

    /// The same with all that there is to tell.
    pub fn notify(&mut self, inode: &Rc<Inode>, what: Happening) {
        if inode.watches.borrow().is_empty() {
            return;
        }
        let mut what = what;
        // Its end and its moves are told of a directory as of a file.
        if what.name.is_none() && inode.is_dir() && what.event & (IN_DELETE_SELF | IN_MOVE_SELF) == 0 {
            what.event |= IN_ISDIR;
        }
        let watchers = inode.watches.borrow().clone();
        for watcher in watchers {
            match watcher {
                Watcher::Inotify(inotify, wd) => {
                    let Some(inotify) = inotify.upgrade() else { continue };
                    self.notify_watch(inode, &inotify, wd, what);
                }
                Watcher::Owner(notice) => self.notify_owner(inode, &notice, what.event),
            }
        }
    }

    fn notify_watch(&mut self, inode: &Rc<Inode>, inotify: &Rc<Inotify>, wd: i32, what: Happening) {
        let mask = inotify.watches.borrow().iter().find(|(w, _, _)| *w == wd).map_or(0, |(_, _, m)| *m);
        if mask & what.event & IN_ALL == 0 || what.gone && mask & IN_EXCL_UNLINK != 0 {
            return;
        }
        self.post(inotify, wd, what);
        if what.event & IN_DELETE_SELF != 0 || mask & IN_ONESHOT != 0 {
            inotify.watches.borrow_mut().retain(|(w, _, _)| *w != wd);
            inode.watches.borrow_mut().retain(|w| !w.is_watch(inotify, wd));
            self.post(inotify, wd, Happening { event: IN_IGNORED, ..Happening::default() });
        }
    }

    /// fcntl(2), F_NOTIFY: a signal for what is asked for, once if nothing else is said.
    fn notify_owner(&mut self, inode: &Rc<Inode>, notice: &Notice, event: u32) {
        let kinds: u32 = DN_KINDS.iter().filter(|(_, events)| events & event != 0).map(|(kind, _)| kind).sum();
        let Some(file) = notice.file.upgrade().filter(|_| notice.mask & kinds != 0) else { return };
        if notice.mask & DN_MULTISHOT == 0 {
            inode.watches.borrow_mut().retain(|w| !w.is_asked(&file, notice.by));
        }
        self.signal_owners(notice.host, &file, |signal| Info::changed(signal, notice.fd));
    }

    /// The same for a file that was opened under a name: its directory's watchers are told too, and first.
    pub fn notify_file(&mut self, inode: &InodeRef, place: Option<&(InodeRef, Vec<u8>)>, event: u32) {
        let gone = inode.meta.borrow().nlink == 0;
        if let Some((dir, name)) = place
            && !name.is_empty()
        {
            let bit = if inode.is_dir() { IN_ISDIR } else { 0 };
            match inode.moved_to(dir, name) {
                Some((dir, name)) => {
                    let what = Happening { event: event | bit, name: Some(&name), gone, ..Happening::default() };
                    self.notify(&dir, what);
                }
                None => {
                    let what = Happening { event: event | bit, name: Some(name), gone, ..Happening::default() };
                    self.notify(dir, what);
                }
            }
        }
        self.notify_inode(inode, event, None);
    }

    /// The same for a file that was found by a path.
    pub fn notify_found(&mut self, inode: &InodeRef, event: u32) {
        let place = inode.found_at();
        self.notify_file(inode, place.as_ref(), event);
    }

    /// A file lost a name: if it was the last and nobody has it open, it is gone.
    pub fn notify_if_gone(&mut self, inode: &InodeRef) {
        if inode.watches.borrow().is_empty() || inode.meta.borrow().nlink > 0 || self.is_open(inode) {
            return;
        }
        self.notify_inode(inode, IN_DELETE_SELF, None);
    }

    /// Whether some process has an inode open.
    fn is_open(&self, inode: &InodeRef) -> bool {
        let of = |f: &crate::fs::file::FileRef| f.inode.as_ref().is_some_and(|i| Rc::ptr_eq(i, inode));
        self.procs.iter().flatten().any(|p| p.fds.borrow().iter().any(|(_, fd)| of(&fd.file)))
    }

    fn post(&mut self, inotify: &Rc<Inotify>, wd: i32, what: Happening) {
        const MOST: usize = 16384;
        const OVERFLOW: u32 = 0x4000;
        let padded = what.name.map_or(0, |n| (n.len() + 1).next_multiple_of(16));
        let record = Struct::new().u32(wd as u32).u32(what.event).u32(what.cookie).u32(padded as u32);
        let mut record = record.bytes(what.name.unwrap_or_default()).pad(16 + padded).0;
        let mut events = inotify.events.borrow_mut();
        // inotify(7): an event that is the same as the last one in the queue is not added.
        if events.back() == Some(&record) {
            return;
        }
        if events.len() > MOST {
            return;
        }
        if events.len() == MOST {
            record = Struct::new().u32(u32::MAX).u32(OVERFLOW).pad(16).0;
        }
        events.push_back(record);
        drop(events);
        inotify.queue.wake(&mut self.sched, POLLIN | POLLRDNORM);
    }
}
