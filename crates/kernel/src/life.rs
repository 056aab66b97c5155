//! How processes and threads begin and end.

use crate::calls::misc::policy_after_reset;
use crate::fs::file::{FdTable, FileKind};
use crate::machine::Machine;
use crate::sched::TimerAction;
use crate::signal::{Actions, AltStack, Info, SignalQueue};
use crate::task::{Cred, FsContext, HostId, ProcId, Process, State, Task, TaskId};
use crate::uapi::*;
use crate::{Cx, Kernel, mm};
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::rc::Rc;
use alloc::string::String;
use alloc::vec::Vec;
use core::cell::RefCell;
use snowglobe_abi::errno::{Errno, Result};

/// Highest process id on a host (`/proc/sys/kernel/pid_max`).
pub const PID_MAX: u32 = 4_194_304;

/// RLIM_INFINITY.
pub const INFINITY: u64 = u64::MAX;

/// Limits of a service's first process, by `RLIMIT_` number.
pub fn default_limits() -> [(u64, u64); 16] {
    let mut limits = [(INFINITY, INFINITY); 16];
    limits[RLIMIT_STACK as usize] = (crate::exec::STACK_SIZE, INFINITY);
    limits[RLIMIT_CORE as usize] = (0, INFINITY);
    limits[RLIMIT_NPROC as usize] = (63_000, 63_000);
    limits[RLIMIT_NOFILE as usize] = (20_000, 1_048_576);
    limits[8] = (8 << 20, 8 << 20); // RLIMIT_MEMLOCK
    limits[11] = (63_000, 63_000); // RLIMIT_SIGPENDING
    limits[12] = (819_200, 819_200); // RLIMIT_MSGQUEUE
    limits[13] = (0, 0); // RLIMIT_NICE
    limits[14] = (0, 0); // RLIMIT_RTPRIO
    limits
}

impl Kernel {
    /// A process id that no process, thread, group or session of the host uses.
    fn new_pid(&mut self, host: HostId) -> u32 {
        loop {
            let h = self.host_mut(host);
            let pid = h.next_pid;
            h.next_pid = if pid + 1 >= PID_MAX { 300 } else { pid + 1 };
            let h = self.host(host);
            let used = h.tids.contains_key(&pid)
                || h.pids.contains_key(&pid)
                || h.pids.values().any(|p| self.proc(*p).pgid == pid || self.proc(*p).sid == pid);
            if !used {
                return pid;
            }
        }
    }

    /// A new task of a process; it is neither queued nor has it registers.
    fn new_task(&mut self, proc: ProcId, host: HostId, tid: u32, comm: String) -> TaskId {
        let id = TaskId(self.tasks.len() as u32);
        let task = Task {
            id,
            tid,
            proc,
            state: State::Runnable,
            wait: None,
            ticket: 0,
            timer: None,
            call: 0,
            mask: 0,
            saved_mask: None,
            pending: SignalQueue::default(),
            fault: None,
            altstack: AltStack::default(),
            clear_child_tid: 0,
            child_tid_to_set: None,
            lost: Vec::new(),
            robust_list: 0,
            comm,
            cpu_time: 0,
            vfork_parent: None,
            exec: None,
            affinity: u64::MAX,
            policy: (0, 0),
            deadline: [0; 3],
            disk_passed: false,
            struck: false,
            begun: false,
            seccomp: None,
            nice: 0,
            ioprio: 0,
        };
        self.tasks.push(Some(Box::new(task)));
        self.sched.add_task(id);
        if self.faults.is_paused(host) {
            self.sched.set_frozen(id, true);
        }
        self.starve_newborn(host.0, tid, id);
        self.host_mut(host).tids.insert(tid, id);
        self.host_mut(host).tasks += 1;
        if self.host(host).tasks == 1 {
            self.hosts_up += 1;
        }
        id
    }

    /// A task of a host less.
    pub fn forget_task(&mut self, task: TaskId, host: HostId, tid: u32) {
        self.tasks[task.0 as usize] = None;
        let h = self.host_mut(host);
        h.tids.remove(&tid);
        h.tasks -= 1;
        if h.tasks == 0 {
            self.hosts_up -= 1;
        }
    }

