//! System V semaphores.

use super::shm::{get_perm, put_perm};
use crate::ipc::IpcWait;
use crate::ipc::ids::{Perm, READ, WRITE};
use crate::ipc::sem::{Actor, MAX_OPS, MAX_SEMS, MAX_SETS, MAX_VALUE, Op, SemSet};
use crate::mem::{self, Struct};
use crate::wait::{Interrupt, Kind, Wait};
use crate::{Answer, Cx, Kernel};
use alloc::vec::Vec;
use snowglobe_abi::errno::{Errno, Result};

pub fn semget(cx: &mut Cx) -> Answer {
    let (key, count, flags) = (cx.uint(0), cx.int(1), cx.uint(2));
    if !(0..=MAX_SEMS as i32).contains(&count) {
        return Err(Errno::EINVAL.into());
    }
    let Some(id) = cx.ipc().sets.look(key, flags)? else {
        if count == 0 {
            return Err(Errno::EINVAL.into());
        }
        let set = SemSet::new(Perm::new(key, flags, &cx.proc().cred), count as u32, cx.k.seconds());
        return Ok(i64::from(cx.ipc().sets.insert(set)?));
    };
    let set = cx.ipc().sets.get(id)?;
    let (known, perm) = (set.sems().len(), set.perm.clone());
    if count as usize > known {
        return Err(Errno::EINVAL.into());
    }
    perm.check(&cx.proc().cred, flags & 0o777)?;
    Ok(i64::from(id))
}

impl Cx<'_> {
    fn set(&mut self, id: u32) -> Result<&mut SemSet> {
        self.ipc().sets.get_mut(id)
    }

    /// A set that the caller has a right on.
    fn set_for(&mut self, id: u32, want: u32) -> Result<&mut SemSet> {
        let perm = self.set(id)?.perm.clone();
        perm.check(&self.proc().cred, want)?;
        self.set(id)
    }

    fn operate(&mut self, timeout: Option<u64>) -> Answer {
        let (id, addr, count) = (self.uint(0), self.args[1], self.args[2] as u32);
        if count == 0 || self.int(0) < 0 {
            return Err(Errno::EINVAL.into());
        }
        if u64::from(count) > MAX_OPS {
            return Err(Errno::E2BIG.into());
        }
        let raw = mem::bytes(self.m, addr, count as usize * 6)?;
        let word = |c: &[u8], at| u16::from_le_bytes([c[at], c[at + 1]]);
        let op = |c: &[u8]| Op { num: word(c, 0), by: word(c, 2) as i16, flags: word(c, 4) };
        let ops: Vec<Op> = raw.chunks_exact(6).map(op).collect();
        let alters = ops.iter().any(|op| op.by != 0);
        let sems = self.set(id)?.sems().len();
        if ops.iter().any(|op| op.num as usize >= sems) {
            return Err(Errno::EFBIG.into());
        }
        let actor = Actor { task: self.task, proc: self.proc().id, pid: self.proc().pid };
        let (now, host) = (self.k.seconds(), self.proc().host.0);
        let mut woken = Vec::new();
        let done = self.set_for(id, if alters { WRITE } else { READ })?.operate(actor, ops, now, &mut woken);
        self.k.wake_all(woken);
        if let Some(result) = done {
            result?;
            return Ok(0);
        }
        let deadline = timeout.map(|t| self.k.sched.now.saturating_add(t));
        let wait = Wait::new(Kind::Ipc(IpcWait::Sem { host, id })).until(deadline);
        Err(wait.on_signal(Interrupt::Fail).stop())
    }
}

pub fn semop(cx: &mut Cx) -> Answer {
    cx.operate(None)
}

pub fn semtimedop(cx: &mut Cx) -> Answer {
    let timeout = super::time::get_timeout(cx.m, cx.args[3])?;
    cx.operate(timeout)
}

