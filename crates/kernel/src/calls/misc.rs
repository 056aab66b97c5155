//! The system's name, resources, scheduling knobs, random bytes.

use crate::life::INFINITY;
use crate::mem::{self, Struct};
use crate::task::{Task, TaskId};
use crate::time::SECOND;
use crate::uapi::*;
use crate::{Answer, Cx};
use alloc::vec::Vec;
use snowglobe_abi::errno::{Errno, Result};

/// The kernel version that guests see: the long-term release of Debian 12.
pub const RELEASE: &str = "6.1.0-snowglobe";
/// `uname -v`.
pub const VERSION: &str = "#1 SMP PREEMPT_DYNAMIC Snowglobe";

pub fn uname(cx: &mut Cx) -> Answer {
    let host = cx.k.host_of(cx.task);
    // personality(2): PER_LINUX32.
    let machine = if cx.proc().personality & 0xff == 8 { "i686" } else { "x86_64" };
    let fields = ["Linux", &host.hostname, RELEASE, VERSION, machine, &host.domainname];
    let mut out = Vec::with_capacity(390);
    for field in fields {
        let end = out.len() + 65;
        out.extend_from_slice(&field.as_bytes()[..field.len().min(64)]);
        out.resize(end, 0);
    }
    cx.m.write(cx.args[0], &out)?;
    Ok(0)
}

pub fn sethostname(cx: &mut Cx) -> Answer {
    set_name(cx, |host, name| host.hostname = name)
}

pub fn setdomainname(cx: &mut Cx) -> Answer {
    set_name(cx, |host, name| host.domainname = name)
}

fn set_name(cx: &mut Cx, set: impl FnOnce(&mut crate::task::Host, alloc::string::String)) -> Answer {
    if !cx.proc().cred.capable(CAP_SYS_ADMIN) {
        return Err(Errno::EPERM.into());
    }
    if cx.args[1] > 64 {
        return Err(Errno::EINVAL.into());
    }
    let name = mem::bytes(cx.m, cx.args[0], cx.args[1] as usize)?;
    let host = cx.proc().host;
    set(cx.k.host_mut(host), mem::text(&name));
    Ok(0)
}

pub fn sysinfo(cx: &mut Cx) -> Answer {
    let host = cx.proc().host;
    let (total, free) = (cx.k.memory_shown(host), cx.k.memory_free(host));
    let tasks = cx.k.host_of(cx.task).tasks as u16;
    let up = cx.k.monotonic() / SECOND;
    let out = Struct::new().u64(up).u64(0).u64(0).u64(0).u64(total).u64(free).u64(0).u64(0).u64(0).u64(0);
    out.u16(tasks).u16(0).u32(0).u64(0).u64(0).u32(1).pad(112).put(cx.m, cx.args[0])?;
    Ok(0)
}

pub fn getrandom(cx: &mut Cx) -> Answer {
    if cx.uint(2) & !7 != 0 || cx.uint(2) & 6 == 6 {
        return Err(Errno::EINVAL.into());
    }
    let len = cx.args[1].min(i32::MAX as u64);
    let mut done = 0;
    let mut buf = [0u8; 256];
    while done < len {
        let n = (len - done).min(256) as usize;
        cx.k.random.fill(&mut buf[..n]);
        cx.m.write(cx.args[0] + done, &buf[..n])?;
        done += n as u64;
    }
    Ok(len as i64)
}

pub fn arch_prctl(cx: &mut Cx) -> Answer {
    const SET_GS: u32 = 0x1001;
    const SET_FS: u32 = 0x1002;
    const GET_FS: u32 = 0x1003;
    const GET_GS: u32 = 0x1004;
    const GET_CPUID: u32 = 0x1011;
    const SET_CPUID: u32 = 0x1012;
    let addr = cx.args[1];
    match cx.uint(0) {
        SET_FS if addr < 1 << 47 => {
            cx.m.set_fs_base(addr);
            Ok(0)
        }
        SET_FS => Err(Errno::EPERM.into()),
        GET_FS => {
            let base = cx.m.fs_base();
            cx.m.write(addr, &base.to_le_bytes())?;
            Ok(0)
        }
        // The gs base is the layer's.
        SET_GS => {
            cx.k.note_unsupported(158, "arch_prctl ARCH_SET_GS", 0);
            Err(Errno::EPERM.into())
        }
        GET_GS => {
            cx.m.write(addr, &0u64.to_le_bytes())?;
            Ok(0)
        }
        GET_CPUID => Ok(1),
        SET_CPUID => Err(Errno::ENODEV.into()),
        _ => Err(Errno::EINVAL.into()),
    }
}

