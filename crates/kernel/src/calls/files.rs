//! Opening, naming and describing files.

use super::event::Happening;
use super::paths::{Target, kind_mode, same};
use crate::fs::dev::Device;
use crate::fs::file::{FileKind, FileRef, OpenFile};
use crate::fs::inode::{Entry, Inode, InodeRef, Node};
use crate::fs::path::{BENEATH, Found, IN_ROOT, R, W, X, permit, permit_as};
use crate::fs::{pipe::Pipe, procfs};
use crate::mem::{self, Struct};
use crate::mm::Before;
use crate::uapi::*;
use crate::wait::{Kind, Wait};
use crate::{Answer, Cx, Kernel};
use alloc::rc::Rc;
use alloc::vec::Vec;
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
        if writes && node.fs.read_only && matches!(kind, S_IFREG | S_IFDIR) {
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
        file.inode = Some(node);
        file.name = Some((found.dir, found.name));
        Rc::new(file)
    }

    fn open_device(&mut self, device: Device, flags: u32) -> Result<FileKind> {
        match device {
            Device::Tty => self.open_terminal(None, flags),
            Device::Pts(index) => self.open_terminal(Some(index), flags),
            Device::Ptmx => self.open_master(),
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

    /// `truncate` of an inode that the caller may write.
    ///
    /// # Errors
    /// `EISDIR`, `EINVAL`, `EFBIG`, `ENOSPC`, `EPERM` for a seal.
    pub fn truncate_inode(&mut self, node: &InodeRef, size: u64) -> Result<()> {
        let Node::File(content) = &node.node else {
            // A computed file takes O_TRUNC and ignores it.
            return if matches!(node.node, Node::Proc(_)) { Ok(()) } else { Err(Errno::EINVAL) };
        };
        if let Some(seals) = node.seals.get()
            && (seals & 0x2 != 0 && size < node.size() || seals & 0x4 != 0 && size > node.size())
        {
            return Err(Errno::EPERM);
        }
        if size > node.size() && size > self.proc().limits[RLIMIT_FSIZE as usize].0 {
            let _ = self.k.signal_task(self.task, crate::signal::Info::kernel(SIGXFSZ));
            return Err(Errno::EFBIG);
        }
        let before = Before::of(node);
        content.borrow_mut().truncate(size, self.m)?;
        self.k.show_change(self.m, node, &before);
        node.touch_modified(self.k.realtime());
        self.k.drop_set_ids(self.task, node);
        self.k.notify_found(node, IN_MODIFY);
        Ok(())
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
    fn is_running(&self, node: &InodeRef) -> bool {
        self.procs.iter().flatten().any(|p| p.status.is_none() && p.exe_inode.as_ref().is_some_and(|e| same(e, node)))
    }
}

pub fn truncate(cx: &mut Cx) -> Answer {
    if (cx.args[1] as i64) < 0 {
        return Err(Errno::EINVAL.into());
    }
    let node = cx.at(AT_FDCWD, 0, true)?.inode()?;
    if node.is_dir() {
        return Err(Errno::EISDIR.into());
    }
    permit(&cx.proc().cred, &node, W)?;
    if node.fs.read_only {
        return Err(Errno::EROFS.into());
    }
    if cx.k.is_running(&node) {
        return Err(Errno::ETXTBSY.into());
    }
    cx.truncate_inode(&node, cx.args[1])?;
    Ok(0)
}

pub fn ftruncate(cx: &mut Cx) -> Answer {
    let file = cx.file(0)?;
    cx.inode_of(0)?;
    let node = file.inode.clone().ok_or(Errno::EINVAL)?;
    if (cx.args[1] as i64) < 0 || !file.writable() {
        return Err(Errno::EINVAL.into());
    }
    cx.truncate_inode(&node, cx.args[1])?;
    Ok(0)
}

pub fn fallocate(cx: &mut Cx) -> Answer {
    const KEEP_SIZE: u32 = 1;
    const PUNCH_HOLE: u32 = 2;
    const ZERO_RANGE: u32 = 0x10;
    let file = cx.file(0)?;
    let (mode, at, len) = (cx.uint(1), cx.args[2], cx.args[3]);
    if (at as i64) < 0 || (len as i64) <= 0 {
        return Err(Errno::EINVAL.into());
    }
    if mode & !(KEEP_SIZE | PUNCH_HOLE | ZERO_RANGE) != 0 || mode & (PUNCH_HOLE | KEEP_SIZE) == PUNCH_HOLE {
        return Err(Errno::EOPNOTSUPP.into());
    }
    if !file.writable() {
        return Err(Errno::EBADF.into());
    }
    let node = file.inode.clone().ok_or(Errno::ESPIPE)?;
    let content = node.content().ok_or(if node.is_dir() { Errno::EISDIR } else { Errno::ENODEV })?;
    let end = at.checked_add(len).filter(|e| *e <= i64::MAX as u64).ok_or(Errno::EFBIG)?;
    if end > crate::fs::content::MAX_SIZE || end > cx.proc().limits[RLIMIT_FSIZE as usize].0 {
        return Err(Errno::EFBIG.into());
    }
    if node.seals.get().is_some_and(|s| s & 0x8 != 0 && mode & PUNCH_HOLE != 0 || s & 0x4 != 0 && end > node.size()) {
        return Err(Errno::EPERM.into());
    }
    cx.k.check_room(&node, at, len)?;
    let before = Before::of(&node);
    {
        let mut content = content.borrow_mut();
        if mode & (PUNCH_HOLE | ZERO_RANGE) != 0 {
            content.zero_range(at, len, cx.m)?;
        }
        if mode & PUNCH_HOLE == 0 {
            content.copy_up(cx.m)?;
            content.allocate(at, len, cx.m)?;
            if mode & KEEP_SIZE == 0 && end > content.size {
                content.truncate(end, cx.m)?;
            }
        }
    }
    cx.k.show_change(cx.m, &node, &before);
    node.touch_modified(cx.k.realtime());
    cx.k.notify_file(&node, file.name.as_ref(), IN_MODIFY);
    Ok(0)
}

/// The numbers of `struct stat` and `struct statx`.
struct Stat {
    dev: u64,
    ino: u64,
    mode: u32,
    nlink: u32,
    uid: u32,
    gid: u32,
    rdev: u64,
    size: u64,
    blocks: u64,
    times: [u64; 4],
}

impl Cx<'_> {
    fn stat_of(&self, target: &Target) -> Stat {
        match target {
            Target::Inode(inode) => self.stat_inode(inode),
            Target::File(file) => {
                let cred = &self.proc().cred;
                let now = self.k.spec.start_realtime;
                let dev = if matches!(file.kind, FileKind::Socket(_)) { 8 } else { 13 };
                Stat {
                    dev,
                    ino: self.k.file_ino(file),
                    mode: kind_mode(&file.kind),
                    nlink: 1,
                    uid: cred.fsuid,
                    gid: cred.fsgid,
                    rdev: 0,
                    size: 0,
                    blocks: 0,
                    times: [now; 4],
                }
            }
        }
    }

    fn stat_inode(&self, inode: &InodeRef) -> Stat {
        let meta = inode.meta.borrow();
        let (size, blocks) = match &inode.node {
            Node::File(content) => (content.borrow().size, content.borrow().blocks()),
            Node::Dir(_) => (4096, 8),
            Node::Symlink(target) => (target.len() as u64, 0),
            _ => (0, 0),
        };
        let rdev = if let Node::Device(device) = &inode.node { device.rdev() } else { 0 };
        let (uid, gid) = match &inode.node {
            Node::Proc(node) => procfs::owner(self.k, node),
            _ => (meta.uid, meta.gid),
        };
        Stat {
            dev: inode.fs.dev,
            ino: inode.ino,
            mode: meta.mode,
            nlink: meta.nlink,
            uid,
            gid,
            rdev,
            size,
            blocks,
            times: [meta.atime, meta.mtime, meta.ctime, meta.btime],
        }
    }

    fn put_stat(&mut self, target: &Target, addr: u64) -> Answer {
        let s = self.stat_of(target);
        let mut out = Struct::new()
            .u64(s.dev)
            .u64(s.ino)
            .u64(u64::from(s.nlink))
            .u32(s.mode)
            .u32(s.uid)
            .u32(s.gid)
            .u32(0)
            .u64(s.rdev)
            .u64(s.size)
            .u64(PAGE)
            .u64(s.blocks);
        for time in &s.times[..3] {
            out = out.u64(time / 1_000_000_000).u64(time % 1_000_000_000);
        }
        out.pad(144).put(self.m, addr)?;
        Ok(0)
    }
}

pub fn stat(cx: &mut Cx) -> Answer {
    let target = cx.at_inode(AT_FDCWD, cx.args[0], 0)?;
    cx.put_stat(&target, cx.args[1])
}

pub fn lstat(cx: &mut Cx) -> Answer {
    let target = cx.at_inode(AT_FDCWD, cx.args[0], AT_SYMLINK_NOFOLLOW)?;
    cx.put_stat(&target, cx.args[1])
}

pub fn fstat(cx: &mut Cx) -> Answer {
    let file = cx.any_file(cx.int(0))?;
    let target = match &file.inode {
        Some(inode) => Target::Inode(inode.clone()),
        None => Target::File(file),
    };
    cx.put_stat(&target, cx.args[1])
}

pub fn newfstatat(cx: &mut Cx) -> Answer {
    let flags = cx.uint(3);
    if flags & !(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH | AT_NO_AUTOMOUNT) != 0 {
        return Err(Errno::EINVAL.into());
    }
    let target = cx.at_inode(cx.int(0), cx.args[1], flags)?;
    cx.put_stat(&target, cx.args[2])
}

pub fn statx(cx: &mut Cx) -> Answer {
    let (flags, mask) = (cx.uint(2), cx.uint(3));
    if flags & !(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH | AT_NO_AUTOMOUNT | 0x6000) != 0
        || mask & 0x8000_0000 != 0
        || flags & 0x6000 == 0x6000
    {
        return Err(Errno::EINVAL.into());
    }
    let target = cx.at_inode(cx.int(0), cx.args[1], flags)?;
    let s = cx.stat_of(&target);
    let split = |dev: u64| ((dev >> 8) as u32 & 0xfff, (dev & 0xff | dev >> 12 & 0xfff00) as u32);
    let mut out = Struct::new()
        .u32(0xfff)
        .u32(PAGE as u32)
        .u64(0)
        .u32(s.nlink)
        .u32(s.uid)
        .u32(s.gid)
        .u16(s.mode as u16)
        .u16(0)
        .u64(s.ino)
        .u64(s.size)
        .u64(s.blocks)
        .u64(0);
    for time in [s.times[0], s.times[3], s.times[2], s.times[1]] {
        out = out.u64(time / 1_000_000_000).u32((time % 1_000_000_000) as u32).u32(0);
    }
    let ((rmajor, rminor), (major, minor)) = (split(s.rdev), split(s.dev));
    out = out.u32(rmajor).u32(rminor).u32(major).u32(minor);
    out.pad(256).put(cx.m, cx.args[4])?;
    Ok(0)
}

impl Cx<'_> {
    fn access(&mut self, dirfd: i32, path: u64, mode: u32, flags: u32) -> Answer {
        if mode & !7 != 0 || flags & !(AT_EACCESS | AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH) != 0 {
            return Err(Errno::EINVAL.into());
        }
        let mut cred = self.proc().cred.clone();
        if flags & AT_EACCESS == 0 {
            // access(2) asks with the real ids, and with the capabilities that they would have.
            cred.fsuid = cred.uid;
            cred.fsgid = cred.gid;
            cred.caps[0] = if cred.uid == 0 { cred.caps[1] } else { 0 };
        }
        let node = if path != 0 || flags & AT_EMPTY_PATH == 0 {
            let path = mem::path(self.m, path)?;
            if path.is_empty() && flags & AT_EMPTY_PATH != 0 {
                self.any_file(dirfd)?.inode.clone().ok_or(Errno::EINVAL)?
            } else {
                let follow = flags & AT_SYMLINK_NOFOLLOW == 0;
                let found = self.k.walk_as(self.m, self.task, dirfd, &path, follow, &cred)?;
                if found.file.as_ref().is_some_and(|f| f.inode.is_none()) {
                    return Ok(0);
                }
                found.inode()?
            }
        } else {
            self.any_file(dirfd)?.inode.clone().ok_or(Errno::EINVAL)?
        };
        permit_as(&cred, cred.fsuid, cred.fsgid, &node, mode)?;
        if mode & W != 0 && node.fs.read_only && matches!(node.kind(), S_IFREG | S_IFDIR | S_IFLNK) {
            return Err(Errno::EROFS.into());
        }
        Ok(0)
    }
}

