//! Sending signals, and taking them on the way back to the program.

use crate::Kernel;
use crate::machine::{Machine, SignalFrame};
use crate::signal::{Action, AltStack, BLOCKABLE, Default_, Info, bit, default_action};
use crate::task::{ProcId, Report, State, TaskId};
use crate::uapi::*;
use snowglobe_abi::errno::{Errno, Result};

impl Kernel {
    /// The action of a task's process for a signal.
    pub fn action_of(&self, task: TaskId, signal: u32) -> Action {
        self.proc_of(task).actions.borrow().0[signal as usize - 1]
    }

    fn ignored(&self, proc: ProcId, signal: u32) -> bool {
        let action = self.proc(proc).actions.borrow().0[signal as usize - 1];
        action.handler == 1 || action.handler == 0 && default_action(signal) == Default_::Ignore
    }

    /// What a signal does at once, whoever takes it: SIGCONT continues, a stop signal takes back a pending SIGCONT.
    fn prepare(&mut self, proc: ProcId, signal: u32) {
        let stops = bit(SIGSTOP) | bit(SIGTSTP) | bit(SIGTTIN) | bit(SIGTTOU);
        let against = match signal {
            SIGCONT => stops,
            _ if bit(signal) & stops != 0 => bit(SIGCONT),
            _ => 0,
        };
        if against != 0 {
            self.proc_mut(proc).pending.discard(against);
            for task in self.proc(proc).threads.clone() {
                self.task_mut(task).pending.discard(against);
            }
        }
        if signal == SIGCONT || signal == SIGKILL {
            self.go_on(proc, signal == SIGCONT);
        }
    }

    /// Sends a signal to a process: any of its threads that does not block it will take it.
    pub fn signal_process(&mut self, proc: ProcId, info: Info) -> Result<()> {
        if self.proc(proc).status.is_some() {
            return Ok(());
        }
        if self.is_own_init(proc) {
            return self.pass_on(proc, info);
        }
        self.prepare(proc, info.signal);
        if info.signal == SIGKILL {
            self.kill_process(proc, SIGKILL);
            return Ok(());
        }
        let blocked_by_all = self.proc(proc).threads.iter().all(|t| self.task(*t).mask & bit(info.signal) != 0);
        if self.ignored(proc, info.signal) && !blocked_by_all {
            return Ok(());
        }
        self.may_queue(proc, &info)?;
        self.proc_mut(proc).pending.push(info);
        self.notice = true;
        // The main thread takes it if it can, else the first that can (complete_signal in Linux does the same).
        let threads = self.proc(proc).threads.clone();
        let taker = threads.iter().find(|t| self.wants(**t, info.signal));
        if let Some(taker) = taker {
            self.sched.wake(*taker);
        }
        self.tell_signalfds(proc);
        Ok(())
    }

    /// Sends a signal to one thread.
    pub fn signal_task(&mut self, task: TaskId, info: Info) -> Result<()> {
        let proc = self.task(task).proc;
        if self.is_own_init(proc) {
            return self.pass_on(proc, info);
        }
        self.prepare(proc, info.signal);
        if info.signal == SIGKILL {
            self.kill_process(proc, SIGKILL);
            return Ok(());
        }
        if self.ignored(proc, info.signal) && self.task(task).mask & bit(info.signal) == 0 {
            return Ok(());
        }
        self.may_queue(proc, &info)?;
        self.task_mut(task).pending.push(info);
        self.notice = true;
        if self.wants(task, info.signal) {
            self.sched.wake(task);
        }
        self.tell_signalfds(proc);
        Ok(())
    }

    /// Whether RLIMIT_SIGPENDING leaves room for a signal. What `kill` sends is not bound by it, nor are timers', which
    /// have their place from the beginning (`sigqueue(3)`).
    fn may_queue(&self, proc: ProcId, info: &Info) -> Result<()> {
        if info.signal < SIGRTMIN || matches!(info.code, SI_USER | SI_TIMER) {
            return Ok(());
        }
        let limit = self.proc(proc).limits[RLIMIT_SIGPENDING as usize].0;
        if self.queued_signals(proc) as u64 >= limit { Err(Errno::EAGAIN) } else { Ok(()) }
    }

