//! Terminals: opening, closing, reading and writing them, their settings, and job control (`tty_ioctl(4)`, `pty(7)`).

use crate::fs::dev::Device;
use crate::fs::file::{FileKind, FileRef, OpenFile};
use crate::fs::inode::{Inode, InodeRef, Node};
use crate::fs::tty::{TERMIOS, TOSTOP, Termios, Tty};
use crate::mem::{self, Iov, Struct};
use crate::signal::{Info, bit};
use crate::task::{HostId, ProcId, TaskId};
use crate::uapi::*;
use crate::{Answer, Cx, Kernel, Stop};
use alloc::collections::BTreeMap;
use alloc::rc::Rc;
use alloc::string::ToString;
use alloc::vec::Vec;
use snowglobe_abi::errno::{Errno, Result};

/// Group of terminals (`tty` in `/etc/group`).
const TTY_GROUP: u32 = 5;
/// A tenth of a second, VTIME's unit.
const TENTH: u64 = 100_000_000;

const PKT_FLUSHREAD: u8 = 1;
const PKT_FLUSHWRITE: u8 = 2;
const PKT_IOCTL: u8 = 64;

/// The terminals of a host.
pub struct Ttys {
    /// The root of `/dev/pts`.
    pub dir: InodeRef,
    /// Terminals whose master is open.
    pub list: BTreeMap<u32, Rc<Tty>>,
}

fn same(a: &Option<Rc<Tty>>, b: &Rc<Tty>) -> bool {
    a.as_ref().is_some_and(|a| Rc::ptr_eq(a, b))
}

impl Kernel {
    /// Processes of a group, in the order of their ids.
    fn group(&self, host: HostId, group: u32) -> Vec<ProcId> {
        let all = self.host(host).pids.values().copied();
        all.filter(|p| self.proc(*p).pgid == group && self.proc(*p).status.is_none()).collect()
    }

    /// Sends a signal to a process group.
    pub fn signal_group(&mut self, host: HostId, group: u32, signal: u32) {
        if group == 0 {
            return;
        }
        for proc in self.group(host, group) {
            // A signal that cannot be queued is lost.
            let _ = self.signal_process(proc, Info::kernel(signal));
        }
    }

    /// Whether nobody outside a group, but in its session, could tell it to go on (an orphaned group, `setpgid(2)`).
    /// `leaving` counts as gone.
    pub fn is_orphaned(&self, host: HostId, group: u32, leaving: Option<ProcId>) -> bool {
        !self.group(host, group).into_iter().filter(|p| Some(*p) != leaving).any(|p| {
            let p = self.proc(p);
            // What the world itself started is like a command of a shell with job control.
            p.parent
                .and_then(|q| self.try_proc(q))
                .is_none_or(|q| q.pgid != group && q.sid == p.sid && q.status.is_none() && Some(q.id) != leaving)
        })
    }

    /// A group that has become orphaned while one of it is stopped is told to hang up and go on (`_exit(2)`).
    pub fn orphan_groups(&mut self, dead: ProcId) {
        let (host, sid, own) = (self.proc(dead).host, self.proc(dead).sid, self.proc(dead).pgid);
        let parent = self.proc(dead).parent.and_then(|p| self.try_proc(p)).map(|p| (p.sid, p.pgid));
        let mut groups: Vec<u32> = Vec::new();
        if parent.is_some_and(|(s, g)| s == sid && g != own) {
            groups.push(own);
        }
        for child in self.proc(dead).children.clone() {
            let c = self.proc(child);
            if c.sid == sid && c.pgid != own && !groups.contains(&c.pgid) {
                groups.push(c.pgid);
            }
        }
        for group in groups {
            let stopped = self.group(host, group).into_iter().any(|p| p != dead && self.proc(p).stopped);
            if stopped && self.is_orphaned(host, group, Some(dead)) {
                self.signal_group(host, group, SIGHUP);
                self.signal_group(host, group, SIGCONT);
            }
        }
    }

