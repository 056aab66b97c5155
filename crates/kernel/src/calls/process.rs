//! Making, replacing and ending processes and threads.

use crate::exec::Executable;
use crate::life::Clone;
use crate::mem::{self, Struct};
use crate::uapi::*;
use crate::wait::{Interrupt, Kind, Wait};
use crate::{Answer, Cx, Stop};
use alloc::boxed::Box;
use alloc::rc::Rc;
use alloc::vec::Vec;
use snowglobe_abi::errno::{Errno, Result};

pub fn fork(cx: &mut Cx) -> Answer {
    cx.clone_with(Clone { exit_signal: SIGCHLD, ..Clone::default() })
}

pub fn vfork(cx: &mut Cx) -> Answer {
    let flags = u64::from(CLONE_VM | CLONE_VFORK);
    cx.clone_with(Clone { flags, exit_signal: SIGCHLD, ..Clone::default() })
}

pub fn clone(cx: &mut Cx) -> Answer {
    let [flags, stack, parent_tid, child_tid, tls_base, _] = cx.args;
    let how = Clone {
        flags: flags & 0xffff_ff00,
        exit_signal: flags as u32 & 0xff,
        stack,
        parent_tid,
        child_tid,
        tls_base,
        pidfd: parent_tid,
    };
    cx.clone_with(how)
}

pub fn clone3(cx: &mut Cx) -> Answer {
    let size = cx.args[1];
    if size < 64 {
        return Err(Errno::EINVAL.into());
    }
    if size > 4096 {
        return Err(Errno::E2BIG.into());
    }
    let raw = mem::bytes(cx.m, cx.args[0], size as usize)?;
    if raw.iter().skip(88).any(|b| *b != 0) {
        return Err(Errno::E2BIG.into());
    }
    let field = |i: usize| if raw.len() >= i * 8 + 8 { mem::field64(&raw, i * 8) } else { 0 };
    let flags = field(0);
    let (stack, stack_size) = (field(5), field(6));
    let exit_signal = field(4);
    if flags & 0xff != 0 && flags & 0xff != u64::from(CLONE_PIDFD) & 0xff || exit_signal > 64 {
        return Err(Errno::EINVAL.into());
    }
    if (stack == 0) != (stack_size == 0) {
        return Err(Errno::EINVAL.into());
    }
    let both = CLONE_CLEAR_SIGHAND | u64::from(CLONE_SIGHAND);
    if (flags & !(CLONE_CLEAR_SIGHAND | CLONE_INTO_CGROUP)) >> 32 != 0 || flags & both == both {
        return Err(Errno::EINVAL.into());
    }
    let (tids, count) = (field(8), field(9));
    if count > 32 || (tids == 0) != (count == 0) {
        return Err(Errno::EINVAL.into());
    }
    if count > 0 {
        // clone(2): ids are chosen only by who may restore processes.
        return Err(Errno::EPERM.into());
    }
    if flags & CLONE_INTO_CGROUP != 0 {
        // No descriptor here is of a control group.
        return Err(Errno::EBADF.into());
    }
    let how = Clone {
        flags,
        exit_signal: exit_signal as u32,
        stack: if stack == 0 { 0 } else { stack + stack_size },
        parent_tid: field(3),
        child_tid: field(2),
        tls_base: field(7),
        pidfd: field(1),
    };
    cx.clone_with(how)
}