    /// Signals that wait for processes of the same user on the same host.
    pub fn queued_signals(&self, proc: ProcId) -> usize {
        let p = self.proc(proc);
        let (host, uid) = (p.host, p.cred.uid);
        let mine = self.host(host).pids.values().map(|id| self.proc(*id)).filter(|p| p.cred.uid == uid);
        mine.map(|p| p.pending.len() + p.threads.iter().map(|t| self.task(*t).pending.len()).sum::<usize>()).sum()
    }

    /// Takes the next signal of a set, a thread's own before its process's.
    pub fn dequeue(&mut self, task: TaskId, set: u64) -> Option<Info> {
        let own = self.task_mut(task).pending.take(set);
        let mut info = own.or_else(|| self.proc_of_mut(task).pending.take(set))?;
        if info.code == SI_TIMER {
            self.count_overrun(task, &mut info);
        }
        Some(info)
    }

    /// Whether a signal matters to a thread now: not blocked, or waited for.
    fn wants(&self, task: TaskId, signal: u32) -> bool {
        let t = self.task(task);
        let waited = match t.wait.as_deref().map(|w| &w.kind) {
            Some(crate::wait::Kind::SigWait { set, .. }) => *set,
            _ => 0,
        };
        (!t.mask | waited) & bit(signal) != 0
    }

    fn tell_signalfds(&mut self, proc: ProcId) {
        let queue = self.proc(proc).signal_wait.clone();
        queue.wake(&mut self.sched, POLLIN);
    }

    /// Raises a signal for what the current task has just done; a handler cannot be avoided by blocking it.
    pub fn force_signal(&mut self, task: TaskId, info: Info) {
        let signal = info.signal;
        let proc = self.task(task).proc;
        let blocked = self.task(task).mask & bit(signal) != 0;
        let action = self.action_of(task, signal);
        if blocked || action.handler == 1 {
            self.proc(proc).actions.borrow_mut().0[signal as usize - 1] = Action::default();
            self.task_mut(task).mask &= !bit(signal);
        }
        self.task_mut(task).pending.push(info);
        self.notice = true;
    }

    /// A synchronous fault of the current task: signal, code, address; trap number and error code for the frame.
    pub fn fault(&mut self, m: &mut dyn Machine, info: Info, trap: (u64, u64, u64)) -> crate::Flow {
        let task = self.current;
        self.note_entry();
        let info = self.classify_fault(task, info, trap.1);
        self.task_mut(task).fault = Some(trap);
        self.force_signal(task, info);
        self.before_return(m)
    }

    /// Takes the signals that the current task may take now. Returns whether the task goes on.
    pub fn take_signals(&mut self, m: &mut dyn Machine, task: TaskId) -> bool {
        loop {
            if let Some(status) = self.proc_of(task).dying {
                self.end_task(m, task, status);
                return false;
            }
            if self.proc_of(task).stopped {
                self.task_mut(task).state = State::Stopped;
                return false;
            }
            let allowed = !self.task(task).mask;
            let info = match self.dequeue(task, allowed) {
                Some(info) => info,
                None => {
                    if let Some(mask) = self.task_mut(task).saved_mask.take() {
                        self.task_mut(task).mask = mask;
                        // The old mask may let a signal pass that the temporary one held back.
                        continue;
                    }
                    return true;
                }
            };
            self.take(m, task, info);
        }
    }

    fn take(&mut self, m: &mut dyn Machine, task: TaskId, info: Info) {
        let action = self.action_of(task, info.signal);
        self.record.signal(self.sched.now, task, info.signal, info.code, action.handler);
        match (action.handler, default_action(info.signal)) {
            (1, _) | (0, Default_::Ignore | Default_::Continue) => {}
            (0, Default_::Stop) => self.stop_now(task, info.signal),
            (0, Default_::Terminate) => self.kill_process(self.task(task).proc, info.signal),
            (0, Default_::Core) => {
                // WCOREDUMP.
                let dumped = if self.dump_core(m, task, &info) { 0x80 } else { 0 };
                self.kill_process(self.task(task).proc, info.signal | dumped);
            }
            _ => self.handle(m, task, info, action),
        }
    }