    /// A session leader ends, or gives its terminal up: the foreground hangs up, and the session has no terminal.
    pub fn leave_terminal(&mut self, leader: ProcId, ending: bool) {
        let (host, sid) = (self.proc(leader).host, self.proc(leader).sid);
        if sid != self.proc(leader).pid {
            return;
        }
        let Some(tty) = self.proc(leader).tty.clone() else {
            // The terminal hung up before: its last foreground group is told now.
            if ending && let Some(group) = self.proc_mut(leader).old_group.take() {
                self.signal_group(host, group, SIGHUP);
                self.signal_group(host, group, SIGCONT);
            }
            return;
        };
        let group = tty.group.get();
        self.signal_group(host, group, SIGHUP);
        if !ending {
            self.signal_group(host, group, SIGCONT);
        }
        tty.session.set(None);
        tty.group.set(0);
        self.clear_session(host, sid);
    }

    fn clear_session(&mut self, host: HostId, sid: u32) {
        for proc in self.host(host).pids.values().copied().collect::<Vec<_>>() {
            if self.proc(proc).sid == sid {
                self.proc_mut(proc).tty = None;
            }
        }
    }

    /// A description of a terminal has been closed.
    pub fn close_tty(&mut self, tty: &Rc<Tty>) {
        tty.opens.set(tty.opens.get() - 1);
        if tty.opens.get() == 0 {
            tty.closed.set(true);
            tty.master_queue.wake(&mut self.sched, POLLIN | POLLHUP);
        }
    }

    /// The master has been closed: the terminal hangs up.
    pub fn hang_up(&mut self, tty: &Rc<Tty>) {
        let host = tty.host;
        tty.hung_up.set(true);
        let ttys = &mut self.host_mut(host).ttys;
        ttys.list.remove(&tty.index);
        let (dir, name) = (ttys.dir.clone(), tty.index.to_string());
        let now = self.realtime();
        if let Ok(dir_entries) = dir.dir() {
            let node = match dir_entries.borrow().entries.get(name.as_bytes()) {
                Some(crate::fs::inode::Entry::There(node)) => Some(node.clone()),
                _ => None,
            };
            if let Some(node) = node {
                // The directory keeps names: it cannot fail.
                let _ = dir.unlink(name.as_bytes(), &node, now);
                node.meta.borrow_mut().nlink = 0;
            }
        }
        let group = tty.group.get();
        if let Some(sid) = tty.session.take() {
            for proc in self.host(host).pids.values().copied().collect::<Vec<_>>() {
                let p = self.proc_mut(proc);
                if p.sid != sid {
                    continue;
                }
                if same(&p.tty, tty) {
                    p.tty = None;
                }
                if p.pid == sid && p.status.is_none() {
                    p.old_group = Some(group).filter(|g| *g != 0);
                    let _ = self.signal_process(proc, Info::kernel(SIGHUP));
                    let _ = self.signal_process(proc, Info::kernel(SIGCONT));
                }
            }
        }
        tty.group.set(0);
        tty.queue.wake(&mut self.sched, POLLIN | POLLOUT | POLLHUP | POLLERR);
    }

    /// The line discipline works on what was typed.
    fn pump(&mut self, tty: &Rc<Tty>) {
        let (signals, goes_on) = tty.discipline.borrow_mut().pump();
        for signal in signals {
            tty.tell(PKT_FLUSHREAD | PKT_FLUSHWRITE);
            self.signal_group(tty.host, tty.group.get(), signal);
        }
        tty.queue.wake(&mut self.sched, if goes_on { POLLIN | POLLOUT } else { POLLIN });
        if tty.discipline.borrow().shown() > 0 {
            tty.master_queue.wake(&mut self.sched, POLLIN | POLLRDNORM);
        }
    }

    /// Whether a task is in its terminal's background, and what it is then to be told; see `tty_check`.
    fn in_background(&self, task: TaskId, tty: &Rc<Tty>) -> bool {
        let p = self.proc_of(task);
        same(&p.tty, tty) && tty.group.get() != 0 && tty.group.get() != p.pgid
    }
}

