//! Signals: actions, masks, sending, waiting.

use crate::fs::event::SignalFd;
use crate::fs::file::FileKind;
use crate::fs::inode::Node;
use crate::mem::{self, Iov, Struct};
use crate::signal::{Action, AltStack, BLOCKABLE, Info, bit};
use crate::task::{ProcId, TaskId};
use crate::uapi::*;
use crate::wait::{Interrupt, Kind, Wait};
use crate::{Answer, Cx, Stop};
use alloc::rc::Rc;
use core::cell::Cell;
use snowglobe_abi::errno::{Errno, Result};

/// Smallest alternate stack (`MINSIGSTKSZ` of x86-64).
const MIN_ALTSTACK: u64 = 2048;

pub fn rt_sigaction(cx: &mut Cx) -> Answer {
    let signal = cx.uint(0);
    if cx.args[3] != 8 || signal == 0 || signal > SIGMAX {
        return Err(Errno::EINVAL.into());
    }
    let old = cx.k.action_of(cx.task, signal);
    if cx.args[1] != 0 {
        let raw: [u8; 32] = mem::array(cx.m, cx.args[1])?;
        if signal == SIGKILL || signal == SIGSTOP {
            return Err(Errno::EINVAL.into());
        }
        let action = Action {
            handler: mem::field64(&raw, 0),
            flags: mem::field64(&raw, 8),
            restorer: mem::field64(&raw, 16),
            mask: mem::field64(&raw, 24) & BLOCKABLE,
        };
        cx.proc().actions.borrow_mut().0[signal as usize - 1] = action;
        // sigaction(2): setting a pending signal to be ignored throws it away.
        use crate::signal::{Default_, default_action};
        if action.handler == 1 || action.handler == 0 && default_action(signal) == Default_::Ignore {
            cx.proc_mut().pending.discard(bit(signal));
            for t in cx.proc().threads.clone() {
                cx.k.task_mut(t).pending.discard(bit(signal));
            }
        }
    }
    if cx.args[2] != 0 {
        Struct::new().u64(old.handler).u64(old.flags).u64(old.restorer).u64(old.mask).put(cx.m, cx.args[2])?;
    }
    Ok(0)
}

pub fn rt_sigprocmask(cx: &mut Cx) -> Answer {
    if cx.args[3] != 8 {
        return Err(Errno::EINVAL.into());
    }
    let old = cx.me().mask;
    if cx.args[1] != 0 {
        let set = mem::u64(cx.m, cx.args[1])?;
        let new = match cx.uint(0) {
            0 => old | set,
            1 => old & !set,
            2 => set,
            _ => return Err(Errno::EINVAL.into()),
        };
        cx.me_mut().mask = new & BLOCKABLE;
        if (cx.me().pending.set | cx.proc().pending.set) & !new != 0 {
            cx.k.notice = true;
        }
    }
    if cx.args[2] != 0 {
        cx.m.write(cx.args[2], &old.to_le_bytes())?;
    }
    Ok(0)
}

pub fn rt_sigpending(cx: &mut Cx) -> Answer {
    if cx.args[1] > 8 {
        return Err(Errno::EINVAL.into());
    }
    let set = (cx.me().pending.set | cx.proc().pending.set) & cx.me().mask;
    cx.m.write(cx.args[0], &set.to_le_bytes())?;
    Ok(0)
}

impl Cx<'_> {
    /// Puts a mask in place until the call is over.
    ///
    /// # Errors
    /// `EINVAL` for a size that is not 8, `EFAULT`.
    pub fn temporary_mask(&mut self, addr: u64, size: u64) -> Result<()> {
        if addr == 0 {
            return Ok(());
        }
        if size != 8 {
            return Err(Errno::EINVAL);
        }
        let mask = mem::u64(self.m, addr)? & BLOCKABLE;
        let t = self.me_mut();
        t.saved_mask = Some(t.mask);
        t.mask = mask;
        self.k.notice = true;
        Ok(())
    }

    /// Whether a signal that the mask lets pass is pending.
    pub fn signal_waiting(&self) -> bool {
        (self.me().pending.set | self.proc().pending.set) & !self.me().mask != 0
    }
}

pub fn rt_sigsuspend(cx: &mut Cx) -> Answer {
    cx.temporary_mask(cx.args[0].max(1), cx.args[1])?;
    let wait = Wait::new(Kind::Signal).on_signal(Interrupt::Fail);
    if cx.signal_waiting() {
        // The wait is over before it begins; the handler runs under the temporary mask.
        return Err(Errno::EINTR.into());
    }
    Err(wait.stop())
}