impl Cx<'_> {
    fn clone_with(&mut self, how: Clone) -> Answer {
        let has = |flag: u32| how.flags & u64::from(flag) != 0;
        if has(CLONE_SIGHAND) && !has(CLONE_VM) || has(CLONE_THREAD) && !has(CLONE_SIGHAND) {
            return Err(Errno::EINVAL.into());
        }
        if has(CLONE_FS) && has(CLONE_NEWNS) || has(CLONE_PIDFD) && has(CLONE_THREAD) {
            return Err(Errno::EINVAL.into());
        }
        const NAMESPACES: u32 =
            CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET;
        if has(NAMESPACES) {
            self.k.note_unsupported(56, "clone with new namespaces", 0);
            return Err(Errno::EPERM.into());
        }
        if how.exit_signal > SIGMAX {
            return Err(Errno::EINVAL.into());
        }
        if has(CLONE_THREAD) {
            let task = self.k.new_thread(self.m, self.task, &how)?;
            let tid = self.k.task(task).tid;
            self.put_tids(&how, tid);
            return Ok(i64::from(tid));
        }
        if has(CLONE_PIDFD) {
            // A place that cannot be written is found before there is a child.
            let probe: [u8; 4] = mem::array(self.m, how.pidfd)?;
            self.m.write(how.pidfd, &probe)?;
        }
        // The child's copy of memory holds its id before it is made, so that both sides see what Linux shows them.
        let (proc, task) = self.k.fork(self.m, self.task, &how)?;
        let pid = self.k.proc(proc).pid;
        self.k.task_mut(task).child_tid_to_set = has(CLONE_CHILD_SETTID).then_some(how.child_tid);
        if has(CLONE_PARENT_SETTID) {
            let _ = self.m.write(how.parent_tid, &pid.to_le_bytes());
        }
        if has(CLONE_PIDFD) {
            let file = self.new_file(crate::fs::file::FileKind::Pid(proc), O_RDWR);
            let fd = self.install(file, true)?;
            let _ = self.m.write(how.pidfd, &fd.to_le_bytes());
        }
        if has(CLONE_VFORK) {
            self.k.task_mut(task).vfork_parent = Some(self.task);
            let wait = Wait::new(Kind::Vfork { child: task, pid }).on_signal(Interrupt::Never);
            return Err(wait.stop());
        }
        Ok(i64::from(pid))
    }

    fn put_tids(&mut self, how: &Clone, tid: u32) {
        // A bad pointer is ignored, as Linux ignores it.
        if how.flags & u64::from(CLONE_PARENT_SETTID) != 0 {
            let _ = self.m.write(how.parent_tid, &tid.to_le_bytes());
        }
        if how.flags & u64::from(CLONE_CHILD_SETTID) != 0 {
            let _ = self.m.write(how.child_tid, &tid.to_le_bytes());
        }
    }
}

pub fn set_tid_address(cx: &mut Cx) -> Answer {
    cx.me_mut().clear_child_tid = cx.args[0];
    Ok(i64::from(cx.me().tid))
}

pub fn execve(cx: &mut Cx) -> Answer {
    cx.exec(AT_FDCWD, cx.args[0], cx.args[1], cx.args[2], 0)
}

pub fn execveat(cx: &mut Cx) -> Answer {
    cx.exec(cx.int(0), cx.args[1], cx.args[2], cx.args[3], cx.uint(4))
}