impl Cx<'_> {
    fn host_id(&self) -> HostId {
        self.proc().host
    }

    /// `/dev/ptmx`: a new pair.
    pub fn open_master(&mut self) -> Result<FileKind> {
        let host = self.host_id();
        let ttys = &self.k.host(host).ttys;
        let index = (0..4096).find(|n| !ttys.list.contains_key(n)).ok_or(Errno::ENOSPC)?;
        let dir = ttys.dir.clone();
        let tty = Rc::new(Tty::new(index, host));
        let (uid, now) = (self.proc().cred.fsuid, self.k.realtime());
        let device = Node::Device(Device::Pts(index));
        let node = Inode::new(&dir.fs, S_IFCHR | 0o620, uid, TTY_GROUP, now, device);
        dir.link(index.to_string().as_bytes(), &node, now)?;
        self.k.host_mut(host).ttys.list.insert(index, tty.clone());
        Ok(FileKind::Master(tty))
    }

    /// `/dev/pts/N`, or `/dev/tty` for `None`.
    pub fn open_terminal(&mut self, index: Option<u32>, flags: u32) -> Result<FileKind> {
        let tty = match index {
            // tty(4): a process without a controlling terminal gets ENXIO.
            None => self.proc().tty.clone().ok_or(Errno::ENXIO)?,
            Some(index) => {
                let tty = self.k.host(self.host_id()).ttys.list.get(&index).cloned().ok_or(Errno::EIO)?;
                if tty.locked.get() {
                    return Err(Errno::EIO);
                }
                if tty.exclusive[0].get() && !self.proc().cred.capable(CAP_SYS_ADMIN) {
                    return Err(Errno::EBUSY);
                }
                tty
            }
        };
        if index.is_some() && flags & O_NOCTTY == 0 && flags & O_ACCMODE != O_WRONLY {
            let p = self.proc();
            if p.sid == p.pid && p.tty.is_none() && tty.session.get().is_none() {
                self.take_terminal(&tty);
            }
        }
        tty.opens.set(tty.opens.get() + 1);
        tty.closed.set(false);
        Ok(FileKind::Terminal(tty))
    }

    fn take_terminal(&mut self, tty: &Rc<Tty>) {
        let p = self.proc_mut();
        tty.session.set(Some(p.sid));
        tty.group.set(p.pgid);
        p.tty = Some(tty.clone());
        p.old_group = None;
    }

    /// Job control: a call from the background is answered by a signal to its group, and made again when the group goes
    /// on.
    ///
    /// # Errors
    /// `EIO` where a stop could not be undone, and the restart of the call.
    fn tty_check(&mut self, tty: &Rc<Tty>, signal: u32) -> core::result::Result<(), Stop> {
        if !self.k.in_background(self.task, tty) {
            return Ok(());
        }
        let action = self.k.action_of(self.task, signal);
        let blocked = self.me().mask & bit(signal) != 0;
        if blocked || action.handler == 1 {
            return if signal == SIGTTIN { Err(Errno::EIO.into()) } else { Ok(()) };
        }
        let (host, group) = (self.host_id(), self.proc().pgid);
        if self.k.is_orphaned(host, group, None) {
            return Err(Errno::EIO.into());
        }
        self.k.signal_group(host, group, signal);
        if action.handler > 1 && action.flags & SA_RESTART == 0 {
            return Err(Errno::EINTR.into());
        }
        let nr = u64::from(self.me().call);
        self.m.restart_call(nr);
        Err(Stop::Replaced)
    }

    /// Before a description is read: job control.
    ///
    /// # Errors
    /// Those of [`Cx::tty_check`].
    pub fn check_read(&mut self, file: &FileRef) -> core::result::Result<(), Stop> {
        match &file.kind {
            FileKind::Terminal(tty) if !tty.hung_up.get() => self.tty_check(&tty.clone(), SIGTTIN),
            _ => Ok(()),
        }
    }

    /// Before a description is written: job control, for a terminal with TOSTOP.
    ///
    /// # Errors
    /// Those of [`Cx::tty_check`].
    pub fn check_write(&mut self, file: &FileRef) -> core::result::Result<(), Stop> {
        match &file.kind {
            FileKind::Terminal(tty) if tty.discipline.borrow().termios.lflag & TOSTOP != 0 => {
                self.tty_check(&tty.clone(), SIGTTOU)
            }
            _ => Ok(()),
        }
    }

    /// Reads a terminal; `cannot_wait` takes less than what was asked for in noncanonical mode.
    ///
    /// # Errors
    /// `EAGAIN`, `EFAULT`.
    pub fn read_terminal(&mut self, tty: &Rc<Tty>, iov: &Iov, cannot_wait: bool) -> Result<u64> {
        if tty.hung_up.get() || iov.is_empty() {
            return Ok(0);
        }
        let data = tty.discipline.borrow_mut().read(iov.len() as usize, cannot_wait).ok_or(Errno::EAGAIN)?;
        iov.scatter(self.m, 0, &data)?;
        self.k.pump(tty);
        if tty.discipline.borrow().type_room() > 0 {
            tty.master_queue.wake(&mut self.k.sched, POLLOUT | POLLWRNORM);
        }
        Ok(data.len() as u64)
    }

    /// When the wait of a terminal's reader ends by VTIME, where it was to end at `old` (`termios(3)`).
    pub fn tty_deadline(&self, file: &FileRef, old: Option<u64>) -> Option<u64> {
        let FileKind::Terminal(tty) = &file.kind else { return old };
        let d = tty.discipline.borrow();
        match d.termios.patience() {
            _ if old.is_some_and(|at| at <= self.k.sched.now) => old,
            // With a minimum, the time runs from the last byte on; without, from the beginning.
            Some((min, time)) if time > 0 && min > 0 && d.readable() > 0 => Some(self.k.sched.now + time * TENTH),
            Some((0, time)) if time > 0 => old.or(Some(self.k.sched.now + time * TENTH)),
            _ => None,
        }
    }

    /// What a reader gets whose time is up.
    ///
    /// # Errors
    /// `EFAULT`.
    pub fn tty_timed_out(&mut self, file: &FileRef, iov: &Iov) -> Option<Result<i64>> {
        let FileKind::Terminal(tty) = &file.kind else { return None };
        let n = match self.read_terminal(&tty.clone(), iov, true) {
            Err(Errno::EAGAIN) => Ok(0),
            other => other,
        };
        Some(n.map(|n| n as i64))
    }

    /// Shows what a program writes.
    ///
    /// # Errors
    /// `EAGAIN`, `EIO` after the hang-up, `EFAULT`.
    pub fn write_terminal(&mut self, tty: &Rc<Tty>, iov: &Iov, done: u64) -> Result<u64> {
        if tty.hung_up.get() {
            return Err(Errno::EIO);
        }
        let data = self.gather_some(iov, done)?;
        let n = tty.discipline.borrow_mut().write(&data);
        if n == 0 && !data.is_empty() {
            return Err(Errno::EAGAIN);
        }
        tty.master_queue.wake(&mut self.k.sched, POLLIN | POLLRDNORM);
        Ok(n as u64)
    }

    fn gather_some(&mut self, iov: &Iov, done: u64) -> Result<Vec<u8>> {
        let mut data = alloc::vec![0u8; (iov.len() - done).min(65536) as usize];
        iov.gather(self.m, done, &mut data)?;
        Ok(data)
    }

    /// Reads what a terminal shows.
    ///
    /// # Errors
    /// `EAGAIN`, `EIO` when nobody has the terminal open any more, `EFAULT`.
    pub fn read_master(&mut self, tty: &Rc<Tty>, iov: &Iov) -> Result<u64> {
        if iov.is_empty() {
            return Ok(0);
        }
        let room = iov.len() as usize;
        let mut data = Vec::new();
        if tty.packet.get() {
            data.push(tty.status.take());
        }
        if data.first().is_none_or(|status| *status == 0) {
            data.extend(tty.discipline.borrow_mut().take_shown(room - data.len()));
            if data.len() == usize::from(tty.packet.get()) {
                return Err(if tty.closed.get() { Errno::EIO } else { Errno::EAGAIN });
            }
        }
        iov.scatter(self.m, 0, &data)?;
        tty.queue.wake(&mut self.k.sched, POLLOUT | POLLWRNORM);
        Ok(data.len() as u64)
    }

    /// Types into a terminal.
    ///
    /// # Errors
    /// `EAGAIN`, `EFAULT`.
    pub fn write_master(&mut self, tty: &Rc<Tty>, iov: &Iov, done: u64) -> Result<u64> {
        let data = self.gather_some(iov, done)?;
        let n = tty.discipline.borrow_mut().type_in(&data);
        self.k.pump(tty);
        if n == 0 && !data.is_empty() { Err(Errno::EAGAIN) } else { Ok(n as u64) }
    }

    /// `ioctl` of a terminal or its master.
    pub fn tty_ioctl(&mut self, file: &FileRef, tty: &Rc<Tty>, master: bool, cmd: u32, arg: u64) -> Answer {
        if !master && tty.hung_up.get() {
            return Err(if cmd == TIOCSPGRP { Errno::ENOTTY } else { Errno::EIO }.into());
        }
        match cmd {
            0x5401 | 0x5405 | 0x802c_542a => self.get_settings(tty, cmd, arg),
            0x5402..=0x5404 | 0x5406..=0x5408 | 0x402c_542b..=0x402c_542d => self.change_settings(tty, cmd, arg),
            // TCSBRK, TCSBRKP: there is nothing to break, and output has always been shown.
            0x5409 | 0x5425 | 0x5427 | 0x5428 => {
                self.tty_check(tty, SIGTTOU)?;
                Ok(0)
            }
            0x540a => self.flow(tty, arg),
            0x540b => {
                self.tty_check(tty, SIGTTOU)?;
                self.flush(tty, arg)
            }
            // TIOCEXCL, TIOCNXCL, TIOCGEXCL
            0x540c | 0x540d => {
                tty.exclusive[usize::from(master)].set(cmd == 0x540c);
                Ok(0)
            }
            0x8004_5440 => self.put_int(arg, u32::from(tty.exclusive[usize::from(master)].get())),
            // TIOCGLCKTRMIOS, TIOCSLCKTRMIOS
            0x5456 => {
                self.m.write(arg, &tty.locks.get().bytes()[..TERMIOS])?;
                Ok(0)
            }
            0x5457 => {
                if !self.proc().cred.capable(CAP_SYS_ADMIN) {
                    return Err(Errno::EPERM.into());
                }
                tty.locks.set(Termios::NOTHING.read(&mem::bytes(self.m, arg, TERMIOS)?));
                Ok(0)
            }
            // TIOCOUTQ: output has always been shown.
            0x5411 => self.put_int(arg, 0),
            // TIOCSTI, disabled as Linux has it since 6.2.
            0x5412 => Err(Errno::EIO.into()),
            0x5413 => {
                let size = tty.size.get();
                size.iter().fold(Struct::new(), |s, n| s.u16(*n)).put(self.m, arg)?;
                Ok(0)
            }
            0x5414 => self.resize(tty, arg),
            0x541b => {
                let d = tty.discipline.borrow();
                let n = if master { d.shown() } else { d.readable() };
                drop(d);
                self.put_int(arg, n as u32)
            }
            // TIOCSETD, TIOCGETD: only the line discipline of terminals.
            0x5423 => match mem::u32(self.m, arg)? {
                0 => Ok(0),
                _ => Err(Errno::EINVAL.into()),
            },
            0x5424 => self.put_int(arg, 0),
            0x540e | TIOCSPGRP | 0x540f | 0x5422 | 0x5429 => self.job_control(file, tty, master, cmd, arg),
            _ if master => self.master_ioctl(tty, cmd, arg),
            _ => Err(Errno::ENOTTY.into()),
        }
    }

    fn put_int(&mut self, addr: u64, value: u32) -> Answer {
        self.m.write(addr, &value.to_le_bytes())?;
        Ok(0)
    }

    fn get_settings(&mut self, tty: &Rc<Tty>, cmd: u32, arg: u64) -> Answer {
        let t = tty.discipline.borrow().termios;
        let out = match cmd {
            0x5401 => t.bytes()[..TERMIOS].to_vec(),
            0x5405 => t.old_bytes(),
            _ => t.bytes(),
        };
        self.m.write(arg, &out)?;
        Ok(0)
    }

    fn change_settings(&mut self, tty: &Rc<Tty>, cmd: u32, arg: u64) -> Answer {
        self.tty_check(tty, SIGTTOU)?;
        let old = tty.discipline.borrow().termios;
        let new = match cmd {
            0x5402..=0x5404 => old.read(&mem::bytes(self.m, arg, TERMIOS)?),
            0x5406..=0x5408 => old.read_old(&mem::array(self.m, arg)?),
            _ => old.read(&mem::bytes(self.m, arg, TERMIOS + 8)?),
        };
        if matches!(cmd, 0x5404 | 0x5408 | 0x402c_542d) {
            tty.discipline.borrow_mut().flush_all_input();
        }
        tty.discipline.borrow_mut().set(old.changed(&new, &tty.locks.get()));
        tty.tell(PKT_IOCTL);
        // What was typed may be looked at now, and waiting readers look again under the new settings.
        self.k.pump(tty);
        tty.queue.wake(&mut self.k.sched, POLLIN | POLLOUT);
        if tty.packet.get() {
            tty.master_queue.wake(&mut self.k.sched, POLLIN | POLLPRI);
        }
        Ok(0)
    }

    /// TCXONC (`tcflow(3)`).
    fn flow(&mut self, tty: &Rc<Tty>, arg: u64) -> Answer {
        self.tty_check(tty, SIGTTOU)?;
        match arg {
            0 => tty.discipline.borrow_mut().stopped = true,
            1 => {
                tty.discipline.borrow_mut().stopped = false;
                tty.queue.wake(&mut self.k.sched, POLLOUT | POLLWRNORM);
            }
            // A stop or start character to be sent: it would be shown.
            2 | 3 => {
                let t = tty.discipline.borrow().termios;
                let c = t.cc[if arg == 2 { 9 } else { 8 }];
                if c != 0 {
                    tty.discipline.borrow_mut().write(&[c]);
                    tty.master_queue.wake(&mut self.k.sched, POLLIN);
                }
            }
            _ => return Err(Errno::EINVAL.into()),
        }
        Ok(0)
    }

    /// TCFLSH (`tcflush(3)`).
    fn flush(&mut self, tty: &Rc<Tty>, arg: u64) -> Answer {
        if arg > 2 {
            return Err(Errno::EINVAL.into());
        }
        if arg != 1 {
            tty.discipline.borrow_mut().flush_all_input();
            tty.tell(PKT_FLUSHREAD);
            tty.master_queue.wake(&mut self.k.sched, POLLOUT | POLLWRNORM);
        }
        if arg != 0 {
            tty.discipline.borrow_mut().flush_output();
            tty.tell(PKT_FLUSHWRITE);
            tty.queue.wake(&mut self.k.sched, POLLOUT | POLLWRNORM);
        }
        Ok(0)
    }

    fn resize(&mut self, tty: &Rc<Tty>, arg: u64) -> Answer {
        let raw: [u8; 8] = mem::array(self.m, arg)?;
        let size: [u16; 4] = core::array::from_fn(|i| u16::from_le_bytes([raw[i * 2], raw[i * 2 + 1]]));
        if tty.size.replace(size) != size {
            self.k.signal_group(self.host_id(), tty.group.get(), SIGWINCH);
        }
        Ok(0)
    }

    fn job_control(&mut self, file: &FileRef, tty: &Rc<Tty>, master: bool, cmd: u32, arg: u64) -> Answer {
        let p = self.proc();
        let (mine, leads, host) = (same(&p.tty, tty), p.sid == p.pid, p.host);
        match cmd {
            // TIOCSCTTY
            0x540e => {
                if leads && tty.session.get() == Some(p.sid) {
                    return Ok(0);
                }
                if !leads || p.tty.is_some() {
                    return Err(Errno::EPERM.into());
                }
                let strong = p.cred.capable(CAP_SYS_ADMIN);
                if let Some(sid) = tty.session.get() {
                    if arg != 1 || !strong {
                        return Err(Errno::EPERM.into());
                    }
                    self.k.clear_session(host, sid);
                }
                if !file.readable() && !strong {
                    return Err(Errno::EPERM.into());
                }
                self.take_terminal(tty);
                Ok(0)
            }
            // TIOCNOTTY
            0x5422 => {
                if !mine {
                    return Err(Errno::ENOTTY.into());
                }
                let id = p.id;
                self.k.leave_terminal(id, false);
                self.proc_mut().tty = None;
                Ok(0)
            }
            // The master asks of its terminal, whoever's it is.
            _ if !master && !mine => Err(Errno::ENOTTY.into()),
            0x540f => self.put_int(arg, tty.group.get()),
            0x5429 => match tty.session.get() {
                Some(sid) => self.put_int(arg, sid),
                None => Err(Errno::ENOTTY.into()),
            },
            _ => self.set_foreground(tty, mine, arg),
        }
    }

    /// TIOCSPGRP (`tcsetpgrp(3)`).
    fn set_foreground(&mut self, tty: &Rc<Tty>, mine: bool, arg: u64) -> Answer {
        match self.tty_check(tty, SIGTTOU) {
            Err(Stop::Errno(Errno::EIO)) => return Err(Errno::ENOTTY.into()),
            other => other?,
        }
        let (sid, host) = (self.proc().sid, self.host_id());
        if !mine || tty.session.get() != Some(sid) {
            return Err(Errno::ENOTTY.into());
        }
        let group = mem::u32(self.m, arg)?;
        if (group as i32) < 0 {
            return Err(Errno::EINVAL.into());
        }
        let pids = &self.k.host(host).pids;
        let member = pids.values().find(|p| self.k.proc(**p).pgid == group).ok_or(Errno::ESRCH)?;
        if self.k.proc(*member).sid != sid {
            return Err(Errno::EPERM.into());
        }
        tty.group.set(group);
        Ok(0)
    }

    fn master_ioctl(&mut self, tty: &Rc<Tty>, cmd: u32, arg: u64) -> Answer {
        match cmd {
            // TIOCPKT, TIOCGPKT
            0x5420 => {
                let on = mem::u32(self.m, arg)? != 0;
                if on && !tty.packet.get() {
                    tty.status.set(0);
                }
                tty.packet.set(on);
                Ok(0)
            }
            0x8004_5438 => self.put_int(arg, u32::from(tty.packet.get())),
            // TIOCGPTN
            0x8004_5430 => self.put_int(arg, tty.index),
            // TIOCSPTLCK, TIOCGPTLCK
            0x4004_5431 => {
                tty.locked.set(mem::u32(self.m, arg)? != 0);
                Ok(0)
            }
            0x8004_5439 => self.put_int(arg, u32::from(tty.locked.get())),
            // TIOCSIG
            0x4004_5436 => {
                if !matches!(arg as u32, SIGINT | SIGQUIT | SIGTSTP) {
                    return Err(Errno::EINVAL.into());
                }
                self.k.signal_group(self.host_id(), tty.group.get(), arg as u32);
                Ok(0)
            }
            // TIOCGPTPEER
            0x5441 => self.open_peer(tty, arg as u32),
            _ => Err(Errno::ENOTTY.into()),
        }
    }

    /// Opens the terminal by its master, whatever is mounted where.
    fn open_peer(&mut self, tty: &Rc<Tty>, flags: u32) -> Answer {
        let dir = self.k.host(self.host_id()).ttys.dir.clone();
        let name = tty.index.to_string().into_bytes();
        let node = dir.lookup(&name, self.m)?;
        let kind = self.open_terminal(Some(tty.index), flags)?;
        let id = self.k.next_file;
        self.k.next_file += 1;
        let status = flags & (O_ACCMODE | O_NONBLOCK | O_APPEND) | O_LARGEFILE;
        let mut file = OpenFile::new(kind, status, id, &self.k.graveyard);
        file.inode = Some(node);
        file.name = Some((dir, name));
        Ok(i64::from(self.install(Rc::new(file), flags & O_CLOEXEC != 0)?))
    }
}

const TIOCSPGRP: u32 = 0x5410;
