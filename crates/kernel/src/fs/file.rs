//! Open file descriptions and descriptor tables.

use super::dev::Device;
use super::epoll::Epoll;
use super::event::{EventFd, Inotify, SignalFd};
use super::inode::InodeRef;
use super::pipe::Pipe;
use crate::sockets::SocketId;
use crate::task::ProcId;
use crate::time::TimerFd;
use crate::uapi::*;
use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cell::{Cell, RefCell};
use snowglobe_abi::errno::{Errno, Result};

/// A shared open file description.
pub type FileRef = Rc<OpenFile>;

/// What an open file description is of.
pub enum FileKind {
    /// A regular file, a directory, a computed file, or anything opened with O_PATH.
    Inode,
    /// An end, or both ends, of a pipe.
    Pipe(Rc<Pipe>),
    /// A socket.
    Socket(SocketId),
    /// An epoll instance.
    Epoll(Rc<Epoll>),
    /// An eventfd.
    Event(Rc<EventFd>),
    /// A timerfd.
    Timer(Rc<TimerFd>),
    /// A signalfd.
    Signal(Rc<SignalFd>),
    /// An inotify instance.
    Inotify(Rc<Inotify>),
    /// A device.
    Device(Device),
    /// A process.
    Pid(ProcId),
    /// The master of a pseudo-terminal.
    Master(Rc<super::tty::Tty>),
    /// A terminal.
    Terminal(Rc<super::tty::Tty>),
    /// A POSIX message queue.
    Mqueue(Rc<crate::ipc::mqueue::Mqueue>),
    /// Standard output (1) or error (2) of the run.
    Console(u32),
    /// Standard input of the run.
    Input(Rc<super::dev::Input>),
    /// Closed: what it was is in the graveyard.
    Closed,
}

/// Where descriptions go when their last descriptor is closed, until the kernel looks.
pub type Graveyard = Rc<RefCell<Vec<Dead>>>;

/// A closed description.
pub struct Dead {
    /// What it was of.
    pub kind: FileKind,
    /// Its flags.
    pub flags: u32,
    /// Its inode.
    pub inode: Option<InodeRef>,
    /// The directory and name by which it was opened.
    pub name: Option<(InodeRef, Vec<u8>)>,
    /// Whether its inode counts it among its writers.
    pub counted: bool,
    /// The address under which `flock` locks were held.
    pub lock_owner: u64,
}

/// An open file description (`open(2)`).
pub struct OpenFile {
    /// See [`FileKind`].
    pub kind: FileKind,
    /// Access mode and status flags, as F_GETFL shows them.
    pub flags: Cell<u32>,
    /// File offset.
    pub pos: Cell<u64>,
    /// Its inode, where it has one.
    pub inode: Option<InodeRef>,
    /// The directory and name by which it was opened.
    pub name: Option<(InodeRef, Vec<u8>)>,
    /// The names of a directory as they stood when its listing began, so that names that go meanwhile shift nothing.
    pub listing: RefCell<Vec<Vec<u8>>>,
    /// A computed file's text while it is read in pieces.
    pub text: RefCell<Vec<u8>>,
    /// F_SETOWN and F_SETSIG.
    pub owner: Cell<i32>,
    /// F_SETSIG.
    pub owner_signal: Cell<u32>,
    /// The host and descriptor under which O_ASYNC was asked for (`si_fd`).
    pub async_by: Cell<(u32, i32)>,
    /// Its name among lock owners.
    pub id: u64,
    /// The failures to write its inode's data of which it has been told.
    pub error_seen: Cell<u32>,
    /// Whether its inode counts it among its writers.
    counted: Cell<bool>,
    graveyard: Graveyard,
}

impl Drop for OpenFile {
    fn drop(&mut self) {
        let kind = core::mem::replace(&mut self.kind, FileKind::Closed);
        let dead = Dead {
            kind,
            flags: self.flags.get(),
            inode: self.inode.take(),
            name: self.name.take(),
            counted: self.counted.get(),
            lock_owner: self.id,
        };
        self.graveyard.borrow_mut().push(dead);
    }
}

impl OpenFile {
    /// A description of something without an inode.
    pub fn new(kind: FileKind, flags: u32, id: u64, graveyard: &Graveyard) -> OpenFile {
        OpenFile {
            kind,
            flags: Cell::new(flags & !O_CLOEXEC),
            pos: Cell::new(0),
            inode: None,
            name: None,
            listing: RefCell::default(),
            text: RefCell::default(),
            owner: Cell::new(0),
            owner_signal: Cell::new(0),
            async_by: Cell::new((0, -1)),
            id,
            error_seen: Cell::new(0),
            counted: Cell::new(false),
            graveyard: graveyard.clone(),
        }
    }

