//! Hosts, processes, tasks (threads) and address spaces, as data.

use crate::fs::file::FdTable;
use crate::fs::inode::InodeRef;
use crate::mm::Space;
use crate::signal::{Actions, AltStack, SignalQueue};
use crate::wait::Wait;
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::rc::Rc;
use alloc::string::String;
use alloc::vec::Vec;
use core::cell::RefCell;
use snowglobe_abi::spec::Nanos;

/// Names a task for ever: never used again in a world.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub struct TaskId(pub u32);
/// Names a process (thread group) for ever.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub struct ProcId(pub u32);
/// Names an address space for ever.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub struct SpaceId(pub u32);
/// Index of a host.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub struct HostId(pub u32);

/// What a task is doing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum State {
    /// It holds the baton.
    Running,
    /// It is in the run queue.
    Runnable,
    /// It waits; its `wait` says for what.
    Blocked,
    /// Its process is stopped; what it was doing goes on at SIGCONT.
    Stopped,
}

/// One thread.
pub struct Task {
    /// Its name for ever.
    pub id: TaskId,
    /// Its thread id on its host.
    pub tid: u32,
    /// Its process.
    pub proc: ProcId,
    /// What it is doing.
    pub state: State,
    /// What it waits for; also while it is runnable but its wait has not been completed.
    pub wait: Option<Box<Wait>>,
    /// Counts its waits: a waiter entry of an older wait is stale.
    pub ticket: u64,
    /// Its entry in the timer queue, if its wait has a deadline.
    pub timer: Option<(Nanos, u64)>,
    /// The call that it is in, for restarts and the trace.
    pub call: u32,
    /// Blocked signals.
    pub mask: u64,
    /// The mask to restore after the handler (`sigsuspend`, `ppoll` and the like).
    pub saved_mask: Option<u64>,
    /// Signals sent to this thread.
    pub pending: SignalQueue,
    /// A synchronous fault to be delivered before anything else.
    pub fault: Option<(u64, u64, u64)>,
    /// `sigaltstack`.
    pub altstack: AltStack,
    /// `set_tid_address`.
    pub clear_child_tid: u64,
    /// Where its tid is to be written before it first runs (CLONE_CHILD_SETTID).
    pub child_tid_to_set: Option<u64>,
    /// Ranges of a forked child whose pages it must lose before it first runs, and whether they stay mapped.
    pub lost: Vec<(u64, u64, bool)>,
    /// `set_robust_list`.
    pub robust_list: u64,
    /// `PR_SET_NAME`.
    pub comm: String,
    /// Virtual CPU time used.
    pub cpu_time: Nanos,
    /// The task that waits for this one's exec or exit after vfork.
    pub vfork_parent: Option<TaskId>,
    /// A program to be started when it next runs, in an address space of its own.
    pub exec: Option<Box<crate::exec::Program>>,
    /// `sched_setaffinity`'s mask.
    pub affinity: u64,
    /// `sched_setscheduler`'s policy and priority.
    pub policy: (u32, u32),
    /// SCHED_DEADLINE's runtime, deadline and period.
    pub deadline: [u64; 3],
    /// `setpriority`.
    pub nice: i32,
    /// `ioprio_set`'s class and level; 0 is none.
    pub ioprio: u16,
    /// Whether its call has waited for a disk and goes on.
    pub disk_passed: bool,
    /// Whether its call has met the fault that looks for it, and is made now.
    pub struck: bool,
    /// Whether the trace has the beginning of its call, which is made again.
    pub begun: bool,
    /// What it has forbidden itself.
    pub seccomp: Option<crate::calls::seccomp::Seccomp>,
}

