//! Waiting for readiness: poll, select, epoll.

use crate::fs::epoll::{Epoll, EpollItem};
use crate::fs::file::{FileKind, FileRef};
use crate::mem;
use crate::sched::Waiter;
use crate::task::TaskId;
use crate::uapi::*;
use crate::wait::{Interrupt, Kind, Wait};
use crate::{Answer, Cx, Kernel};
use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cell::Cell;
use snowglobe_abi::errno::{Errno, Result};
use snowglobe_abi::spec::Nanos;

// poll

fn millis(timeout: i32) -> Option<Nanos> {
    u64::try_from(timeout).ok().map(|ms| ms * 1_000_000)
}

pub fn poll(cx: &mut Cx) -> Answer {
    let timeout = millis(cx.int(2));
    cx.poll_with(timeout)
}

pub fn ppoll(cx: &mut Cx) -> Answer {
    let timeout = super::time::get_timeout(cx.m, cx.args[2])?;
    cx.temporary_mask(cx.args[3], cx.args[4])?;
    cx.poll_with(timeout)
}

impl Cx<'_> {
    fn poll_with(&mut self, timeout: Option<Nanos>) -> Answer {
        let (addr, count) = (self.args[0], self.args[1]);
        if count > self.proc().limits[RLIMIT_NOFILE as usize].0 {
            return Err(Errno::EINVAL.into());
        }
        let raw = mem::bytes(self.m, addr, count as usize * 8)?;
        let fds: Vec<(i32, u32)> = raw
            .chunks_exact(8)
            .map(|c| (mem::field32(c, 0) as i32, u32::from(u16::from_le_bytes([c[4], c[5]]))))
            .collect();
        let files: Vec<Option<FileRef>> = fds.iter().map(|(fd, _)| self.file_of(*fd).ok()).collect();
        if let Some(n) = self.poll_now(addr, &fds, &files)? {
            return Ok(n);
        }
        if timeout == Some(0) {
            return Ok(0);
        }
        if self.signal_waiting() {
            return Err(Errno::EINTR.into());
        }
        let deadline = timeout.map(|t| self.k.sched.now.saturating_add(t));
        let wait = Wait::new(Kind::Poll { addr, fds, files }).until(deadline);
        Err(wait.on_signal(Interrupt::Fail).stop())
    }

    /// Writes what is ready; `None` if nothing is.
    ///
    /// # Errors
    /// `EFAULT`.
    pub fn poll_now(&mut self, addr: u64, fds: &[(i32, u32)], files: &[Option<FileRef>]) -> Result<Option<i64>> {
        let mut ready = 0;
        for (i, ((fd, events), file)) in fds.iter().zip(files).enumerate() {
            let found = match file {
                Some(file) => self.k.readiness(file, self.task) & (events | POLLERR | POLLHUP),
                None if *fd < 0 => 0,
                None => POLLNVAL,
            };
            if found != 0 {
                ready += 1;
            }
            self.m.write(addr + i as u64 * 8 + 6, &(found as u16).to_le_bytes())?;
        }
        Ok((ready > 0).then_some(ready))
    }
}

// select

/// A `select` in progress.
pub struct Select {
    /// Read, write and exception set in the guest.
    sets: [u64; 3],
    /// Bytes of each set.
    bytes: usize,
    /// Descriptor, file, and which sets it is in (bits 0 to 2).
    pub files: Vec<(i32, FileRef, u32)>,
    /// Where the time that is left goes, and whether it is a `timeval`.
    time: Option<(u64, bool)>,
    deadline: Option<Nanos>,
}

const SELECT_BITS: [u32; 3] =
    [POLLIN | POLLRDNORM | POLLRDBAND | POLLHUP | POLLERR, POLLOUT | POLLWRNORM | POLLWRBAND | POLLERR, POLLPRI];

pub fn select(cx: &mut Cx) -> Answer {
    let timeout = if cx.args[4] == 0 {
        None
    } else {
        let raw: [u8; 16] = mem::array(cx.m, cx.args[4])?;
        let (sec, usec) = (mem::field64(&raw, 0) as i64, mem::field64(&raw, 8) as i64);
        if sec < 0 || usec < 0 {
            return Err(Errno::EINVAL.into());
        }
        Some((sec as u64).saturating_mul(1_000_000_000).saturating_add((usec as u64).saturating_mul(1000)))
    };
    let time = (cx.args[4] != 0).then_some((cx.args[4], true));
    cx.select_with(timeout, time)
}

