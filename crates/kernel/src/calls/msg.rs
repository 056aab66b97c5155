//! System V message queues.

use super::shm::{get_perm, put_perm};
use crate::ipc::IpcWait;
use crate::ipc::ids::{IPC_NOWAIT, Perm, READ, WRITE};
use crate::ipc::msg::{DEFAULT_BYTES, MAX_QUEUES, MAX_SIZE, Message, MsgQueue, Receiver, Want};
use crate::mem::{self, Struct};
use crate::uapi::*;
use crate::wait::{Interrupt, Kind, Wait};
use crate::{Answer, Cx, Kernel};
use alloc::vec::Vec;
use snowglobe_abi::errno::{Errno, Result};

const MSG_NOERROR: u32 = 0o10000;
const MSG_EXCEPT: u32 = 0o20000;
const MSG_COPY: u32 = 0o40000;

pub fn msgget(cx: &mut Cx) -> Answer {
    let (key, flags) = (cx.uint(0), cx.uint(1));
    let Some(id) = cx.ipc().queues.look(key, flags)? else {
        let queue = MsgQueue::new(Perm::new(key, flags, &cx.proc().cred), cx.k.seconds());
        return Ok(i64::from(cx.ipc().queues.insert(queue)?));
    };
    let perm = cx.ipc().queues.get(id)?.perm.clone();
    perm.check(&cx.proc().cred, flags & 0o777)?;
    Ok(i64::from(id))
}

impl Cx<'_> {
    fn queue(&mut self, id: u32) -> Result<&mut MsgQueue> {
        self.ipc().queues.get_mut(id)
    }

    /// A queue that the caller has a right on.
    fn queue_for(&mut self, id: u32, want: u32) -> Result<&mut MsgQueue> {
        let perm = self.queue(id)?.perm.clone();
        perm.check(&self.proc().cred, want)?;
        self.queue(id)
    }

    /// Copies a received message out; returns how many bytes of text fitted.
    ///
    /// # Errors
    /// `EFAULT`: the message is lost, as on Linux.
    pub fn put_message(&mut self, message: &Message, addr: u64, size: u64) -> Result<i64> {
        let n = (message.data.len() as u64).min(size) as usize;
        self.m.write(addr, &message.kind.to_le_bytes())?;
        self.m.write(addr + 8, &message.data[..n])?;
        Ok(n as i64)
    }
}

pub fn msgsnd(cx: &mut Cx) -> Answer {
    let (id, addr, size, flags) = (cx.uint(0), cx.args[1], cx.args[2], cx.uint(3));
    let kind = mem::u64(cx.m, addr)? as i64;
    if size > MAX_SIZE || cx.int(0) < 0 || kind < 1 {
        return Err(Errno::EINVAL.into());
    }
    let data = mem::bytes(cx.m, addr + 8, size as usize)?;
    let (task, pid, now, host) = (cx.task, cx.proc().pid, cx.k.seconds(), cx.proc().host.0);
    let mut woken = Vec::new();
    let queue = cx.queue_for(id, WRITE)?;
    let Some(back) = queue.send(Message { kind, data }, pid, now, &mut woken) else {
        cx.k.wake_all(woken);
        return Ok(0);
    };
    if flags & IPC_NOWAIT != 0 {
        return Err(Errno::EAGAIN.into());
    }
    queue.wait_to_send(task, pid, back);
    Err(Wait::new(Kind::Ipc(IpcWait::Send { host, id })).on_signal(Interrupt::Fail).stop())
}

pub fn msgrcv(cx: &mut Cx) -> Answer {
    let (id, addr, size, kind, flags) = (cx.uint(0), cx.args[1], cx.args[2], cx.args[3] as i64, cx.uint(4));
    if cx.int(0) < 0 || (size as i64) < 0 {
        return Err(Errno::EINVAL.into());
    }
    let cut = flags & MSG_NOERROR != 0;
    if flags & MSG_COPY != 0 {
        return cx.copy_message(kind);
    }
    let (task, pid, now, host) = (cx.task, cx.proc().pid, cx.k.seconds(), cx.proc().host.0);
    let receiver = Receiver { task, pid, want: Want::new(kind, flags & MSG_EXCEPT != 0), size, cut };
    let mut woken = Vec::new();
    let queue = cx.queue_for(id, READ)?;
    let found = queue.receive(receiver, now, &mut woken)?;
    if let Some(message) = found {
        cx.k.wake_all(woken);
        return Ok(cx.put_message(&message, addr, size)?);
    }
    if flags & IPC_NOWAIT != 0 {
        return Err(Errno::ENOMSG.into());
    }
    queue.wait_to_receive(receiver);
    let wait = Wait::new(Kind::Ipc(IpcWait::Receive { host, id, addr, size }));
    Err(wait.on_signal(Interrupt::Fail).stop())
}

