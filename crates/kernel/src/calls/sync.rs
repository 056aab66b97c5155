//! Futexes (`futex(2)`).

use crate::futex::FutexKey;
use crate::mem;
use crate::task::TaskId;
use crate::time::Moment;
use crate::wait::{Interrupt, Kind, Wait};
use crate::{Answer, Cx};
use snowglobe_abi::errno::{Errno, Result};

const WAITERS: u32 = 0x8000_0000;
const OWNER_DIED: u32 = 0x4000_0000;
const TID_MASK: u32 = 0x3fff_ffff;
const ALL: u32 = u32::MAX;

impl Cx<'_> {
    fn key(&mut self, addr: u64, private: bool) -> Result<FutexKey> {
        if !addr.is_multiple_of(4) {
            return Err(Errno::EINVAL);
        }
        if !private {
            // The word must be there: a key of nothing is EFAULT.
            mem::u32(self.m, addr)?;
            if let Some((object, at)) = self.k.space_of(self.task).shared_key(addr) {
                return Ok(FutexKey::Shared(object, at));
            }
        }
        Ok(FutexKey::Private(self.proc().space, addr))
    }

    /// Wakes whoever sleeps on a word, private or shared.
    pub fn futex_wake_all(&mut self, addr: u64) {
        if let Ok(key) = self.key(addr, false) {
            self.k.futexes.wake(key, 1, ALL, &mut self.k.sched);
        }
    }

    fn futex_wait(&mut self, addr: u64, private: bool, value: u32, deadline: Option<Moment>, bitset: u32) -> Answer {
        if bitset == 0 {
            return Err(Errno::EINVAL.into());
        }
        let key = self.key(addr, private)?;
        if mem::u32(self.m, addr)? != value {
            return Err(Errno::EAGAIN.into());
        }
        if deadline.is_some_and(|moment| moment.at <= self.k.sched.now) {
            return Err(Errno::ETIMEDOUT.into());
        }
        let wait = Wait::new(Kind::Futex { key, bitset, pi: None }).until_moment(deadline);
        // futex(2): a wait with a relative time-out is restarted with the time that is left: here it just fails.
        let interrupt = if deadline.is_some() { Interrupt::Fail } else { Interrupt::Restart };
        Err(wait.on_signal(interrupt).stop())
    }

    fn wake_op(&mut self, addr: u64, addr2: u64, private: bool, count: u64, count2: u64, op: u32) -> Answer {
        let (key, key2) = (self.key(addr, private)?, self.key(addr2, private)?);
        let (kind, cmp) = (op >> 28 & 0xf, op >> 24 & 0xf);
        let sign = |v: u32| ((v << 20) as i32 >> 20) as u32;
        let (mut oparg, cmparg) = (sign(op >> 12 & 0xfff), sign(op & 0xfff));
        if kind & 8 != 0 {
            oparg = 1 << (oparg & 31);
        }
        let old = mem::u32(self.m, addr2)?;
        let new = match kind & 7 {
            0 => oparg,
            1 => old.wrapping_add(oparg),
            2 => old | oparg,
            3 => old & !oparg,
            4 => old ^ oparg,
            _ => return Err(Errno::ENOSYS.into()),
        };
        self.m.write(addr2, &new.to_le_bytes())?;
        let (o, c) = (old as i32, cmparg as i32);
        let hit = match cmp {
            0 => o == c,
            1 => o != c,
            2 => o < c,
            3 => o <= c,
            4 => o > c,
            5 => o >= c,
            _ => return Err(Errno::ENOSYS.into()),
        };
        let mut woken = self.k.futexes.wake(key, count, ALL, &mut self.k.sched);
        if hit {
            woken += self.k.futexes.wake(key2, count2, ALL, &mut self.k.sched);
        }
        Ok(woken as i64)
    }

    fn lock_pi(&mut self, addr: u64, private: bool, deadline: Option<Moment>, try_only: bool) -> Answer {
        let key = self.key(addr, private)?;
        let tid = self.me().tid;
        let word = mem::u32(self.m, addr)?;
        if word & TID_MASK == tid {
            return Err(Errno::EDEADLK.into());
        }
        if word & TID_MASK == 0 {
            let keep = if self.k.futexes.any(key) { WAITERS } else { 0 };
            self.m.write(addr, &(tid | word & OWNER_DIED | keep).to_le_bytes())?;
            return Ok(0);
        }
        if !self.k.host_of(self.task).tids.contains_key(&(word & TID_MASK)) {
            return Err(Errno::ESRCH.into());
        }
        if try_only {
            return Err(Errno::EAGAIN.into());
        }
        self.m.write(addr, &(word | WAITERS).to_le_bytes())?;
        Err(Wait::new(Kind::Futex { key, bitset: ALL, pi: Some(addr) }).until_moment(deadline).stop())
    }

    /// A woken PI waiter: the word names it as owner if the unlocker handed it over.
    pub fn futex_pi_taken(&mut self, addr: u64) -> Option<Result<i64>> {
        let tid = self.me().tid;
        match mem::u32(self.m, addr) {
            Ok(word) if word & TID_MASK == tid => Some(Ok(0)),
            Ok(_) => Some(Err(Errno::EAGAIN)),
            Err(e) => Some(Err(e)),
        }
    }

    fn unlock_pi(&mut self, addr: u64, private: bool) -> Answer {
        let key = self.key(addr, private)?;
        if mem::u32(self.m, addr)? & TID_MASK != self.me().tid {
            return Err(Errno::EPERM.into());
        }
        self.hand_over(addr, key, 0)?;
        Ok(0)
    }

    /// Gives a PI lock to the one that has waited longest.
    fn hand_over(&mut self, addr: u64, key: FutexKey, died: u32) -> Result<()> {
        let next = self.k.futexes.first(key).and_then(|t: TaskId| self.k.try_task(t)).map(|t| t.tid);
        self.k.futexes.wake(key, 1, ALL, &mut self.k.sched);
        let more = if self.k.futexes.any(key) { WAITERS } else { 0 };
        let word = next.map_or(0, |tid| tid | more) | died;
        self.m.write(addr, &word.to_le_bytes())
    }

    /// What the end of a thread means for the robust mutexes that it holds (`set_robust_list(2)`).
    pub fn exit_robust_list(&mut self) {
        let head = core::mem::take(&mut self.me_mut().robust_list);
        if head == 0 {
            return;
        }
        // A list that cannot be read ends the walk, as on Linux.
        let _ = self.walk_robust_list(head);
    }

    fn walk_robust_list(&mut self, head: u64) -> Result<()> {
        let raw: [u8; 24] = mem::array(self.m, head)?;
        let offset = mem::field64(&raw, 8);
        let pending = mem::field64(&raw, 16);
        let mut entry = mem::field64(&raw, 0);
        for _ in 0..2048 {
            if entry & !1 == head {
                break;
            }
            let next = mem::u64(self.m, entry & !1);
            if entry != pending {
                self.robust_death((entry & !1).wrapping_add(offset), entry & 1 != 0, false)?;
            }
            entry = next?;
        }
        if pending != 0 {
            self.robust_death((pending & !1).wrapping_add(offset), pending & 1 != 0, true)?;
        }
        Ok(())
    }

    fn robust_death(&mut self, addr: u64, pi: bool, pending: bool) -> Result<()> {
        let word = mem::u32(self.m, addr)?;
        let key = self.key(addr, false)?;
        if word & TID_MASK != self.me().tid {
            if pending && word & TID_MASK == 0 {
                self.k.futexes.wake(key, 1, ALL, &mut self.k.sched);
            }
            return Ok(());
        }
        if pi {
            return self.hand_over(addr, key, OWNER_DIED);
        }
        self.m.write(addr, &(word & WAITERS | OWNER_DIED).to_le_bytes())?;
        if word & WAITERS != 0 {
            self.k.futexes.wake(key, 1, ALL, &mut self.k.sched);
            let private = FutexKey::Private(self.proc().space, addr);
            self.k.futexes.wake(private, 1, ALL, &mut self.k.sched);
        }
        Ok(())
    }
}