pub fn prctl(cx: &mut Cx) -> Answer {
    let (op, arg) = (cx.uint(0), cx.args[1]);
    match op {
        1 => {
            if arg > u64::from(SIGMAX) {
                return Err(Errno::EINVAL.into());
            }
            cx.proc_mut().pdeath_signal = arg as u32;
            Ok(0)
        }
        2 => {
            let signal = cx.proc().pdeath_signal;
            cx.m.write(arg, &signal.to_le_bytes())?;
            Ok(0)
        }
        3 => Ok(i64::from(cx.proc().dumpable)),
        4 => {
            if arg > 1 {
                return Err(Errno::EINVAL.into());
            }
            cx.proc_mut().dumpable = arg as u32;
            Ok(0)
        }
        7 => Ok(i64::from(cx.proc().cred.secure_bits & SECURE_KEEP_CAPS != 0)),
        8 => {
            let bits = cx.proc().cred.secure_bits;
            if arg > 1 {
                return Err(Errno::EINVAL.into());
            }
            if bits & SECURE_KEEP_CAPS << 1 != 0 {
                return Err(Errno::EPERM.into());
            }
            let keep = if arg == 1 { SECURE_KEEP_CAPS } else { 0 };
            cx.proc_mut().cred.secure_bits = bits & !SECURE_KEEP_CAPS | keep;
            Ok(0)
        }
        // PR_GET_TIMING, PR_SET_TIMING: there is only the statistical one.
        13 => Ok(0),
        14 if arg == 0 => Ok(0),
        14 => Err(Errno::EINVAL.into()),
        15 => {
            let name = match mem::c_string(cx.m, arg, 16, Errno::E2BIG) {
                Ok(name) => name,
                Err(Errno::E2BIG) => mem::bytes(cx.m, arg, 15)?,
                Err(e) => return Err(e.into()),
            };
            cx.me_mut().comm = mem::text(&name);
            Ok(0)
        }
        16 => {
            let mut name = cx.me().comm.clone().into_bytes();
            name.resize(16, 0);
            cx.m.write(arg, &name)?;
            Ok(0)
        }
        // PR_CAPBSET_READ, PR_CAPBSET_DROP
        23 | 24 => {
            if arg > 40 {
                return Err(Errno::EINVAL.into());
            }
            let bit = 1u64 << arg;
            if op == 23 {
                return Ok(i64::from(cx.proc().cred.caps[3] & bit != 0));
            }
            if !cx.proc().cred.capable(8) {
                return Err(Errno::EPERM.into());
            }
            cx.proc_mut().cred.caps[3] &= !bit;
            Ok(0)
        }
        // PR_GET_SECCOMP, PR_SET_SECCOMP
        21 => Ok(i64::from(cx.me().seccomp.as_ref().map_or(0, |s| s.mode()))),
        22 => match arg {
            1 => cx.seccomp_strict(),
            2 => cx.seccomp_filter(0, cx.args[2]),
            _ => Err(Errno::EINVAL.into()),
        },
        // PR_GET_SECUREBITS, PR_SET_SECUREBITS
        27 => Ok(i64::from(cx.proc().cred.secure_bits)),
        28 => cx.set_secure_bits(arg),
        29 => {
            let p = cx.proc_mut();
            p.timer_slack = if arg == 0 { p.default_slack } else { arg };
            Ok(0)
        }
        30 => Ok(cx.proc().timer_slack as i64),
        // PR_SET_MM is for checkpoint tools; PR_SET_PTRACER and PR_SET_VMA only matter to outsiders.
        35 => Err(Errno::EPERM.into()),
        0x5961_6d61 | 0x5356_4d41 => Ok(0),
        36 => {
            cx.proc_mut().subreaper = arg != 0;
            Ok(0)
        }
        37 => {
            let on = u32::from(cx.proc().subreaper);
            cx.m.write(arg, &on.to_le_bytes())?;
            Ok(0)
        }
        38 => {
            if arg != 1 || cx.args[2] | cx.args[3] | cx.args[4] != 0 {
                return Err(Errno::EINVAL.into());
            }
            cx.proc_mut().no_new_privs = true;
            Ok(0)
        }
        39 | 42 if arg | cx.args[2] | cx.args[3] | cx.args[4] != 0 => Err(Errno::EINVAL.into()),
        41 if cx.args[2] | cx.args[3] | cx.args[4] != 0 => Err(Errno::EINVAL.into()),
        39 => Ok(i64::from(cx.proc().no_new_privs)),
        40 => {
            let addr = cx.me().clear_child_tid;
            cx.m.write(arg, &addr.to_le_bytes())?;
            Ok(0)
        }
        // PR_SET_THP_DISABLE, PR_GET_THP_DISABLE
        41 => {
            cx.proc_mut().no_huge_pages = arg != 0;
            Ok(0)
        }
        42 => Ok(i64::from(cx.proc().no_huge_pages)),
        47 if cx.args[3] | cx.args[4] != 0 || arg == 4 && cx.args[2] != 0 => Err(Errno::EINVAL.into()),
        47 => cx.ambient_caps(arg as u32, cx.args[2]),
        _ => {
            let name = alloc::format!("prctl {op}");
            let site = cx.m.call_site();
            cx.k.note_unsupported(157, &name, site);
            Err(Errno::EINVAL.into())
        }
    }
}