pub fn access(cx: &mut Cx) -> Answer {
    cx.access(AT_FDCWD, cx.args[0], cx.uint(1), 0)
}

pub fn faccessat(cx: &mut Cx) -> Answer {
    cx.access(cx.int(0), cx.args[1], cx.uint(2), 0)
}

pub fn faccessat2(cx: &mut Cx) -> Answer {
    cx.access(cx.int(0), cx.args[1], cx.uint(2), cx.uint(3))
}

impl Cx<'_> {
    fn chmod_inode(&mut self, node: &InodeRef, mode: u32) -> Answer {
        if node.fs.read_only {
            return Err(Errno::EROFS.into());
        }
        let cred = self.proc().cred.clone();
        {
            let mut meta = node.meta.borrow_mut();
            if cred.fsuid != meta.uid && !cred.capable(CAP_FOWNER) {
                return Err(Errno::EPERM.into());
            }
            if meta.mode & S_IFMT == S_IFLNK {
                return Err(Errno::EOPNOTSUPP.into());
            }
            let mut mode = mode & 0o7777;
            if !cred.in_group(meta.gid) && !cred.capable(CAP_FSETID) {
                mode &= !S_ISGID;
            }
            meta.mode = meta.mode & S_IFMT | mode;
            meta.ctime = self.k.realtime();
        }
        self.k.notify_found(node, IN_ATTRIB);
        Ok(0)
    }

    fn chown_inode(&mut self, node: &InodeRef, uid: u32, gid: u32) -> Answer {
        if node.fs.read_only {
            return Err(Errno::EROFS.into());
        }
        let cred = self.proc().cred.clone();
        {
            let mut meta = node.meta.borrow_mut();
            let new_uid = if uid == u32::MAX { meta.uid } else { uid };
            let new_gid = if gid == u32::MAX { meta.gid } else { gid };
            if !cred.capable(CAP_CHOWN) {
                let own = cred.fsuid == meta.uid;
                if new_uid != meta.uid || (gid != u32::MAX && !(own && (new_gid == meta.gid || cred.in_group(new_gid))))
                {
                    return Err(Errno::EPERM.into());
                }
            }
            meta.uid = new_uid;
            meta.gid = new_gid;
            if meta.mode & S_IFMT == S_IFREG && meta.mode & 0o111 != 0 {
                meta.mode &= !S_ISUID;
                if meta.mode & 0o010 != 0 {
                    meta.mode &= !S_ISGID;
                }
            }
            meta.ctime = self.k.realtime();
        }
        self.k.notify_found(node, IN_ATTRIB);
        Ok(0)
    }
}

