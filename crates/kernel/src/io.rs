//! Reading, writing and asking for readiness, whatever a descriptor names.

use crate::fs::dev::Device;
use crate::fs::file::{FileKind, FileRef};
use crate::fs::inode::Node;
use crate::fs::procfs;
use crate::mem::Iov;
use crate::mm::Before;
use crate::sched::Waiter;
use crate::signal::Info;
use crate::uapi::*;
use crate::{Cx, Kernel};
use snowglobe_abi::errno::{Errno, Result};

/// Most bytes that one read or write moves (`read(2)`).
pub const MAX_RW: u64 = 0x7fff_f000;

impl Kernel {
    /// What `poll` would say of a description, seen by a task.
    pub fn readiness(&self, file: &FileRef, task: crate::task::TaskId) -> u32 {
        const BOTH: u32 = POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM;
        match &file.kind {
            FileKind::Inode | FileKind::Device(_) | FileKind::Input(_) => BOTH,
            FileKind::Console(_) => POLLOUT | POLLWRNORM,
            FileKind::Pipe(pipe) => pipe.readiness(file.flags.get()),
            FileKind::Socket(id) => self.sockets.readiness(*id),
            FileKind::Epoll(epoll) => {
                let ready = self.epoll_any(epoll, task);
                if ready { POLLIN | POLLRDNORM } else { 0 }
            }
            FileKind::Event(event) => {
                let mut bits = 0;
                if event.count.get() > 0 {
                    bits |= POLLIN | POLLRDNORM;
                }
                if event.count.get() < u64::MAX - 1 {
                    bits |= POLLOUT | POLLWRNORM;
                }
                bits
            }
            FileKind::Timer(timer) => {
                if timer.count.get() > 0 {
                    POLLIN | POLLRDNORM
                } else {
                    0
                }
            }
            FileKind::Signal(signals) => {
                let t = self.task(task);
                let pending = t.pending.set | self.proc(t.proc).pending.set;
                if pending & signals.mask.get() != 0 { POLLIN | POLLRDNORM } else { 0 }
            }
            FileKind::Inotify(inotify) => {
                if inotify.events.borrow().is_empty() {
                    0
                } else {
                    POLLIN | POLLRDNORM
                }
            }
            FileKind::Pid(proc) => {
                let ended = self.try_proc(*proc).is_none_or(|p| p.status.is_some());
                if ended { POLLIN | POLLRDNORM } else { 0 }
            }
            FileKind::Mqueue(queue) => queue.readiness(),
            FileKind::Master(tty) => tty.master_readiness(),
            FileKind::Terminal(tty) => tty.readiness(),
            FileKind::Closed => 0,
        }
    }

    /// Hangs a waiter in the queue of what a description names.
    pub fn watch(&self, file: &FileRef, waiter: Waiter) {
        match &file.kind {
            FileKind::Pipe(pipe) => pipe.queue.add(waiter, &self.sched),
            FileKind::Socket(id) => self.sockets.watch(*id, waiter, &self.sched),
            FileKind::Epoll(epoll) => epoll.queue.add(waiter, &self.sched),
            FileKind::Event(event) => event.queue.add(waiter, &self.sched),
            FileKind::Timer(timer) => timer.queue.add(waiter, &self.sched),
            FileKind::Signal(_) => {
                // Signals are those of the reader's process.
                self.proc_of(self.current).signal_wait.add(waiter, &self.sched);
            }
            FileKind::Inotify(inotify) => inotify.queue.add(waiter, &self.sched),
            FileKind::Mqueue(queue) => queue.queue.add(waiter, &self.sched),
            FileKind::Master(tty) => tty.master_queue.add(waiter, &self.sched),
            FileKind::Terminal(tty) => tty.queue.add(waiter, &self.sched),
            FileKind::Pid(proc) => {
                if let Some(proc) = self.try_proc(*proc) {
                    proc.exit_wait.add(waiter, &self.sched);
                }
            }
            FileKind::Inode | FileKind::Device(_) | FileKind::Console(_) | FileKind::Input(_) | FileKind::Closed => {}
        }
    }
}