/// One process.
pub struct Process {
    /// Its name for ever.
    pub id: ProcId,
    /// Its process id on its host.
    pub pid: u32,
    /// Its host.
    pub host: HostId,
    /// Its parent; `None` for a process that the world itself started.
    pub parent: Option<ProcId>,
    /// Its children, zombies too, oldest first.
    pub children: Vec<ProcId>,
    /// Its live threads, oldest first.
    pub threads: Vec<TaskId>,
    /// Its address space.
    pub space: SpaceId,
    /// Its descriptors.
    pub fds: Rc<RefCell<FdTable>>,
    /// Its working directory, root and umask.
    pub fs: Rc<RefCell<FsContext>>,
    /// What it does on signals.
    pub actions: Rc<RefCell<Actions>>,
    /// Signals sent to the process.
    pub pending: SignalQueue,
    /// Process group and session.
    pub pgid: u32,
    /// Session id.
    pub sid: u32,
    /// Credentials.
    pub cred: Cred,
    /// Controlling terminal.
    pub tty: Option<Rc<crate::fs::tty::Tty>>,
    /// Of a session leader whose terminal hung up: the group that was in the foreground.
    pub old_group: Option<u32>,
    /// What it sent its parent at its end (`SIGCHLD` unless cloned otherwise).
    pub exit_signal: u32,
    /// Its wait status once it has ended.
    pub status: Option<u32>,
    /// Set while all its threads are to end with this wait status.
    pub dying: Option<u32>,
    /// A stop or continuation that `wait` has not been told of.
    pub report: Option<Report>,
    /// Whether it is stopped.
    pub stopped: bool,
    /// `PR_SET_CHILD_SUBREAPER`.
    pub subreaper: bool,
    /// `PR_SET_PDEATHSIG`.
    pub pdeath_signal: u32,
    /// `PR_SET_DUMPABLE`.
    pub dumpable: u32,
    /// `PR_SET_NO_NEW_PRIVS`.
    pub no_new_privs: bool,
    /// Resource limits, soft and hard, by `RLIMIT_` number.
    pub limits: [(u64, u64); 16],
    /// The program's path in its host.
    pub exe: String,
    /// Arguments with their NULs.
    pub cmdline: Vec<u8>,
    /// Environment with its NULs.
    pub environ: Vec<u8>,
    /// The auxiliary vector's bytes.
    pub auxv: Vec<u8>,
    /// When it started.
    pub start: Nanos,
    /// CPU time of its ended threads.
    pub cpu_time: Nanos,
    /// CPU time of its waited-for children.
    pub children_cpu: Nanos,
    /// `setitimer` timers: next expiry and interval, by kind.
    pub itimers: [Option<IntervalTimer>; 3],
    /// `timer_create` timers by id.
    pub posix_timers: BTreeMap<u32, crate::time::PosixTimer>,
    /// Next `timer_create` id.
    pub next_timer: u32,
    /// Woken when a child changes state.
    pub child_wait: Rc<crate::sched::WaitQueue>,
    /// Woken when it ends (pidfds).
    pub exit_wait: Rc<crate::sched::WaitQueue>,
    /// Woken when a signal becomes pending (signalfds).
    pub signal_wait: Rc<crate::sched::WaitQueue>,
    /// How the world refers to it: index in the report, if it is one of a service's.
    pub report_index: Option<usize>,
    /// Whether it has run a program since fork (`setpgid` then fails with EACCES).
    pub execed: bool,
    /// `oom_score_adj`, kept since programs write and read it.
    pub oom_score_adj: i32,
    /// `timerslack`.
    pub timer_slack: u64,
    /// What PR_SET_TIMERSLACK makes of 0: the slack of the process that made this one.
    pub default_slack: u64,
    /// `personality(2)`.
    pub personality: u32,
    /// PR_SET_THP_DISABLE.
    pub no_huge_pages: bool,
    /// Contexts of asynchronous I/O by their names.
    pub aio: BTreeMap<u64, Rc<crate::calls::aio::Context>>,
    /// Most bytes resident in the address spaces that it has left.
    pub max_rss: u64,
    /// The same, of the children that it has waited for.
    pub children_rss: u64,
    /// The file of its program.
    pub exe_inode: Option<InodeRef>,
    /// The directory and name by which its program was found.
    pub exe_place: Option<(InodeRef, Vec<u8>)>,
}