pub fn futex(cx: &mut Cx) -> Answer {
    let [addr, op, value, timeout, addr2, value3] = cx.args;
    let op = op as u32;
    let private = op & 128 != 0;
    let realtime = op & 256 != 0;
    let value32 = value as u32;
    let count = u64::from(value32.min(i32::MAX as u32));
    let count2 = timeout.min(i32::MAX as u64);
    match op & 127 {
        0 => {
            let t = super::time::get_timeout(cx.m, timeout)?;
            let deadline = t.map(|t| Moment::fixed(cx.k.sched.now.saturating_add(t)));
            cx.futex_wait(addr, private, value32, deadline, ALL)
        }
        9 => {
            let deadline = cx.absolute(timeout, realtime)?;
            cx.futex_wait(addr, private, value32, deadline, value3 as u32)
        }
        1 | 10 => {
            let bits = if op & 127 == 1 { ALL } else { value3 as u32 };
            if bits == 0 {
                return Err(Errno::EINVAL.into());
            }
            let key = cx.key(addr, private)?;
            Ok(cx.k.futexes.wake(key, count.max(1), bits, &mut cx.k.sched) as i64)
        }
        3 | 4 => {
            if (value32 as i32) < 0 || (timeout as i32) < 0 {
                return Err(Errno::EINVAL.into());
            }
            let (key, key2) = (cx.key(addr, private)?, cx.key(addr2, private)?);
            if op & 127 == 4 && mem::u32(cx.m, addr)? != value3 as u32 {
                return Err(Errno::EAGAIN.into());
            }
            let woken = cx.k.futexes.wake(key, count, ALL, &mut cx.k.sched);
            let moved = cx.k.futexes.requeue(key, key2, count2);
            Ok((woken + moved) as i64)
        }
        5 => cx.wake_op(addr, addr2, private, count, count2, value3 as u32),
        6 | 13 => {
            // FUTEX_LOCK_PI's time is always of the wall clock; FUTEX_LOCK_PI2's is what the flag says.
            let deadline = cx.absolute(timeout, realtime || op & 127 == 6)?;
            cx.lock_pi(addr, private, deadline, false)
        }
        7 => cx.unlock_pi(addr, private),
        8 => cx.lock_pi(addr, private, None, true),
        _ => Err(Errno::ENOSYS.into()),
    }
}

