//! Descriptors: duplicating, closing, flags, locks, ioctl.

use super::open::count_ends;
use crate::fs::file::{FileKind, FileRef};
use crate::fs::inode::InodeRef;
use crate::fs::lock::{Owner, Range};
use crate::fs::pipe::Pipe;
use crate::mem::{self, Struct};
use crate::uapi::*;
use crate::wait::{Kind, Wait};
use crate::{Answer, Cx, Kernel};
use snowglobe_abi::errno::{Errno, Result};

pub fn close(cx: &mut Cx) -> Answer {
    let fd = cx.proc().fds.borrow_mut().remove(cx.int(0))?;
    let owner = cx.proc().id.0;
    cx.k.forget_process_locks(owner, &fd.file);
    match fd.file.kind {
        FileKind::Socket(id) => cx.close_last(fd.file, id),
        _ => Ok(0),
    }
}

pub fn close_range(cx: &mut Cx) -> Answer {
    let (from, to, flags) = (cx.uint(0), cx.uint(1), cx.uint(2));
    if from > to || flags & !6 != 0 {
        return Err(Errno::EINVAL.into());
    }
    if flags & 2 != 0 {
        let own = cx.proc().fds.borrow().clone();
        cx.proc_mut().fds = alloc::rc::Rc::new(core::cell::RefCell::new(own));
    }
    if flags & 4 != 0 {
        for (fd, entry) in cx.proc().fds.borrow_mut().iter_mut() {
            entry.cloexec |= (from..=to).contains(&(fd as u32));
        }
        return Ok(0);
    }
    let closed = cx.proc().fds.borrow_mut().remove_where(from as usize, to as usize, |_| true);
    let owner = cx.proc().id.0;
    for (_, fd) in closed {
        cx.k.forget_process_locks(owner, &fd.file);
    }
    Ok(0)
}

impl Cx<'_> {
    fn dup_from(&mut self, fd: i32, min: usize, cloexec: bool) -> Answer {
        let file = self.any_file(fd)?;
        let limit = self.descriptor_limit();
        if min as u64 >= limit {
            return Err(Errno::EINVAL.into());
        }
        Ok(i64::from(self.proc().fds.borrow_mut().add(file, cloexec, min, limit)?))
    }

    fn dup_to(&mut self, old: i32, new: i32, cloexec: bool) -> Answer {
        let file = self.any_file(old)?;
        let limit = self.descriptor_limit();
        if new < 0 || new as u64 >= limit {
            return Err(Errno::EBADF.into());
        }
        let before = self.proc().fds.borrow_mut().set(new as usize, file, cloexec);
        if let Some(before) = before {
            let owner = self.proc().id.0;
            self.k.forget_process_locks(owner, &before.file);
        }
        Ok(i64::from(new))
    }
}

pub fn dup(cx: &mut Cx) -> Answer {
    let file = cx.any_file(cx.int(0))?;
    Ok(i64::from(cx.install(file, false)?))
}

pub fn dup2(cx: &mut Cx) -> Answer {
    let (old, new) = (cx.int(0), cx.int(1));
    if old == new {
        cx.any_file(old)?;
        return Ok(i64::from(new));
    }
    cx.dup_to(old, new, false)
}

pub fn dup3(cx: &mut Cx) -> Answer {
    let (old, new, flags) = (cx.int(0), cx.int(1), cx.uint(2));
    if flags & !O_CLOEXEC != 0 || old == new {
        return Err(Errno::EINVAL.into());
    }
    cx.dup_to(old, new, flags != 0)
}

pub fn pipe(cx: &mut Cx) -> Answer {
    cx.make_pipe(0)
}

pub fn pipe2(cx: &mut Cx) -> Answer {
    cx.make_pipe(cx.uint(1))
}

impl Cx<'_> {
    fn make_pipe(&mut self, flags: u32) -> Answer {
        if flags & !(O_CLOEXEC | O_NONBLOCK | O_DIRECT) != 0 {
            return Err(Errno::EINVAL.into());
        }
        // The first end's name is the pipe's.
        let pipe = Pipe::new(self.k.next_file);
        pipe.writer_opens.set(1);
        let status = flags & (O_NONBLOCK | O_DIRECT);
        let mut ends = [0i32; 2];
        for (i, access) in [O_RDONLY, O_WRONLY].into_iter().enumerate() {
            count_ends(&pipe, access);
            let file = self.new_file(FileKind::Pipe(pipe.clone()), access | status);
            match self.install(file, flags & O_CLOEXEC != 0) {
                Ok(fd) => ends[i] = fd,
                Err(e) => {
                    self.close_quietly(&ends[..i]);
                    return Err(e.into());
                }
            }
        }
        let out = Struct::new().u32(ends[0] as u32).u32(ends[1] as u32);
        if let Err(e) = out.put(self.m, self.args[0]) {
            self.close_quietly(&ends);
            return Err(e.into());
        }
        Ok(0)
    }

    /// Takes back descriptors of a call that failed after all.
    pub fn close_quietly(&mut self, fds: &[i32]) {
        for fd in fds {
            let _ = self.proc().fds.borrow_mut().remove(*fd);
        }
    }
}