    fn note_spawn(&mut self, task: TaskId, parent: Option<TaskId>) {
        let t = self.task(task);
        let p = self.proc(t.proc);
        let ids = [u64::from(p.host.0), u64::from(p.pid), u64::from(t.tid), parent.map_or(0, |t| u64::from(t.0) + 1)];
        let name = t.comm.clone();
        self.record.spawn(self.sched.now, task, ids, &name);
    }

    /// A process that the world itself starts, in an address space of its own, without a program yet.
    pub fn new_process(&mut self, host: HostId, cred: Cred, name: &str) -> (ProcId, TaskId) {
        let pid = match self.host(host).init {
            None => 1,
            Some(_) => self.new_pid(host),
        };
        let root = self.host(host).root.clone();
        let (space, _) = self.new_space(mm::Space::default());
        let id = ProcId(self.procs.len() as u32);
        let fs = FsContext { cwd: root.clone(), root, umask: 0o022 };
        let proc = Process {
            id,
            pid,
            host,
            parent: self.host(host).init,
            children: Vec::new(),
            threads: Vec::new(),
            space,
            fds: Rc::new(RefCell::new(FdTable::default())),
            fs: Rc::new(RefCell::new(fs)),
            actions: Rc::new(RefCell::new(Actions::default())),
            pending: SignalQueue::default(),
            pgid: pid,
            sid: pid,
            cred,
            tty: None,
            old_group: None,
            exit_signal: SIGCHLD,
            status: None,
            dying: None,
            report: None,
            stopped: false,
            subreaper: false,
            pdeath_signal: 0,
            dumpable: 1,
            no_new_privs: false,
            limits: default_limits(),
            exe: String::new(),
            cmdline: Vec::new(),
            environ: Vec::new(),
            auxv: Vec::new(),
            start: self.sched.now,
            cpu_time: 0,
            children_cpu: 0,
            itimers: [None; 3],
            posix_timers: BTreeMap::new(),
            next_timer: 0,
            child_wait: Rc::default(),
            exit_wait: Rc::default(),
            signal_wait: Rc::default(),
            report_index: None,
            execed: true,
            oom_score_adj: 0,
            timer_slack: 50_000,
            default_slack: 50_000,
            personality: 0,
            no_huge_pages: false,
            aio: BTreeMap::new(),
            max_rss: 0,
            children_rss: 0,
            exe_inode: None,
            exe_place: None,
        };
        self.procs.push(Some(Box::new(proc)));
        let task = self.new_task(id, host, pid, name.into());
        self.proc_mut(id).threads.push(task);
        let h = self.host_mut(host);
        h.pids.insert(pid, id);
        if h.init.is_none() {
            h.init = Some(id);
            h.next_pid = h.next_pid.max(2);
        } else if let Some(parent) = self.proc(id).parent {
            self.proc_mut(parent).children.push(id);
        }
        self.note_spawn(task, None);
        (id, task)
    }

    /// Makes a started process run its program when it is first picked.
    pub fn launch(&mut self, m: &mut dyn Machine, task: TaskId, program: crate::exec::Program) {
        self.become_program(task, &program);
        let space = self.proc_of(task).space;
        let slot = self.spaces[space.0 as usize].as_ref().expect("a live process has a space").slot;
        m.fresh_space(slot);
        self.task_mut(task).exec = Some(Box::new(program));
        self.sched.enqueue(task);
    }