pub fn pause(cx: &mut Cx) -> Answer {
    if cx.signal_waiting() {
        return Err(Errno::EINTR.into());
    }
    Err(Wait::new(Kind::Signal).on_signal(Interrupt::Fail).stop())
}

pub fn rt_sigtimedwait(cx: &mut Cx) -> Answer {
    if cx.args[3] != 8 {
        return Err(Errno::EINVAL.into());
    }
    let set = mem::u64(cx.m, cx.args[0])? & BLOCKABLE;
    let timeout = super::time::get_timeout(cx.m, cx.args[2])?;
    if let Some(value) = cx.sigwait_now(set, cx.args[1])? {
        return Ok(value);
    }
    if timeout == Some(0) {
        return Err(Errno::EAGAIN.into());
    }
    let deadline = timeout.map(|t| cx.k.sched.now.saturating_add(t));
    let wait = Wait::new(Kind::SigWait { set, info: cx.args[1] }).on_signal(Interrupt::Fail);
    Err(wait.until(deadline).stop())
}

impl Cx<'_> {
    /// Takes a pending signal of a set.
    ///
    /// # Errors
    /// `EFAULT`.
    pub fn sigwait_now(&mut self, set: u64, info: u64) -> Result<Option<i64>> {
        let Some(taken) = self.k.dequeue(self.task, set) else { return Ok(None) };
        if info != 0 {
            self.m.write(info, &taken.bytes())?;
        }
        Ok(Some(i64::from(taken.signal)))
    }

    /// Reads from a signalfd.
    ///
    /// # Errors
    /// `EAGAIN`, `EINVAL`, `EFAULT`.
    pub fn read_signals(&mut self, mask: u64, iov: &Iov) -> Result<u64> {
        if iov.len() < 128 {
            return Err(Errno::EINVAL);
        }
        let mut done = 0;
        while done + 128 <= iov.len() {
            let Some(info) = self.k.dequeue(self.task, mask) else { break };
            let out = signalfd_info(&info);
            iov.scatter(self.m, done, &out)?;
            done += 128;
        }
        if done == 0 { Err(Errno::EAGAIN) } else { Ok(done) }
    }
}

/// `struct signalfd_siginfo`.
fn signalfd_info(info: &Info) -> alloc::vec::Vec<u8> {
    let [a, b, c] = info.fields;
    let base = Struct::new().u32(info.signal).u32(info.errno as u32).u32(info.code as u32);
    let child = info.signal == SIGCHLD && info.code > 0;
    let out = match info.code {
        SI_TIMER => {
            base.u32(0).u32(0).u32(0).u32(a as u32).u32(0).u32((a >> 32) as u32).u32(0).u32(0).u32(b as u32).u64(b)
        }
        _ => {
            let head = base.u32(a as u32).u32((a >> 32) as u32).u32(0).u32(0).u32(0).u32(0).u32(0);
            let status = if child { b as u32 } else { 0 };
            let value = if child { 0 } else { b };
            let _ = c;
            head.u32(status).u32(value as u32).u64(value)
        }
    };
    out.pad(128).0
}

pub fn signalfd(cx: &mut Cx) -> Answer {
    cx.signalfd_with(0)
}

pub fn signalfd4(cx: &mut Cx) -> Answer {
    cx.signalfd_with(cx.uint(3))
}