const F_SETPIPE_SZ: u32 = 1031;
const F_GETPIPE_SZ: u32 = 1032;

pub fn fcntl(cx: &mut Cx) -> Answer {
    let (fd, cmd, arg) = (cx.int(0), cx.uint(1), cx.args[2]);
    let file = cx.any_file(fd)?;
    let path = file.flags.get() & O_PATH != 0;
    match cmd {
        0 => cx.dup_from(fd, usize::try_from(arg as i32).map_err(|_| Errno::EINVAL)?, false),
        1030 => cx.dup_from(fd, usize::try_from(arg as i32).map_err(|_| Errno::EINVAL)?, true),
        1 => Ok(i64::from(cx.proc().fds.borrow().entry(fd)?.cloexec)),
        2 => {
            cx.proc().fds.borrow_mut().entry_mut(fd)?.cloexec = arg & 1 != 0;
            Ok(0)
        }
        3 => Ok(i64::from(file.flags.get())),
        _ if path => Err(Errno::EBADF.into()),
        4 => {
            const SETTABLE: u32 = O_APPEND | O_ASYNC | O_DIRECT | O_NOATIME | O_NONBLOCK;
            let old = file.flags.get();
            file.flags.set(old & !SETTABLE | arg as u32 & SETTABLE);
            cx.async_changed(&file, fd, old);
            if let FileKind::Socket(id) = &file.kind {
                cx.k.set_nonblocking(*id, file.nonblocking());
            }
            Ok(0)
        }
        5..=7 | 36..=38 => cx.record_lock(&file, cmd, arg),
        8 => {
            file.owner.set(arg as i32);
            Ok(0)
        }
        9 => Ok(i64::from(file.owner.get())),
        10 => {
            if arg > 64 {
                return Err(Errno::EINVAL.into());
            }
            file.owner_signal.set(arg as u32);
            Ok(0)
        }
        11 => Ok(i64::from(file.owner_signal.get())),
        15 => {
            let raw: [u8; 8] = mem::array(cx.m, arg)?;
            let id = mem::field32(&raw, 4) as i32;
            file.owner.set(if mem::field32(&raw, 0) == 2 { -id } else { id });
            Ok(0)
        }
        16 => {
            let id = file.owner.get();
            let (kind, id) = if id < 0 { (2, -id) } else { (1, id) };
            Struct::new().u32(kind).u32(id as u32).put(cx.m, arg)?;
            Ok(0)
        }
        1024 => cx.set_lease(&file, arg as u32),
        1025 => Ok(2),
        1026 => cx.notify_changes(&file, fd, arg as u32),
        F_GETPIPE_SZ => match &file.kind {
            FileKind::Pipe(pipe) => Ok(pipe.capacity.get() as i64),
            _ => Err(Errno::EBADF.into()),
        },
        F_SETPIPE_SZ => cx.set_pipe_size(&file, arg),
        1033 => cx.add_seals(&file, arg as u32),
        1034 => match file.inode.as_ref().and_then(|i| i.seals.get()) {
            Some(seals) => Ok(i64::from(seals)),
            None => Err(Errno::EINVAL.into()),
        },
        1035 => {
            let hint = file.inode.as_ref().map_or(0, |inode| inode.write_hint.get());
            cx.m.write(arg, &hint.to_le_bytes())?;
            Ok(0)
        }
        1036 => {
            /// RWH_WRITE_LIFE_EXTREME
            const LONGEST: u64 = 5;
            let hint = mem::u64(cx.m, arg)?;
            if hint > LONGEST {
                return Err(Errno::EINVAL.into());
            }
            if let Some(inode) = &file.inode {
                inode.write_hint.set(hint);
            }
            Ok(0)
        }
        // The hints of descriptions are gone (Linux 5.17).
        _ => Err(Errno::EINVAL.into()),
    }
}