impl Cx<'_> {
    /// MSG_COPY: the message at a place is read and stays (`msgrcv(2)`).
    fn copy_message(&mut self, at: i64) -> Answer {
        let (id, addr, size, flags) = (self.uint(0), self.args[1], self.args[2], self.uint(4));
        if flags & MSG_EXCEPT != 0 || flags & IPC_NOWAIT == 0 {
            return Err(Errno::EINVAL.into());
        }
        let queue = self.queue_for(id, READ)?;
        let found = usize::try_from(at).ok().and_then(|at| queue.peek(at)).cloned();
        let message = found.ok_or(Errno::ENOMSG)?;
        if message.data.len() as u64 > size && flags & MSG_NOERROR == 0 {
            return Err(Errno::E2BIG.into());
        }
        Ok(self.put_message(&message, addr, size)?)
    }
}

pub fn msgctl(cx: &mut Cx) -> Answer {
    let (id, cmd, addr) = (cx.uint(0), cx.uint(1), cx.args[2]);
    if cx.int(0) < 0 || (cmd as i32) < 0 {
        return Err(Errno::EINVAL.into());
    }
    let now = cx.k.seconds();
    match cmd {
        0 => {
            let perm = cx.queue(id)?.perm.clone();
            perm.check_owner(&cx.proc().cred)?;
            let queue = cx.ipc().queues.remove(id)?;
            cx.k.wake_all(queue.sleepers());
            Ok(0)
        }
        1 => {
            let raw: [u8; 120] = mem::array(cx.m, addr)?;
            let perm = cx.queue(id)?.perm.clone();
            perm.check_owner(&cx.proc().cred)?;
            let limit = mem::field64(&raw, 88);
            if limit > DEFAULT_BYTES && !cx.proc().cred.capable(CAP_SYS_RESOURCE) {
                return Err(Errno::EPERM.into());
            }
            let (uid, gid, mode) = get_perm(&raw);
            let mut woken = Vec::new();
            let queue = cx.queue(id)?;
            queue.perm.set(uid, gid, mode);
            queue.limit = limit;
            queue.ctime = now;
            queue.admit(now, &mut woken);
            cx.k.wake_all(woken);
            Ok(0)
        }
        2 | 11 | 13 => {
            let id = if cmd == 2 { id } else { cx.ipc().queues.id_at(id)? };
            let q = if cmd == 13 { cx.queue(id)? } else { cx.queue_for(id, READ)? };
            let out = put_perm(Struct::new(), &q.perm, id).u64(q.stime).u64(q.rtime).u64(q.ctime);
            let out = out.u64(q.bytes).u64(q.len() as u64).u64(q.limit).u32(q.last_sender).u32(q.last_receiver);
            out.pad(120).put(cx.m, addr)?;
            Ok(if cmd == 2 { 0 } else { i64::from(id) })
        }
        3 | 12 => {
            let queues = &cx.ipc().queues;
            let (used, highest) = (queues.len() as u32, queues.highest());
            let count: usize = queues.iter().map(|(_, q)| q.len()).sum();
            let bytes: u64 = queues.iter().map(|(_, q)| q.bytes).sum();
            let limit = DEFAULT_BYTES as u32;
            let (pool, map, total) = match cmd {
                3 => (MAX_QUEUES * (limit / 1024), limit, limit),
                _ => (used, count as u32, bytes as u32),
            };
            let words = [pool, map, MAX_SIZE as u32, limit, MAX_QUEUES, 16, total];
            words.iter().fold(Struct::new(), |s, w| s.u32(*w)).u16(0xffff).pad(32).put(cx.m, addr)?;
            Ok(i64::from(highest))
        }
        _ => Err(Errno::EINVAL.into()),
    }
}

impl Kernel {
    /// `/proc/sysvipc/msg`
    pub fn proc_msg(&self, host: u32) -> alloc::string::String {
        use core::fmt::Write;
        let mut out = alloc::string::String::from(
            "       key      msqid perms      cbytes       qnum lspid lrpid   uid   gid  cuid  cgid      stime      \
             rtime      ctime\n",
        );
        for (id, q) in self.ipc[host as usize].queues.iter() {
            let p = &q.perm;
            let _ = writeln!(
                out,
                "{:>10} {id:>10}  {:>4o}  {:>10} {:>10} {:>5} {:>5} {:>5} {:>5} {:>5} {:>5} {:>10} {:>10} {:>10}",
                p.key as i32,
                p.mode,
                q.bytes,
                q.len(),
                q.last_sender,
                q.last_receiver,
                p.uid,
                p.gid,
                p.cuid,
                p.cgid,
                q.stime,
                q.rtime,
                q.ctime
            );
        }
        out
    }
}