    /// What of a process changes when it runs a new program (`execve(2)`), but for its memory.
    pub fn become_program(&mut self, task: TaskId, program: &crate::exec::Program) {
        let join = |list: &[Vec<u8>]| list.iter().flat_map(|s| s.iter().copied().chain([0])).collect::<Vec<u8>>();
        let (cmdline, environ) = (join(&program.argv), join(&program.envp));
        let comm = crate::exec::comm(&program.name);
        let proc = self.proc_of_mut(task);
        proc.cmdline = cmdline;
        proc.environ = environ;
        proc.exe = crate::mem::text(&program.file.path);
        proc.exe_inode = Some(program.file.inode.clone());
        proc.exe_place = program.file.place.clone();
        proc.execed = true;
        proc.dumpable = 1;
        let mut actions = proc.actions.borrow().clone();
        actions.forget_handlers();
        proc.actions = Rc::new(RefCell::new(actions));
        // Descriptors are this process's own from now on, and those marked are closed.
        let mut fds = proc.fds.borrow().clone();
        let closed = fds.remove_where(0, usize::MAX, |fd| fd.cloexec);
        let old = core::mem::replace(&mut proc.fds, Rc::new(RefCell::new(fds)));
        let owner = proc.id.0;
        proc.posix_timers.clear();
        proc.aio.clear();
        drop(old);
        for (_, fd) in closed {
            self.forget_process_locks(owner, &fd.file);
        }
        let host = self.proc_of(task).host;
        let line = (host.0, self.proc_of(task).exe.clone(), program_origin(program));
        if !self.report.executed.contains(&line) {
            self.report.executed.push(line);
        }
        let t = self.task_mut(task);
        t.comm = comm;
        t.altstack = AltStack::default();
        t.clear_child_tid = 0;
        t.robust_list = 0;
        self.record.exec(self.sched.now, task, &program.file.path);
    }

    /// `fork` and its kin: a new process with a copy of the caller's everything, or sharing what `flags` say.
    ///
    /// # Errors
    /// `EAGAIN` at the limits.
    pub fn fork(&mut self, m: &mut dyn Machine, parent: TaskId, how: &Clone) -> Result<(ProcId, TaskId)> {
        let flags = how.flags;
        let host = self.proc_of(parent).host;
        self.check_task_limit(parent)?;
        if !self.has_slot() {
            return Err(Errno::EAGAIN);
        }
        let id = ProcId(self.procs.len() as u32);
        let pid = self.new_pid(host);
        let mut lost = Vec::new();
        let (space, fresh_slot) = if flags & u64::from(CLONE_VM) != 0 {
            let space = self.proc_of(parent).space;
            self.spaces[space.0 as usize].as_mut().expect("a live process has a space").users += 1;
            (space, None)
        } else {
            self.share_memory(m, parent)?;
            let mut copy = self.space_of(parent).clone();
            copy.account.copied(self.proc_of(parent).space);
            // The peaks of a copy begin where it does.
            (copy.peak, copy.peak_resident) = (copy.total, copy.resident);
            lost = copy.forked();
            let (space, slot) = self.new_space(copy);
            (space, Some((space, slot)))
        };
        let p = self.proc_of(parent);
        let share = |flag: u32| flags & u64::from(flag) != 0;
        let fds = if share(CLONE_FILES) { p.fds.clone() } else { Rc::new(RefCell::new(p.fds.borrow().clone())) };
        let fs = if share(CLONE_FS) { p.fs.clone() } else { Rc::new(RefCell::new(p.fs.borrow().clone())) };
        let actions =
            if share(CLONE_SIGHAND) { p.actions.clone() } else { Rc::new(RefCell::new(p.actions.borrow().clone())) };
        if flags & CLONE_CLEAR_SIGHAND != 0 {
            actions.borrow_mut().forget_handlers();
        }
        let real_parent = if share(CLONE_PARENT) { p.parent } else { Some(p.id) };
        let child = Process {
            id,
            pid,
            host,
            parent: real_parent,
            children: Vec::new(),
            threads: Vec::new(),
            space,
            fds,
            fs,
            actions,
            pending: SignalQueue::default(),
            pgid: p.pgid,
            sid: p.sid,
            cred: p.cred.clone(),
            tty: p.tty.clone(),
            old_group: None,
            exit_signal: how.exit_signal,
            status: None,
            dying: None,
            report: None,
            stopped: false,
            subreaper: false,
            pdeath_signal: 0,
            dumpable: p.dumpable,
            no_new_privs: p.no_new_privs,
            limits: p.limits,
            exe: p.exe.clone(),
            cmdline: p.cmdline.clone(),
            environ: p.environ.clone(),
            auxv: p.auxv.clone(),
            start: self.sched.now,
            cpu_time: 0,
            children_cpu: 0,
            itimers: [None; 3],
            posix_timers: BTreeMap::new(),
            next_timer: 0,
            child_wait: Rc::default(),
            exit_wait: Rc::default(),
            signal_wait: Rc::default(),
            report_index: None,
            execed: false,
            oom_score_adj: p.oom_score_adj,
            timer_slack: p.timer_slack,
            default_slack: p.timer_slack,
            personality: p.personality,
            no_huge_pages: p.no_huge_pages,
            aio: if share(CLONE_VM) { p.aio.clone() } else { BTreeMap::new() },
            max_rss: 0,
            children_rss: 0,
            exe_inode: p.exe_inode.clone(),
            exe_place: p.exe_place.clone(),
        };
        self.procs.push(Some(Box::new(child)));
        if fresh_slot.is_some() {
            self.touch_segments(id, true);
        }
        let task = self.new_child_task(parent, id, host, pid, how);
        self.task_mut(task).lost = lost;
        m.copy_context(task.0, how.stack, how.tls());
        if let Some((space, slot)) = fresh_slot
            && let Err(e) = m.fork_space(slot)
        {
            self.undo_fork(id, task, host, pid, space, slot, m);
            return Err(e);
        }
        self.proc_mut(id).threads.push(task);
        self.host_mut(host).pids.insert(pid, id);
        if let Some(parent) = real_parent {
            self.proc_mut(parent).children.push(id);
        }
        self.note_spawn(task, Some(parent));
        self.sched.enqueue(task);
        Ok((id, task))
    }

