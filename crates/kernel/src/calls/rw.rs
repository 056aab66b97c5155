//! Reading, writing and moving bytes between descriptors.

use crate::fs::disk::faults::Reach;
use crate::fs::file::{FileKind, FileRef};
use crate::io::MAX_RW;
use crate::mem::Iov;
use crate::mm::Before;
use crate::uapi::*;
use crate::wait::{Interrupt, Kind, Wait};
use crate::{Answer, Cx};
use alloc::vec::Vec;
use snowglobe_abi::errno::{Errno, Result};

const RWF_APPEND: u32 = 0x10;
const RWF_NOWAIT: u32 = 0x8;
const RWF_DSYNC: u32 = 0x2;
const RWF_SYNC: u32 = 0x4;
const RWF_KNOWN: u32 = 0x1f;

impl Cx<'_> {
    fn readable(&self, i: usize) -> Result<FileRef> {
        let file = self.file(i)?;
        if file.readable() { Ok(file) } else { Err(Errno::EBADF) }
    }

    fn writable(&self, i: usize) -> Result<FileRef> {
        let file = self.file(i)?;
        if file.writable() { Ok(file) } else { Err(Errno::EBADF) }
    }

    fn read_or_wait(&mut self, file: FileRef, iov: Iov) -> Answer {
        self.check_read(&file)?;
        self.reach_disk(&file, Reach::Read(file.pos.get(), iov.len()))?;
        match self.read_file(&file, &iov) {
            Ok(n) => Ok(n as i64),
            Err(Errno::EAGAIN) if !file.nonblocking() => {
                let socket = self.k.socket_deadline(&file, true);
                let signal = Interrupt::for_timeout(socket);
                let deadline = self.tty_deadline(&file, socket);
                Err(Wait::new(Kind::Read { file, iov }).until(deadline).on_signal(signal).stop())
            }
            Err(e) => Err(e.into()),
        }
    }

    fn write_or_wait(&mut self, file: FileRef, iov: Iov) -> Answer {
        self.check_write(&file)?;
        self.reach_write(&file, 0)?;
        let mut done = 0;
        match self.write_more(&file, &iov, &mut done) {
            Ok(()) => Ok(done as i64),
            Err(Errno::EAGAIN) if !file.nonblocking() => {
                let deadline = self.k.socket_deadline(&file, false);
                let signal = Interrupt::for_timeout(deadline);
                Err(Wait::new(Kind::Write { file, iov, done }).until(deadline).on_signal(signal).stop())
            }
            Err(_) if done > 0 => Ok(done as i64),
            Err(e) => Ok(self.sigpipe(&file, Err(e))?),
        }
    }

    fn read_at(&mut self, file: FileRef, iov: Iov, at: u64) -> Answer {
        self.check_position(&file, at)?;
        self.reach_disk(&file, Reach::Read(at, iov.len()))?;
        match &file.kind {
            FileKind::Inode => Ok(self.read_inode(&file, &iov, at)? as i64),
            FileKind::Mqueue(queue) => Ok(self.read_mq_status(queue, &iov, at)? as i64),
            // Devices have no position: pread(2) of /dev/zero reads zeros.
            _ => Ok(self.read_file(&file, &iov)? as i64),
        }
    }

    fn write_at(&mut self, file: FileRef, iov: Iov, at: u64) -> Answer {
        self.check_position(&file, at)?;
        self.reach_write(&file, 0)?;
        match &file.kind {
            FileKind::Inode => {
                // pwrite(2), BUGS: with O_APPEND data goes to the end, whatever the offset.
                let append = file.flags.get() & O_APPEND != 0;
                let at = if append { file.inode.as_ref().map_or(at, |i| i.size()) } else { at };
                Ok(self.write_inode(&file, &iov, at)? as i64)
            }
            _ => {
                let mut done = 0;
                self.write_more(&file, &iov, &mut done)?;
                Ok(done as i64)
            }
        }
    }

    /// `pwritev2`, as its flags and its position say.
    fn write_with(&mut self, file: &FileRef, iov: Iov, flags: u32) -> Answer {
        let at = self.args[3];
        if flags & RWF_APPEND != 0 {
            let end = file.inode.as_ref().map_or(0, |i| i.size());
            let n = self.write_at(file.clone(), iov, end)?;
            if at == u64::MAX {
                file.pos.set(end + n as u64);
            }
            return Ok(n);
        }
        if at == u64::MAX { self.write_or_wait(file.clone(), iov) } else { self.write_at(file.clone(), iov, at) }
    }

    /// The description of a call with a position: Linux looks at that before it looks at how the file was opened.
    fn placed(&self, at: usize, open: fn(&Self, usize) -> Result<FileRef>) -> Result<FileRef> {
        self.check_position(&self.file(0)?, self.args[at])?;
        open(self, 0)
    }

    fn check_position(&self, file: &FileRef, at: u64) -> Result<()> {
        if (at as i64) < 0 {
            return Err(Errno::EINVAL);
        }
        match &file.kind {
            FileKind::Inode | FileKind::Device(_) | FileKind::Mqueue(_) => Ok(()),
            _ => Err(Errno::ESPIPE),
        }
    }
}