impl Cx<'_> {
    /// PR_SET_SECUREBITS: bits come in pairs, of which the second locks the first for good.
    fn set_secure_bits(&mut self, new: u64) -> Answer {
        const CAP_SETPCAP: u32 = 8;
        const LOCKS: u64 = 0xaa;
        let cred = &mut self.proc_mut().cred;
        let old = u64::from(cred.secure_bits);
        let locked = (old & LOCKS) >> 1;
        if locked & (old ^ new) != 0 || old & LOCKS & !new != 0 || new > 0xff || !cred.capable(CAP_SETPCAP) {
            return Err(Errno::EPERM.into());
        }
        cred.secure_bits = new as u32;
        Ok(0)
    }

    fn ambient_caps(&mut self, op: u32, cap: u64) -> Answer {
        if op != 4 && cap > 40 {
            return Err(Errno::EINVAL.into());
        }
        let c = &mut self.proc_mut().cred;
        let bit = 1u64.checked_shl(cap as u32).unwrap_or(0);
        match op {
            1 => Ok(i64::from(c.caps[4] & bit != 0)),
            2 if c.caps[1] & c.caps[2] & bit == 0 || c.secure_bits & SECURE_NO_CAP_AMBIENT_RAISE != 0 => {
                Err(Errno::EPERM.into())
            }
            2 => {
                c.caps[4] |= bit;
                Ok(0)
            }
            3 => {
                c.caps[4] &= !bit;
                Ok(0)
            }
            4 => {
                c.caps[4] = 0;
                Ok(0)
            }
            _ => Err(Errno::EINVAL.into()),
        }
    }

    fn limit(&mut self, pid: u32, which: u32, new: u64, old: u64) -> Answer {
        if which >= 16 {
            return Err(Errno::EINVAL.into());
        }
        let id = self.process(pid)?;
        let before = self.k.proc(id).limits[which as usize];
        if new != 0 {
            let raw: [u8; 16] = mem::array(self.m, new)?;
            let (soft, hard) = (mem::field64(&raw, 0), mem::field64(&raw, 8));
            if soft > hard {
                return Err(Errno::EINVAL.into());
            }
            let raises = hard > before.1;
            if raises && !self.proc().cred.capable(CAP_SYS_RESOURCE) || which == RLIMIT_NOFILE && hard > 1 << 20 {
                return Err(Errno::EPERM.into());
            }
            self.k.proc_mut(id).limits[which as usize] = (soft, hard);
            self.k.cpu_limits |= which == RLIMIT_CPU && soft != INFINITY;
        }
        if old != 0 {
            Struct::new().u64(before.0).u64(before.1).put(self.m, old)?;
        }
        Ok(0)
    }
}