    #[allow(clippy::too_many_arguments)]
    fn undo_fork(
        &mut self,
        id: ProcId,
        task: TaskId,
        host: HostId,
        pid: u32,
        space: crate::task::SpaceId,
        slot: u32,
        m: &mut dyn Machine,
    ) {
        m.drop_context(task.0);
        self.forget_task(task, host, pid);
        self.touch_segments(id, false);
        self.procs[id.0 as usize] = None;
        self.spaces[space.0 as usize] = None;
        self.free_slot(slot);
    }

    fn check_task_limit(&self, parent: TaskId) -> Result<()> {
        let proc = self.proc_of(parent);
        let limit = proc.limits[RLIMIT_NPROC as usize].0;
        let host = self.host(proc.host);
        // RLIMIT_NPROC does not bind those who may override it (fork(2)).
        let over =
            u64::from(host.tasks) >= limit && !proc.cred.capable(CAP_SYS_RESOURCE) && !proc.cred.capable(CAP_SYS_ADMIN);
        if over || host.tasks >= self.spec.knobs.max_tasks {
            return Err(Errno::EAGAIN);
        }
        Ok(())
    }

    /// A task made by clone: it inherits what threads and processes both inherit.
    fn new_child_task(&mut self, parent: TaskId, proc: ProcId, host: HostId, tid: u32, how: &Clone) -> TaskId {
        let comm = self.task(parent).comm.clone();
        let task = self.new_task(proc, host, tid, comm);
        let p = self.task(parent);
        let (seccomp, ioprio) = (p.seccomp.clone(), p.ioprio);
        let (mask, affinity, mut policy, mut nice) = (p.mask, p.affinity, p.policy, p.nice);
        if p.resets_on_fork() {
            (policy, nice) = (policy_after_reset(policy), nice.max(0));
        }
        // sigaltstack(2): a child of clone with CLONE_VM but without CLONE_VFORK has none.
        let keeps = how.flags & u64::from(CLONE_VM) == 0 || how.flags & u64::from(CLONE_VFORK) != 0;
        let altstack = if keeps { p.altstack } else { AltStack::default() };
        let t = self.task_mut(task);
        (t.mask, t.affinity, t.policy, t.nice, t.altstack) = (mask, affinity, policy, nice, altstack);
        (t.seccomp, t.ioprio) = (seccomp, ioprio);
        if how.flags & u64::from(CLONE_CHILD_CLEARTID) != 0 {
            t.clear_child_tid = how.child_tid;
        }
        task
    }

    /// `clone` with CLONE_THREAD.
    ///
    /// # Errors
    /// `EAGAIN` at the limits.
    pub fn new_thread(&mut self, m: &mut dyn Machine, parent: TaskId, how: &Clone) -> Result<TaskId> {
        self.check_task_limit(parent)?;
        let proc = self.task(parent).proc;
        let host = self.proc(proc).host;
        let tid = self.new_pid(host);
        let task = self.new_child_task(parent, proc, host, tid, how);
        m.copy_context(task.0, how.stack, how.tls());
        self.proc_mut(proc).threads.push(task);
        self.note_spawn(task, Some(parent));
        self.sched.enqueue(task);
        Ok(task)
    }