pub fn read(cx: &mut Cx) -> Answer {
    let file = cx.readable(0)?;
    let iov = Iov::named(cx.args[1], cx.args[2])?;
    cx.read_or_wait(file, iov)
}

pub fn write(cx: &mut Cx) -> Answer {
    let file = cx.writable(0)?;
    let iov = Iov::named(cx.args[1], cx.args[2])?;
    cx.write_or_wait(file, iov)
}

pub fn readv(cx: &mut Cx) -> Answer {
    let file = cx.readable(0)?;
    let iov = Iov::read(cx.m, cx.args[1], cx.args[2])?;
    cx.read_or_wait(file, iov)
}

pub fn writev(cx: &mut Cx) -> Answer {
    let file = cx.writable(0)?;
    let iov = Iov::read(cx.m, cx.args[1], cx.args[2])?;
    cx.write_or_wait(file, iov)
}

pub fn pread64(cx: &mut Cx) -> Answer {
    let file = cx.placed(3, Cx::readable)?;
    let iov = Iov::named(cx.args[1], cx.args[2])?;
    cx.read_at(file, iov, cx.args[3])
}

pub fn pwrite64(cx: &mut Cx) -> Answer {
    let file = cx.placed(3, Cx::writable)?;
    let iov = Iov::named(cx.args[1], cx.args[2])?;
    cx.write_at(file, iov, cx.args[3])
}

pub fn preadv(cx: &mut Cx) -> Answer {
    let file = cx.placed(3, Cx::readable)?;
    let iov = Iov::read(cx.m, cx.args[1], cx.args[2])?;
    cx.read_at(file, iov, cx.args[3])
}

pub fn pwritev(cx: &mut Cx) -> Answer {
    let file = cx.placed(3, Cx::writable)?;
    let iov = Iov::read(cx.m, cx.args[1], cx.args[2])?;
    cx.write_at(file, iov, cx.args[3])
}

pub fn preadv2(cx: &mut Cx) -> Answer {
    if cx.uint(5) & !RWF_KNOWN != 0 {
        return Err(Errno::EOPNOTSUPP.into());
    }
    let file = if cx.args[3] == u64::MAX { cx.readable(0)? } else { cx.placed(3, Cx::readable)? };
    let iov = Iov::read(cx.m, cx.args[1], cx.args[2])?;
    if cx.args[3] == u64::MAX {
        if cx.uint(5) & RWF_NOWAIT != 0 {
            return Ok(cx.read_file(&file, &iov)? as i64);
        }
        return cx.read_or_wait(file, iov);
    }
    cx.read_at(file, iov, cx.args[3])
}

pub fn pwritev2(cx: &mut Cx) -> Answer {
    let flags = cx.uint(5);
    if flags & !RWF_KNOWN != 0 {
        return Err(Errno::EOPNOTSUPP.into());
    }
    let file = if cx.args[3] == u64::MAX { cx.writable(0)? } else { cx.placed(3, Cx::writable)? };
    let iov = Iov::read(cx.m, cx.args[1], cx.args[2])?;
    let sync = if flags & RWF_SYNC != 0 { O_SYNC } else { O_DSYNC };
    if flags & (RWF_SYNC | RWF_DSYNC) != 0 {
        cx.reach_disk(&file, Reach::Write)?;
    }
    let n = cx.write_with(&file, iov, flags)?;
    if n > 0 && flags & (RWF_SYNC | RWF_DSYNC) != 0 {
        cx.write_through(&file, sync)?;
    }
    Ok(n)
}