pub fn getrlimit(cx: &mut Cx) -> Answer {
    cx.limit(0, cx.uint(0), 0, cx.args[1].max(1))
}

pub fn setrlimit(cx: &mut Cx) -> Answer {
    cx.limit(0, cx.uint(0), cx.args[1].max(1), 0)
}

pub fn prlimit64(cx: &mut Cx) -> Answer {
    cx.limit(cx.uint(0), cx.uint(1), cx.args[2], cx.args[3])
}

/// `struct rusage` for a CPU time and a memory peak in bytes. All CPU time counts as user time.
pub fn rusage(cpu: u64, max_rss: u64) -> Struct {
    Struct::new().u64(cpu / SECOND).u64(cpu % SECOND / 1000).u64(0).u64(0).u64(max_rss / 1024).pad(144)
}

pub fn getrusage(cx: &mut Cx) -> Answer {
    let proc = cx.proc();
    let own = cx.k.max_rss(proc.id);
    let (cpu, rss) = match cx.int(0) {
        0 => (cx.k.process_cpu(proc.id), own),
        -1 => (proc.children_cpu, proc.children_rss),
        1 => (cx.me().cpu_time, own),
        _ => return Err(Errno::EINVAL.into()),
    };
    rusage(cpu, rss).put(cx.m, cx.args[1])?;
    Ok(0)
}

// Scheduling: knobs are kept and shown, and change nothing: who runs is the seed's to say.

impl Cx<'_> {
    fn sched_target(&self, tid: u32) -> Result<TaskId> {
        if (tid as i32) < 0 { Err(Errno::EINVAL) } else { self.any_thread(tid) }
    }

    /// A thread of the caller's host; 0 is the caller.
    fn any_thread(&self, tid: u32) -> Result<TaskId> {
        match tid {
            0 => Ok(self.task),
            tid => self.k.host_of(self.task).tids.get(&tid).copied().ok_or(Errno::ESRCH),
        }
    }

    /// Whether the caller may say how a thread is scheduled: it runs as the thread's effective or real user.
    fn may_schedule(&self, task: TaskId) -> bool {
        let (me, other) = (&self.proc().cred, &self.k.proc_of(task).cred);
        me.euid == other.euid || me.euid == other.uid || me.capable(CAP_SYS_NICE)
    }

    /// getrlimit(2), RLIMIT_NICE: how nice a thread may become, as 20 less that, without the right to decide.
    fn may_be_as_nice(&self, task: TaskId, nice: i32) -> bool {
        let limit = self.k.proc_of(task).limits[RLIMIT_NICE as usize].0;
        (20 - nice) as u64 <= limit || self.proc().cred.capable(CAP_SYS_NICE)
    }

    /// sched(7), privileges and resource limits: whether a thread may have this policy without the right to decide.
    fn may_follow(&self, task: TaskId, policy: u32, priority: u32) -> bool {
        let t = self.k.task(task);
        let [new, old] = [policy, t.policy.0].map(|policy| policy & !RESET_ON_FORK);
        let highest = self.k.proc_of(task).limits[RLIMIT_RTPRIO as usize].0;
        let real_time_fits = match new {
            SCHED_FIFO | SCHED_RR => {
                (new == old || highest > 0) && (priority <= t.policy.1 || u64::from(priority) <= highest)
            }
            SCHED_DEADLINE => false,
            _ => true,
        };
        let leaves_idle = old == SCHED_IDLE && new != SCHED_IDLE;
        let drops_reset = t.policy.0 & !policy & RESET_ON_FORK != 0;
        real_time_fits && !drops_reset && (!leaves_idle || self.may_be_as_nice(task, t.nice))
    }

    fn cpu_mask(&self) -> u64 {
        let cpus = self.k.spec.knobs.cpus;
        if cpus >= 64 { u64::MAX } else { (1 << cpus) - 1 }
    }
}

