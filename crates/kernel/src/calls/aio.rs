//! Asynchronous I/O (`io_submit(2)`): a request is done when it is submitted, and its event waits to be asked for.

use crate::exec::anon;
use crate::fs::file::FileKind;
use crate::mem::{self, Iov, Struct};
use crate::sched::WaitQueue;
use crate::uapi::*;
use crate::wait::{Interrupt, Kind, Wait};
use crate::{Answer, Cx};
use alloc::collections::VecDeque;
use alloc::rc::Rc;
use core::cell::{Cell, RefCell};
use snowglobe_abi::errno::{Errno, Result};
use snowglobe_abi::map::PAGE;

/// Requests that all contexts of a host may have room for (`aio-max-nr`).
const MAX_REQUESTS: u32 = 65536;

/// A context.
#[derive(Default)]
pub struct Context {
    /// `struct io_event` of what is done: data, request, result.
    events: RefCell<VecDeque<(u64, u64, i64)>>,
    /// Whether it was destroyed: who still waits on it is told.
    dead: Cell<bool>,
    /// Who waits for events.
    pub queue: WaitQueue,
}

/// A blocked `io_getevents`.
pub struct AioWait {
    /// On which context.
    pub context: Rc<Context>,
    at_least: usize,
    max: usize,
    addr: u64,
}

pub fn io_setup(cx: &mut Cx) -> Answer {
    let (count, addr) = (cx.uint(0), cx.args[1]);
    // A number that would make the ring too large is no number; one beyond aio-max-nr is too many.
    if mem::u64(cx.m, addr)? != 0 || count == 0 || count > 0x1000_0000 / 32 {
        return Err(Errno::EINVAL.into());
    }
    if count > MAX_REQUESTS {
        return Err(Errno::EAGAIN.into());
    }
    // A context is named by the address of a page; the C library finds no ring in it, and makes calls.
    let at = cx.place(0, PAGE, 0)?;
    let mut vma = anon(at + PAGE, PROT_READ | PROT_WRITE, "/[aio] (deleted)");
    vma.marks = crate::mm::DONT_FORK;
    cx.with_space(|space, m| space.map(at, vma, m))?;
    cx.m.write(addr, &at.to_le_bytes())?;
    cx.proc_mut().aio.insert(at, Rc::default());
    Ok(0)
}