impl Cx<'_> {
    /// A NULL-terminated array of strings.
    fn strings(&mut self, addr: u64) -> Result<Vec<Vec<u8>>> {
        let mut out = Vec::new();
        let mut size = 0;
        if addr == 0 {
            return Ok(out);
        }
        for i in 0.. {
            let p = mem::u64(self.m, addr + i * 8)?;
            if p == 0 {
                break;
            }
            let s = mem::c_string(self.m, p, 131_072, Errno::E2BIG)?;
            size += s.len() + 9;
            if size > crate::exec::ARG_MAX {
                return Err(Errno::E2BIG);
            }
            out.push(s);
        }
        Ok(out)
    }

    fn exec(&mut self, dirfd: i32, path: u64, argv: u64, envp: u64, flags: u32) -> Answer {
        if flags & !(AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW) != 0 {
            return Err(Errno::EINVAL.into());
        }
        let name = mem::path(self.m, path)?;
        let mut argv = self.strings(argv)?;
        let envp = self.strings(envp)?;
        if argv.is_empty() {
            // Linux 5.18 and later give a program without arguments an empty first one.
            argv.push(Vec::new());
        }
        let (found, name) = if name.is_empty() && flags & AT_EMPTY_PATH != 0 {
            let file = self.any_file(dirfd)?;
            let inode = file.inode.clone().ok_or(Errno::EACCES)?;
            let path = self.k.file_path(self.task, &file);
            let place = file.name.clone();
            (Executable { inode, path, place }, alloc::format!("/dev/fd/{dirfd}").into_bytes())
        } else {
            let found = self.k.walk(self.m, self.task, dirfd, &name, flags & AT_SYMLINK_NOFOLLOW == 0)?;
            let inode = found.inode()?;
            if inode.kind() == S_IFLNK {
                return Err(Errno::ELOOP.into());
            }
            (self.k.found_program(self.task, found)?, name)
        };
        let program = self.k.load_program(self.m, self.task, name, found, argv, envp)?;
        let space = self.proc().space;
        let users = self.k.spaces[space.0 as usize].as_ref().expect("a live process has a space").users;
        if users > 1 && !self.k.has_slot() {
            return Err(Errno::EAGAIN.into());
        }
        self.k.leave_threads(self.m, self.task);
        self.exec_set_ids(&program.file.inode);
        let proc = self.proc().id;
        self.k.proc_mut(proc).max_rss = self.k.max_rss(proc);
        self.k.become_program(self.task, &program);
        if users > 1 {
            // A vfork child goes on in an address space of its own, and its parent in the old one.
            self.k.leave_process_space(self.m, space);
            let (space, slot) = self.k.new_space(crate::mm::Space::default());
            self.proc_mut().space = space;
            self.m.fresh_space(slot);
            // What it was before is not to be kept in the old space, when the next one there has its turn, as what it is now.
            self.m.drop_context(self.task.0);
            self.k.release_vfork(self.task);
            self.me_mut().exec = Some(Box::new(program));
            self.k.sched.enqueue(self.task);
            self.me_mut().state = crate::task::State::Runnable;
            return Err(Stop::Gone);
        }
        if let Err(e) = self.k.start_program(self.m, self.task, &program) {
            self.k.exec_failed(self.m, self.task, e);
            return Err(Stop::Gone);
        }
        Err(Stop::Replaced)
    }

    /// Set-user-id and set-group-id programs, and what exec does to capabilities (`capabilities(7)`).
    fn exec_set_ids(&mut self, inode: &crate::fs::inode::InodeRef) {
        let (mode, uid, gid) = {
            let meta = inode.meta.borrow();
            (meta.mode, meta.uid, meta.gid)
        };
        let no_new = self.proc().no_new_privs;
        let cred = &mut self.proc_mut().cred;
        if !no_new && mode & S_ISUID != 0 {
            (cred.euid, cred.fsuid) = (uid, uid);
        }
        if !no_new && mode & S_ISGID != 0 && mode & 0o010 != 0 {
            (cred.egid, cred.fsgid) = (gid, gid);
        }
        cred.suid = cred.euid;
        cred.sgid = cred.egid;
        let root = cred.secure_bits & SECURE_NOROOT == 0 && (cred.euid == 0 || cred.uid == 0);
        let permitted = if root { cred.caps[3] | cred.caps[2] } else { cred.caps[4] };
        cred.caps[1] = permitted;
        cred.caps[0] = if root && cred.euid == 0 { permitted } else { cred.caps[4] };
        cred.secure_bits &= !SECURE_KEEP_CAPS;
    }
}

impl crate::Kernel {
    /// Before a program is replaced, all other threads end, and the caller becomes the main thread (`execve(2)`).
    fn leave_threads(&mut self, m: &mut dyn crate::machine::Machine, task: crate::task::TaskId) {
        let others: Vec<_> = self.proc_of(task).threads.iter().copied().filter(|t| *t != task).collect();
        for other in others {
            self.end_task(m, other, 0);
        }
        // What the calling thread itself leaves in the old memory.
        let mut cx = Cx { k: self, m, task, args: [0; 6] };
        cx.exit_robust_list();
        let host = self.proc_of(task).host;
        let (tid, pid) = (self.task(task).tid, self.proc_of(task).pid);
        if tid != pid {
            self.task_mut(task).tid = pid;
            let tids = &mut self.host_mut(host).tids;
            tids.remove(&tid);
            tids.insert(pid, task);
        }
    }

    /// A program that could not be started after the old one was gone: SIGKILL (`execve(2)`, NOTES; Linux sends SIGSEGV
    /// in some cases).
    pub fn exec_failed(&mut self, m: &mut dyn crate::machine::Machine, task: crate::task::TaskId, e: Errno) {
        let text = alloc::format!("exec failed after the point of no return: {e}");
        self.record.note(self.sched.now, task, &text);
        let signal = if e == Errno::EFAULT { SIGSEGV } else { SIGKILL };
        self.proc_of_mut(task).dying = Some(signal);
        self.end_task(m, task, signal);
    }
}