pub fn lseek(cx: &mut Cx) -> Answer {
    let file = cx.file(0)?;
    let (offset, whence) = (cx.args[1] as i64, cx.uint(2));
    const SEEK_HOLE: u32 = 4;
    if whence > SEEK_HOLE {
        return Err(Errno::EINVAL.into());
    }
    match &file.kind {
        FileKind::Inode => {}
        FileKind::Device(_) => return Ok(0),
        FileKind::Mqueue(_) => {
            let base = match whence {
                0 => 0,
                1 => file.pos.get() as i64,
                _ => return Err(Errno::EINVAL.into()),
            };
            let pos = base.checked_add(offset).filter(|p| *p >= 0).ok_or(Errno::EINVAL)?;
            file.pos.set(pos as u64);
            return Ok(pos);
        }
        _ => return Err(Errno::ESPIPE.into()),
    }
    let inode = file.inode.as_ref().ok_or(Errno::EBADF)?;
    let size = inode.size() as i64;
    let base = match whence {
        0 => 0,
        1 => file.pos.get() as i64,
        2 if inode.is_dir() => i64::MAX,
        2 => size,
        3 | 4 => {
            let content = inode.content().ok_or(Errno::EINVAL)?;
            let at = u64::try_from(offset).map_err(|_| Errno::ENXIO)?;
            let found = content.borrow().seek(at, whence == 3).ok_or(Errno::ENXIO)?;
            file.pos.set(found);
            return Ok(found as i64);
        }
        _ => return Err(Errno::EINVAL.into()),
    };
    let pos = base.checked_add(offset).filter(|p| *p >= 0).ok_or(Errno::EINVAL)?;
    file.pos.set(pos as u64);
    Ok(pos)
}

fn sync_file(cx: &mut Cx, data_only: bool) -> Answer {
    let file = cx.file(0)?;
    match &file.kind {
        FileKind::Inode => {
            cx.reach_disk(&file, Reach::Write)?;
            cx.k.sync_file(cx.m, &file, data_only)?;
            Ok(0)
        }
        _ => Err(Errno::EINVAL.into()),
    }
}

pub fn fsync(cx: &mut Cx) -> Answer {
    sync_file(cx, false)
}

pub fn fdatasync(cx: &mut Cx) -> Answer {
    sync_file(cx, true)
}

pub fn sync_file_range(cx: &mut Cx) -> Answer {
    let file = cx.file(0)?;
    let (at, len) = (cx.args[1] as i64, cx.args[2] as i64);
    if cx.uint(3) & !7 != 0 || at < 0 || len < 0 || at.checked_add(len).is_none() {
        return Err(Errno::EINVAL.into());
    }
    const WRITE: u32 = 2;
    let inode = file.inode.as_ref().filter(|i| matches!(i.kind(), S_IFREG | S_IFDIR | S_IFBLK | S_IFLNK));
    let inode = inode.ok_or(Errno::ESPIPE)?;
    // sync_file_range(2), NOTES: it flushes no disk cache and writes no metadata. The data is on its way, and nothing sure.
    if cx.uint(3) & WRITE != 0 {
        cx.reach_disk(&file, Reach::Write)?;
        let now = cx.k.realtime();
        crate::fs::disk::of(inode).inspect(|disk| disk.flush(inode, now));
    }
    Ok(0)
}

pub fn nothing(_: &mut Cx) -> Answer {
    Ok(0)
}

pub fn sync(cx: &mut Cx) -> Answer {
    let host = cx.proc().host;
    cx.k.sync_host(cx.m, host);
    Ok(0)
}

/// The descriptor may be of any file; what is no file of a disk has nothing to be synced.
pub fn syncfs(cx: &mut Cx) -> Answer {
    let file = cx.file(0)?;
    cx.reach_disk(&file, Reach::Write)?;
    if let Some(inode) = &file.inode {
        cx.k.sync_fs(cx.m, &inode.fs)?;
    }
    Ok(0)
}