impl Cx<'_> {
    fn aio(&self, id: u64) -> Result<Rc<Context>> {
        self.proc().aio.get(&id).cloned().ok_or(Errno::EINVAL)
    }

    /// Does one request; returns its result.
    fn aio_request(&mut self, iocb: &[u8; 64]) -> Result<i64> {
        const PREAD: u16 = 0;
        const PWRITE: u16 = 1;
        const FSYNC: u16 = 2;
        const FDSYNC: u16 = 3;
        const POLL: u16 = 5;
        const NOOP: u16 = 6;
        const PREADV: u16 = 7;
        const PWRITEV: u16 = 8;
        let op = u16::from_le_bytes([iocb[16], iocb[17]]);
        let file = self.file_of(mem::field32(iocb, 20) as i32)?;
        let (addr, len, at) = (mem::field64(iocb, 24), mem::field64(iocb, 32), mem::field64(iocb, 40));
        if (len as i64) < 0 || mem::field64(iocb, 48) != 0 {
            return Err(Errno::EINVAL);
        }
        if matches!(op, FSYNC | FDSYNC) && (addr | len | at) != 0 {
            return Err(Errno::EINVAL);
        }
        let (reads, writes) = (matches!(op, PREAD | PREADV), matches!(op, PWRITE | PWRITEV));
        if reads && !file.readable() || writes && !file.writable() {
            return Err(Errno::EBADF);
        }
        let iov = match op {
            PREADV | PWRITEV => Iov::read(self.m, addr, len)?,
            _ => Iov::one(addr, len),
        };
        // What goes wrong from here on is the event's to tell.
        let result = match op {
            NOOP => Ok(0),
            FSYNC | FDSYNC if !matches!(file.kind, FileKind::Inode) => Err(Errno::EINVAL),
            FSYNC | FDSYNC => self.k.sync_file(self.m, &file, op == FDSYNC).map(|()| 0),
            POLL => {
                self.k.note_unsupported(209, "io_submit IOCB_CMD_POLL", 0);
                return Err(Errno::EINVAL);
            }
            _ if !reads && !writes => return Err(Errno::EINVAL),
            _ if matches!(file.kind, FileKind::Inode) && (at as i64) < 0 => Err(Errno::EINVAL),
            _ if matches!(file.kind, FileKind::Inode) && reads => self.read_inode(&file, &iov, at),
            _ if matches!(file.kind, FileKind::Inode) => {
                let append = file.flags.get() & O_APPEND != 0;
                let at = if append { file.inode.as_ref().map_or(at, |i| i.size()) } else { at };
                self.write_inode(&file, &iov, at)
            }
            _ if reads => self.read_file(&file, &iov),
            _ => {
                let mut done = 0;
                self.write_more(&file, &iov, &mut done).map(|()| done)
            }
        };
        Ok(result.map_or_else(Errno::to_ret, |n| n as i64))
    }

    fn aio_submit(&mut self, context: &Rc<Context>, at: u64) -> Result<()> {
        const RESFD: u32 = 1;
        let iocb: [u8; 64] = mem::array(self.m, at)?;
        let told = match mem::field32(&iocb, 56) & RESFD {
            0 => None,
            _ => match &self.file_of(mem::field32(&iocb, 60) as i32)?.kind {
                FileKind::Event(event) => Some(event.clone()),
                _ => return Err(Errno::EINVAL),
            },
        };
        let result = self.aio_request(&iocb)?;
        context.events.borrow_mut().push_back((mem::field64(&iocb, 0), at, result));
        context.queue.wake(&mut self.k.sched, POLLIN);
        if let Some(event) = told {
            event.count.set(event.count.get().saturating_add(1).min(u64::MAX - 1));
            event.queue.wake(&mut self.k.sched, POLLIN | POLLRDNORM);
        }
        Ok(())
    }

    /// Hands events out if there are enough; `None` if not.
    ///
    /// # Errors
    /// `EFAULT`; `EINVAL` once the context is destroyed.
    pub fn aio_now(&mut self, wait: &AioWait, time_is_up: bool) -> Result<Option<i64>> {
        if wait.context.dead.get() {
            return Err(Errno::EINVAL);
        }
        let there = wait.context.events.borrow().len();
        if there < wait.at_least && !time_is_up {
            return Ok(None);
        }
        let mut n = 0;
        while n < wait.max {
            let Some((data, request, result)) = wait.context.events.borrow().front().copied() else { break };
            let out = Struct::new().u64(data).u64(request).u64(result as u64).u64(0);
            out.put(self.m, wait.addr + n as u64 * 32)?;
            wait.context.events.borrow_mut().pop_front();
            n += 1;
        }
        Ok(Some(n as i64))
    }

    fn aio_events(&mut self, timeout: u64) -> Answer {
        let timeout = super::time::get_timeout(self.m, timeout)?;
        let context = self.aio(self.args[0])?;
        let (min, max) = (self.args[1] as i64, self.args[2] as i64);
        if min < 0 || max < min {
            return Err(Errno::EINVAL.into());
        }
        let wait = AioWait { context, at_least: min as usize, max: max as usize, addr: self.args[3] };
        if let Some(n) = self.aio_now(&wait, timeout == Some(0))? {
            return Ok(n);
        }
        let deadline = timeout.map(|t| self.k.sched.now.saturating_add(t));
        Err(Wait::new(Kind::Aio(wait)).until(deadline).on_signal(Interrupt::Fail).stop())
    }
}

pub fn io_submit(cx: &mut Cx) -> Answer {
    let context = cx.aio(cx.args[0])?;
    let count = cx.args[1] as i64;
    if count < 0 {
        return Err(Errno::EINVAL.into());
    }
    for i in 0..count {
        let one = mem::u64(cx.m, cx.args[2] + i as u64 * 8).and_then(|at| cx.aio_submit(&context, at));
        match one {
            Ok(()) => {}
            // io_submit(2): an error counts only for the first.
            Err(e) if i == 0 => return Err(e.into()),
            Err(_) => return Ok(i),
        }
    }
    Ok(count)
}

pub fn io_getevents(cx: &mut Cx) -> Answer {
    cx.aio_events(cx.args[4])
}

pub fn io_pgetevents(cx: &mut Cx) -> Answer {
    if cx.args[5] != 0 {
        let raw: [u8; 16] = mem::array(cx.m, cx.args[5])?;
        cx.temporary_mask(mem::field64(&raw, 0), mem::field64(&raw, 8))?;
    }
    cx.aio_events(cx.args[4])
}

pub fn io_destroy(cx: &mut Cx) -> Answer {
    let id = cx.args[0];
    let context = cx.proc_mut().aio.remove(&id).ok_or(Errno::EINVAL)?;
    context.dead.set(true);
    context.queue.wake(&mut cx.k.sched, POLLIN);
    cx.with_space(|space, m| space.unmap(id, PAGE, m))?;
    Ok(0)
}

pub fn io_cancel(cx: &mut Cx) -> Answer {
    mem::u32(cx.m, cx.args[1].saturating_add(8))?;
    cx.aio(cx.args[0])?;
    // Every request is done: there is none to be cancelled.
    Err(Errno::EINVAL.into())
}