impl Cx<'_> {
    /// An absolute time-out of CLOCK_REALTIME or CLOCK_MONOTONIC.
    fn absolute(&mut self, addr: u64, realtime: bool) -> Result<Option<Moment>> {
        let at = super::time::get_timeout(self.m, addr)?;
        Ok(at.map(|at| if realtime { self.at_wall(at) } else { self.at_monotonic(at) }))
    }
}

pub fn set_robust_list(cx: &mut Cx) -> Answer {
    if cx.args[1] != 24 {
        return Err(Errno::EINVAL.into());
    }
    cx.me_mut().robust_list = cx.args[0];
    Ok(0)
}

pub fn get_robust_list(cx: &mut Cx) -> Answer {
    let task = match cx.uint(0) {
        0 => cx.task,
        tid => *cx.k.host_of(cx.task).tids.get(&tid).ok_or(Errno::ESRCH)?,
    };
    if !cx.may_inspect(cx.k.task(task).proc) {
        return Err(Errno::EPERM.into());
    }
    let head = cx.k.task(task).robust_list;
    cx.m.write(cx.args[1], &head.to_le_bytes())?;
    cx.m.write(cx.args[2], &24u64.to_le_bytes())?;
    Ok(0)
}

// The calls that Linux 5.16 and 6.7 added: one operation each, with flags of their own.

const FUTEX2_U32: u32 = 2;
const FUTEX2_PRIVATE: u32 = 128;