pub fn fadvise64(cx: &mut Cx) -> Answer {
    let file = cx.file(0)?;
    if matches!(file.kind, FileKind::Pipe(_)) {
        return Err(Errno::ESPIPE.into());
    }
    if cx.uint(3) > 5 { Err(Errno::EINVAL.into()) } else { Ok(0) }
}

pub fn readahead(cx: &mut Cx) -> Answer {
    let file = cx.readable(0)?;
    if file.inode.as_ref().is_some_and(|i| i.kind() == S_IFREG) { Ok(0) } else { Err(Errno::EINVAL.into()) }
}

/// Where bytes that the kernel moves by itself come from.
impl Cx<'_> {
    /// Bytes of a regular file, for `sendfile`, `splice` and `copy_file_range`.
    fn file_bytes(&mut self, file: &FileRef, at: u64, max: u64) -> Result<Vec<u8>> {
        let content =
            file.inode.as_ref().and_then(|i| i.content().is_some().then(|| i.clone())).ok_or(Errno::EINVAL)?;
        let max = self.k.disk_read(self.m, &content, file.name.as_ref(), at, max.min(65536))?;
        let mut buf = alloc::vec![0u8; max as usize];
        let n = content.content().ok_or(Errno::EINVAL)?.borrow_mut().read(at, &mut buf, self.m)?;
        buf.truncate(n);
        if n > 0 {
            self.k.notify_file(&content, file.name.as_ref(), IN_ACCESS);
        }
        Ok(buf)
    }

    /// Writes the kernel's own bytes to whatever a description names; returns how many it took.
    fn put_bytes(&mut self, file: &FileRef, data: &[u8], at: Option<u64>) -> Result<usize> {
        match &file.kind {
            FileKind::Inode => {
                let inode = file.inode.clone().ok_or(Errno::EBADF)?;
                let content = inode.content().ok_or(Errno::EINVAL)?;
                let pos = at.unwrap_or(file.pos.get());
                let len = self.k.make_room(self.m, &inode, file.name.as_ref(), pos, data.len() as u64)?;
                let before = Before::of(&inode);
                let n = content.borrow_mut().write(pos, &data[..len as usize], self.m)?;
                self.k.show_change(self.m, &inode, &before);
                inode.touch_modified(self.k.realtime());
                self.k.notify_file(&inode, file.name.as_ref(), IN_MODIFY);
                if at.is_none() {
                    file.pos.set(pos + n as u64);
                }
                self.write_through(file, file.flags.get())?;
                Ok(n)
            }
            FileKind::Pipe(pipe) => {
                if pipe.readers.get() == 0 {
                    return Err(Errno::EPIPE);
                }
                let n = pipe.put(data);
                if n == 0 && !data.is_empty() {
                    return Err(Errno::EAGAIN);
                }
                pipe.queue.wake(&mut self.k.sched, POLLIN | POLLRDNORM);
                Ok(n)
            }
            FileKind::Socket(id) => self.put_socket(*id, data),
            FileKind::Console(stream) => {
                let host = self.proc().host.0;
                self.k.record.output(self.k.sched.now, self.task, host, *stream, data, self.m);
                self.k.hear(*stream, data);
                Ok(data.len())
            }
            FileKind::Device(_) => Ok(data.len()),
            _ => Err(Errno::EINVAL),
        }
    }
}

pub fn sendfile(cx: &mut Cx) -> Answer {
    let (out, input) = (cx.writable(0)?, cx.readable(1)?);
    let own = cx.args[2] == 0;
    if input.inode.as_ref().is_none_or(|i| i.content().is_none()) {
        return Err(Errno::EINVAL.into());
    }
    if out.flags.get() & O_APPEND != 0 {
        return Err(Errno::EINVAL.into());
    }
    let mut at = if own { input.pos.get() } else { crate::mem::u64(cx.m, cx.args[2])? };
    if (at as i64) < 0 {
        return Err(Errno::EINVAL.into());
    }
    let want = cx.args[3].min(MAX_RW);
    let mut done = 0;
    while done < want {
        let data = cx.file_bytes(&input, at, want - done)?;
        if data.is_empty() {
            break;
        }
        match cx.put_bytes(&out, &data, None) {
            Ok(n) => {
                done += n as u64;
                at += n as u64;
            }
            Err(e) if done == 0 => {
                if e == Errno::EAGAIN && !out.nonblocking() {
                    return cx.again_when_writable(out);
                }
                return Ok(cx.sigpipe(&out, Err(e))?);
            }
            Err(_) => break,
        }
    }
    if own {
        input.pos.set(at);
    } else {
        cx.m.write(cx.args[2], &at.to_le_bytes())?;
    }
    Ok(done as i64)
}