pub fn sched_yield(cx: &mut Cx) -> Answer {
    // The end of the turn: everybody else who could run runs first.
    cx.k.end_turn();
    cx.k.give_way(cx.task);
    Ok(0)
}

pub fn sched_getaffinity(cx: &mut Cx) -> Answer {
    if cx.args[1] < 8 || !cx.args[1].is_multiple_of(8) {
        return Err(Errno::EINVAL.into());
    }
    let task = cx.any_thread(cx.uint(0))?;
    let mask = cx.k.task(task).affinity & cx.cpu_mask();
    cx.m.write(cx.args[2], &mask.to_le_bytes())?;
    Ok(8)
}

pub fn sched_setaffinity(cx: &mut Cx) -> Answer {
    let mut raw = [0u8; 8];
    let n = cx.args[1].min(8) as usize;
    cx.m.read(cx.args[2], &mut raw[..n])?;
    let mask = u64::from_le_bytes(raw) & cx.cpu_mask();
    let task = cx.any_thread(cx.uint(0))?;
    if !cx.may_schedule(task) {
        return Err(Errno::EPERM.into());
    }
    if mask == 0 {
        return Err(Errno::EINVAL.into());
    }
    cx.k.task_mut(task).affinity = mask;
    Ok(0)
}

const SCHED_FIFO: u32 = 1;
const SCHED_RR: u32 = 2;
const SCHED_IDLE: u32 = 5;
const SCHED_DEADLINE: u32 = 6;
/// SCHED_RESET_ON_FORK, as `sched_setscheduler` has it.
const RESET_ON_FORK: u32 = 0x4000_0000;

fn priority_ok(policy: u32, priority: u32) -> bool {
    match policy & !RESET_ON_FORK {
        SCHED_FIFO | SCHED_RR => (1..=99).contains(&priority),
        0 | 3 | 5 => priority == 0,
        _ => false,
    }
}

impl Cx<'_> {
    fn set_policy(&mut self, tid: u32, policy: u32, priority: u32) -> Answer {
        let task = self.sched_target(tid)?;
        if !priority_ok(policy, priority) {
            return Err(Errno::EINVAL.into());
        }
        self.keep_policy(task, policy, priority)
    }

    /// Keeps a policy, if the caller may set it.
    fn keep_policy(&mut self, task: TaskId, policy: u32, priority: u32) -> Answer {
        let may = self.may_schedule(task) && self.may_follow(task, policy, priority);
        if !may && !self.proc().cred.capable(CAP_SYS_NICE) {
            return Err(Errno::EPERM.into());
        }
        self.k.task_mut(task).policy = (policy, priority);
        Ok(0)
    }

    /// The argument of a call that refuses a null pointer, and a negative id, before it looks further.
    fn sched_address(&self, i: usize) -> Result<u64> {
        if self.args[i] == 0 || self.int(0) < 0 { Err(Errno::EINVAL) } else { Ok(self.args[i]) }
    }
}

pub fn sched_setscheduler(cx: &mut Cx) -> Answer {
    if cx.int(1) < 0 {
        return Err(Errno::EINVAL.into());
    }
    let addr = cx.sched_address(2)?;
    let priority = mem::u32(cx.m, addr)?;
    cx.set_policy(cx.uint(0), cx.uint(1), priority)
}

pub fn sched_setparam(cx: &mut Cx) -> Answer {
    let addr = cx.sched_address(1)?;
    let priority = mem::u32(cx.m, addr)?;
    let task = cx.sched_target(cx.uint(0))?;
    let policy = cx.k.task(task).policy.0;
    cx.set_policy(cx.uint(0), policy, priority)
}

pub fn sched_getscheduler(cx: &mut Cx) -> Answer {
    let task = cx.sched_target(cx.uint(0))?;
    Ok(i64::from(cx.k.task(task).policy.0))
}

pub fn sched_getparam(cx: &mut Cx) -> Answer {
    let addr = cx.sched_address(1)?;
    let task = cx.sched_target(cx.uint(0))?;
    let priority = cx.k.task(task).policy.1;
    cx.m.write(addr, &priority.to_le_bytes())?;
    Ok(0)
}