pub fn chmod(cx: &mut Cx) -> Answer {
    let node = cx.at(AT_FDCWD, 0, true)?.inode()?;
    cx.chmod_inode(&node, cx.uint(1))
}

pub fn fchmod(cx: &mut Cx) -> Answer {
    let Some(node) = cx.inode_of(0)? else { return Ok(0) };
    cx.chmod_inode(&node, cx.uint(1))
}

pub fn fchmodat(cx: &mut Cx) -> Answer {
    let node = cx.at(cx.int(0), 1, true)?.inode()?;
    cx.chmod_inode(&node, cx.uint(2))
}

pub fn fchmodat2(cx: &mut Cx) -> Answer {
    let flags = cx.uint(3);
    if flags & !(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH) != 0 {
        return Err(Errno::EINVAL.into());
    }
    let node = cx.at_inode(cx.int(0), cx.args[1], flags)?.inode()?;
    cx.chmod_inode(&node, cx.uint(2))
}

pub fn chown(cx: &mut Cx) -> Answer {
    let node = cx.at(AT_FDCWD, 0, true)?.inode()?;
    cx.chown_inode(&node, cx.uint(1), cx.uint(2))
}

pub fn lchown(cx: &mut Cx) -> Answer {
    let node = cx.at(AT_FDCWD, 0, false)?.inode()?;
    cx.chown_inode(&node, cx.uint(1), cx.uint(2))
}