impl Cx<'_> {
    /// Waits until a description can be written, then makes the whole call again: nothing of it has happened yet.
    fn again_when_writable(&mut self, file: FileRef) -> Answer {
        self.again_when(file, POLLOUT)
    }

    fn again_when(&mut self, file: FileRef, events: u32) -> Answer {
        let args = self.args;
        Err(Wait::new(Kind::Again { file, events, args }).stop())
    }
}

pub fn splice(cx: &mut Cx) -> Answer {
    // Nothing to be moved is asked for: Linux looks at no descriptor.
    if cx.args[4] == 0 {
        return Ok(0);
    }
    let (input, out) = (cx.readable(0)?, cx.writable(2)?);
    let (len, flags) = (cx.args[4].min(MAX_RW), cx.uint(5));
    if flags & !0xf != 0 {
        return Err(Errno::EINVAL.into());
    }
    let nonblock = flags & 2 != 0;
    let in_pipe = matches!(input.kind, FileKind::Pipe(_));
    let out_pipe = matches!(out.kind, FileKind::Pipe(_));
    if !in_pipe && !out_pipe {
        return Err(Errno::EINVAL.into());
    }
    if in_pipe && cx.args[1] != 0 || out_pipe && cx.args[3] != 0 {
        return Err(Errno::ESPIPE.into());
    }
    if out.flags.get() & O_APPEND != 0 {
        return Err(Errno::EINVAL.into());
    }
    let data = match &input.kind {
        FileKind::Pipe(pipe) => {
            if pipe.is_empty() {
                if pipe.writers.get() == 0 {
                    return Ok(0);
                }
                if nonblock || input.nonblocking() {
                    return Err(Errno::EAGAIN.into());
                }
                return cx.again_when(input.clone(), POLLIN);
            }
            pipe.peek(len as usize)
        }
        FileKind::Inode => {
            let at = if cx.args[1] == 0 { input.pos.get() } else { crate::mem::u64(cx.m, cx.args[1])? };
            cx.file_bytes(&input, at, len)?
        }
        FileKind::Socket(id) => {
            // What is taken from a socket is gone: no more is taken than the pipe has room for.
            let FileKind::Pipe(pipe) = &out.kind else { return Err(Errno::EINVAL.into()) };
            let room = pipe.room();
            if room == 0 && pipe.readers.get() > 0 {
                if nonblock || out.nonblocking() {
                    return Err(Errno::EAGAIN.into());
                }
                return cx.again_when_writable(out.clone());
            }
            match cx.take_socket(*id, len.min(room as u64) as usize) {
                Err(Errno::EAGAIN) if !nonblock && !input.nonblocking() => {
                    return cx.again_when(input.clone(), POLLIN);
                }
                other => other?,
            }
        }
        _ => return Err(Errno::EINVAL.into()),
    };
    let at = if cx.args[3] == 0 { None } else { Some(crate::mem::u64(cx.m, cx.args[3])?) };
    let n = match cx.put_bytes(&out, &data, at) {
        Err(Errno::EAGAIN) if !nonblock && !out.nonblocking() && !matches!(input.kind, FileKind::Socket(_)) => {
            return cx.again_when_writable(out);
        }
        other => cx.sigpipe(&out, other)?,
    };
    match &input.kind {
        FileKind::Pipe(pipe) => {
            pipe.consume(n);
            pipe.queue.wake(&mut cx.k.sched, POLLOUT | POLLWRNORM);
        }
        FileKind::Inode if cx.args[1] == 0 => input.pos.set(input.pos.get() + n as u64),
        FileKind::Inode => {
            let at = crate::mem::u64(cx.m, cx.args[1])? + n as u64;
            cx.m.write(cx.args[1], &at.to_le_bytes())?;
        }
        _ => {}
    }
    if let Some(at) = at {
        cx.m.write(cx.args[3], &(at + n as u64).to_le_bytes())?;
    }
    Ok(n as i64)
}

