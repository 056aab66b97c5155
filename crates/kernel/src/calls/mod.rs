//! Handlers of system calls by family. A handler decodes, checks in Linux's order, and asks an object.

// A handler does what the manual page of its name says; the table says where it does not.
#![allow(missing_docs)]

pub mod aio;
pub mod attributes;
pub mod cred;
pub mod dirs;
pub mod event;
pub mod fd;
pub mod handles;
pub mod ids;
pub mod memory;
pub mod message;
pub mod misc;
pub mod mqueue;
pub mod msg;
pub mod names;
pub mod net;
pub mod open;
pub mod pages;
pub mod paths;
pub mod poll;
pub mod process;
pub mod rw;
pub mod seccomp;
pub mod sem;
pub mod shm;
pub mod signals;
pub mod size;
pub mod stat;
pub mod sync;
pub mod time;
pub mod tty;
pub mod wait;
pub mod xattr;

use crate::fs::file::{FileKind, FileRef, OpenFile};
use crate::task::{Process, Task};
use crate::{Answer, Cx};
use alloc::rc::Rc;
use snowglobe_abi::errno::{Errno, Result};

impl Cx<'_> {
    /// An argument as a 32-bit signed number, as most are.
    pub fn int(&self, i: usize) -> i32 {
        self.args[i] as i32
    }

    /// An argument as a 32-bit unsigned number.
    pub fn uint(&self, i: usize) -> u32 {
        self.args[i] as u32
    }

    /// The calling task.
    pub fn me(&self) -> &Task {
        self.k.task(self.task)
    }

    /// The calling task, to change it.
    pub fn me_mut(&mut self) -> &mut Task {
        self.k.task_mut(self.task)
    }

    /// The calling process.
    pub fn proc(&self) -> &Process {
        self.k.proc_of(self.task)
    }

    /// The calling process, to change it.
    pub fn proc_mut(&mut self) -> &mut Process {
        self.k.proc_of_mut(self.task)
    }

    /// The description behind a descriptor argument; not one opened with O_PATH.
    ///
    /// # Errors
    /// `EBADF`.
    pub fn file(&self, i: usize) -> Result<FileRef> {
        self.file_of(self.int(i))
    }

    /// The description behind a descriptor; not one opened with O_PATH.
    ///
    /// # Errors
    /// `EBADF`.
    pub fn file_of(&self, fd: i32) -> Result<FileRef> {
        let file = self.any_file(fd)?;
        if file.flags.get() & crate::uapi::O_PATH != 0 {
            return Err(Errno::EBADF);
        }
        Ok(file)
    }

    /// The description behind a descriptor, whatever it is.
    ///
    /// # Errors
    /// `EBADF`.
    pub fn any_file(&self, fd: i32) -> Result<FileRef> {
        self.proc().fds.borrow().get(fd).cloned()
    }

    /// Makes an open file description of something without an inode.
    pub fn new_file(&mut self, kind: FileKind, flags: u32) -> FileRef {
        let id = self.k.next_file;
        self.k.next_file += 1;
        Rc::new(OpenFile::new(kind, flags, id, &self.k.graveyard))
    }

    /// Gives a description the lowest free descriptor.
    ///
    /// # Errors
    /// `EMFILE`.
    pub fn install(&mut self, file: FileRef, cloexec: bool) -> Result<i32> {
        let limit = self.descriptor_limit();
        let added = self.proc().fds.borrow_mut().add(file, cloexec, 0, limit);
        if added == Err(Errno::EMFILE) {
            let host = self.proc().host;
            self.k.out_of_descriptors(host);
        }
        added
    }

    /// Descriptors that the process may have: its RLIMIT_NOFILE, or fewer while a fault says so.
    pub fn descriptor_limit(&self) -> u64 {
        let proc = self.proc();
        self.k.descriptor_limit(proc.host, proc.limits[crate::uapi::RLIMIT_NOFILE as usize].0)
    }

    /// A call that the table does not know, or knows as missing.
    pub fn unsupported_call(&mut self, nr: u64) -> Answer {
        let site = self.m.call_site();
        let name = crate::show::name(nr);
        self.k.note_unsupported(nr as u32, &name, site);
        Err(Errno::ENOSYS.into())
    }
}
