//! Waiting for children (`wait(2)`).

use crate::life::exit_code;
use crate::mem::Struct;
use crate::task::{ProcId, Report};
use crate::uapi::*;
use crate::wait::{Kind, Wait};
use crate::{Answer, Cx};
use snowglobe_abi::errno::{Errno, Result};

/// Which children.
#[derive(Clone, Copy, Debug)]
pub enum Which {
    /// Any.
    Any,
    /// This process.
    Pid(u32),
    /// Those of this group.
    Group(u32),
    /// This process, whatever its id becomes.
    Proc(ProcId),
}

/// What a waiter wants.
#[derive(Clone, Copy, Debug)]
pub struct WaitFor {
    which: Which,
    options: u32,
    /// `wstatus` or `siginfo_t`.
    out: u64,
    /// `struct rusage`, or 0.
    rusage: u64,
    /// Whether `out` is a `siginfo_t` (waitid).
    info: bool,
}

pub fn wait4(cx: &mut Cx) -> Answer {
    let (pid, options) = (cx.int(0), cx.uint(2));
    if options & !(WNOHANG | WUNTRACED | WCONTINUED | __WNOTHREAD | __WALL | __WCLONE) != 0 {
        return Err(Errno::EINVAL.into());
    }
    let which = match pid {
        -1 => Which::Any,
        0 => Which::Group(cx.proc().pgid),
        i32::MIN => return Err(Errno::ESRCH.into()),
        p if p < 0 => Which::Group(p.unsigned_abs()),
        p => Which::Pid(p as u32),
    };
    cx.wait_children(WaitFor { which, options: options | WEXITED, out: cx.args[1], rusage: cx.args[3], info: false })
}

pub fn waitid(cx: &mut Cx) -> Answer {
    let (kind, id, options) = (cx.uint(0), cx.uint(1), cx.uint(3));
    if options & !(WNOHANG | WNOWAIT | WEXITED | WSTOPPED | WCONTINUED | __WNOTHREAD | __WALL | __WCLONE) != 0
        || options & (WEXITED | WSTOPPED | WCONTINUED) == 0
    {
        return Err(Errno::EINVAL.into());
    }
    let which = match kind {
        0 => Which::Any,
        1 if id as i32 > 0 => Which::Pid(id),
        2 if id == 0 => Which::Group(cx.proc().pgid),
        2 if id as i32 > 0 => Which::Group(id),
        3 => {
            let file = cx.file_of(id as i32)?;
            let crate::fs::file::FileKind::Pid(proc) = file.kind else { return Err(Errno::EBADF.into()) };
            // pidfd_open(2): with PIDFD_NONBLOCK, EAGAIN instead of waiting.
            if file.nonblocking() {
                let what =
                    WaitFor { which: Which::Proc(proc), options, out: cx.args[2], rusage: cx.args[4], info: true };
                return Ok(cx.wait_now(&what)?.ok_or(Errno::EAGAIN)?);
            }
            Which::Proc(proc)
        }
        _ => return Err(Errno::EINVAL.into()),
    };
    cx.wait_children(WaitFor { which, options, out: cx.args[2], rusage: cx.args[4], info: true })
}

impl Cx<'_> {
    fn wait_children(&mut self, what: WaitFor) -> Answer {
        if let Some(value) = self.wait_now(&what)? {
            return Ok(value);
        }
        if what.options & WNOHANG != 0 {
            if what.info && what.out != 0 {
                crate::mem::zero(self.m, what.out, 128)?;
            }
            return Ok(0);
        }
        Err(Wait::new(Kind::Child(what)).stop())
    }

    /// The answer, if some child has something to report.
    ///
    /// # Errors
    /// `ECHILD` when there is nobody to wait for.
    pub fn wait_now(&mut self, what: &WaitFor) -> Result<Option<i64>> {
        let mut any = false;
        let children = self.proc().children.clone();
        for id in children {
            let child = self.k.proc(id);
            let fits = match what.which {
                Which::Any => true,
                Which::Pid(pid) => child.pid == pid,
                Which::Group(group) => child.pgid == group,
                Which::Proc(proc) => id == proc,
            };
            // A "clone child" is one that sends another signal than SIGCHLD (wait(2)).
            let clone_child = child.exit_signal != SIGCHLD;
            let kind = what.options & __WALL != 0 || clone_child == (what.options & __WCLONE != 0);
            if !fits || !kind {
                continue;
            }
            any = true;
            if let Some(status) = child.status {
                if what.options & WEXITED != 0 {
                    return self.report_child(what, id, status, true).map(Some);
                }
                continue;
            }
            let report = match child.report {
                Some(Report::Stopped(signal)) if what.options & WSTOPPED != 0 => Some(signal << 8 | 0x7f),
                Some(Report::Continued) if what.options & WCONTINUED != 0 => Some(0xffff),
                _ => None,
            };
            if let Some(status) = report {
                return self.report_child(what, id, status, false).map(Some);
            }
        }
        if any { Ok(None) } else { Err(Errno::ECHILD) }
    }

    fn report_child(&mut self, what: &WaitFor, id: ProcId, status: u32, ended: bool) -> Result<i64> {
        let child = self.k.proc(id);
        let (pid, uid) = (child.pid, child.cred.uid);
        let cpu = self.k.process_cpu(id) + child.children_cpu;
        if what.rusage != 0 {
            super::misc::rusage(cpu, child.max_rss.max(child.children_rss)).put(self.m, what.rusage)?;
        }
        if what.out != 0 {
            if what.info {
                let (code, value) = match status {
                    s if s & 0xff == 0x7f => (CLD_STOPPED, s >> 8),
                    0xffff => (CLD_CONTINUED, SIGCONT),
                    s => exit_code(s),
                };
                let out = Struct::new().u32(SIGCHLD).u32(0).u32(code).u32(0).u32(pid).u32(uid).u32(value);
                out.pad(128).put(self.m, what.out)?;
            } else {
                self.m.write(what.out, &status.to_le_bytes())?;
            }
        }
        if what.options & WNOWAIT == 0 {
            if ended {
                self.k.reap(id);
            } else {
                self.k.proc_mut(id).report = None;
            }
        }
        Ok(if what.info { 0 } else { i64::from(pid) })
    }
}