pub fn tee(cx: &mut Cx) -> Answer {
    if cx.uint(3) & !0xf != 0 {
        return Err(Errno::EINVAL.into());
    }
    if cx.args[2] == 0 {
        return Ok(0);
    }
    let (input, out) = (cx.readable(0)?, cx.writable(1)?);
    let (FileKind::Pipe(from), FileKind::Pipe(to)) = (&input.kind, &out.kind) else {
        return Err(Errno::EINVAL.into());
    };
    if alloc::rc::Rc::ptr_eq(from, to) {
        return Err(Errno::EINVAL.into());
    }
    if from.is_empty() {
        if from.writers.get() == 0 {
            return Ok(0);
        }
        if cx.uint(3) & 2 != 0 || input.nonblocking() {
            return Err(Errno::EAGAIN.into());
        }
        return cx.again_when(input.clone(), POLLIN);
    }
    if to.readers.get() == 0 {
        return Ok(cx.sigpipe(&out, Err(Errno::EPIPE))?);
    }
    let n = to.put(&from.peek(cx.args[2].min(MAX_RW) as usize));
    if n == 0 {
        if cx.uint(3) & 2 != 0 || out.nonblocking() {
            return Err(Errno::EAGAIN.into());
        }
        return cx.again_when_writable(out.clone());
    }
    to.queue.wake(&mut cx.k.sched, POLLIN | POLLRDNORM);
    Ok(n as i64)
}

pub fn vmsplice(cx: &mut Cx) -> Answer {
    let file = cx.file(0)?;
    let FileKind::Pipe(pipe) = &file.kind else { return Err(Errno::EBADF.into()) };
    let iov = Iov::read(cx.m, cx.args[1], cx.args[2])?;
    if !file.writable() {
        return cx.read_or_wait(file, iov);
    }
    // It waits for room, but not for room for all.
    if pipe.room() == 0 && pipe.readers.get() > 0 {
        if cx.uint(3) & 2 != 0 || file.nonblocking() {
            return Err(Errno::EAGAIN.into());
        }
        return cx.again_when_writable(file);
    }
    let mut done = 0;
    match cx.write_more(&file, &iov, &mut done) {
        Err(Errno::EAGAIN) if done > 0 => Ok(done as i64),
        other => {
            cx.sigpipe(&file, other.map(|_| 0))?;
            Ok(done as i64)
        }
    }
}

pub fn copy_file_range(cx: &mut Cx) -> Answer {
    let (input, out) = (cx.readable(0)?, cx.writable(2)?);
    if cx.uint(5) != 0 || out.flags.get() & O_APPEND != 0 {
        return Err(if cx.uint(5) != 0 { Errno::EINVAL } else { Errno::EBADF }.into());
    }
    for file in [&input, &out] {
        match &file.inode {
            Some(i) if i.is_dir() => return Err(Errno::EISDIR.into()),
            Some(i) if i.content().is_some() => {}
            _ => return Err(Errno::EINVAL.into()),
        }
    }
    let place = |cx: &mut Cx, file: &FileRef, arg: usize| -> Result<u64> {
        if cx.args[arg] == 0 { Ok(file.pos.get()) } else { crate::mem::u64(cx.m, cx.args[arg]) }
    };
    let (mut from, mut to) = (place(cx, &input, 1)?, place(cx, &out, 3)?);
    let want = cx.args[4].min(MAX_RW);
    let same = matches!((&input.inode, &out.inode), (Some(a), Some(b)) if alloc::rc::Rc::ptr_eq(a, b));
    if same && from < to.saturating_add(want) && to < from.saturating_add(want) {
        return Err(Errno::EINVAL.into());
    }
    let mut done = 0;
    while done < want {
        let data = cx.file_bytes(&input, from, want - done)?;
        if data.is_empty() {
            break;
        }
        let n = cx.put_bytes(&out, &data, Some(to))? as u64;
        from += n;
        to += n;
        done += n;
    }
    for (file, arg, at) in [(&input, 1, from), (&out, 3, to)] {
        if cx.args[arg] == 0 {
            file.pos.set(at);
        } else {
            cx.m.write(cx.args[arg], &at.to_le_bytes())?;
        }
    }
    Ok(done as i64)
}
