//! Process, group and session ids.

use crate::task::ProcId;
use crate::{Answer, Cx};
use snowglobe_abi::errno::{Errno, Result};

pub fn getpid(cx: &mut Cx) -> Answer {
    Ok(i64::from(cx.proc().pid))
}

pub fn gettid(cx: &mut Cx) -> Answer {
    Ok(i64::from(cx.me().tid))
}

pub fn getppid(cx: &mut Cx) -> Answer {
    Ok(cx.proc().parent.map_or(0, |p| i64::from(cx.k.proc(p).pid)))
}

impl Cx<'_> {
    /// The process with an id, 0 being the caller.
    ///
    /// # Errors
    /// `ESRCH`.
    pub fn process(&self, pid: u32) -> Result<ProcId> {
        if pid == 0 {
            return Ok(self.proc().id);
        }
        self.k.host_of(self.task).pids.get(&pid).copied().ok_or(Errno::ESRCH)
    }
}

pub fn getpgid(cx: &mut Cx) -> Answer {
    let id = cx.process(cx.uint(0))?;
    Ok(i64::from(cx.k.proc(id).pgid))
}

pub fn getpgrp(cx: &mut Cx) -> Answer {
    Ok(i64::from(cx.proc().pgid))
}

pub fn getsid(cx: &mut Cx) -> Answer {
    let id = cx.process(cx.uint(0))?;
    Ok(i64::from(cx.k.proc(id).sid))
}

pub fn setpgid(cx: &mut Cx) -> Answer {
    if cx.int(1) < 0 || cx.int(1) == 0 && cx.int(0) < 0 {
        return Err(Errno::EINVAL.into());
    }
    let id = cx.process(cx.uint(0))?;
    let me = cx.proc().id;
    let target = cx.k.proc(id);
    if id != me {
        if target.parent != Some(me) {
            return Err(Errno::ESRCH.into());
        }
        if target.sid != cx.proc().sid {
            return Err(Errno::EPERM.into());
        }
        if target.execed {
            return Err(Errno::EACCES.into());
        }
    }
    if target.sid == target.pid {
        return Err(Errno::EPERM.into());
    }
    let group = if cx.uint(1) == 0 { target.pid } else { cx.uint(1) };
    if group != target.pid {
        let sid = target.sid;
        let host = cx.k.host_of(cx.task);
        let known = host.pids.values().any(|p| cx.k.proc(*p).pgid == group && cx.k.proc(*p).sid == sid);
        if !known {
            return Err(Errno::EPERM.into());
        }
    }
    cx.k.proc_mut(id).pgid = group;
    Ok(0)
}

pub fn setsid(cx: &mut Cx) -> Answer {
    let pid = cx.proc().pid;
    let leads = cx.k.host_of(cx.task).pids.values().any(|p| cx.k.proc(*p).pgid == pid);
    if leads {
        return Err(Errno::EPERM.into());
    }
    let proc = cx.proc_mut();
    proc.sid = pid;
    proc.pgid = pid;
    proc.tty = None;
    Ok(i64::from(pid))
}