impl Cx<'_> {
    /// F_SETLEASE: a lease is never had here, as on a file that others have open; so there is none to give back.
    fn set_lease(&mut self, file: &FileRef, kind: u32) -> Answer {
        let regular = file.inode.as_ref().is_some_and(|inode| inode.kind() == S_IFREG);
        // F_RDLCK, F_WRLCK, F_UNLCK
        if kind > 2 || !regular {
            return Err(Errno::EINVAL.into());
        }
        if kind != 2 {
            self.k.note_unsupported(72, "fcntl F_SETLEASE", 0);
        }
        Err(Errno::EAGAIN.into())
    }

    /// O_ASYNC may have been set: the description then waits on what it names, for its owner. Sockets know theirs.
    fn async_changed(&self, file: &FileRef, fd: i32, old: u32) {
        if !old & file.flags.get() & O_ASYNC != 0 && !matches!(file.kind, FileKind::Socket(_)) {
            file.async_by.set((self.proc().host.0, fd));
            self.k.watch(file, crate::sched::Waiter::Owner(alloc::rc::Rc::downgrade(file)));
        }
    }

    fn set_pipe_size(&mut self, file: &FileRef, size: u64) -> Answer {
        let FileKind::Pipe(pipe) = &file.kind else { return Err(Errno::EBADF.into()) };
        let size = usize::try_from(size as i32).map_err(|_| Errno::EINVAL)?;
        let size = size.max(4096).next_power_of_two();
        if size > 1 << 20 && !self.proc().cred.capable(CAP_SYS_RESOURCE) {
            return Err(Errno::EPERM.into());
        }
        if size < pipe.len() {
            return Err(Errno::EBUSY.into());
        }
        pipe.capacity.set(size);
        pipe.queue.wake(&mut self.k.sched, POLLOUT);
        Ok(size as i64)
    }

    fn add_seals(&mut self, file: &FileRef, seals: u32) -> Answer {
        let inode = file.inode.as_ref().ok_or(Errno::EINVAL)?;
        let old = inode.seals.get().ok_or(Errno::EINVAL)?;
        if seals & !0x1f != 0 {
            return Err(Errno::EINVAL.into());
        }
        if !file.writable() || old & 1 != 0 {
            return Err(Errno::EPERM.into());
        }
        if seals & 8 != 0 && self.k.is_mapped_shared(inode) {
            return Err(Errno::EBUSY.into());
        }
        inode.seals.set(Some(old | seals));
        Ok(0)
    }

    fn record_lock(&mut self, file: &FileRef, cmd: u32, addr: u64) -> Answer {
        let raw: [u8; 32] = mem::array(self.m, addr)?;
        let inode = file.inode.clone().ok_or(Errno::EINVAL)?;
        let kind = u16::from_le_bytes([raw[0], raw[1]]);
        let whence = u16::from_le_bytes([raw[2], raw[3]]);
        let (start, len) = (mem::field64(&raw, 8) as i64, mem::field64(&raw, 16) as i64);
        let base = match whence {
            0 => 0,
            1 => file.pos.get() as i64,
            2 => inode.size() as i64,
            _ => return Err(Errno::EINVAL.into()),
        };
        let mut start = base.checked_add(start).ok_or(Errno::EOVERFLOW)?;
        if start < 0 {
            return Err(Errno::EINVAL.into());
        }
        let end = match len {
            0 => i64::MAX,
            1.. => start.checked_add(len - 1).ok_or(Errno::EOVERFLOW)?,
            _ => {
                // fcntl(2): a negative length locks what comes before.
                let end = start - 1;
                start = start.checked_add(len).filter(|s| *s >= 0).ok_or(Errno::EINVAL)?;
                end
            }
        };
        let ofd = cmd >= 36;
        if ofd && mem::field32(&raw, 24) != 0 {
            return Err(Errno::EINVAL.into());
        }
        let proc = self.proc();
        let (owner, pid) = if ofd { (Owner::File(file.id), -1) } else { (Owner::Process(proc.id.0), proc.pid as i32) };
        let range = Range { owner, start: start as u64, end: end as u64, exclusive: kind == 1, pid };
        match cmd {
            5 | 36 => self.get_lock(&inode, &range, kind, addr),
            _ => {
                let needs = match kind {
                    0 => file.readable(),
                    1 => file.writable(),
                    2 => true,
                    _ => return Err(Errno::EINVAL.into()),
                };
                if !needs {
                    return Err(Errno::EBADF.into());
                }
                if kind == 2 {
                    let mut locks = inode.locks.borrow_mut();
                    let locks = locks.get_or_insert_default();
                    locks.clear(&range);
                    locks.queue.wake(&mut self.k.sched, 0);
                    return Ok(0);
                }
                match self.lock_now(&inode, range) {
                    Err(Errno::EAGAIN) if cmd == 7 || cmd == 38 => {
                        // Nobody waits for himself: whoever stands in the way is asked about.
                        let mut blocker = range.owner;
                        match self.lock_after(&inode, range, &mut blocker) {
                            Err(Errno::EAGAIN) => Err(Wait::new(Kind::Lock { inode, range, blocker }).stop()),
                            other => Ok(other?),
                        }
                    }
                    other => Ok(other?),
                }
            }
        }
    }

    fn get_lock(&mut self, inode: &InodeRef, range: &Range, kind: u16, addr: u64) -> Answer {
        if kind > 1 {
            return Err(Errno::EINVAL.into());
        }
        let found = inode.locks.borrow().as_ref().and_then(|l| l.conflict(range));
        match found {
            None => self.m.write(addr, &2u16.to_le_bytes())?,
            Some(r) => {
                let len = if r.end == i64::MAX as u64 { 0 } else { r.end - r.start + 1 };
                let out = Struct::new().u16(u16::from(r.exclusive)).u16(0).u32(0).u64(r.start).u64(len);
                out.u32(r.pid as u32).put(self.m, addr)?;
            }
        }
        Ok(0)
    }

    /// Takes a record lock if nobody stands against it.
    ///
    /// # Errors
    /// `EAGAIN` if somebody does.
    pub fn lock_now(&mut self, inode: &InodeRef, range: Range) -> Result<i64> {
        let mut locks = inode.locks.borrow_mut();
        let locks = locks.get_or_insert_default();
        if locks.conflict(&range).is_some() {
            return Err(Errno::EAGAIN);
        }
        locks.set(range);
        // A lock that became shared lets others in.
        locks.queue.wake(&mut self.k.sched, 0);
        Ok(0)
    }

    /// Takes a record lock for a caller that waits for it if it must, `blocker` being who stood in the way before. Somebody
    /// else who does now may wait for the caller.
    ///
    /// # Errors
    /// `EAGAIN` if there is somebody to wait for, `EDEADLK` if the wait would have no end.
    pub fn lock_after(&mut self, inode: &InodeRef, range: Range, blocker: &mut Owner) -> Result<i64> {
        let now = inode.locks.borrow().as_ref().and_then(|l| l.conflict(&range)).map(|r| r.owner);
        match now {
            None => self.lock_now(inode, range),
            Some(owner) if owner == *blocker => Err(Errno::EAGAIN),
            Some(_) if self.k.lock_would_deadlock(inode, &range) => Err(Errno::EDEADLK),
            Some(owner) => {
                *blocker = owner;
                Err(Errno::EAGAIN)
            }
        }
    }

    /// Takes a `flock` lock if nobody stands against it.
    ///
    /// # Errors
    /// `EAGAIN` if somebody does.
    pub fn flock_now(&mut self, file: &FileRef, exclusive: bool) -> Result<i64> {
        let inode = file.inode.as_ref().ok_or(Errno::EBADF)?;
        let mut locks = inode.locks.borrow_mut();
        let locks = locks.get_or_insert_default();
        if locks.whole_conflict(file.id, exclusive) {
            return Err(Errno::EAGAIN);
        }
        locks.whole.retain(|(o, _)| *o != file.id);
        locks.whole.push((file.id, exclusive));
        locks.queue.wake(&mut self.k.sched, 0);
        Ok(0)
    }
}