pub fn sched_get_priority_max(cx: &mut Cx) -> Answer {
    match cx.uint(0) {
        1 | 2 => Ok(99),
        0 | 3 | 5 | 6 => Ok(0),
        _ => Err(Errno::EINVAL.into()),
    }
}

pub fn sched_get_priority_min(cx: &mut Cx) -> Answer {
    match cx.uint(0) {
        1 | 2 => Ok(1),
        0 | 3 | 5 | 6 => Ok(0),
        _ => Err(Errno::EINVAL.into()),
    }
}

pub fn sched_rr_get_interval(cx: &mut Cx) -> Answer {
    let task = cx.sched_target(cx.uint(0))?;
    let slice = match cx.k.task(task).policy.0 & !RESET_ON_FORK {
        SCHED_RR => 100_000_000,
        SCHED_FIFO | SCHED_DEADLINE => 0,
        _ => 4_000_000,
    };
    super::time::put_timespec(cx.m, cx.args[1], slice)?;
    Ok(0)
}

pub fn sched_getattr(cx: &mut Cx) -> Answer {
    let addr = cx.sched_address(1)?;
    let size = cx.uint(2);
    if size < 48 || size > snowglobe_abi::map::PAGE as u32 || cx.uint(3) != 0 {
        return Err(Errno::EINVAL.into());
    }
    let task = cx.sched_target(cx.uint(0))?;
    let t = cx.k.task(task);
    let ((policy, priority), nice, [runtime, deadline, period]) = (t.policy, t.nice, t.deadline);
    let flags = u64::from(policy & RESET_ON_FORK != 0);
    let out = Struct::new().u32(48).u32(policy & !RESET_ON_FORK).u64(flags).u32(nice as u32).u32(priority);
    out.u64(runtime).u64(deadline).u64(period).put(cx.m, addr)?;
    Ok(0)
}

pub fn sched_setattr(cx: &mut Cx) -> Answer {
    const FLAG_RESET_ON_FORK: u64 = 1;
    let addr = cx.sched_address(1)?;
    if cx.uint(2) != 0 {
        return Err(Errno::EINVAL.into());
    }
    let raw: [u8; 48] = mem::array(cx.m, addr)?;
    let (policy, flags) = (mem::field32(&raw, 4), mem::field64(&raw, 8));
    let (nice, priority) = (mem::field32(&raw, 16) as i32, mem::field32(&raw, 20));
    let [runtime, deadline, period] = [24, 32, 40].map(|at| mem::field64(&raw, at));
    let task = cx.sched_target(cx.uint(0))?;
    let period = if period == 0 { deadline } else { period };
    let fits = match policy {
        // sched(7): times of less than 1024 ns are too short, and each part lies in the next.
        SCHED_DEADLINE => priority == 0 && runtime >= 1024 && runtime <= deadline && deadline <= period,
        _ => priority_ok(policy, priority) && policy & RESET_ON_FORK == 0,
    };
    if !fits {
        return Err(Errno::EINVAL.into());
    }
    let nice = nice.clamp(-20, 19);
    if nice < cx.k.task(task).nice && matches!(policy, 0 | 3) && !cx.may_be_as_nice(task, nice) {
        return Err(Errno::EPERM.into());
    }
    let reset = if flags & FLAG_RESET_ON_FORK != 0 { RESET_ON_FORK } else { 0 };
    cx.keep_policy(task, policy | reset, priority)?;
    let t = cx.k.task_mut(task);
    t.deadline = if policy == SCHED_DEADLINE { [runtime, deadline, period] } else { [0; 3] };
    if matches!(policy, 0 | 3) {
        t.nice = nice;
    }
    Ok(0)
}

/// The policy of a child of a thread with SCHED_RESET_ON_FORK: a real-time one is not inherited, and the flag never is.
pub fn policy_after_reset((policy, priority): (u32, u32)) -> (u32, u32) {
    match policy & !RESET_ON_FORK {
        SCHED_FIFO | SCHED_RR | SCHED_DEADLINE => (0, 0),
        other => (other, priority),
    }
}

impl crate::task::Task {
    /// Whether a child begins with the usual policy (SCHED_RESET_ON_FORK).
    pub fn resets_on_fork(&self) -> bool {
        self.policy.0 & RESET_ON_FORK != 0
    }
}