    /// Makes all threads of a process end, each when it next has the baton.
    pub fn kill_process(&mut self, proc: ProcId, signal: u32) {
        self.doom(proc, signal);
    }

    /// Makes all threads of a process end with a wait status.
    pub fn doom(&mut self, id: ProcId, status: u32) {
        let proc = self.proc_mut(id);
        if proc.dying.is_some() || proc.status.is_some() {
            return;
        }
        proc.dying = Some(status);
        self.notice = true;
        for task in self.proc(id).threads.clone() {
            match self.task(task).state {
                State::Blocked => self.sched.wake(task),
                State::Stopped => {
                    self.task_mut(task).state = State::Runnable;
                    self.sched.enqueue(task);
                }
                State::Running | State::Runnable => {}
            }
        }
    }

    /// Ends a task whose address space is the current one. The last one ends its process with `status`.
    pub fn end_task(&mut self, m: &mut dyn Machine, task: TaskId, status: u32) {
        if let Some(wait) = self.task_mut(task).wait.take() {
            self.end_wait(task, &wait);
        }
        self.leave_space(m, task);
        self.sched.remove(task);
        let id = self.task(task).proc;
        let host = self.proc(id).host;
        let (tid, cpu) = (self.task(task).tid, self.task(task).cpu_time);
        self.record.exit(self.sched.now, task, status);
        let proc = self.proc_mut(id);
        proc.threads.retain(|t| *t != task);
        proc.cpu_time += cpu;
        let last = proc.threads.is_empty();
        self.host_mut(host).ended_cpu += cpu;
        m.drop_context(task.0);
        self.forget_task(task, host, tid);
        if last {
            self.end_process(m, id, status);
        }
        if !self.graveyard.borrow().is_empty() {
            self.bury(m);
        }
    }

    /// What the end of a task means for memory that others see: robust futexes, the cleared tid, a vfork parent.
    pub fn leave_space(&mut self, m: &mut dyn Machine, task: TaskId) {
        let mut cx = Cx { k: self, m, task, args: [0; 6] };
        cx.exit_robust_list();
        let addr = cx.k.task(task).clear_child_tid;
        if addr != 0 && cx.m.write(addr, &0u32.to_le_bytes()).is_ok() {
            cx.futex_wake_all(addr);
        }
        self.release_vfork(task);
    }

    /// Lets the parent of a vfork child go on.
    pub fn release_vfork(&mut self, task: TaskId) {
        if let Some(parent) = self.task_mut(task).vfork_parent.take()
            && self.try_task(parent).is_some()
        {
            self.sched.wake(parent);
        }
    }

    fn end_process(&mut self, m: &mut dyn Machine, id: ProcId, status: u32) {
        let space = self.proc(id).space;
        self.proc_mut(id).max_rss = self.max_rss(id);
        self.touch_segments(id, false);
        self.leave_process_space(m, space);
        self.close_all(id);
        self.stop_timers(id);
        crate::ipc::process_ended(self, id);
        self.leave_terminal(id, true);
        self.orphan_groups(id);
        let host = self.proc(id).host;
        let children = core::mem::take(&mut self.proc_mut(id).children);
        self.orphan(host, id, children);
        self.note_crash(id, status);
        let proc = self.proc_mut(id);
        proc.status = Some(status);
        let line = proc.report_index;
        if let Some(line) = line {
            self.report.processes[line].status = Some(status);
        }
        let queue = self.proc(id).exit_wait.clone();
        queue.wake(&mut self.sched, POLLIN);
        let (code, value) = exit_code(status);
        // With SIGCHLD ignored, or SA_NOCLDWAIT, no zombie stays (wait(2)).
        let parent = self.proc(id).parent;
        let auto = parent.is_some_and(|p| {
            let action = self.proc(p).actions.borrow().0[SIGCHLD as usize - 1];
            self.proc(id).exit_signal == SIGCHLD && (action.handler == 1 || action.flags & SA_NOCLDWAIT != 0)
        });
        self.tell_parent(id, code, value);
        if parent.is_none() || auto {
            self.forget(id);
        }
        self.service_ended(m, host, id, status);
    }