/// One `setitimer` timer.
#[derive(Clone, Copy, Debug)]
pub struct IntervalTimer {
    /// When it expires next: virtual time, or for the CPU timers the process's CPU time.
    pub expiry: Nanos,
    /// Its period, or 0.
    pub interval: Nanos,
    /// Its entry in the timer queue, which the CPU timers do not have.
    pub key: Option<(Nanos, u64)>,
}

/// A change of state that a parent can wait for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Report {
    /// Stopped by this signal.
    Stopped(u32),
    /// Continued by SIGCONT.
    Continued,
}

/// Credentials: real, effective, saved and file-system ids.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cred {
    /// Real user.
    pub uid: u32,
    /// Effective user.
    pub euid: u32,
    /// Saved user.
    pub suid: u32,
    /// User for file access.
    pub fsuid: u32,
    /// Real group.
    pub gid: u32,
    /// Effective group.
    pub egid: u32,
    /// Saved group.
    pub sgid: u32,
    /// Group for file access.
    pub fsgid: u32,
    /// Supplementary groups.
    pub groups: Vec<u32>,
    /// Effective, permitted, inheritable, bounding and ambient capabilities.
    pub caps: [u64; 5],
    /// `PR_SET_SECUREBITS` and `PR_SET_KEEPCAPS`.
    pub secure_bits: u32,
}

/// All capabilities that Linux 6.1 knows.
pub const ALL_CAPS: u64 = (1 << 41) - 1;

impl Cred {
    /// The credentials of a login as this user and group.
    pub fn new(uid: u32, gid: u32) -> Cred {
        let caps = if uid == 0 { ALL_CAPS } else { 0 };
        Cred {
            uid,
            euid: uid,
            suid: uid,
            fsuid: uid,
            gid,
            egid: gid,
            sgid: gid,
            fsgid: gid,
            groups: if uid == 0 { alloc::vec![0] } else { alloc::vec![gid] },
            caps: [caps, caps, 0, ALL_CAPS, 0],
            secure_bits: 0,
        }
    }

    /// Whether the effective set holds this capability (`capabilities(7)`).
    pub fn capable(&self, cap: u32) -> bool {
        self.caps[0] & (1 << cap) != 0
    }

    /// Whether `group` is the file-system group or a supplementary one.
    pub fn in_group(&self, group: u32) -> bool {
        self.fsgid == group || self.groups.contains(&group)
    }
}

/// Where a process's paths begin.
#[derive(Clone)]
pub struct FsContext {
    /// `/`.
    pub root: InodeRef,
    /// `.`.
    pub cwd: InodeRef,
    /// File mode creation mask.
    pub umask: u32,
}

/// One host.
pub struct Host {
    /// Its index.
    pub id: HostId,
    /// Its name in the world.
    pub name: String,
    /// What `uname` answers.
    pub hostname: String,
    /// NIS domain name.
    pub domainname: String,
    /// Its root directory.
    pub root: InodeRef,
    /// Next pid or tid to be given out.
    pub next_pid: u32,
    /// Its live threads by thread id.
    pub tids: BTreeMap<u32, TaskId>,
    /// Its processes by process id, zombies too.
    pub pids: BTreeMap<u32, ProcId>,
    /// The process that reaps orphans, if alive.
    pub init: Option<ProcId>,
    /// Threads that live.
    pub tasks: u32,
    /// CPU time of its threads that have ended since it booted.
    pub ended_cpu: Nanos,
    /// The roots of its file systems that outlive it: its own, and what is mounted, by its place among the mounts from 1 on.
    pub mounted: Vec<InodeRef>,
    /// The directories over which something is mounted, in the order in which that was done.
    pub covered: Vec<InodeRef>,
    /// Pseudo-terminals.
    pub ttys: crate::calls::tty::Ttys,
    /// Descriptors of timers that its wall clock moves or cancels.
    pub wall_timers: Vec<alloc::rc::Weak<crate::time::TimerFd>>,
}

/// An address space: one host process.
pub struct SpaceEntry {
    /// Its mappings.
    pub space: Space,
    /// Its host process's slot.
    pub slot: u32,
    /// Processes that live in it (more than one around vfork).
    pub users: u32,
}
