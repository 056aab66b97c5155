//! What calls with paths share: walking, creating, permission to change a directory.

use crate::fs::disk::faults::Place;
use crate::fs::file::FileKind;
use crate::fs::inode::{Inode, InodeRef};
use crate::fs::path::{Found, IN_ROOT, W, Walk, X, permit};
use crate::machine::Machine;
use crate::mem;
use crate::task::{Cred, FsContext, ProcId, TaskId};
use crate::uapi::*;
use crate::{Cx, Kernel};
use alloc::rc::Rc;
use alloc::vec::Vec;
use snowglobe_abi::errno::{Errno, Result};
use snowglobe_abi::map::PAGE;

impl Kernel {
    /// Walks a path of a task from a descriptor's directory.
    ///
    /// # Errors
    /// Those of the walk; `EBADF` and `ENOTDIR` for the descriptor.
    pub fn walk(&mut self, m: &mut dyn Machine, task: TaskId, dirfd: i32, path: &[u8], follow: bool) -> Result<Found> {
        let cred = self.proc_of(task).cred.clone();
        self.walk_as(m, task, dirfd, path, follow, &cred)
    }

    /// The same with other rights.
    ///
    /// # Errors
    /// Those of the walk.
    pub fn walk_as(
        &mut self,
        m: &mut dyn Machine,
        task: TaskId,
        dirfd: i32,
        path: &[u8],
        follow: bool,
        cred: &Cred,
    ) -> Result<Found> {
        let (base, fs, id) = self.walk_base(task, dirfd, path)?;
        Walk::new(self, m, id, cred, &fs).walk(&base, path, follow)
    }

    /// The same with the restrictions of `openat2(2)`.
    ///
    /// # Errors
    /// Those of the walk.
    pub fn walk_within(
        &mut self,
        m: &mut dyn Machine,
        task: TaskId,
        dirfd: i32,
        path: &[u8],
        follow: bool,
        resolve: u64,
    ) -> Result<Found> {
        let cred = self.proc_of(task).cred.clone();
        // Where the root is the base, an absolute path begins there too.
        let from = if resolve & IN_ROOT != 0 { &b"."[..] } else { path };
        let (base, mut fs, id) = self.walk_base(task, dirfd, from)?;
        if resolve & IN_ROOT != 0 {
            fs.root = base.clone();
        }
        Walk::new(self, m, id, &cred, &fs).within(&base, resolve).walk(&base, path, follow)
    }

    fn walk_base(&self, task: TaskId, dirfd: i32, path: &[u8]) -> Result<(InodeRef, FsContext, ProcId)> {
        if path.is_empty() {
            return Err(Errno::ENOENT);
        }
        let proc = self.proc_of(task);
        let fs = proc.fs.borrow().clone();
        let base = if path.first() == Some(&b'/') || dirfd == AT_FDCWD {
            fs.cwd.clone()
        } else {
            let file = proc.fds.borrow().get(dirfd)?.clone();
            let inode = file.inode.clone().ok_or(Errno::ENOTDIR)?;
            if !inode.is_dir() {
                return Err(Errno::ENOTDIR);
            }
            inode
        };
        Ok((base, fs, proc.id))
    }

    /// The absolute path of what was found, as its task sees it.
    pub fn found_path(&self, task: TaskId, found: &Found) -> Vec<u8> {
        let root = self.proc_of(task).fs.borrow().root.clone();
        let mut path = found.dir.dir_path(&root).unwrap_or_default();
        if !found.name.is_empty() {
            if path.last() != Some(&b'/') {
                path.push(b'/');
            }
            path.extend_from_slice(&found.name);
        }
        path
    }

