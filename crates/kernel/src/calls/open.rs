//! Opening files (`open(2)`, `openat2(2)`, `fifo(7)`).

use super::paths::same;
use crate::fs::dev::Device;
use crate::fs::file::{FileKind, FileRef, OpenFile};
use crate::fs::inode::{Inode, InodeRef, Node};
use crate::fs::path::{BENEATH, Found, IN_ROOT, R, W, permit};
use crate::fs::{pipe::Pipe, procfs};
use crate::mem;
use crate::uapi::*;
use crate::wait::{Kind, Wait};
use crate::{Answer, Cx, Kernel};
use alloc::rc::Rc;
use snowglobe_abi::errno::{Errno, Result};
use snowglobe_abi::map::PAGE;

/// Flags that `open` knows; others are ignored, as `open` does (`openat2` refuses them).
const OPEN_FLAGS: u32 = O_ACCMODE
    | O_CREAT
    | O_EXCL
    | O_NOCTTY
    | O_TRUNC
    | O_APPEND
    | O_NONBLOCK
    | O_SYNC
    | O_DSYNC
    | O_ASYNC
    | O_DIRECT
    | O_LARGEFILE
    | O_DIRECTORY
    | O_NOFOLLOW
    | O_NOATIME
    | O_CLOEXEC
    | O_PATH
    | O_TMPFILE;

pub fn open(cx: &mut Cx) -> Answer {
    let path = mem::path(cx.m, cx.args[0])?;
    cx.open(AT_FDCWD, &path, cx.uint(1), cx.uint(2))
}

pub fn openat(cx: &mut Cx) -> Answer {
    let path = mem::path(cx.m, cx.args[1])?;
    cx.open(cx.int(0), &path, cx.uint(2), cx.uint(3))
}