    /// Counts it among its inode's writers, if it is one: such a file cannot be executed (ETXTBSY).
    pub fn count_writer(&self) {
        if let Some(inode) = &self.inode
            && self.writable()
            && inode.kind() == S_IFREG
        {
            inode.writers.set(inode.writers.get() + 1);
            self.counted.set(true);
        }
    }

    /// Whether reading is allowed.
    pub fn readable(&self) -> bool {
        let flags = self.flags.get();
        flags & O_PATH == 0 && flags & O_ACCMODE != O_WRONLY
    }

    /// Whether writing is allowed.
    pub fn writable(&self) -> bool {
        let flags = self.flags.get();
        flags & O_PATH == 0 && flags & O_ACCMODE != O_RDONLY
    }

    /// Whether calls on it must not block.
    pub fn nonblocking(&self) -> bool {
        self.flags.get() & O_NONBLOCK != 0
    }
}

/// One descriptor.
#[derive(Clone)]
pub struct Fd {
    /// What it names.
    pub file: FileRef,
    /// FD_CLOEXEC.
    pub cloexec: bool,
}

/// A process's descriptors.
#[derive(Clone, Default)]
pub struct FdTable {
    fds: Vec<Option<Fd>>,
    /// No descriptor below this is free.
    first_free: usize,
}

impl FdTable {
    /// How many descriptors are open.
    pub fn open(&self) -> usize {
        self.fds.iter().flatten().count()
    }

    /// The description behind a descriptor.
    ///
    /// # Errors
    /// `EBADF`.
    pub fn get(&self, fd: i32) -> Result<&FileRef> {
        Ok(&self.entry(fd)?.file)
    }

    /// The descriptor itself.
    ///
    /// # Errors
    /// `EBADF`.
    pub fn entry(&self, fd: i32) -> Result<&Fd> {
        usize::try_from(fd).ok().and_then(|fd| self.fds.get(fd)?.as_ref()).ok_or(Errno::EBADF)
    }

    /// The descriptor itself, to change it.
    ///
    /// # Errors
    /// `EBADF`.
    pub fn entry_mut(&mut self, fd: i32) -> Result<&mut Fd> {
        usize::try_from(fd).ok().and_then(|fd| self.fds.get_mut(fd)?.as_mut()).ok_or(Errno::EBADF)
    }

    /// Gives out the lowest free descriptor from `min` on.
    ///
    /// # Errors
    /// `EMFILE` when it would not be below `limit`.
    pub fn add(&mut self, file: FileRef, cloexec: bool, min: usize, limit: u64) -> Result<i32> {
        let mut at = min.max(self.first_free);
        while at < self.fds.len() && self.fds[at].is_some() {
            at += 1;
        }
        if at as u64 >= limit {
            return Err(Errno::EMFILE);
        }
        if at >= self.fds.len() {
            self.fds.resize(at + 1, None);
        }
        self.fds[at] = Some(Fd { file, cloexec });
        if min <= self.first_free {
            self.first_free = at + 1;
        }
        Ok(at as i32)
    }

    /// The descriptor that [`FdTable::add`] gives out next.
    pub fn next_free(&self) -> usize {
        let taken = self.fds.iter().skip(self.first_free).take_while(|fd| fd.is_some()).count();
        self.first_free + taken
    }

    /// Puts a description at a descriptor; returns what was there.
    pub fn set(&mut self, fd: usize, file: FileRef, cloexec: bool) -> Option<Fd> {
        if fd >= self.fds.len() {
            self.fds.resize(fd + 1, None);
        }
        self.fds[fd].replace(Fd { file, cloexec })
    }

    /// Frees a descriptor.
    ///
    /// # Errors
    /// `EBADF`.
    pub fn remove(&mut self, fd: i32) -> Result<Fd> {
        let at = usize::try_from(fd).map_err(|_| Errno::EBADF)?;
        let entry = self.fds.get_mut(at).and_then(Option::take).ok_or(Errno::EBADF)?;
        self.first_free = self.first_free.min(at);
        Ok(entry)
    }

    /// Frees the descriptors of a range that satisfy a condition; returns them.
    pub fn remove_where(&mut self, from: usize, to: usize, test: impl Fn(&Fd) -> bool) -> Vec<(i32, Fd)> {
        let end = self.fds.len().min(to.saturating_add(1));
        let mut out = Vec::new();
        for at in from..end {
            if self.fds[at].as_ref().is_some_and(&test) {
                self.first_free = self.first_free.min(at);
                out.extend(self.fds[at].take().map(|fd| (at as i32, fd)));
            }
        }
        out
    }

    /// All descriptors in order.
    pub fn iter(&self) -> impl Iterator<Item = (i32, &Fd)> {
        self.fds.iter().enumerate().filter_map(|(i, fd)| Some((i as i32, fd.as_ref()?)))
    }

    /// All descriptors in order, to change them.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (i32, &mut Fd)> {
        self.fds.iter_mut().enumerate().filter_map(|(i, fd)| Some((i as i32, fd.as_mut()?)))
    }
}