    /// Before `len` bytes are written at an offset: how many of them will be, by the disk and its faults.
    ///
    /// # Errors
    /// `ENOSPC`, and what the disk's faults say.
    pub fn make_room(&mut self, m: &mut dyn Machine, inode: &InodeRef, place: Place, at: u64, len: u64) -> Result<u64> {
        let mut len = len;
        if inode.fs.disk.is_some() {
            self.catch_up_disk(m, &inode.fs);
            let more = inode.content().map_or(0, |c| c.borrow().missing(at, len));
            len = self.disk_write(&inode.fs, place, len, more)?;
        }
        if self.check_room(inode, at, len).is_err() && inode.fs.disk.is_some() {
            self.commit_disks(m);
        }
        self.check_room(inode, at, len)?;
        Ok(len)
    }

    /// Whether `len` bytes at an offset fit on the host's disk.
    ///
    /// # Errors
    /// `ENOSPC`.
    fn check_room(&self, inode: &Inode, at: u64, len: u64) -> Result<()> {
        let used = self.store.used() * PAGE;
        if used.saturating_add(len).saturating_add(2 * PAGE) <= inode.fs.capacity {
            return Ok(());
        }
        // Only pages that the file does not have yet need room.
        let more = inode.content().map_or(0, |c| c.borrow().missing(at, len));
        if more > 0 && used.saturating_add(more) > inode.fs.capacity {
            return Err(Errno::ENOSPC);
        }
        Ok(())
    }

    /// A write takes the set-id bits away, unless the writer may keep them.
    pub fn drop_set_ids(&self, task: TaskId, inode: &InodeRef) {
        let mode = inode.meta.borrow().mode;
        if mode & (S_ISUID | S_ISGID) != 0 && !self.proc_of(task).cred.capable(CAP_FSETID) {
            inode.change(self.realtime(), |meta| {
                meta.mode &= !S_ISUID;
                if meta.mode & 0o010 != 0 {
                    meta.mode &= !S_ISGID;
                }
            });
        }
    }
}