pub fn flock(cx: &mut Cx) -> Answer {
    let file = cx.file(0)?;
    let op = cx.uint(1);
    let Some(inode) = &file.inode else { return Ok(0) };
    match op & !4 {
        8 => {
            if let Some(locks) = inode.locks.borrow_mut().as_mut() {
                locks.whole.retain(|(o, _)| *o != file.id);
                locks.queue.wake(&mut cx.k.sched, 0);
            }
            Ok(0)
        }
        1 | 2 => match cx.flock_now(&file, op & 2 != 0) {
            Err(Errno::EAGAIN) if op & 4 == 0 => {
                // flock(2): a change of kind gives the old lock up before it waits.
                if let Some(locks) = inode.locks.borrow_mut().as_mut() {
                    locks.whole.retain(|(o, _)| *o != file.id);
                    locks.queue.wake(&mut cx.k.sched, 0);
                }
                Err(Wait::new(Kind::Flock { file, exclusive: op & 2 != 0 }).stop())
            }
            other => Ok(other?),
        },
        _ => Err(Errno::EINVAL.into()),
    }
}

impl Kernel {
    /// fcntl(2): a process loses its record locks on a file when it closes any descriptor of it, and what F_NOTIFY asked
    /// for by this description.
    pub fn forget_process_locks(&mut self, owner: u32, file: &FileRef) {
        if let FileKind::Mqueue(queue) = &file.kind {
            // mq_close(3): so with a request to be notified.
            let asked = queue.unask(crate::task::ProcId(owner));
            self.mq_unasked(asked);
        }
        let Some(inode) = &file.inode else { return };
        if file.flags.get() & O_PATH != 0 {
            return;
        }
        if !inode.watches.borrow().is_empty() {
            inode.watches.borrow_mut().retain(|w| !w.is_asked(file, owner));
        }
        if let Some(locks) = inode.locks.borrow_mut().as_mut() {
            let before = locks.records.len();
            locks.records.retain(|r| r.owner != Owner::Process(owner));
            if locks.records.len() != before {
                locks.queue.wake(&mut self.sched, 0);
            }
        }
    }