impl Cx<'_> {
    fn priority_targets(&self, which: u32, who: u32) -> Result<Vec<TaskId>> {
        let tasks = self.k.host_of(self.task).tids.values().copied();
        let proc = |t: &TaskId| self.k.proc_of(*t);
        let out: Vec<TaskId> = match which {
            0 => alloc::vec![self.sched_target(who).map_err(|_| Errno::ESRCH)?],
            1 => {
                let group = if who == 0 { self.proc().pgid } else { who };
                tasks.filter(|t| proc(t).pgid == group).collect()
            }
            2 => {
                let uid = if who == 0 { self.proc().cred.uid } else { who };
                tasks.filter(|t| proc(t).cred.uid == uid).collect()
            }
            _ => return Err(Errno::EINVAL),
        };
        if out.is_empty() { Err(Errno::ESRCH) } else { Ok(out) }
    }
}

pub fn getpriority(cx: &mut Cx) -> Answer {
    let targets = cx.priority_targets(cx.uint(0), cx.uint(1))?;
    // getpriority(2), C library differences: the kernel gives 20 - nice.
    Ok(targets.iter().map(|t| i64::from(20 - cx.k.task(*t).nice)).max().unwrap_or(20))
}

pub fn setpriority(cx: &mut Cx) -> Answer {
    let nice = cx.int(2).clamp(-20, 19);
    let targets = cx.priority_targets(cx.uint(0), cx.uint(1))?;
    for task in targets {
        let old = cx.k.task(task).nice;
        if !cx.may_schedule(task) {
            return Err(Errno::EPERM.into());
        }
        if nice < old && !cx.may_be_as_nice(task, nice) {
            return Err(Errno::EACCES.into());
        }
        cx.k.task_mut(task).nice = nice;
    }
    Ok(0)
}

/// Bits of a level below the class of an I/O priority, and the classes (`ioprio_set(2)`).
const IOPRIO_SHIFT: u32 = 13;
const IOPRIO_NONE: u32 = 0;
const IOPRIO_RT: u32 = 1;
const IOPRIO_BE: u32 = 2;
const IOPRIO_IDLE: u32 = 3;

/// The I/O priority that a task has in effect: without one of its own it follows from how it is scheduled.
fn io_priority(task: &Task) -> u32 {
    if u32::from(task.ioprio) >> IOPRIO_SHIFT != IOPRIO_NONE {
        return u32::from(task.ioprio);
    }
    let class = match task.policy.0 & !RESET_ON_FORK {
        SCHED_FIFO | SCHED_RR | SCHED_DEADLINE => IOPRIO_RT,
        SCHED_IDLE => IOPRIO_IDLE,
        _ => IOPRIO_BE,
    };
    (class << IOPRIO_SHIFT) | ((task.nice + 20) as u32 / 5)
}

pub fn ioprio_get(cx: &mut Cx) -> Answer {
    let which = cx.uint(0).wrapping_sub(1);
    let targets = cx.priority_targets(which, cx.uint(1))?;
    // Of one thread what was set, of several the best that is in effect.
    let best = match (which, targets.as_slice()) {
        (0, [task]) => u32::from(cx.k.task(*task).ioprio),
        _ => targets.iter().map(|t| io_priority(cx.k.task(*t))).min().unwrap_or(0),
    };
    Ok(i64::from(best))
}

pub fn ioprio_set(cx: &mut Cx) -> Answer {
    let value = cx.uint(2);
    let (class, level) = (value >> IOPRIO_SHIFT & 7, value & ((1 << IOPRIO_SHIFT) - 1));
    match class {
        IOPRIO_RT if !cx.proc().cred.capable(CAP_SYS_NICE) => return Err(Errno::EPERM.into()),
        IOPRIO_RT | IOPRIO_BE if level >= 8 => return Err(Errno::EINVAL.into()),
        IOPRIO_NONE if level != 0 => return Err(Errno::EINVAL.into()),
        IOPRIO_NONE..=IOPRIO_IDLE => {}
        _ => return Err(Errno::EINVAL.into()),
    }
    for task in cx.priority_targets(cx.uint(0).wrapping_sub(1), cx.uint(1))? {
        if !cx.may_schedule(task) {
            return Err(Errno::EPERM.into());
        }
        cx.k.task_mut(task).ioprio = value as u16;
    }
    Ok(0)
}