impl Cx<'_> {
    fn signalfd_with(&mut self, flags: u32) -> Answer {
        if self.args[2] != 8 || flags & !(O_CLOEXEC | O_NONBLOCK) != 0 {
            return Err(Errno::EINVAL.into());
        }
        let mask = mem::u64(self.m, self.args[1])? & BLOCKABLE;
        if self.int(0) != -1 {
            let file = self.file(0)?;
            let FileKind::Signal(signals) = &file.kind else { return Err(Errno::EINVAL.into()) };
            signals.mask.set(mask);
            return Ok(i64::from(self.int(0)));
        }
        let kind = FileKind::Signal(Rc::new(SignalFd { mask: Cell::new(mask) }));
        let file = self.new_file(kind, O_RDWR | flags & O_NONBLOCK);
        Ok(i64::from(self.install(file, flags & O_CLOEXEC != 0)?))
    }

    /// Whether the caller may send a signal to a process (`kill(2)`).
    fn may_signal(&self, target: ProcId, signal: u32) -> bool {
        let (me, other) = (&self.proc().cred, self.k.proc(target));
        me.capable(CAP_KILL)
            || [me.uid, me.euid].iter().any(|id| *id == other.cred.uid || *id == other.cred.suid)
            || signal == SIGCONT && other.sid == self.proc().sid
    }

    fn me_as_sender(&self, signal: u32, code: i32) -> Info {
        let p = self.proc();
        Info::user(signal, code, p.pid, p.cred.uid)
    }

    fn send_to(&mut self, targets: alloc::vec::Vec<ProcId>, info: Info) -> Answer {
        if targets.is_empty() {
            return Err(Errno::ESRCH.into());
        }
        let mut sent = false;
        for target in targets {
            if !self.may_signal(target, info.signal) {
                continue;
            }
            sent = true;
            if info.signal != 0 && !self.shielded(target, info.signal) {
                self.k.signal_process(target, info)?;
            }
        }
        if sent { Ok(0) } else { Err(Errno::EPERM.into()) }
    }

    /// pid_namespaces(7): process 1 gets from its own host only the signals that it has handlers for, or blocks.
    fn shielded(&self, target: ProcId, signal: u32) -> bool {
        let p = self.k.proc(target);
        let action = p.actions.borrow().0[signal as usize - 1];
        let blocked = p.threads.iter().all(|t| self.k.task(*t).mask & bit(signal) != 0);
        p.pid == 1 && action.handler == 0 && !blocked && signal != SIGCHLD
    }
}

pub fn kill(cx: &mut Cx) -> Answer {
    let (pid, signal) = (cx.int(0), cx.uint(1));
    let host = cx.k.host_of(cx.task);
    let group = |g: u32| host.pids.values().copied().filter(|p| cx.k.proc(*p).pgid == g).collect();
    let targets: alloc::vec::Vec<ProcId> = match pid {
        i32::MIN => return Err(Errno::ESRCH.into()),
        0 => group(cx.proc().pgid),
        -1 => {
            let me = cx.proc().id;
            host.pids.values().copied().filter(|p| cx.k.proc(*p).pid != 1 && *p != me).collect()
        }
        p if p < 0 => group(p.unsigned_abs()),
        p => cx.process_or_thread(p as u32).into_iter().collect(),
    };
    // Whether there is anybody comes before whether there is such a signal.
    if signal > SIGMAX && !targets.is_empty() {
        return Err(Errno::EINVAL.into());
    }
    let info = cx.me_as_sender(signal, SI_USER);
    cx.send_to(targets, info)
}

impl Cx<'_> {
    /// The process with an id, or of the thread with it: kill(2) takes either.
    fn process_or_thread(&self, id: u32) -> Option<ProcId> {
        let host = self.k.host_of(self.task);
        let of_thread = || host.tids.get(&id).map(|task| self.k.task(*task).proc);
        host.pids.get(&id).copied().or_else(of_thread)
    }

    fn thread(&self, tgid: Option<u32>, tid: u32) -> Result<TaskId> {
        let task = *self.k.host_of(self.task).tids.get(&tid).ok_or(Errno::ESRCH)?;
        let pid = self.k.proc_of(task).pid;
        if tgid.is_some_and(|t| t != pid) { Err(Errno::ESRCH) } else { Ok(task) }
    }

    fn send_to_thread(&mut self, tgid: Option<u32>, tid: u32, info: Info) -> Answer {
        let task = self.thread(tgid, tid)?;
        let target = self.k.task(task).proc;
        if !self.may_signal(target, info.signal) {
            return Err(Errno::EPERM.into());
        }
        if info.signal != 0 && !(self.k.task(task).tid == 1 && self.shielded(target, info.signal)) {
            self.k.signal_task(task, info)?;
        }
        Ok(0)
    }
}

pub fn tkill(cx: &mut Cx) -> Answer {
    if cx.int(0) <= 0 || cx.uint(1) > SIGMAX {
        return Err(Errno::EINVAL.into());
    }
    let info = cx.me_as_sender(cx.uint(1), SI_TKILL);
    cx.send_to_thread(None, cx.uint(0), info)
}

pub fn tgkill(cx: &mut Cx) -> Answer {
    if cx.int(0) <= 0 || cx.int(1) <= 0 || cx.uint(2) > SIGMAX {
        return Err(Errno::EINVAL.into());
    }
    let info = cx.me_as_sender(cx.uint(2), SI_TKILL);
    cx.send_to_thread(Some(cx.uint(0)), cx.uint(1), info)
}