pub fn fchown(cx: &mut Cx) -> Answer {
    let Some(node) = cx.inode_of(0)? else { return Ok(0) };
    cx.chown_inode(&node, cx.uint(1), cx.uint(2))
}

pub fn fchownat(cx: &mut Cx) -> Answer {
    let node = cx.at_inode(cx.int(0), cx.args[1], cx.uint(4))?.inode()?;
    cx.chown_inode(&node, cx.uint(2), cx.uint(3))
}

pub fn umask(cx: &mut Cx) -> Answer {
    let new = cx.uint(0) & 0o777;
    let mut fs = cx.proc().fs.borrow_mut();
    Ok(i64::from(core::mem::replace(&mut fs.umask, new)))
}

impl Cx<'_> {
    /// Sets access and modification time; `None` leaves a time, `Some(None)` is now.
    fn set_times(&mut self, node: &InodeRef, times: [Option<Option<u64>>; 2]) -> Answer {
        if node.fs.read_only {
            return Err(Errno::EROFS.into());
        }
        let cred = &self.proc().cred;
        let owner = cred.fsuid == node.meta.borrow().uid || cred.capable(CAP_FOWNER);
        let all_now = times.iter().all(|t| matches!(t, Some(None)));
        let none = times.iter().all(Option::is_none);
        if !owner && !none {
            // utimensat(2): setting both to now needs only the right to write.
            if !all_now {
                return Err(Errno::EPERM.into());
            }
            permit(cred, node, W)?;
        }
        let now = self.k.realtime();
        {
            let mut meta = node.meta.borrow_mut();
            if let Some(t) = times[0] {
                meta.atime = t.unwrap_or(now);
            }
            if let Some(t) = times[1] {
                meta.mtime = t.unwrap_or(now);
            }
            if !none {
                meta.ctime = now;
            }
        }
        let event = match times {
            [Some(_), Some(_)] => IN_ATTRIB,
            [Some(_), None] => IN_ACCESS,
            [None, Some(_)] => IN_MODIFY,
            [None, None] => return Ok(0),
        };
        self.k.notify_found(node, event);
        Ok(0)
    }

    fn read_times(&mut self, addr: u64) -> Result<[Option<Option<u64>>; 2]> {
        const UTIME_NOW: u64 = 0x3fff_ffff;
        const UTIME_OMIT: u64 = 0x3fff_fffe;
        if addr == 0 {
            return Ok([Some(None); 2]);
        }
        let raw: [u8; 32] = mem::array(self.m, addr)?;
        let mut out = [None; 2];
        for (i, slot) in out.iter_mut().enumerate() {
            let (sec, nsec) = (mem::field64(&raw, i * 16) as i64, mem::field64(&raw, i * 16 + 8));
            *slot = match nsec {
                UTIME_NOW => Some(None),
                UTIME_OMIT => None,
                0..1_000_000_000 => Some(Some((sec.max(0) as u64).saturating_mul(1_000_000_000).saturating_add(nsec))),
                _ => return Err(Errno::EINVAL),
            };
        }
        Ok(out)
    }
}

pub fn utimensat(cx: &mut Cx) -> Answer {
    let times = cx.read_times(cx.args[2])?;
    let flags = cx.uint(3);
    if flags & !(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH) != 0 {
        return Err(Errno::EINVAL.into());
    }
    if cx.args[1] == 0 && cx.int(0) != AT_FDCWD {
        let Some(node) = cx.inode_of(0)? else { return Ok(0) };
        return cx.set_times(&node, times);
    }
    let node = cx.at_inode(cx.int(0), cx.args[1], flags)?.inode()?;
    cx.set_times(&node, times)
}

pub fn utimes(cx: &mut Cx) -> Answer {
    let times = cx.timeval_times(cx.args[1])?;
    let node = cx.at(AT_FDCWD, 0, true)?.inode()?;
    cx.set_times(&node, times)
}

pub fn futimesat(cx: &mut Cx) -> Answer {
    let times = cx.timeval_times(cx.args[2])?;
    let node = cx.at_inode(cx.int(0), cx.args[1], AT_EMPTY_PATH)?.inode()?;
    cx.set_times(&node, times)
}

pub fn utime(cx: &mut Cx) -> Answer {
    let times = if cx.args[1] == 0 {
        [Some(None); 2]
    } else {
        let raw: [u8; 16] = mem::array(cx.m, cx.args[1])?;
        let sec = |at| Some(Some(mem::field64(&raw, at).saturating_mul(1_000_000_000)));
        [sec(0), sec(8)]
    };
    let node = cx.at(AT_FDCWD, 0, true)?.inode()?;
    cx.set_times(&node, times)
}