pub fn exit(cx: &mut Cx) -> Answer {
    let status = (cx.uint(0) & 0xff) << 8;
    // The last thread's exit is the process's.
    let dying = cx.proc().dying;
    cx.k.end_task(cx.m, cx.task, dying.unwrap_or(status));
    Err(Stop::Gone)
}

pub fn exit_group(cx: &mut Cx) -> Answer {
    let status = (cx.uint(0) & 0xff) << 8;
    let proc = cx.me().proc;
    cx.k.doom(proc, status);
    let status = cx.proc().dying.unwrap_or(status);
    cx.k.end_task(cx.m, cx.task, status);
    Err(Stop::Gone)
}

pub fn pidfd_open(cx: &mut Cx) -> Answer {
    if cx.int(0) <= 0 || cx.uint(1) & !O_NONBLOCK != 0 {
        return Err(Errno::EINVAL.into());
    }
    let host = cx.k.host_of(cx.task);
    let proc = match host.pids.get(&cx.uint(0)) {
        Some(proc) => *proc,
        None if host.tids.contains_key(&cx.uint(0)) => return Err(Errno::EINVAL.into()),
        None => return Err(Errno::ESRCH.into()),
    };
    let file = cx.new_file(crate::fs::file::FileKind::Pid(proc), O_RDWR | cx.uint(1));
    Ok(i64::from(cx.install(file, true)?))
}

impl Cx<'_> {
    /// A descriptor for a process of the caller's host.
    ///
    /// # Errors
    /// `ESRCH`, `EMFILE`.
    pub fn pidfd_of(&mut self, pid: u32) -> Result<i32> {
        let proc = self.k.host_of(self.task).pids.get(&pid).copied().ok_or(Errno::ESRCH)?;
        let file = self.new_file(crate::fs::file::FileKind::Pid(proc), O_RDWR);
        self.install(file, true)
    }
}

pub fn kcmp(cx: &mut Cx) -> Answer {
    if cx.uint(0) == 0 || cx.uint(1) == 0 {
        return Err(Errno::ESRCH.into());
    }
    let (one, other) = (cx.process(cx.uint(0))?, cx.process(cx.uint(1))?);
    if !cx.may_inspect(one) || !cx.may_inspect(other) {
        return Err(Errno::EPERM.into());
    }
    let order = |a: u64, b: u64| match a.cmp(&b) {
        core::cmp::Ordering::Equal => 0,
        core::cmp::Ordering::Less => 1,
        core::cmp::Ordering::Greater => 2,
    };
    let (a, b) = (cx.k.proc(one), cx.k.proc(other));
    // Objects that are not the same are in the order of their processes.
    let same = |same: bool| if same { 0 } else { order(u64::from(one.0), u64::from(other.0)) };
    Ok(match cx.uint(2) {
        0 => {
            let (x, y) = (cx.args[3] as i32, cx.args[4] as i32);
            let (x, y) = (a.fds.borrow().get(x)?.id, b.fds.borrow().get(y)?.id);
            order(x, y)
        }
        1 => order(u64::from(a.space.0), u64::from(b.space.0)),
        2 => same(Rc::ptr_eq(&a.fds, &b.fds)),
        3 => same(Rc::ptr_eq(&a.fs, &b.fs)),
        4 => same(Rc::ptr_eq(&a.actions, &b.actions)),
        // Nobody has an I/O context or a list of semaphore adjustments in common with another process; those that
        // have no list have the same none.
        5 => same(one == other),
        6 => same(one == other || !cx.k.adjusts_semaphores(one) && !cx.k.adjusts_semaphores(other)),
        7 => {
            let x = a.fds.borrow().get(cx.args[3] as i32)?.id;
            order(x, cx.epoll_target(other)?)
        }
        _ => return Err(Errno::EINVAL.into()),
    })
}