    /// One user of an address space less; without users its host process ends.
    pub fn leave_process_space(&mut self, m: &mut dyn Machine, space: crate::task::SpaceId) {
        let entry = self.spaces[space.0 as usize].as_mut().expect("a live process has a space");
        entry.users -= 1;
        if entry.users == 0 {
            let slot = entry.slot;
            self.leave_memory(space);
            self.spaces[space.0 as usize] = None;
            self.free_slot(slot);
            m.end_space(slot);
        }
    }

    /// Closes all descriptors of a process.
    pub(crate) fn close_all(&mut self, id: ProcId) {
        let fds = core::mem::take(&mut self.proc_mut(id).fds);
        if Rc::strong_count(&fds) == 1 {
            let files = fds.borrow_mut().remove_where(0, usize::MAX, |_| true);
            for (_, fd) in &files {
                self.forget_process_locks(id.0, &fd.file);
            }
        }
    }

    pub(crate) fn stop_timers(&mut self, id: ProcId) {
        let proc = self.proc_mut(id);
        let mut keys: Vec<_> = proc.itimers.iter().flatten().filter_map(|t| t.key).collect();
        keys.extend(proc.posix_timers.values().filter_map(|t| t.key));
        let cpu = proc.itimers[1..].iter().flatten().count();
        proc.itimers = [None; 3];
        proc.posix_timers.clear();
        self.cpu_timers -= cpu;
        for key in keys {
            self.sched.disarm(key);
        }
    }

    /// Gives children to the nearest subreaper, or to the host's first process.
    pub fn orphan(&mut self, host: HostId, dead: ProcId, children: Vec<ProcId>) {
        let mut heir = self.proc(dead).parent;
        while let Some(p) = heir
            && !(self.proc(p).subreaper && self.proc(p).status.is_none())
        {
            heir = self.proc(p).parent;
        }
        let init = self.host(host).init;
        let heir = heir.or(init).filter(|h| *h != dead);
        if init == Some(dead) {
            // The end of a host's first process takes all others along (pid_namespaces(7)).
            self.host_mut(host).init = None;
            for id in self.host(host).pids.values().copied().collect::<Vec<_>>() {
                if id != dead {
                    self.doom(id, SIGKILL);
                }
            }
        }
        for child in children {
            self.proc_mut(child).parent = heir;
            let signal = self.proc(child).pdeath_signal;
            let pid = self.proc(dead).pid;
            if signal != 0 {
                let _ = self.signal_process(child, Info::user(signal, SI_USER, pid, 0));
            }
            match heir {
                Some(heir) => {
                    self.proc_mut(heir).children.push(child);
                    self.proc_mut(child).exit_signal = SIGCHLD;
                    if let Some(status) = self.proc(child).status {
                        let (code, value) = exit_code(status);
                        self.tell_parent(child, code, value);
                    }
                }
                None if self.proc(child).status.is_some() => self.reap(child),
                None => {}
            }
        }
    }

    /// Takes a zombie away that its parent has waited for: what it used counts as its parent's children's.
    pub fn reap(&mut self, id: ProcId) {
        let Some(proc) = self.forget(id) else { return };
        if let Some(parent) = proc.parent.and_then(|p| self.procs[p.0 as usize].as_mut()) {
            parent.children_cpu += proc.cpu_time + proc.children_cpu;
            parent.children_rss = parent.children_rss.max(proc.max_rss).max(proc.children_rss);
        }
    }

    /// Takes a zombie away that nobody waits for.
    fn forget(&mut self, id: ProcId) -> Option<Box<Process>> {
        let proc = self.procs[id.0 as usize].take()?;
        self.host_mut(proc.host).pids.remove(&proc.pid);
        if let Some(parent) = proc.parent.and_then(|p| self.procs[p.0 as usize].as_mut()) {
            parent.children.retain(|c| *c != id);
        }
        Some(proc)
    }