pub fn semctl(cx: &mut Cx) -> Answer {
    let (id, num, cmd, arg) = (cx.uint(0), cx.int(1), cx.uint(2), cx.args[3]);
    if cx.int(0) < 0 {
        return Err(Errno::EINVAL.into());
    }
    let now = cx.k.seconds();
    match cmd {
        0 => {
            let perm = cx.set(id)?.perm.clone();
            perm.check_owner(&cx.proc().cred)?;
            let set = cx.ipc().sets.remove(id)?;
            cx.k.wake_all(set.sleepers());
            Ok(0)
        }
        1 => {
            let raw: [u8; 104] = mem::array(cx.m, arg)?;
            let perm = cx.set(id)?.perm.clone();
            perm.check_owner(&cx.proc().cred)?;
            let (uid, gid, mode) = get_perm(&raw);
            let set = cx.set(id)?;
            set.perm.set(uid, gid, mode);
            set.ctime = now;
            Ok(0)
        }
        2 | 18 | 20 => {
            let id = if cmd == 2 { id } else { cx.ipc().sets.id_at(id)? };
            let set = if cmd == 20 { cx.set(id)? } else { cx.set_for(id, READ)? };
            let out = put_perm(Struct::new(), &set.perm, id).u64(set.otime).u64(0).u64(set.ctime).u64(0);
            out.u64(set.sems().len() as u64).pad(104).put(cx.m, arg)?;
            Ok(if cmd == 2 { 0 } else { i64::from(id) })
        }
        3 | 19 => {
            let sets = &cx.ipc().sets;
            let (used, highest) = (sets.len() as u32, sets.highest());
            let sems: usize = sets.iter().map(|(_, s)| s.sems().len()).sum();
            let all = MAX_SETS * MAX_SEMS;
            // SEM_INFO says what is used where IPC_INFO says how big a structure is and what an adjustment may be.
            let (size, adjust) = if cmd == 3 { (20, MAX_VALUE as u32) } else { (used, sems as u32) };
            let ops = MAX_OPS as u32;
            let words = [all, MAX_SETS, all, all, MAX_SEMS, ops, ops, size, MAX_VALUE as u32, adjust];
            words.iter().fold(Struct::new(), |s, w| s.u32(*w)).put(cx.m, arg)?;
            Ok(i64::from(highest))
        }
        11 | 12 | 14 | 15 => {
            let set = cx.set_for(id, READ)?;
            let sem = usize::try_from(num).ok().and_then(|n| set.sems().get(n)).ok_or(Errno::EINVAL)?;
            Ok(match cmd {
                11 => i64::from(sem.pid),
                12 => i64::from(sem.value),
                14 => set.count(num as u16, false),
                _ => set.count(num as u16, true),
            })
        }
        13 => {
            let set = cx.set_for(id, READ)?;
            let out = set.sems().iter().fold(Struct::new(), |s, sem| s.u16(sem.value as u16));
            out.put(cx.m, arg)?;
            Ok(0)
        }
        16 => {
            let value = arg as i32;
            if !(0..=MAX_VALUE).contains(&value) {
                return Err(Errno::ERANGE.into());
            }
            let sems = cx.set(id)?.sems().len();
            if num < 0 || num as usize >= sems {
                return Err(Errno::EINVAL.into());
            }
            cx.set_values(id, num as u16, &[value as u16])
        }
        17 => {
            let count = cx.set_for(id, WRITE)?.sems().len();
            let raw = mem::bytes(cx.m, arg, count * 2)?;
            let values: Vec<u16> = raw.chunks_exact(2).map(|c| u16::from_le_bytes([c[0], c[1]])).collect();
            if values.iter().any(|v| i32::from(*v) > MAX_VALUE) {
                return Err(Errno::ERANGE.into());
            }
            cx.set_values(id, 0, &values)
        }
        _ => Err(Errno::EINVAL.into()),
    }
}

impl Cx<'_> {
    fn set_values(&mut self, id: u32, first: u16, values: &[u16]) -> Answer {
        let (pid, now) = (self.proc().pid, self.k.seconds());
        let mut woken = Vec::new();
        self.set_for(id, WRITE)?.set(first, values, pid, now, &mut woken);
        self.k.wake_all(woken);
        Ok(0)
    }
}

impl Kernel {
    /// `/proc/sysvipc/sem`
    pub fn proc_sem(&self, host: u32) -> alloc::string::String {
        use core::fmt::Write;
        let mut out = alloc::string::String::from(
            "       key      semid perms      nsems   uid   gid  cuid  cgid      otime      ctime\n",
        );
        for (id, s) in self.ipc[host as usize].sets.iter() {
            let p = &s.perm;
            let _ = writeln!(
                out,
                "{:>10} {id:>10}  {:>4o} {:>10} {:>5} {:>5} {:>5} {:>5} {:>10} {:>10}",
                p.key as i32,
                p.mode,
                s.sems().len(),
                p.uid,
                p.gid,
                p.cuid,
                p.cgid,
                s.otime,
                s.ctime
            );
        }
        out
    }
}