impl Cx<'_> {
    /// The description that an epoll instance of another process watches (`struct kcmp_epoll_slot` in `kcmp(2)`): of
    /// those that were added under one descriptor, the one with the given place.
    fn epoll_target(&mut self, proc: crate::task::ProcId) -> Result<u64> {
        let mut slot = [0u8; 12];
        self.m.read(self.args[4], &mut slot)?;
        let word = |at: usize| u32::from_le_bytes([slot[at], slot[at + 1], slot[at + 2], slot[at + 3]]);
        let (epoll, fd, place) = (word(0) as i32, word(4) as i32, word(8) as usize);
        let file = self.k.proc(proc).fds.borrow().get(epoll)?.clone();
        let crate::fs::file::FileKind::Epoll(epoll) = &file.kind else { return Err(Errno::EINVAL) };
        let items = epoll.items.borrow();
        let watched = items.range((fd, 0)..=(fd, u64::MAX)).filter_map(|(_, item)| item.target());
        watched.map(|target| target.id).nth(place).ok_or(Errno::ENOENT)
    }

    /// Whether the caller may look into a process (`ptrace(2)`, access mode checking).
    pub fn may_inspect(&self, target: crate::task::ProcId) -> bool {
        let (me, other) = (&self.proc().cred, self.k.proc(target));
        let ids = [other.cred.uid, other.cred.euid, other.cred.suid].iter().all(|id| *id == me.fsuid);
        target == self.proc().id || me.capable(CAP_SYS_PTRACE) || ids && other.dumpable == 1
    }
}

pub fn pidfd_getfd(cx: &mut Cx) -> Answer {
    if cx.uint(2) != 0 {
        return Err(Errno::EINVAL.into());
    }
    let crate::fs::file::FileKind::Pid(proc) = cx.file(0)?.kind else { return Err(Errno::EBADF.into()) };
    if cx.k.try_proc(proc).is_none_or(|p| p.status.is_some()) {
        return Err(Errno::ESRCH.into());
    }
    if !cx.may_inspect(proc) {
        return Err(Errno::EPERM.into());
    }
    let file = cx.k.proc(proc).fds.borrow().get(cx.int(1))?.clone();
    Ok(i64::from(cx.install(file, true)?))
}

pub fn process_mrelease(cx: &mut Cx) -> Answer {
    if cx.uint(1) != 0 {
        return Err(Errno::EINVAL.into());
    }
    let crate::fs::file::FileKind::Pid(proc) = cx.file(0)?.kind else { return Err(Errno::EBADF.into()) };
    match cx.k.try_proc(proc) {
        None => Err(Errno::ESRCH.into()),
        Some(p) if p.status.is_some() => Err(Errno::ESRCH.into()),
        // Its memory goes with it anyway.
        Some(p) if p.dying.is_some() => Ok(0),
        Some(_) => Err(Errno::EINVAL.into()),
    }
}

pub fn times(cx: &mut Cx) -> Answer {
    const TICK: u64 = 10_000_000;
    let proc = cx.proc();
    let own = cx.k.process_cpu(proc.id) / TICK;
    let children = proc.children_cpu / TICK;
    if cx.args[0] != 0 {
        Struct::new().u64(own).u64(0).u64(children).u64(0).put(cx.m, cx.args[0])?;
    }
    Ok((cx.k.monotonic() / TICK) as i64)
}

impl crate::Kernel {
    /// CPU time of a process in nanoseconds.
    pub fn process_cpu(&self, id: crate::task::ProcId) -> u64 {
        let proc = self.proc(id);
        proc.cpu_time + proc.threads.iter().map(|t| self.task(*t).cpu_time).sum::<u64>()
    }

    /// CPU time of a host since it booted, and how long its processors had nothing to do.
    pub fn host_cpu(&self, host: crate::task::HostId) -> (u64, u64) {
        let alive: u64 = self.host(host).tids.values().map(|t| self.task(*t).cpu_time).sum();
        let used = self.host(host).ended_cpu + alive;
        let all = self.monotonic().saturating_mul(u64::from(self.spec.knobs.cpus));
        (used, all.saturating_sub(used))
    }

    /// Most bytes that a process has had resident.
    pub fn max_rss(&self, id: crate::task::ProcId) -> u64 {
        let proc = self.proc(id);
        let now = self.spaces[proc.space.0 as usize].as_ref().map_or(0, |s| s.space.peak_resident);
        proc.max_rss.max(now)
    }
}