impl Cx<'_> {
    /// Reads at the file's own offset, or from a stream.
    ///
    /// # Errors
    /// `EAGAIN` when there is nothing yet, and what the object says.
    pub fn read_file(&mut self, file: &FileRef, iov: &Iov) -> Result<u64> {
        match &file.kind {
            FileKind::Inode => {
                let n = self.read_inode(file, iov, file.pos.get())?;
                file.pos.set(file.pos.get() + n);
                Ok(n)
            }
            FileKind::Pipe(pipe) => {
                let before = pipe.room();
                let n = pipe.read(iov, self.m)?;
                if n > 0 {
                    // Writers learn of room when a page of it has come to be, as Linux's pipe slots give it back.
                    let _ = before;
                    pipe.queue.wake(&mut self.k.sched, POLLOUT | POLLWRNORM);
                }
                Ok(n)
            }
            FileKind::Socket(id) => self.read_socket(*id, iov),
            FileKind::Event(event) => {
                if iov.len() < 8 {
                    return Err(Errno::EINVAL);
                }
                let count = event.count.get();
                if count == 0 {
                    return Err(Errno::EAGAIN);
                }
                let value = if event.semaphore { 1 } else { count };
                iov.scatter(self.m, 0, &value.to_le_bytes())?;
                event.count.set(count - value);
                event.queue.wake(&mut self.k.sched, POLLOUT | POLLWRNORM);
                Ok(8)
            }
            FileKind::Timer(timer) => {
                if iov.len() < 8 {
                    return Err(Errno::EINVAL);
                }
                if timer.cancelled.take() {
                    timer.count.set(0);
                    return Err(Errno::ECANCELED);
                }
                let count = timer.count.get();
                if count == 0 {
                    return Err(Errno::EAGAIN);
                }
                iov.scatter(self.m, 0, &count.to_le_bytes())?;
                timer.count.set(0);
                Ok(8)
            }
            FileKind::Signal(signals) => self.read_signals(signals.mask.get(), iov),
            FileKind::Inotify(inotify) => {
                let mut done = 0;
                let mut events = inotify.events.borrow_mut();
                while let Some(event) = events.front() {
                    if done + event.len() as u64 > iov.len() {
                        break;
                    }
                    iov.scatter(self.m, done, event)?;
                    done += event.len() as u64;
                    events.pop_front();
                }
                match (done, events.is_empty()) {
                    (0, true) => Err(Errno::EAGAIN),
                    (0, false) => Err(Errno::EINVAL),
                    _ => Ok(done),
                }
            }
            FileKind::Device(device) => self.read_device(*device, iov),
            FileKind::Input(input) => self.read_input(input, iov),
            FileKind::Master(tty) => self.read_master(tty, iov),
            FileKind::Terminal(tty) => self.read_terminal(tty, iov, file.nonblocking()),
            FileKind::Mqueue(queue) => {
                let n = self.read_mq_status(queue, iov, file.pos.get())?;
                file.pos.set(file.pos.get() + n);
                Ok(n)
            }
            FileKind::Console(stream) => self.read_channel(*stream, iov, &file.pos),
            FileKind::Epoll(_) | FileKind::Pid(_) | FileKind::Closed => Err(Errno::EINVAL),
        }
    }

    /// Reads from a regular or computed file at an offset.
    ///
    /// # Errors
    /// `EISDIR`, `EINVAL`, `EFAULT`.
    pub fn read_inode(&mut self, file: &FileRef, iov: &Iov, at: u64) -> Result<u64> {
        let inode = file.inode.as_ref().ok_or(Errno::EBADF)?;
        match &inode.node {
            Node::File(content) => {
                let want = self.k.disk_read(self.m, inode, file.name.as_ref(), at, iov.len().min(MAX_RW))?;
                let mut content = content.borrow_mut();
                let mut done = 0;
                for (addr, len) in iov.ranges(0, want) {
                    match content.read_guest(at + done, addr, len, self.m) {
                        Ok(n) => {
                            done += n;
                            if n < len {
                                break;
                            }
                        }
                        Err(e) if done == 0 => return Err(e),
                        Err(_) => break,
                    }
                }
                drop(content);
                if done > 0 {
                    self.k.notify_file(inode, file.name.as_ref(), IN_ACCESS);
                }
                Ok(done)
            }
            Node::Dir(_) => Err(Errno::EISDIR),
            Node::Proc(node) if inode.is_dir() => {
                let _ = node;
                Err(Errno::EISDIR)
            }
            Node::Proc(node) => {
                // Who reads it in pieces reads one text (seq_file of Linux), made anew where it begins again.
                let mut kept = file.text.borrow_mut();
                if at == 0 || kept.is_empty() {
                    *kept = procfs::read(self, node)?;
                }
                let rest = kept.get(at as usize..).unwrap_or_default();
                let n = rest.len().min(iov.len() as usize);
                iov.scatter(self.m, 0, &rest[..n])?;
                if n == kept.len() {
                    kept.clear();
                }
                Ok(n as u64)
            }
            _ => Err(Errno::EINVAL),
        }
    }

    fn read_device(&mut self, device: Device, iov: &Iov) -> Result<u64> {
        let len = iov.len().min(MAX_RW);
        match device {
            Device::Null => Ok(0),
            Device::Zero | Device::Full => {
                for (addr, n) in iov.ranges(0, len) {
                    crate::mem::zero(self.m, addr, n)?;
                }
                Ok(len)
            }
            Device::Random | Device::Urandom => {
                let mut done = 0;
                let mut buf = [0u8; 256];
                while done < len {
                    let n = (len - done).min(256) as usize;
                    self.k.random.fill(&mut buf[..n]);
                    iov.scatter(self.m, done, &buf[..n])?;
                    done += n as u64;
                }
                Ok(len)
            }
            _ => Err(Errno::EIO),
        }
    }

    /// Writes from byte `done` of the range on, and counts it there; `done` equals the length when all is written.
    ///
    /// # Errors
    /// `EAGAIN` when the rest does not fit yet, and what the object says.
    pub fn write_more(&mut self, file: &FileRef, iov: &Iov, done: &mut u64) -> Result<()> {
        let total = iov.len().min(MAX_RW);
        loop {
            let n = self.write_some(file, iov, *done)?;
            *done += n;
            if *done >= total {
                return Ok(());
            }
            let streams = matches!(
                file.kind,
                FileKind::Pipe(_) | FileKind::Socket(_) | FileKind::Master(_) | FileKind::Terminal(_)
            );
            if n == 0 || !streams {
                return Ok(());
            }
        }
    }

    fn write_some(&mut self, file: &FileRef, iov: &Iov, done: u64) -> Result<u64> {
        match &file.kind {
            FileKind::Inode => {
                let at = self.write_offset(file);
                let n = self.write_inode(file, iov, at)?;
                file.pos.set(at + n);
                Ok(n)
            }
            FileKind::Pipe(pipe) => {
                let n = pipe.write(iov, done, file.flags.get() & O_DIRECT != 0, self.m)?;
                if n > 0 {
                    pipe.queue.wake(&mut self.k.sched, POLLIN | POLLRDNORM);
                }
                Ok(n)
            }
            FileKind::Socket(id) => self.write_socket(*id, iov, done),
            FileKind::Master(tty) => self.write_master(tty, iov, done),
            FileKind::Terminal(tty) => self.write_terminal(tty, iov, done),
            FileKind::Event(event) => {
                if iov.len() < 8 {
                    return Err(Errno::EINVAL);
                }
                let mut raw = [0; 8];
                iov.gather(self.m, 0, &mut raw)?;
                let add = u64::from_le_bytes(raw);
                if add == u64::MAX {
                    return Err(Errno::EINVAL);
                }
                let sum = event.count.get().checked_add(add).filter(|s| *s < u64::MAX).ok_or(Errno::EAGAIN)?;
                event.count.set(sum);
                event.queue.wake(&mut self.k.sched, POLLIN | POLLRDNORM);
                Ok(8)
            }
            FileKind::Console(stream) => {
                let len = iov.len().min(MAX_RW);
                let mut buf = alloc::vec![0u8; len.min(1 << 20) as usize];
                iov.gather(self.m, 0, &mut buf)?;
                let host = self.k.proc_of(self.task).host.0;
                self.k.record.output(self.k.sched.now, self.task, host, *stream, &buf, self.m);
                self.k.hear(*stream, &buf);
                Ok(buf.len() as u64)
            }
            FileKind::Device(Device::Null | Device::Zero | Device::Random | Device::Urandom) => {
                Ok(iov.len().min(MAX_RW))
            }
            FileKind::Device(Device::Full) => Err(Errno::ENOSPC),
            FileKind::Device(_) => Err(Errno::EIO),
            FileKind::Input(_) => Err(Errno::EBADF),
            FileKind::Epoll(_)
            | FileKind::Timer(_)
            | FileKind::Signal(_)
            | FileKind::Inotify(_)
            | FileKind::Pid(_)
            | FileKind::Mqueue(_)
            | FileKind::Closed => Err(Errno::EINVAL),
        }
    }

    /// Where the next write of a description goes.
    fn write_offset(&self, file: &FileRef) -> u64 {
        match &file.inode {
            Some(inode) if file.flags.get() & O_APPEND != 0 => inode.size(),
            _ => file.pos.get(),
        }
    }

    /// Writes to a regular or computed file at an offset.
    ///
    /// # Errors
    /// `EFBIG` (with SIGXFSZ), `ENOSPC`, `EFAULT`, `EINVAL`.
    pub fn write_inode(&mut self, file: &FileRef, iov: &Iov, at: u64) -> Result<u64> {
        let inode = file.inode.as_ref().ok_or(Errno::EBADF)?;
        match &inode.node {
            Node::File(content) => {
                let mut len = iov.len().min(MAX_RW);
                let limit = self.k.proc_of(self.task).limits[RLIMIT_FSIZE as usize].0;
                if len > 0 && at >= limit {
                    // setrlimit(2): SIGXFSZ, and EFBIG for who ignores it.
                    let _ = self.k.signal_task(self.task, Info::kernel(SIGXFSZ));
                    return Err(Errno::EFBIG);
                }
                len = len.min(limit - at.min(limit));
                if inode.seals.get().is_some_and(|s| s & 0x18 != 0 || s & 0x4 != 0 && at + len > inode.size()) {
                    return Err(Errno::EPERM);
                }
                len = self.k.make_room(self.m, inode, file.name.as_ref(), at, len)?;
                let mut done = 0;
                let before = Before::of(inode);
                {
                    let mut content = content.borrow_mut();
                    for (addr, n) in iov.ranges(0, len) {
                        match content.write_guest(at + done, addr, n, self.m) {
                            Ok(n) => done += n,
                            Err(e) if done == 0 => return Err(e),
                            Err(_) => break,
                        }
                    }
                }
                if done > 0 {
                    self.k.show_change(self.m, inode, &before);
                    inode.touch_modified(self.k.realtime());
                    self.k.drop_set_ids(self.task, inode);
                    self.k.notify_file(inode, file.name.as_ref(), IN_MODIFY);
                    self.write_through(file, file.flags.get())?;
                }
                Ok(done)
            }
            Node::Proc(node) => {
                let mut data = alloc::vec![0u8; iov.len().min(4096) as usize];
                iov.gather(self.m, 0, &mut data)?;
                procfs::write(self, node, &data)?;
                Ok(data.len() as u64)
            }
            Node::Dir(_) => Err(Errno::EISDIR),
            _ => Err(Errno::EINVAL),
        }
    }

    /// After a write: what its description's flags (O_DIRECT, O_DSYNC, O_SYNC) say of the disk.
    ///
    /// # Errors
    /// Those of a sync.
    pub fn write_through(&mut self, file: &FileRef, flags: u32) -> Result<()> {
        const FULL_SYNC: u32 = O_SYNC & !O_DSYNC;
        if flags & (O_DIRECT | O_SYNC) == 0 {
            return Ok(());
        }
        if flags & O_SYNC != 0 {
            return self.k.sync_file(self.m, file, flags & FULL_SYNC == 0);
        }
        if let Some(inode) = &file.inode {
            let now = self.k.realtime();
            // It goes past the cache, not past the disk's own.
            crate::fs::disk::of(inode).inspect(|disk| disk.flush(inode, now));
        }
        Ok(())
    }

    /// A write to a pipe or a stream that nobody reads also sends SIGPIPE.
    pub fn sigpipe<T>(&mut self, file: &FileRef, result: Result<T>) -> Result<T> {
        let stream = match &file.kind {
            FileKind::Socket(id) => self.k.sockets.is_stream(*id),
            _ => true,
        };
        if stream && let Err(Errno::EPIPE) = result {
            self.raise_sigpipe();
        }
        result
    }

    /// Sends the caller SIGPIPE.
    pub fn raise_sigpipe(&mut self) {
        let p = self.k.proc_of(self.task);
        let info = Info::user(SIGPIPE, SI_USER, p.pid, p.cred.uid);
        let _ = self.k.signal_task(self.task, info);
    }
}