pub fn pselect6(cx: &mut Cx) -> Answer {
    let timeout = super::time::get_timeout(cx.m, cx.args[4])?;
    if cx.args[5] != 0 {
        let raw: [u8; 16] = mem::array(cx.m, cx.args[5])?;
        cx.temporary_mask(mem::field64(&raw, 0), mem::field64(&raw, 8))?;
    }
    let time = (cx.args[4] != 0).then_some((cx.args[4], false));
    cx.select_with(timeout, time)
}

impl Cx<'_> {
    fn select_with(&mut self, timeout: Option<Nanos>, time: Option<(u64, bool)>) -> Answer {
        let n = self.int(0);
        if n < 0 {
            return Err(Errno::EINVAL.into());
        }
        // Linux looks at no more descriptors than the table could hold.
        let n = (n as u64).min(self.proc().limits[RLIMIT_NOFILE as usize].0.max(1024)) as usize;
        let bytes = n.div_ceil(64) * 8;
        let sets = [self.args[1], self.args[2], self.args[3]];
        let mut wanted = alloc::vec![0u32; n];
        for (i, set) in sets.iter().enumerate() {
            if *set == 0 {
                continue;
            }
            let raw = mem::bytes(self.m, *set, bytes)?;
            for (fd, wanted) in wanted.iter_mut().enumerate() {
                if raw[fd / 8] & (1 << (fd % 8)) != 0 {
                    *wanted |= 1 << i;
                }
            }
        }
        let mut files = Vec::new();
        for (fd, which) in wanted.into_iter().enumerate() {
            if which != 0 {
                files.push((fd as i32, self.file_of(fd as i32)?, which));
            }
        }
        let deadline = timeout.map(|t| self.k.sched.now.saturating_add(t));
        let select = Select { sets, bytes, files, time, deadline };
        if let Some(n) = self.select_now(&select)? {
            return Ok(n);
        }
        if timeout == Some(0) {
            return Ok(self.select_nothing(&select)?);
        }
        if self.signal_waiting() {
            return Err(Errno::EINTR.into());
        }
        Err(Wait::new(Kind::Select(select)).until(deadline).on_signal(Interrupt::Fail).stop())
    }

    /// Writes what is ready; `None` if nothing is.
    ///
    /// # Errors
    /// `EFAULT`.
    pub fn select_now(&mut self, select: &Select) -> Result<Option<i64>> {
        let mut out = [alloc::vec![0u8; select.bytes], alloc::vec![0; select.bytes], alloc::vec![0; select.bytes]];
        let mut count = 0;
        for (fd, file, which) in &select.files {
            let ready = self.k.readiness(file, self.task);
            for i in 0..3 {
                if which & (1 << i) != 0 && ready & SELECT_BITS[i] != 0 {
                    out[i][*fd as usize / 8] |= 1 << (*fd as usize % 8);
                    count += 1;
                }
            }
        }
        if count == 0 {
            return Ok(None);
        }
        self.put_sets(select, &out)?;
        self.select_time_left(select);
        Ok(Some(count))
    }

    fn put_sets(&mut self, select: &Select, out: &[Vec<u8>; 3]) -> Result<()> {
        for (addr, data) in select.sets.iter().zip(out) {
            if *addr != 0 {
                self.m.write(*addr, data)?;
            }
        }
        Ok(())
    }

    /// Nothing became ready in time: the sets are emptied.
    ///
    /// # Errors
    /// `EFAULT`.
    pub fn select_nothing(&mut self, select: &Select) -> Result<i64> {
        let zero = || alloc::vec![0u8; select.bytes];
        self.put_sets(select, &[zero(), zero(), zero()])?;
        self.select_time_left(select);
        Ok(0)
    }

    /// select(2): Linux writes the time that is left.
    pub fn select_time_left(&mut self, select: &Select) {
        const STICKY_TIMEOUTS: u32 = 0x400_0000;
        let (Some((addr, timeval)), Some(deadline)) = (select.time, select.deadline) else { return };
        if self.proc().personality & STICKY_TIMEOUTS != 0 {
            return;
        }
        let left = deadline.saturating_sub(self.k.sched.now);
        let part = if timeval { left % 1_000_000_000 / 1000 } else { left % 1_000_000_000 };
        // A time that cannot be written is not an error (the sets have been).
        let _ = mem::Struct::new().u64(left / 1_000_000_000).u64(part).put(self.m, addr);
    }
}