pub fn getcpu(cx: &mut Cx) -> Answer {
    // A thread runs on the first processor that it may run on; there is one node.
    let cpu = (cx.me().affinity & cx.cpu_mask()).trailing_zeros();
    for (i, value) in [cpu, 0].into_iter().enumerate() {
        if cx.args[i] != 0 {
            cx.m.write(cx.args[i], &value.to_le_bytes())?;
        }
    }
    Ok(0)
}

pub fn personality(cx: &mut Cx) -> Answer {
    // Addresses are fixed already; what is asked for is kept and shown.
    let old = cx.proc().personality;
    if cx.uint(0) != u32::MAX {
        cx.proc_mut().personality = cx.uint(0);
    }
    Ok(i64::from(old))
}

pub fn syslog(cx: &mut Cx) -> Answer {
    match cx.int(0) {
        0 | 1 | 6..=8 => Ok(0),
        2..=4 if cx.args[1] == 0 || cx.int(2) < 0 => Err(Errno::EINVAL.into()),
        2..=5 | 9 => Ok(0),
        10 => Ok(1 << 18),
        _ => Err(Errno::EINVAL.into()),
    }
}

pub fn not_permitted(_: &mut Cx) -> Answer {
    Err(Errno::EPERM.into())
}

pub fn not_supported(_: &mut Cx) -> Answer {
    Err(Errno::EOPNOTSUPP.into())
}

pub fn missing(_: &mut Cx) -> Answer {
    Err(Errno::ENOSYS.into())
}

/// Mounting is not there; who asks wrongly learns so first.
pub fn mount(cx: &mut Cx) -> Answer {
    let page = snowglobe_abi::map::PAGE as usize;
    for i in [2, 0] {
        if cx.args[i] != 0 {
            mem::c_string(cx.m, cx.args[i], page, Errno::EINVAL)?;
        }
    }
    if cx.args[4] != 0 {
        mem::array::<1>(cx.m, cx.args[4])?;
    }
    cx.at(AT_FDCWD, 1, true)?.inode()?;
    umount(cx)
}

/// Nobody is traced here, and nobody may begin to.
pub fn ptrace(cx: &mut Cx) -> Answer {
    const TRACEME: u64 = 0;
    const ATTACH: u64 = 16;
    const SEIZE: u64 = 0x4206;
    match cx.args[0] {
        TRACEME => Err(Errno::EPERM.into()),
        ATTACH | SEIZE => {
            cx.process(cx.uint(1))?;
            Err(Errno::EPERM.into())
        }
        _ => Err(Errno::ESRCH.into()),
    }
}

pub fn umount(cx: &mut Cx) -> Answer {
    if cx.proc().cred.capable(CAP_SYS_ADMIN) {
        let nr = u64::from(cx.me().call);
        return cx.unsupported_call(nr).map_err(|_| Errno::EPERM.into());
    }
    Err(Errno::EPERM.into())
}

/// `process_vm_readv` and `process_vm_writev` on the caller's own memory; other address spaces are not at hand.
pub fn process_vm(cx: &mut Cx) -> Answer {
    let nr = u64::from(cx.me().call);
    if cx.args[5] != 0 {
        return Err(Errno::EINVAL.into());
    }
    let id = cx.process(cx.uint(0))?;
    if cx.k.proc(id).space != cx.proc().space {
        let _ = cx.unsupported_call(nr);
        return Err(Errno::EPERM.into());
    }
    let local = mem::Iov::read(cx.m, cx.args[1], cx.args[2])?;
    let remote = mem::Iov::read(cx.m, cx.args[3], cx.args[4])?;
    let (from, to) = if nr == 310 { (remote, local) } else { (local, remote) };
    let n = from.len().min(to.len()).min(1 << 20);
    let mut buf = alloc::vec![0u8; n as usize];
    from.gather(cx.m, 0, &mut buf)?;
    to.scatter(cx.m, 0, &buf)?;
    Ok(n as i64)
}