impl Cx<'_> {
    fn timeval_times(&mut self, addr: u64) -> Result<[Option<Option<u64>>; 2]> {
        if addr == 0 {
            return Ok([Some(None); 2]);
        }
        let raw: [u8; 32] = mem::array(self.m, addr)?;
        let one = |at: usize| {
            let (sec, usec) = (mem::field64(&raw, at), mem::field64(&raw, at + 8));
            if usec >= 1_000_000 {
                Err(Errno::EINVAL)
            } else {
                Ok(Some(Some(sec.saturating_mul(1_000_000_000).saturating_add(usec * 1000))))
            }
        };
        Ok([one(0)?, one(16)?])
    }
}

impl Cx<'_> {
    fn mkdir_at(&mut self, dirfd: i32, path: usize, mode: u32) -> Answer {
        let found = self.at(dirfd, path, false)?;
        let now = self.k.realtime();
        self.add_name(&found, |cx, dir| {
            let (mode, uid, gid) = cx.new_owner(dir, mode & 0o1777, true);
            Ok(Inode::new_dir(&dir.fs, mode, uid, gid, now))
        })?;
        Ok(0)
    }

    fn mknod_at(&mut self, dirfd: i32, path: usize, mode: u32, dev: u64) -> Answer {
        let found = self.at(dirfd, path, false)?;
        if found.slash && found.node.is_none() {
            return Err(Errno::ENOENT.into());
        }
        let kind = if mode & S_IFMT == 0 { S_IFREG } else { mode & S_IFMT };
        if matches!(kind, S_IFCHR | S_IFBLK) && !self.proc().cred.capable(27) && found.node.is_none() {
            return Err(Errno::EPERM.into());
        }
        if kind == S_IFDIR {
            return Err(Errno::EPERM.into());
        }
        let now = self.k.realtime();
        self.add_name(&found, |cx, dir| {
            let (mode, uid, gid) = cx.new_owner(dir, mode, false);
            let node = match kind {
                S_IFREG => return Ok(Inode::new_file(&dir.fs, mode, uid, gid, now)),
                S_IFIFO => Node::Fifo(Pipe::new(0)),
                S_IFSOCK => Node::Socket(0),
                S_IFCHR | S_IFBLK => Node::Device(Device::from_rdev(dev)),
                _ => return Err(Errno::EINVAL),
            };
            Ok(Inode::new(&dir.fs, kind | mode, uid, gid, now, node))
        })?;
        Ok(0)
    }

    fn symlink_at(&mut self, target: u64, dirfd: i32, path: usize) -> Answer {
        let target = mem::path(self.m, target)?;
        if target.is_empty() {
            return Err(Errno::ENOENT.into());
        }
        let found = self.at(dirfd, path, false)?;
        if found.slash && found.node.is_none() {
            return Err(Errno::ENOENT.into());
        }
        let now = self.k.realtime();
        self.add_name(&found, |cx, dir| {
            let (_, uid, gid) = cx.new_owner(dir, 0, false);
            Ok(Inode::new(&dir.fs, S_IFLNK | 0o777, uid, gid, now, Node::Symlink(target)))
        })?;
        Ok(0)
    }

    fn link_at(&mut self, old: (i32, u64), new: (i32, usize), flags: u32) -> Answer {
        if flags & !(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH) != 0 {
            return Err(Errno::EINVAL.into());
        }
        let nofollow = if flags & AT_SYMLINK_FOLLOW == 0 { AT_SYMLINK_NOFOLLOW } else { 0 };
        let node = self.at_inode(old.0, old.1, nofollow | flags & AT_EMPTY_PATH)?.inode()?;
        let found = self.at(new.0, new.1, false)?;
        if found.node.is_some() {
            return Err(Errno::EEXIST.into());
        }
        if found.slash {
            return Err(Errno::ENOENT.into());
        }
        if node.is_dir() {
            return Err(Errno::EPERM.into());
        }
        if !Rc::ptr_eq(&node.fs, &found.dir.fs) {
            return Err(Errno::EXDEV.into());
        }
        // linkat(2): a file that has lost its last name gets no new one; one made with O_TMPFILE may.
        if node.meta.borrow().nlink == 0 && !node.linkable.get() {
            return Err(Errno::ENOENT.into());
        }
        let now = self.k.realtime();
        let linked = node.clone();
        self.add_name(&found, |cx, _| {
            cx.k.notify_inode(&linked, IN_ATTRIB, None);
            Ok(linked)
        })?;
        let mut meta = node.meta.borrow_mut();
        meta.nlink += 1;
        meta.ctime = now;
        Ok(0)
    }

    fn unlink_at(&mut self, dirfd: i32, path: usize, dir: bool) -> Answer {
        let raw = mem::path(self.m, self.args[path])?;
        let found = self.k.walk(self.m, self.task, dirfd, &raw, false)?;
        let node = found.inode()?;
        if found.name.is_empty() {
            let last = raw.split(|b| *b == b'/').rfind(|p| !p.is_empty());
            return Err(match (dir, last) {
                (true, Some(b".")) => Errno::EINVAL,
                (true, Some(b"..")) => Errno::ENOTEMPTY,
                (true, _) => Errno::EBUSY,
                (false, _) => Errno::EISDIR,
            }
            .into());
        }
        if matches!(found.dir.node, Node::Proc(_)) {
            return Err(Errno::EPERM.into());
        }
        if dir {
            if !node.is_dir() {
                return Err(Errno::ENOTDIR.into());
            }
            self.may_remove(&found.dir, &node)?;
            if node.covers.borrow().is_some() {
                return Err(Errno::EBUSY.into());
            }
            if !node.is_empty_dir(self.m)? {
                return Err(Errno::ENOTEMPTY.into());
            }
        } else {
            self.may_remove(&found.dir, &node)?;
            if node.is_dir() {
                return Err(Errno::EISDIR.into());
            }
        }
        self.remove_name(&found.dir, &found.name, &node, true)?;
        Ok(0)
    }

    /// Takes a name away and counts it; `told` says whether watchers are told here.
    fn remove_name(&mut self, dir: &InodeRef, name: &[u8], node: &InodeRef, told: bool) -> Result<()> {
        let now = self.k.realtime();
        dir.unlink(name, node, now)?;
        {
            let mut meta = node.meta.borrow_mut();
            meta.nlink = if meta.mode & S_IFMT == S_IFDIR { 0 } else { meta.nlink.saturating_sub(1) };
            meta.ctime = now;
        }
        let bit = if node.is_dir() { IN_ISDIR } else { 0 };
        if told {
            if !node.is_dir() {
                self.k.notify_inode(node, IN_ATTRIB, None);
            }
            self.k.notify_if_gone(node);
            self.k.notify_inode(dir, IN_DELETE | bit, Some(name));
        }
        Ok(())
    }

    fn rename_at(&mut self, old: (i32, usize), new: (i32, usize), flags: u32) -> Answer {
        const NOREPLACE: u32 = 1;
        const EXCHANGE: u32 = 2;
        if flags & !(NOREPLACE | EXCHANGE) != 0 || flags == NOREPLACE | EXCHANGE {
            return Err(Errno::EINVAL.into());
        }
        let from = self.at(old.0, old.1, false)?;
        let to = self.at(new.0, new.1, false)?;
        if from.name.is_empty() || to.name.is_empty() {
            return Err(Errno::EBUSY.into());
        }
        let node = from.inode()?;
        if !Rc::ptr_eq(&from.dir.fs, &to.dir.fs) {
            return Err(Errno::EXDEV.into());
        }
        self.may_remove(&from.dir, &node)?;
        self.may_change(&to.dir)?;
        if (from.slash || to.slash) && !node.is_dir() {
            return Err(Errno::ENOTDIR.into());
        }
        // A directory cannot move below itself.
        let mut up = to.dir.clone();
        loop {
            if same(&up, &node) {
                return Err(Errno::EINVAL.into());
            }
            let parent = up.parent();
            if same(&parent, &up) {
                break;
            }
            up = parent;
        }
        if flags & EXCHANGE != 0 {
            let other = to.inode()?;
            let now = self.k.realtime();
            from.dir.unlink(&from.name, &node, now)?;
            to.dir.unlink(&to.name, &other, now)?;
            from.dir.link(&from.name, &other, now)?;
            to.dir.link(&to.name, &node, now)?;
            self.tell_move(&from, &to, &node, None);
            self.tell_move(&to, &from, &other, None);
            return Ok(0);
        }
        if let Some(target) = &to.node {
            if flags & NOREPLACE != 0 {
                return Err(Errno::EEXIST.into());
            }
            if same(target, &node) {
                return Ok(0);
            }
            self.may_remove(&to.dir, target)?;
            match (node.is_dir(), target.is_dir()) {
                (true, false) => return Err(Errno::ENOTDIR.into()),
                (false, true) => return Err(Errno::EISDIR.into()),
                (true, true) if !target.is_empty_dir(self.m)? => return Err(Errno::ENOTEMPTY.into()),
                _ => {}
            }
            if target.covers.borrow().is_some() {
                return Err(Errno::EBUSY.into());
            }
            self.remove_name(&to.dir, &to.name, target, false)?;
        }
        let now = self.k.realtime();
        from.dir.unlink(&from.name, &node, now)?;
        to.dir.link(&to.name, &node, now)?;
        node.meta.borrow_mut().ctime = now;
        self.tell_move(&from, &to, &node, to.node.as_ref());
        Ok(0)
    }

    /// Tells of a rename: the names with a cookie in common, what was in the way, the file itself.
    fn tell_move(&mut self, from: &Found, to: &Found, node: &InodeRef, over: Option<&InodeRef>) {
        node.note_move((&from.dir, &from.name), (&to.dir, &to.name));
        self.k.moves += 1;
        let cookie = self.k.moves;
        let bit = if node.is_dir() { IN_ISDIR } else { 0 };
        for (found, event) in [(from, IN_MOVED_FROM), (to, IN_MOVED_TO)] {
            let what = Happening { event: event | bit, name: Some(&found.name), cookie, gone: false };
            self.k.notify(&found.dir, what);
        }
        if let Some(over) = over.filter(|o| !o.is_dir()) {
            self.k.notify_inode(over, IN_ATTRIB, None);
        }
        self.k.notify_inode(node, IN_MOVE_SELF, None);
        if let Some(over) = over {
            self.k.notify_if_gone(over);
        }
    }
}