impl Cx<'_> {
    fn queued_info(&mut self, addr: u64, signal: u32, target_pid: u32) -> Result<Info> {
        if signal > SIGMAX {
            return Err(Errno::EINVAL);
        }
        let raw: [u8; 128] = mem::array(self.m, addr)?;
        let info = Info::from_bytes(&raw, signal);
        // sigqueue(3): only the kernel may claim to be the kernel or kill.
        if (info.code >= 0 || info.code == SI_TKILL) && target_pid != self.proc().pid {
            return Err(Errno::EPERM);
        }
        Ok(info)
    }
}

pub fn rt_sigqueueinfo(cx: &mut Cx) -> Answer {
    let info = cx.queued_info(cx.args[2], cx.uint(1), cx.uint(0))?;
    let target = cx.process_or_thread(cx.uint(0));
    cx.send_to(target.into_iter().collect(), info)
}

pub fn rt_tgsigqueueinfo(cx: &mut Cx) -> Answer {
    let info = cx.queued_info(cx.args[3], cx.uint(2), cx.uint(0))?;
    cx.send_to_thread(Some(cx.uint(0)), cx.uint(1), info)
}

pub fn pidfd_send_signal(cx: &mut Cx) -> Answer {
    let (signal, addr) = (cx.uint(1), cx.args[2]);
    if cx.uint(3) != 0 || signal > SIGMAX {
        return Err(Errno::EINVAL.into());
    }
    let file = cx.any_file(cx.int(0))?;
    let proc = match (&file.kind, file.inode.as_ref().map(|i| &i.node)) {
        (FileKind::Pid(proc), _) => *proc,
        // pidfd_send_signal(2): a directory of /proc names its process as well.
        (_, Some(Node::Proc(node))) => node.as_process(cx.k)?,
        _ => return Err(Errno::EBADF.into()),
    };
    let pid = cx.k.try_proc(proc).ok_or(Errno::ESRCH)?.pid;
    // What the siginfo_t says must be the signal that is sent.
    if addr != 0 && mem::u32(cx.m, addr)? != signal {
        return Err(Errno::EINVAL.into());
    }
    let info = if addr == 0 { cx.me_as_sender(signal, SI_USER) } else { cx.queued_info(addr, signal, pid)? };
    cx.send_to(alloc::vec![proc], info)
}

pub fn sigaltstack(cx: &mut Cx) -> Answer {
    let sp = cx.m.stack_pointer();
    let old = cx.me().altstack;
    let on = old.holds(sp);
    if cx.args[0] != 0 {
        let raw: [u8; 24] = mem::array(cx.m, cx.args[0])?;
        let new = AltStack { base: mem::field64(&raw, 0), flags: mem::field32(&raw, 8), size: mem::field64(&raw, 16) };
        if on {
            return Err(Errno::EPERM.into());
        }
        if !matches!(new.flags & !SS_AUTODISARM, 0 | SS_ONSTACK | SS_DISABLE) {
            return Err(Errno::EINVAL.into());
        }
        if new.flags & SS_DISABLE == 0 && new.size < MIN_ALTSTACK {
            return Err(Errno::ENOMEM.into());
        }
        cx.me_mut().altstack = if new.flags & SS_DISABLE != 0 {
            AltStack::default()
        } else {
            AltStack { flags: new.flags & SS_AUTODISARM, ..new }
        };
    }
    if cx.args[1] != 0 {
        let flags = if on { SS_ONSTACK } else { old.flags };
        Struct::new().u64(old.base).u32(flags).u32(0).u64(old.size).put(cx.m, cx.args[1])?;
    }
    Ok(0)
}

pub fn rt_sigreturn(cx: &mut Cx) -> Answer {
    match cx.m.pop_signal() {
        Ok(back) => {
            let t = cx.me_mut();
            t.mask = back.mask & BLOCKABLE;
            let (base, flags, size) = back.altstack;
            // The frame says SS_ONSTACK while the stack was in use: it stays as it was set.
            if flags & SS_AUTODISARM != 0 {
                t.altstack = AltStack { base, flags: SS_AUTODISARM, size };
            }
            cx.k.notice = true;
            Err(Stop::Replaced)
        }
        Err(_) => {
            cx.k.force_signal(cx.task, Info::kernel(SIGSEGV));
            Err(Stop::Replaced)
        }
    }
}

pub fn restart_syscall(_: &mut Cx) -> Answer {
    Err(Errno::EINTR.into())
}