/// Whether a word is private, from the flags of the newer calls.
fn futex2_private(flags: u32) -> Result<bool> {
    // Of the sizes only 32 bits are there, and there are no memory nodes.
    if flags & !FUTEX2_PRIVATE != FUTEX2_U32 { Err(Errno::EINVAL) } else { Ok(flags & FUTEX2_PRIVATE != 0) }
}

impl Cx<'_> {
    /// An absolute time of CLOCK_REALTIME (0) or CLOCK_MONOTONIC (1).
    fn futex2_deadline(&mut self, addr: u64, clock: u32) -> Result<Option<Moment>> {
        if addr != 0 && clock > 1 {
            return Err(Errno::EINVAL);
        }
        self.absolute(addr, clock == 0)
    }
}

pub fn futex_waitv(cx: &mut Cx) -> Answer {
    let (addr, count, flags) = (cx.args[0], cx.uint(1), cx.uint(2));
    if flags != 0 || !(1..=128).contains(&count) || addr == 0 {
        return Err(Errno::EINVAL.into());
    }
    let deadline = cx.futex2_deadline(cx.args[3], cx.uint(4))?;
    let raw = mem::bytes(cx.m, addr, count as usize * 24)?;
    let mut keys = alloc::vec::Vec::new();
    for waiter in raw.chunks_exact(24) {
        if mem::field32(waiter, 20) != 0 {
            return Err(Errno::EINVAL.into());
        }
        let private = futex2_private(mem::field32(waiter, 16))?;
        keys.push(cx.key(mem::field64(waiter, 8), private)?);
    }
    for waiter in raw.chunks_exact(24) {
        if u64::from(mem::u32(cx.m, mem::field64(waiter, 8))?) != mem::field64(waiter, 0) {
            return Err(Errno::EAGAIN.into());
        }
    }
    if deadline.is_some_and(|moment| moment.at <= cx.k.sched.now) {
        return Err(Errno::ETIMEDOUT.into());
    }
    let interrupt = if deadline.is_some() { Interrupt::Fail } else { Interrupt::Restart };
    Err(Wait::new(Kind::Futexes(keys)).until_moment(deadline).on_signal(interrupt).stop())
}

pub fn futex_wake(cx: &mut Cx) -> Answer {
    let (addr, mask, count) = (cx.args[0], cx.args[1], cx.int(2));
    let private = futex2_private(cx.uint(3))?;
    if mask as u32 == 0 || mask >> 32 != 0 {
        return Err(Errno::EINVAL.into());
    }
    let key = cx.key(addr, private)?;
    Ok(cx.k.futexes.wake(key, count.max(0) as u64, mask as u32, &mut cx.k.sched) as i64)
}

pub fn futex_wait(cx: &mut Cx) -> Answer {
    let [addr, value, mask, flags, timeout, clock] = cx.args;
    let private = futex2_private(flags as u32)?;
    if (value | mask) >> 32 != 0 {
        return Err(Errno::EINVAL.into());
    }
    let deadline = cx.futex2_deadline(timeout, clock as u32)?;
    cx.futex_wait(addr, private, value as u32, deadline, mask as u32)
}

pub fn futex_requeue(cx: &mut Cx) -> Answer {
    let (addr, flags, wake, requeue) = (cx.args[0], cx.uint(1), cx.int(2), cx.int(3));
    if flags != 0 || addr == 0 || wake < 0 || requeue < 0 {
        return Err(Errno::EINVAL.into());
    }
    let raw: [u8; 48] = mem::array(cx.m, addr)?;
    let (from, to) = (mem::field64(&raw, 8), mem::field64(&raw, 32));
    let key = futex2_private(mem::field32(&raw, 16)).and_then(|private| cx.key(from, private))?;
    let key2 = futex2_private(mem::field32(&raw, 40)).and_then(|private| cx.key(to, private))?;
    if u64::from(mem::u32(cx.m, from)?) != mem::field64(&raw, 0) {
        return Err(Errno::EAGAIN.into());
    }
    let woken = cx.k.futexes.wake(key, wake as u64, ALL, &mut cx.k.sched);
    let moved = cx.k.futexes.requeue(key, key2, requeue as u64);
    Ok((woken + moved) as i64)
}