pub fn mkdir(cx: &mut Cx) -> Answer {
    cx.mkdir_at(AT_FDCWD, 0, cx.uint(1))
}

pub fn mkdirat(cx: &mut Cx) -> Answer {
    cx.mkdir_at(cx.int(0), 1, cx.uint(2))
}

pub fn mknod(cx: &mut Cx) -> Answer {
    cx.mknod_at(AT_FDCWD, 0, cx.uint(1), cx.args[2])
}

pub fn mknodat(cx: &mut Cx) -> Answer {
    cx.mknod_at(cx.int(0), 1, cx.uint(2), cx.args[3])
}

pub fn symlink(cx: &mut Cx) -> Answer {
    cx.symlink_at(cx.args[0], AT_FDCWD, 1)
}

pub fn symlinkat(cx: &mut Cx) -> Answer {
    cx.symlink_at(cx.args[0], cx.int(1), 2)
}

pub fn link(cx: &mut Cx) -> Answer {
    cx.link_at((AT_FDCWD, cx.args[0]), (AT_FDCWD, 1), 0)
}

pub fn linkat(cx: &mut Cx) -> Answer {
    cx.link_at((cx.int(0), cx.args[1]), (cx.int(2), 3), cx.uint(4))
}

pub fn unlink(cx: &mut Cx) -> Answer {
    cx.unlink_at(AT_FDCWD, 0, false)
}