    /// Makes the task run a handler.
    fn handle(&mut self, m: &mut dyn Machine, task: TaskId, info: Info, action: Action) {
        let sp = m.stack_pointer();
        let t = self.task_mut(task);
        let saved_mask = t.saved_mask.take().unwrap_or(t.mask);
        let alt = t.altstack;
        let usable = action.flags & SA_ONSTACK != 0 && alt.flags & SS_DISABLE == 0;
        let on_stack = (usable && !alt.holds(sp)).then_some(alt.base + alt.size);
        let shown = if alt.holds(sp) { SS_ONSTACK } else { alt.flags };
        let frame = SignalFrame {
            signal: info.signal,
            info: info.bytes(),
            handler: action.handler,
            restorer: action.restorer,
            saved_mask,
            altstack: (alt.base, shown, alt.size),
            on_stack,
            fault: t.fault.take(),
        };
        t.mask |= action.mask;
        if action.flags & SA_NODEFER == 0 {
            t.mask |= bit(info.signal);
        }
        t.mask &= BLOCKABLE;
        if alt.flags & SS_AUTODISARM != 0 {
            t.altstack = AltStack::default();
        }
        if action.flags & SA_RESETHAND != 0 {
            // The flags stay as they were.
            self.proc_of(task).actions.borrow_mut().0[info.signal as usize - 1].handler = 0;
        }
        if action.flags & SA_RESTORER == 0 || m.push_signal(&frame).is_err() {
            // A frame that cannot be built is a fault that cannot be caught when it is SIGSEGV's own.
            if info.signal == SIGSEGV {
                self.proc_of(task).actions.borrow_mut().0[SIGSEGV as usize - 1] = Action::default();
            }
            self.force_signal(task, Info::kernel(SIGSEGV));
        }
    }

    /// Stops a process.
    pub fn stop_now(&mut self, task: TaskId, signal: u32) {
        let id = self.task(task).proc;
        let (host, group) = (self.proc(id).host, self.proc(id).pgid);
        if signal != SIGSTOP && self.is_orphaned(host, group, None) {
            // setpgid(2): nobody could let it go on.
            self.task_mut(task).pending.discard(bit(signal));
            self.proc_mut(id).pending.discard(bit(signal));
            return;
        }
        // A signal that was only peeked at is taken now.
        self.task_mut(task).pending.discard(bit(signal));
        self.proc_mut(id).pending.discard(bit(signal));
        let proc = self.proc_mut(id);
        proc.stopped = true;
        proc.report = Some(Report::Stopped(signal));
        self.tell_parent(id, CLD_STOPPED, signal);
        self.notice = true;
    }

    /// Lets a stopped process go on.
    fn go_on(&mut self, id: ProcId, tell: bool) {
        if !self.proc(id).stopped {
            return;
        }
        self.proc_mut(id).stopped = false;
        if tell {
            self.proc_mut(id).report = Some(Report::Continued);
            self.tell_parent(id, CLD_CONTINUED, SIGCONT);
        }
        for task in self.proc(id).threads.clone() {
            if self.task(task).state == State::Stopped {
                self.task_mut(task).state = State::Runnable;
                self.sched.enqueue(task);
            }
        }
    }

    /// Wakes who waits for children and sends SIGCHLD. A thread that waits for a child in a call has its turn before another
    /// that runs a handler, as on a machine with several processors: a handler that reaps all children there are, beside
    /// threads that wait for one each, would otherwise always be the first.
    pub fn tell_parent(&mut self, child: ProcId, code: u32, status: u32) {
        let (pid, uid, parent, signal) = {
            let c = self.proc(child);
            (c.pid, c.cred.uid, c.parent, c.exit_signal)
        };
        let Some(parent) = parent else { return };
        let ended = matches!(code, CLD_EXITED | CLD_KILLED | CLD_DUMPED);
        let signal = if ended { signal } else { SIGCHLD };
        let queue = self.proc(parent).child_wait.clone();
        queue.wake(&mut self.sched, POLLIN);
        let action = self.proc(parent).actions.borrow().0[SIGCHLD as usize - 1];
        if signal != 0 && (ended || action.flags & SA_NOCLDSTOP == 0) {
            let mut info = Info::user(signal, code as i32, pid, uid);
            info.fields[1] = u64::from(status);
            // A parent that cannot queue it still sees the child by waiting.
            let _ = self.signal_process(parent, info);
        }
    }
}