    /// Whether waiting for a lock closes a circle of processes that wait for each other (EDEADLK).
    fn lock_would_deadlock(&self, inode: &InodeRef, want: &Range) -> bool {
        let holder = |inode: &InodeRef, r: &Range| inode.locks.borrow().as_ref().and_then(|l| l.conflict(r));
        let Some(mut blocker) = holder(inode, want).map(|r| r.owner) else { return false };
        for _ in 0..10 {
            if blocker == want.owner {
                return true;
            }
            let Owner::Process(id) = blocker else { return false };
            let waits =
                self.tasks.iter().flatten().filter(|t| t.proc.0 == id).find_map(|t| match &t.wait.as_ref()?.kind {
                    Kind::Lock { inode, range, .. } => holder(inode, range),
                    _ => None,
                });
            match waits {
                Some(next) => blocker = next.owner,
                None => return false,
            }
        }
        false
    }

    /// Whether some address space maps an inode shared and may write it.
    fn is_mapped_shared(&self, inode: &InodeRef) -> bool {
        self.spaces.iter().flatten().flat_map(|s| s.space.vmas.values()).any(|v| {
            v.shared
                && v.prot & PROT_WRITE != 0
                && matches!(&v.source, crate::mm::Source::File { inode: i, .. } if alloc::rc::Rc::ptr_eq(i, inode))
        })
    }
}

pub fn ioctl(cx: &mut Cx) -> Answer {
    const FIONREAD: u32 = 0x541b;
    const FIONBIO: u32 = 0x5421;
    const FIOASYNC: u32 = 0x5452;
    const FIOCLEX: u32 = 0x5451;
    const FIONCLEX: u32 = 0x5450;
    let file = cx.file(0)?;
    let (fd, cmd, arg) = (cx.int(0), cx.uint(1), cx.args[2]);
    match cmd {
        FIOCLEX | FIONCLEX => {
            cx.proc().fds.borrow_mut().entry_mut(fd)?.cloexec = cmd == FIOCLEX;
            return Ok(0);
        }
        FIONBIO | FIOASYNC => {
            let on = mem::u32(cx.m, arg)? != 0;
            let flag = if cmd == FIONBIO { O_NONBLOCK } else { O_ASYNC };
            let flags = file.flags.get();
            file.flags.set(if on { flags | flag } else { flags & !flag });
            cx.async_changed(&file, fd, flags);
            if let FileKind::Socket(id) = &file.kind {
                cx.k.set_nonblocking(*id, file.nonblocking());
            }
            return Ok(0);
        }
        _ => {}
    }
    if let FileKind::Socket(id) = &file.kind {
        return cx.socket_ioctl(&file, *id, cmd, arg);
    }
    match &file.kind {
        FileKind::Master(tty) => return cx.tty_ioctl(&file, tty, true, cmd, arg),
        FileKind::Terminal(tty) => return cx.tty_ioctl(&file, tty, false, cmd, arg),
        _ => {}
    }
    if cmd == FIONREAD {
        let n = match &file.kind {
            FileKind::Pipe(pipe) => pipe.len(),
            FileKind::Input(input) => input.len(),
            FileKind::Inotify(inotify) => inotify.events.borrow().iter().map(alloc::vec::Vec::len).sum(),
            FileKind::Inode if file.inode.as_ref().is_some_and(|i| i.content().is_some()) => {
                file.inode.as_ref().map_or(0, |i| i.size().saturating_sub(file.pos.get()) as usize)
            }
            _ => return Err(Errno::ENOTTY.into()),
        };
        cx.m.write(arg, &(n as u32).to_le_bytes())?;
        return Ok(0);
    }
    Err(Errno::ENOTTY.into())
}