// epoll

pub fn epoll_create(cx: &mut Cx) -> Answer {
    if cx.int(0) <= 0 {
        return Err(Errno::EINVAL.into());
    }
    cx.new_epoll(0)
}

pub fn epoll_create1(cx: &mut Cx) -> Answer {
    if cx.uint(0) & !O_CLOEXEC != 0 {
        return Err(Errno::EINVAL.into());
    }
    cx.new_epoll(cx.uint(0))
}

impl Cx<'_> {
    fn new_epoll(&mut self, flags: u32) -> Answer {
        let file = self.new_file(FileKind::Epoll(Rc::new(Epoll::default())), O_RDWR);
        Ok(i64::from(self.install(file, flags & O_CLOEXEC != 0)?))
    }

    fn epoll_arg(&self, i: usize) -> Result<(FileRef, Rc<Epoll>)> {
        let file = self.file(i)?;
        match &file.kind {
            FileKind::Epoll(epoll) => Ok((file.clone(), epoll.clone())),
            _ => Err(Errno::EINVAL),
        }
    }
}

pub fn epoll_ctl(cx: &mut Cx) -> Answer {
    const ADD: u32 = 1;
    const DEL: u32 = 2;
    const MOD: u32 = 3;
    let (op, fd) = (cx.uint(1), cx.int(2));
    let event: [u8; 12] = if op == DEL { [0; 12] } else { mem::array(cx.m, cx.args[3])? };
    let own = cx.file(0)?;
    let file = cx.file_of(fd)?;
    let (_, epoll) = cx.epoll_arg(0)?;
    // epoll_ctl(2): EPERM for what cannot be polled, such as a regular file.
    if matches!(file.kind, FileKind::Inode | FileKind::Device(_)) {
        return Err(Errno::EPERM.into());
    }
    if Rc::ptr_eq(&own, &file) {
        return Err(Errno::EINVAL.into());
    }
    let key = (fd, file.id);
    let events = mem::field32(&event, 0);
    let data = mem::field64(&event, 4);
    let known = epoll.items.borrow().get(&key).cloned();
    match op {
        ADD => {
            if known.is_some() {
                return Err(Errno::EEXIST.into());
            }
            if events & EPOLLEXCLUSIVE != 0 && matches!(file.kind, FileKind::Epoll(_)) {
                return Err(Errno::EINVAL.into());
            }
            if let FileKind::Epoll(inner) = &file.kind
                && reaches(inner, &epoll, 0)
            {
                return Err(Errno::ELOOP.into());
            }
            let item = Rc::new(EpollItem {
                epoll: Rc::downgrade(&epoll),
                file: Rc::downgrade(&file),
                key,
                events: Cell::new(events),
                data: Cell::new(data),
                queued: Cell::new(false),
                disabled: Cell::new(false),
            });
            cx.k.watch(&file, Waiter::Epoll(Rc::downgrade(&item)));
            epoll.items.borrow_mut().insert(key, item.clone());
            cx.arm(&item, &file);
            Ok(0)
        }
        MOD => {
            let item = known.ok_or(Errno::ENOENT)?;
            if (events | item.events.get()) & EPOLLEXCLUSIVE != 0 {
                return Err(Errno::EINVAL.into());
            }
            item.events.set(events);
            item.data.set(data);
            item.disabled.set(false);
            cx.arm(&item, &file);
            Ok(0)
        }
        DEL => {
            epoll.items.borrow_mut().remove(&key).ok_or(Errno::ENOENT)?;
            epoll.ready.borrow_mut().retain(|i| i.key != key);
            Ok(0)
        }
        _ => Err(Errno::EINVAL.into()),
    }
}

/// Whether an instance watches another, directly or through others.
fn reaches(from: &Rc<Epoll>, to: &Rc<Epoll>, depth: u32) -> bool {
    if Rc::ptr_eq(from, to) || depth > 3 {
        return true;
    }
    from.items.borrow().values().filter_map(|i| i.target()).any(|f| match &f.kind {
        FileKind::Epoll(inner) => reaches(inner, to, depth + 1),
        _ => false,
    })
}