pub fn rmdir(cx: &mut Cx) -> Answer {
    cx.unlink_at(AT_FDCWD, 0, true)
}

pub fn unlinkat(cx: &mut Cx) -> Answer {
    if cx.uint(2) & !AT_REMOVEDIR != 0 {
        return Err(Errno::EINVAL.into());
    }
    cx.unlink_at(cx.int(0), 1, cx.uint(2) & AT_REMOVEDIR != 0)
}

pub fn rename(cx: &mut Cx) -> Answer {
    cx.rename_at((AT_FDCWD, 0), (AT_FDCWD, 1), 0)
}

pub fn renameat(cx: &mut Cx) -> Answer {
    cx.rename_at((cx.int(0), 1), (cx.int(2), 3), 0)
}

pub fn renameat2(cx: &mut Cx) -> Answer {
    cx.rename_at((cx.int(0), 1), (cx.int(2), 3), cx.uint(4))
}

impl Cx<'_> {
    fn read_link(&mut self, dirfd: i32, path: u64, buf: u64, len: u64) -> Answer {
        if len as i32 <= 0 {
            return Err(Errno::EINVAL.into());
        }
        let raw = mem::path(self.m, path)?;
        let node = if raw.is_empty() && dirfd != AT_FDCWD {
            self.any_file(dirfd)?.inode.clone().ok_or(Errno::ENOENT)?
        } else {
            self.k.walk(self.m, self.task, dirfd, &raw, false)?.inode()?
        };
        let target = match &node.node {
            Node::Symlink(target) => target.clone(),
            Node::Proc(proc) if node.kind() == S_IFLNK => procfs::link_text(self, proc)?,
            _ => return Err(Errno::EINVAL.into()),
        };
        let n = target.len().min(len as usize);
        self.m.write(buf, &target[..n])?;
        Ok(n as i64)
    }
}

pub fn readlink(cx: &mut Cx) -> Answer {
    cx.read_link(AT_FDCWD, cx.args[0], cx.args[1], cx.args[2])
}

pub fn readlinkat(cx: &mut Cx) -> Answer {
    cx.read_link(cx.int(0), cx.args[1], cx.args[2], cx.args[3])
}

pub fn chdir(cx: &mut Cx) -> Answer {
    let node = cx.at(AT_FDCWD, 0, true)?.inode()?;
    cx.enter(node)
}

pub fn fchdir(cx: &mut Cx) -> Answer {
    let node = cx.any_file(cx.int(0))?.inode.clone().ok_or(Errno::ENOTDIR)?;
    cx.enter(node)
}

pub fn chroot(cx: &mut Cx) -> Answer {
    let node = cx.at(AT_FDCWD, 0, true)?.inode()?;
    if !node.is_dir() {
        return Err(Errno::ENOTDIR.into());
    }
    permit(&cx.proc().cred, &node, X)?;
    if !cx.proc().cred.capable(CAP_SYS_CHROOT) {
        return Err(Errno::EPERM.into());
    }
    cx.proc().fs.borrow_mut().root = node;
    Ok(0)
}

impl Cx<'_> {
    fn enter(&mut self, node: InodeRef) -> Answer {
        if !node.is_dir() {
            return Err(Errno::ENOTDIR.into());
        }
        permit(&self.proc().cred, &node, X)?;
        self.proc().fs.borrow_mut().cwd = node;
        Ok(0)
    }
}

pub fn getcwd(cx: &mut Cx) -> Answer {
    let fs = cx.proc().fs.borrow().clone();
    let gone = fs.cwd.meta.borrow().nlink == 0;
    let mut path = if gone { None } else { fs.cwd.dir_path(&fs.root) }.ok_or(Errno::ENOENT)?;
    path.push(0);
    if path.len() > mem::PATH_MAX {
        return Err(Errno::ENAMETOOLONG.into());
    }
    if path.len() as u64 > cx.args[1] {
        return Err(Errno::ERANGE.into());
    }
    cx.m.write(cx.args[0], &path)?;
    Ok(path.len() as i64)
}