    /// Does what the last close of each closed description asks for.
    pub fn bury(&mut self, m: &mut dyn Machine) {
        loop {
            let Some(dead) = self.graveyard.borrow_mut().pop() else { return };
            if let Some(inode) = &dead.inode {
                if let Some(locks) = inode.locks.borrow_mut().as_mut() {
                    locks.whole.retain(|(o, _)| *o != dead.lock_owner);
                    locks.records.retain(|r| r.owner != crate::fs::lock::Owner::File(dead.lock_owner));
                    locks.queue.wake(&mut self.sched, 0);
                }
                if dead.counted {
                    inode.writers.set(inode.writers.get() - 1);
                    if let Some(disk) = &inode.fs.disk {
                        disk.closed(inode, self.realtime());
                    }
                }
                if dead.flags & O_PATH == 0 {
                    let event = if dead.flags & O_ACCMODE == O_RDONLY { IN_CLOSE_NOWRITE } else { IN_CLOSE_WRITE };
                    self.notify_file(inode, dead.name.as_ref(), event);
                }
                self.notify_if_gone(inode);
            }
            match &dead.kind {
                FileKind::Pipe(pipe) => {
                    if dead.flags & O_ACCMODE != O_WRONLY {
                        pipe.readers.set(pipe.readers.get() - 1);
                    }
                    if dead.flags & O_ACCMODE != O_RDONLY {
                        pipe.writers.set(pipe.writers.get() - 1);
                    }
                    pipe.queue.wake(&mut self.sched, POLLIN | POLLOUT | POLLHUP | POLLERR);
                }
                FileKind::Socket(id) => self.close_socket(*id, m),
                FileKind::Terminal(tty) => self.close_tty(tty),
                FileKind::Master(tty) => self.hang_up(tty),
                FileKind::Timer(timer) => {
                    if let Some(key) = timer.key.take() {
                        self.sched.disarm(key);
                    }
                }
                _ => {}
            }
        }
    }

    /// Does what a due timer asks for.
    pub fn fire(&mut self, action: TimerAction, m: &mut dyn Machine) {
        match action {
            TimerAction::Task(task, ticket) => {
                if self.sched.is_current_ticket(task, ticket) {
                    self.task_mut(task).timer = None;
                    self.sched.wake(task);
                }
            }
            TimerAction::TimerFd(timer) => {
                if let Some(timer) = timer.upgrade() {
                    self.timerfd_due(&timer);
                }
            }
            TimerAction::Interval(proc) => self.interval_due(proc, 0),
            TimerAction::Posix(proc, id) => self.posix_timer_due(proc, id),
            TimerAction::Network => self.network_due(false),
            TimerAction::NetworkDeadline => self.network_due(true),
            TimerAction::Service(host, timer) => self.service_due(m, host, timer),
            TimerAction::Fault(due) => {
                self.faults.due.push_back(due);
                self.notice = true;
            }
            TimerAction::Until => self.ended = Some(snowglobe_abi::spec::Ending::Until),
        }
    }
}

/// `si_code` and `si_status` for a wait status.
pub fn exit_code(status: u32) -> (u32, u32) {
    match status & 0x7f {
        0 => (CLD_EXITED, status >> 8 & 0xff),
        signal if status & 0x80 != 0 => (CLD_DUMPED, signal),
        signal => (CLD_KILLED, signal),
    }
}

fn program_origin(program: &crate::exec::Program) -> Option<String> {
    program.file.inode.content()?.borrow().lower_path().map(String::from)
}

/// What `clone` and `clone3` were asked for.
#[derive(Clone, Debug, Default)]
pub struct Clone {
    /// CLONE_ flags without the exit signal.
    pub flags: u64,
    /// Signal to the parent at the child's end, or 0.
    pub exit_signal: u32,
    /// Stack pointer of the child, or 0 for the same.
    pub stack: u64,
    /// For CLONE_PARENT_SETTID.
    pub parent_tid: u64,
    /// For CLONE_CHILD_SETTID and CLONE_CHILD_CLEARTID.
    pub child_tid: u64,
    /// For CLONE_SETTLS.
    pub tls_base: u64,
    /// For CLONE_PIDFD.
    pub pidfd: u64,
}

impl Clone {
    fn tls(&self) -> Option<u64> {
        (self.flags & u64::from(CLONE_SETTLS) != 0).then_some(self.tls_base)
    }
}