impl Cx<'_> {
    /// Puts a new or changed item on the ready list if it is ready now.
    fn arm(&mut self, item: &Rc<EpollItem>, file: &FileRef) {
        let ready = self.k.readiness(file, self.task);
        item.notify(&mut self.k.sched, ready);
    }

    fn epoll_wait_with(&mut self, timeout: Option<Nanos>) -> Answer {
        let (_, epoll) = self.epoll_arg(0)?;
        let max = self.int(2);
        if max <= 0 || max > i32::MAX / 12 {
            return Err(Errno::EINVAL.into());
        }
        let (addr, max) = (self.args[1], max as usize);
        if let Some(n) = self.epoll_now(&epoll, addr, max)? {
            return Ok(n);
        }
        if timeout == Some(0) {
            return Ok(0);
        }
        if self.signal_waiting() {
            return Err(Errno::EINTR.into());
        }
        let deadline = timeout.map(|t| self.k.sched.now.saturating_add(t));
        let wait = Wait::new(Kind::Epoll { epoll, addr, max }).until(deadline);
        Err(wait.on_signal(Interrupt::Fail).stop())
    }

    /// Hands out ready items; `None` if there are none.
    ///
    /// # Errors
    /// `EFAULT`.
    pub fn epoll_now(&mut self, epoll: &Rc<Epoll>, addr: u64, max: usize) -> Result<Option<i64>> {
        let mut n = 0;
        let mut looked = epoll.ready.borrow().len();
        while n < max && looked > 0 {
            looked -= 1;
            let Some(item) = epoll.ready.borrow_mut().pop_front() else { break };
            let Some(file) = item.target() else {
                epoll.items.borrow_mut().remove(&item.key);
                continue;
            };
            let events = item.events.get();
            let ready = self.k.readiness(&file, self.task) & (events | POLLERR | POLLHUP) & !EPOLL_FLAGS;
            item.queued.set(false);
            if ready == 0 || item.disabled.get() {
                continue;
            }
            let mut out = [0u8; 12];
            out[..4].copy_from_slice(&ready.to_le_bytes());
            out[4..].copy_from_slice(&item.data.get().to_le_bytes());
            if let Err(e) = self.m.write(addr + n as u64 * 12, &out) {
                item.queued.set(true);
                epoll.ready.borrow_mut().push_front(item);
                if n == 0 {
                    return Err(e);
                }
                break;
            }
            n += 1;
            if events & EPOLLONESHOT != 0 {
                item.disabled.set(true);
            } else if events & EPOLLET == 0 {
                // Level-triggered: it is looked at again next time, after the others.
                // `looked` ends the loop before it comes round to it.
                item.queued.set(true);
                epoll.ready.borrow_mut().push_back(item);
            }
        }
        Ok((n > 0).then_some(n as i64))
    }
}

const EPOLL_FLAGS: u32 = EPOLLET | EPOLLONESHOT | EPOLLEXCLUSIVE | EPOLLWAKEUP;

impl Kernel {
    /// Whether an instance has something to hand out.
    pub fn epoll_any(&self, epoll: &Rc<Epoll>, task: TaskId) -> bool {
        epoll.ready.borrow().iter().any(|item| {
            !item.disabled.get()
                && item.target().is_some_and(|f| {
                    self.readiness(&f, task) & (item.events.get() | POLLERR | POLLHUP) & !EPOLL_FLAGS != 0
                })
        })
    }
}

pub fn epoll_wait(cx: &mut Cx) -> Answer {
    let timeout = millis(cx.int(3));
    cx.epoll_wait_with(timeout)
}

pub fn epoll_pwait(cx: &mut Cx) -> Answer {
    let timeout = millis(cx.int(3));
    cx.temporary_mask(cx.args[4], cx.args[5])?;
    cx.epoll_wait_with(timeout)
}

pub fn epoll_pwait2(cx: &mut Cx) -> Answer {
    let timeout = super::time::get_timeout(cx.m, cx.args[3])?;
    cx.temporary_mask(cx.args[4], cx.args[5])?;
    cx.epoll_wait_with(timeout)
}