/// A directory entry as `getdents64` gives it.
struct Dirent {
    ino: u64,
    kind: u32,
    name: Vec<u8>,
}

pub fn getdents64(cx: &mut Cx) -> Answer {
    cx.put_dirents(|entry, next| {
        let len = (19 + entry.name.len() + 1).next_multiple_of(8);
        let out = Struct::new().u64(entry.ino).u64(next).u16(len as u16);
        out.bytes(&[(entry.kind >> 12) as u8]).bytes(&entry.name).pad(len).0
    })
}

pub fn getdents(cx: &mut Cx) -> Answer {
    cx.put_dirents(|entry, next| {
        // getdents(2): the type is the last byte.
        let len = (18 + entry.name.len() + 2).next_multiple_of(8);
        let out = Struct::new().u64(entry.ino).u64(next).u16(len as u16).bytes(&entry.name);
        out.pad(len - 1).bytes(&[(entry.kind >> 12) as u8]).0
    })
}

impl Cx<'_> {
    /// Hands entries out in the form that `layout` gives them: entry and position after it.
    fn put_dirents(&mut self, layout: fn(&Dirent, u64) -> Vec<u8>) -> Answer {
        let file = self.file(0)?;
        let node = file.inode.clone().ok_or(Errno::ENOTDIR)?;
        if !node.is_dir() {
            return Err(Errno::ENOTDIR.into());
        }
        let mut out: Vec<u8> = Vec::new();
        let mut at = file.pos.get();
        let room = self.args[2] as usize;
        while let Some(entry) = self.dirent(&file, &node, at)? {
            let bytes = layout(&entry, at + 1);
            if out.len() + bytes.len() > room {
                if out.is_empty() {
                    return Err(Errno::EINVAL.into());
                }
                break;
            }
            at += 1;
            out.extend(bytes);
            *file.dir_at.borrow_mut() = Some(entry.name);
        }
        self.m.write(self.args[1], &out)?;
        file.pos.set(at);
        self.k.notify_file(&node, file.name.as_ref(), IN_ACCESS);
        Ok(out.len() as i64)
    }
}

impl Cx<'_> {
    /// The entry at a position: `.` and `..`, then the names in order as they stood when the listing began.
    fn dirent(&mut self, file: &FileRef, node: &InodeRef, at: u64) -> Result<Option<Dirent>> {
        match at {
            0 => return Ok(Some(Dirent { ino: node.ino, kind: S_IFDIR, name: b".".to_vec() })),
            1 => return Ok(Some(Dirent { ino: node.parent().ino, kind: S_IFDIR, name: b"..".to_vec() })),
            _ => {}
        }
        if let Node::Proc(proc) = &node.node {
            let list = procfs::list(self, proc);
            let entry = list.into_iter().nth(at as usize - 2);
            return Ok(entry.map(|(name, kind)| Dirent { ino: 4_000_000 + at, kind, name }));
        }
        if at == 2 {
            node.list(self.m)?;
            *file.dir_at.borrow_mut() = None;
        }
        // The last name given out is the place from which to go on, so that names removed meanwhile shift nothing.
        let dir = node.dir()?.borrow();
        let last = file.dir_at.borrow().clone();
        let from = match &last {
            Some(last) => core::ops::Bound::Excluded(last.clone()),
            None => core::ops::Bound::Unbounded,
        };
        let next = dir.entries.range((from, core::ops::Bound::Unbounded)).find_map(|(name, entry)| match entry {
            Entry::There(node) => Some((name.clone(), node.top())),
            Entry::Gone => None,
        });
        Ok(next.map(|(name, node)| Dirent { ino: node.ino, kind: node.kind(), name }))
    }
}

/// `ustat(2)`: free blocks and inodes of a mounted device.
pub fn ustat(cx: &mut Cx) -> Answer {
    let dev = cx.args[0];
    if cx.k.host_of(cx.task).root.fs.dev != dev {
        return Err(Errno::EINVAL.into());
    }
    let free = cx.k.host_of(cx.task).root.fs.capacity / PAGE;
    let free = free.saturating_sub(cx.k.store.used());
    Struct::new().u64(free.min(i32::MAX as u64)).u64((1 << 20) - 1000).pad(32).put(cx.m, cx.args[1])?;
    Ok(0)
}

impl Cx<'_> {
    fn put_statfs(&mut self, fs: &crate::fs::inode::FileSystem, addr: u64) -> Answer {
        let blocks = fs.capacity / PAGE;
        let free = blocks.saturating_sub(self.k.store.used());
        let words = [fs.magic, PAGE, blocks, free, free, 1 << 20, (1 << 20) - 1000, fs.dev, 255, PAGE, 0x20];
        let out = words.iter().fold(Struct::new(), |s, w| s.u64(*w));
        out.pad(120).put(self.m, addr)?;
        Ok(0)
    }
}

pub fn statfs(cx: &mut Cx) -> Answer {
    let node = cx.at(AT_FDCWD, 0, true)?.inode()?;
    cx.put_statfs(&node.fs, cx.args[1])
}

pub fn fstatfs(cx: &mut Cx) -> Answer {
    let file = cx.any_file(cx.int(0))?;
    let fs = match &file.inode {
        Some(node) => node.fs.clone(),
        None => cx.proc().fs.borrow().root.fs.clone(),
    };
    cx.put_statfs(&fs, cx.args[1])
}