pub fn openat2(cx: &mut Cx) -> Answer {
    const RESOLVE_CACHED: u64 = 0x20;
    if cx.args[3] < 24 {
        return Err(Errno::EINVAL.into());
    }
    let how: [u8; 24] = mem::array(cx.m, cx.args[2])?;
    let (flags, mode, resolve) = (mem::field64(&how, 0), mem::field64(&how, 8), mem::field64(&how, 16));
    // openat2(2), extensibility: what this kernel does not know must be zero.
    if cx.args[3] > 24 {
        let more = mem::bytes(cx.m, cx.args[2] + 24, (cx.args[3] - 24).min(PAGE) as usize)?;
        if cx.args[3] > PAGE || more.iter().any(|b| *b != 0) {
            return Err(Errno::E2BIG.into());
        }
    }
    let path_flags = u64::from(O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    let makes = flags as u32 & O_CREAT != 0 || flags as u32 & O_TMPFILE == O_TMPFILE;
    if flags & !u64::from(OPEN_FLAGS) != 0
        || flags & u64::from(O_PATH) != 0 && flags & !path_flags != 0
        || resolve & !0x3f != 0
        || mode & !0o7777 != 0
        || mode != 0 && !makes
    {
        return Err(Errno::EINVAL.into());
    }
    if resolve & (BENEATH | IN_ROOT) == BENEATH | IN_ROOT {
        return Err(Errno::EINVAL.into());
    }
    let path = mem::path(cx.m, cx.args[1])?;
    // RESOLVE_CACHED asks not to wait for a disk: there is none.
    cx.open_within(cx.int(0), &path, flags as u32, mode as u32, resolve & !RESOLVE_CACHED)
}

pub fn creat(cx: &mut Cx) -> Answer {
    let path = mem::path(cx.m, cx.args[0])?;
    cx.open(AT_FDCWD, &path, O_CREAT | O_WRONLY | O_TRUNC, cx.uint(1))
}

impl Cx<'_> {
    fn open(&mut self, dirfd: i32, path: &[u8], flags: u32, mode: u32) -> Answer {
        self.open_within(dirfd, path, flags, mode, 0)
    }

    fn open_within(&mut self, dirfd: i32, path: &[u8], flags: u32, mode: u32, resolve: u64) -> Answer {
        let mut flags = flags & OPEN_FLAGS;
        if flags & O_PATH != 0 {
            flags &= O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
        }
        if flags & O_TMPFILE == O_TMPFILE {
            return self.open_unnamed(dirfd, path, flags, mode);
        }
        if flags & O_CREAT != 0 && flags & O_DIRECTORY != 0 {
            return Err(Errno::EINVAL.into());
        }
        // A new file's name is not followed when it must not exist; otherwise a dangling link's target is made.
        let follow = flags & O_NOFOLLOW == 0 && flags & (O_CREAT | O_EXCL) != O_CREAT | O_EXCL;
        let found = self.k.walk_within(self.m, self.task, dirfd, path, follow, resolve)?;
        let mut created = false;
        let node = match &found.node {
            Some(_) if flags & (O_CREAT | O_EXCL) == O_CREAT | O_EXCL => return Err(Errno::EEXIST.into()),
            Some(node) => {
                if flags & O_CREAT != 0 && node.is_dir() {
                    return Err(Errno::EISDIR.into());
                }
                node.clone()
            }
            None if flags & O_CREAT != 0 && !found.slash => {
                created = true;
                let now = self.k.realtime();
                self.add_name(&found, |cx, dir| {
                    let (mode, uid, gid) = cx.new_owner(dir, mode, false);
                    Ok(Inode::new_file(&dir.fs, mode, uid, gid, now))
                })?
            }
            None if flags & O_CREAT != 0 => return Err(Errno::EISDIR.into()),
            None => return Err(Errno::ENOENT.into()),
        };
        self.check_open(&node, flags, created)?;
        if let (Some(file), Node::Proc(_)) = (&found.file, &found.dir.node)
            && file.inode.is_none()
        {
            return self.reopen(file, flags);
        }
        self.finish_open(node, found, if created { flags & !O_TRUNC } else { flags })
    }

    /// Opens what is there, however it was found.
    ///
    /// # Errors
    /// Those of `open(2)`.
    pub fn open_found(&mut self, node: InodeRef, found: Found, flags: u32) -> Answer {
        let flags = flags & OPEN_FLAGS & !(O_CREAT | O_EXCL);
        self.check_open(&node, flags, false)?;
        self.finish_open(node, found, flags)
    }

    fn check_open(&mut self, node: &InodeRef, flags: u32, created: bool) -> Result<()> {
        let kind = node.kind();
        if flags & O_DIRECTORY != 0 && kind != S_IFDIR {
            return Err(Errno::ENOTDIR);
        }
        if kind == S_IFLNK && flags & O_PATH == 0 {
            return Err(Errno::ELOOP);
        }
        if flags & O_PATH != 0 {
            return Ok(());
        }
        let access = flags & O_ACCMODE;
        let writes = access != O_RDONLY || flags & O_TRUNC != 0;
        if kind == S_IFDIR && writes {
            return Err(Errno::EISDIR);
        }
        if kind == S_IFSOCK {
            return Err(Errno::ENXIO);
        }
        if !created {
            let mut want = if access == O_WRONLY { 0 } else { R };
            if writes {
                want |= W;
            }
            permit(&self.proc().cred, node, want)?;
            if flags & O_NOATIME != 0 {
                let cred = &self.proc().cred;
                if cred.fsuid != node.meta.borrow().uid && !cred.capable(CAP_FOWNER) {
                    return Err(Errno::EPERM);
                }
            }
        }
        if writes && self.is_read_only(node) && matches!(kind, S_IFREG | S_IFDIR) {
            return Err(Errno::EROFS);
        }
        if writes && kind == S_IFREG && self.k.is_running(node) {
            return Err(Errno::ETXTBSY);
        }
        Ok(())
    }

    fn finish_open(&mut self, node: InodeRef, found: Found, flags: u32) -> Answer {
        let cloexec = flags & O_CLOEXEC != 0;
        let status = flags & !(O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_CLOEXEC) | O_LARGEFILE;
        let status = if flags & O_PATH != 0 { status & !O_LARGEFILE } else { status };
        let mut kind = FileKind::Inode;
        if flags & O_PATH == 0 {
            match &node.node {
                Node::Fifo(pipe) => return self.open_fifo(&node, &pipe.clone(), found, status, cloexec),
                Node::Device(device) => kind = self.open_device(*device, flags)?,
                Node::Proc(proc) => procfs::check_open(self, proc, flags)?,
                _ => {}
            }
        }
        let file = self.make_file(kind, status, node, found);
        file.count_writer();
        if flags & O_PATH == 0 {
            self.k.notify_file(file.inode.as_ref().ok_or(Errno::EIO)?, file.name.as_ref(), IN_OPEN);
        }
        if flags & O_TRUNC != 0
            && let Some(node) = file.inode.as_ref().filter(|n| n.kind() == S_IFREG)
        {
            self.truncate_inode(node, 0)?;
        }
        Ok(i64::from(self.install(file, cloexec)?))
    }

    fn make_file(&mut self, kind: FileKind, flags: u32, node: InodeRef, found: Found) -> FileRef {
        let id = self.k.next_file;
        self.k.next_file += 1;
        let mut file = OpenFile::new(kind, flags, id, &self.k.graveyard);
        file.error_seen.set(node.errors_told());
        file.inode = Some(node);
        file.name = Some((found.dir, found.name));
        Rc::new(file)
    }

    fn open_device(&mut self, device: Device, flags: u32) -> Result<FileKind> {
        match device {
            Device::Tty => self.open_terminal(None, flags),
            Device::Pts(index) => self.open_terminal(Some(index), flags),
            Device::Ptmx => self.open_master(),
            Device::Channel(stream) => Ok(FileKind::Console(stream)),
            Device::Other(_) => Err(Errno::ENXIO),
            device => Ok(FileKind::Device(device)),
        }
    }

    /// Opens `/proc/self/fd/N` of something without an inode.
    fn reopen(&mut self, file: &FileRef, flags: u32) -> Answer {
        let kind = match &file.kind {
            FileKind::Pipe(pipe) => {
                count_ends(pipe, flags);
                FileKind::Pipe(pipe.clone())
            }
            FileKind::Console(stream) => FileKind::Console(*stream),
            FileKind::Input(input) => FileKind::Input(input.clone()),
            FileKind::Device(device) => FileKind::Device(*device),
            _ => return Err(Errno::ENXIO.into()),
        };
        let status = flags & (O_ACCMODE | O_NONBLOCK | O_APPEND);
        let file = self.new_file(kind, status);
        Ok(i64::from(self.install(file, flags & O_CLOEXEC != 0)?))
    }

    /// fifo(7): an open for reading waits for a writer, one for writing for a reader; O_NONBLOCK changes that.
    fn open_fifo(&mut self, node: &InodeRef, pipe: &Rc<Pipe>, found: Found, status: u32, cloexec: bool) -> Answer {
        let access = status & O_ACCMODE;
        if access == O_WRONLY && status & O_NONBLOCK != 0 && pipe.readers.get() == 0 {
            return Err(Errno::ENXIO.into());
        }
        count_ends(pipe, status);
        if access != O_WRONLY {
            pipe.reader_opens.set(pipe.reader_opens.get() + 1);
        }
        if access != O_RDONLY {
            pipe.writer_opens.set(pipe.writer_opens.get() + 1);
        }
        pipe.queue.wake(&mut self.k.sched, 0);
        let file = self.make_file(FileKind::Pipe(pipe.clone()), status, node.clone(), found);
        let (others, seen) = match access {
            O_RDONLY => (pipe.writers.get(), pipe.writer_opens.get()),
            O_WRONLY => (pipe.readers.get(), pipe.reader_opens.get()),
            _ => (1, 0),
        };
        if others > 0 || status & O_NONBLOCK != 0 {
            self.k.notify_file(node, file.name.as_ref(), IN_OPEN);
            return Ok(i64::from(self.install(file, cloexec)?));
        }
        Err(Wait::new(Kind::Fifo { file, cloexec, seen }).stop())
    }

    /// Goes on with a blocked open of a named pipe.
    ///
    /// # Errors
    /// `EAGAIN` while the other side is missing.
    pub fn fifo_now(&mut self, file: &FileRef, cloexec: bool, seen: u64) -> Result<i64> {
        let FileKind::Pipe(pipe) = &file.kind else { return Err(Errno::EINVAL) };
        let now = if file.readable() { pipe.writer_opens.get() } else { pipe.reader_opens.get() };
        if now == seen {
            return Err(Errno::EAGAIN);
        }
        if let Some(inode) = &file.inode {
            self.k.notify_file(inode, file.name.as_ref(), IN_OPEN);
        }
        Ok(i64::from(self.install(file.clone(), cloexec)?))
    }

    fn open_unnamed(&mut self, dirfd: i32, path: &[u8], flags: u32, mode: u32) -> Answer {
        if flags & O_ACCMODE == O_RDONLY {
            return Err(Errno::EINVAL.into());
        }
        let found = self.k.walk(self.m, self.task, dirfd, path, true)?;
        let dir = found.inode()?;
        if !dir.is_dir() {
            return Err(Errno::ENOTDIR.into());
        }
        self.may_change(&dir)?;
        self.k.disk_change(&dir, b"", true)?;
        let (mode, uid, gid) = self.new_owner(&dir, mode, false);
        let node = Inode::new_file(&dir.fs, mode, uid, gid, self.k.realtime());
        node.meta.borrow_mut().nlink = 0;
        // open(2): with O_EXCL it cannot be given a name.
        node.linkable.set(flags & O_EXCL == 0);
        let status = flags & !(O_CREAT | O_EXCL | O_CLOEXEC | O_TMPFILE) | O_LARGEFILE | O_TMPFILE;
        let name = alloc::format!("#{}", node.ino).into_bytes();
        let found = Found { dir, name, node: None, slash: false, file: None };
        let file = self.make_file(FileKind::Inode, status, node.clone(), found);
        self.k.notify_file(&node, file.name.as_ref(), IN_OPEN);
        file.count_writer();
        Ok(i64::from(self.install(file, flags & O_CLOEXEC != 0)?))
    }
}

/// Counts a new description among a pipe's ends.
pub fn count_ends(pipe: &Pipe, flags: u32) {
    if flags & O_ACCMODE != O_WRONLY {
        pipe.readers.set(pipe.readers.get() + 1);
    }
    if flags & O_ACCMODE != O_RDONLY {
        pipe.writers.set(pipe.writers.get() + 1);
    }
}

impl Kernel {
    /// Whether some process runs this file.
    pub fn is_running(&self, node: &InodeRef) -> bool {
        self.procs.iter().flatten().any(|p| p.status.is_none() && p.exe_inode.as_ref().is_some_and(|e| same(e, node)))
    }
}