impl Cx<'_> {
    /// The inode behind a descriptor argument, if it has one; its watchers will be told under the name it was opened by.
    ///
    /// # Errors
    /// `EBADF`.
    pub fn inode_of(&self, i: usize) -> Result<Option<InodeRef>> {
        let file = self.file(i)?;
        let Some(inode) = file.inode.clone() else { return Ok(None) };
        if let Some((dir, name)) = &file.name
            && !name.is_empty()
        {
            match inode.moved_to(dir, name) {
                Some((dir, name)) => inode.note_found(&dir, &name),
                None => inode.note_found(dir, name),
            }
        }
        Ok(Some(inode))
    }

    /// Reads a path argument and walks it.
    ///
    /// # Errors
    /// Those of the walk.
    pub fn at(&mut self, dirfd: i32, path: usize, follow: bool) -> Result<Found> {
        let path = mem::path(self.m, self.args[path])?;
        self.k.walk(self.m, self.task, dirfd, &path, follow)
    }

    /// The inode that a descriptor and path name, with AT_EMPTY_PATH and AT_SYMLINK_NOFOLLOW.
    ///
    /// # Errors
    /// Those of the walk.
    pub fn at_inode(&mut self, dirfd: i32, path: u64, flags: u32) -> Result<Target> {
        let path = if path == 0 && flags & AT_EMPTY_PATH != 0 { Vec::new() } else { mem::path(self.m, path)? };
        if path.is_empty() && flags & AT_EMPTY_PATH != 0 {
            if dirfd == AT_FDCWD {
                return Ok(Target::Inode(self.proc().fs.borrow().cwd.clone()));
            }
            let file = self.any_file(dirfd)?;
            return Ok(match &file.inode {
                Some(inode) => Target::Inode(inode.clone()),
                None => Target::File(file),
            });
        }
        let found = self.k.walk(self.m, self.task, dirfd, &path, flags & AT_SYMLINK_NOFOLLOW == 0)?;
        match found.file {
            Some(file) if file.inode.is_none() => Ok(Target::File(file)),
            _ => Ok(Target::Inode(found.node.ok_or(Errno::ENOENT)?)),
        }
    }

    /// Whether changes of a file fail with EROFS for the caller's host.
    pub fn is_read_only(&self, node: &InodeRef) -> bool {
        node.fs.is_read_only(self.proc().host)
    }

    /// Whether names may be put into or taken out of a directory.
    ///
    /// # Errors
    /// `EROFS`, `EACCES`, `ENOENT` for a removed directory.
    pub fn may_change(&self, dir: &InodeRef) -> Result<()> {
        if self.is_read_only(dir) {
            return Err(Errno::EROFS);
        }
        permit(&self.proc().cred, dir, W | X)
    }

    /// Whether a name may be taken out of a directory, with the sticky bit's rule.
    ///
    /// # Errors
    /// `EPERM` and those of [`Cx::may_change`].
    pub fn may_remove(&self, dir: &InodeRef, node: &InodeRef) -> Result<()> {
        self.may_change(dir)?;
        let cred = &self.proc().cred;
        let sticky = dir.meta.borrow().mode & S_ISVTX != 0;
        let mine = cred.fsuid == node.meta.borrow().uid || cred.fsuid == dir.meta.borrow().uid;
        if sticky && !mine && !cred.capable(CAP_FOWNER) {
            return Err(Errno::EPERM);
        }
        Ok(())
    }

    /// Owner and mode of a new file in a directory.
    pub fn new_owner(&self, dir: &InodeRef, mode: u32, is_dir: bool) -> (u32, u32, u32) {
        let cred = &self.proc().cred;
        let meta = dir.meta.borrow();
        let umask = self.proc().fs.borrow().umask;
        let mut mode = mode & !umask & 0o7777;
        let mut gid = cred.fsgid;
        if meta.mode & S_ISGID != 0 {
            gid = meta.gid;
            if is_dir {
                mode |= S_ISGID;
            }
        }
        (mode, cred.fsuid, gid)
    }

    /// Puts a new inode under a name that was not found.
    ///
    /// # Errors
    /// `EEXIST`, and those of [`Cx::may_change`].
    pub fn add_name(
        &mut self,
        found: &Found,
        make: impl FnOnce(&mut Self, &InodeRef) -> Result<InodeRef>,
    ) -> Result<InodeRef> {
        if found.node.is_some() || found.name.is_empty() {
            return Err(Errno::EEXIST);
        }
        self.may_change(&found.dir)?;
        if found.dir.meta.borrow().nlink == 0 {
            return Err(Errno::ENOENT);
        }
        self.k.catch_up_disk(self.m, &found.dir.fs);
        self.k.disk_change(&found.dir, &found.name, true)?;
        let node = make(self, &found.dir)?;
        found.dir.link(&found.name, &node, self.k.realtime())?;
        let bit = if node.is_dir() { IN_ISDIR } else { 0 };
        self.k.notify_inode(&found.dir, IN_CREATE | bit, Some(&found.name));
        Ok(node)
    }
}

/// What a path or descriptor names.
pub enum Target {
    /// An inode.
    Inode(InodeRef),
    /// A description without one (pipe, socket, epoll).
    File(crate::fs::file::FileRef),
}

impl Target {
    /// The inode.
    ///
    /// # Errors
    /// `EINVAL` for what has none.
    pub fn inode(self) -> Result<InodeRef> {
        match self {
            Target::Inode(inode) => Ok(inode),
            Target::File(_) => Err(Errno::EINVAL),
        }
    }
}

/// Whether two references are to the same inode.
pub fn same(a: &InodeRef, b: &InodeRef) -> bool {
    Rc::ptr_eq(a, b)
}

/// `st_mode`'s type for a description without an inode.
pub fn kind_mode(kind: &FileKind) -> u32 {
    match kind {
        FileKind::Pipe(_) => S_IFIFO | 0o600,
        FileKind::Console(_) | FileKind::Input(_) => S_IFIFO | 0o600,
        FileKind::Socket(_) => S_IFSOCK | 0o777,
        _ => 0o600,
    }
}
