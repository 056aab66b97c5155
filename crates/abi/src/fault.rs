//! Faults as data. A run is given a timeline of them and draws none by itself: whoever prepares a run draws the timeline from the
//! seed and a profile. So a fault can be left out of a run without another becoming different, which is what shrinking needs.

use crate::spec::{Chance, LinkChange, Nanos, Strike, Verb};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

/// All that goes wrong in a run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct FaultPlan {
    /// The faults, those with a time in its order.
    pub timeline: Vec<Planned>,
    /// When the quiet time begins: faults that last end then, hosts that are down come back, and nothing strikes later.
    pub quiet_from: Option<Nanos>,
    /// How threads take turns.
    pub schedule: Schedule,
}

/// One fault of a plan. Its place in the plan is its name in the trace, the report and the list of faults.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Planned {
    /// What sets it off.
    pub when: When,
    /// How long it lasts, where it is of a kind that lasts; for ever without it.
    pub lasts: Option<Nanos>,
    /// What happens.
    pub fault: Fault,
    /// Where it comes from, for people: the world file's line, or the profile and the kind drawn.
    pub cause: String,
}

/// What sets a fault off.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum When {
    /// A time.
    At(Nanos),
    /// The so many-th call, from 1, that fits, on any of the hosts together.
    Call {
        /// Which calls count.
        calls: CallFilter,
        /// Which of them sets it off.
        nth: u64,
    },
}

/// Which calls are meant. What is empty fits all.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CallFilter {
    /// Numbers of system calls.
    pub calls: Vec<u32>,
    /// Indices of hosts.
    pub hosts: Vec<u32>,
    /// Pattern (`*` and `?`) of the absolute path that the call names, or that its descriptor was opened by.
    pub path: Option<String>,
    /// Address and port that the call names or its socket is connected to: `10.0.0.2:6379`, `10.0.0.2`, `:6379`.
    pub address: Option<String>,
    /// Pattern of the name of the program.
    pub program: Option<String>,
}

/// One kind of fault.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Fault {
    /// Something happens to the ways between hosts: [`Verb`]s that begin something. What lasts ends with the fault.
    Network(Strike),
    /// Two hosts that are named here hear each other only where some group has both; who is not named hears all. So one
    /// group after the other cuts a network in parts, and groups that overlap give bridges and rings.
    Partition {
        /// On which network; on all without it.
        network: Option<u32>,
        /// Indices of hosts.
        groups: Vec<Vec<u32>>,
    },
    /// The ways between hosts are different.
    Link {
        /// On which network; on all without it.
        network: Option<u32>,
        /// Senders.
        from: Vec<u32>,
        /// Receivers.
        to: Vec<u32>,
        /// What is different.
        change: LinkChange,
    },
    /// Something happens to hosts.
    Host {
        /// Indices of hosts.
        hosts: Vec<u32>,
        /// What.
        verb: HostVerb,
    },
    /// The wall clocks of hosts go wrong; monotonic clocks stay monotonic.
    Clock {
        /// Indices of hosts.
        hosts: Vec<u32>,
        /// What.
        verb: ClockVerb,
    },
    /// Disks go wrong.
    Disk {
        /// Indices of hosts.
        hosts: Vec<u32>,
        /// Pattern of the absolute paths that it is about; all files of the hosts' disks without it.
        path: Option<String>,
        /// What.
        verb: DiskVerb,
    },
    /// Calls are answered otherwise. With [`When::Call`], it is that call alone unless it lasts.
    Call {
        /// Which calls.
        calls: CallFilter,
        /// How likely each of them is struck.
        chance: Chance,
        /// How it is answered.
        verb: CallVerb,
    },
    /// Threads of hosts do not get their turn while others can run.
    Starve {
        /// Indices of hosts.
        hosts: Vec<u32>,
        /// Thread ids as a host numbers them; every second one by the seed when empty.
        threads: Vec<u32>,
    },
}

/// What happens to a host.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum HostVerb {
    /// All its processes get SIGKILL; its kernel lives and ends their connections.
    Kill {
        /// So long after the end of the fault (its beginning, if it does not last) its service starts again. If neither is
        /// given, its restart policy has the word, as after any other end.
        restart: Option<Nanos>,
    },
    /// Its service is asked to stop by its signal, and killed when it has not after its grace.
    Stop {
        /// As with [`HostVerb::Kill`]; if neither is given, it stays down until the quiet time.
        restart: Option<Nanos>,
    },
    /// Everything is gone in one moment, nobody is told, and the disk keeps what its profile and the seed let it keep. It
    /// has no power while the fault lasts; a fault that does not last ends with the restart.
    PowerLoss {
        /// So long after power is back its service starts; at once if the fault lasts and this is not given. If neither is,
        /// it has no power until the quiet time.
        restart: Option<Nanos>,
    },
    /// No thread of it runs, and its network stands still. Lasts.
    Pause,
    /// Each call takes this much longer. Lasts.
    Slow(Nanos),
    /// Each of its processes may have so many descriptors. Lasts.
    Descriptors(u32),
    /// It has no more memory than so many bytes. Lasts.
    Memory {
        /// Bytes, of all its processes together.
        limit: u64,
        /// Whether more than that is not even promised: calls that ask for memory fail with ENOMEM (`vm.overcommit_memory` 2).
        /// Otherwise it is promised, and when pages are touched beyond it the largest process gets SIGKILL. A service that has
        /// ended by that, and that nothing else has started again, starts when the fault ends.
        strict: bool,
    },
}

/// What happens to a wall clock.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum ClockVerb {
    /// It jumps by so many nanoseconds, and back when the fault ends.
    Jump(i64),
    /// It gains so many parts in a million. Lasts; what it has gained stays.
    Drift(i32),
    /// It shows one second twice (1) or leaves one out (-1).
    Leap(i8),
    /// It jumps to and fro. Lasts.
    Strobe {
        /// By so many nanoseconds.
        by: i64,
        /// As often as this.
        every: Nanos,
    },
}

/// What happens to a disk. All of them last; a chance is that of one operation.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum DiskVerb {
    /// Reads fail with EIO.
    ReadError(Chance),
    /// Writes fail with EIO.
    WriteError(Chance),
    /// A sync fails with EIO once, and what was dirty is dropped and counts as clean (as Linux does).
    SyncError(Chance),
    /// Reads and writes do a part of what they were asked.
    Short(Chance),
    /// A byte of what is read has another bit, on the disk too.
    Flip(Chance),
    /// A write to the disk is acknowledged and does not happen.
    Lost(Chance),
    /// A write to the disk lands on another page of the same file.
    Misdirected(Chance),
    /// Each operation that reaches the disk takes this much longer.
    Latency(Nanos),
    /// Operations that reach the disk wait until the fault ends.
    Stall,
    /// No room is left: ENOSPC.
    Full,
    /// The user's quota is used up: EDQUOT.
    Quota,
    /// It is read-only: EROFS.
    ReadOnly,
}

/// How a call is answered that was struck.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum CallVerb {
    /// It fails with this error number and does nothing.
    Errno(u16),
    /// It is answered this much later.
    Delay(Nanos),
    /// The caller's whole process is killed before it is done.
    Kill,
}

/// How threads take turns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub enum Schedule {
    /// In the order in which they could run, with an exception by the seed now and then.
    #[default]
    Usual,
    /// Any thread that can run, by the seed, and a turn ends at any call or yield point with this chance.
    Random(Chance),
    /// Probabilistic concurrency testing (Burckhardt and others, 2010): each thread has a seeded priority, the highest runs,
    /// and at `changes` seeded moments in the first `calls` calls and yield points the one that runs becomes the lowest.
    Pct {
        /// How many changes of priority.
        changes: u32,
        /// In how many steps.
        calls: u64,
    },
}

/// What a crash may leave of what was written and not made durable. The book states each one's rules and their source.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum DiskProfile {
    /// ext4 with `data=ordered`, as most machines have it.
    #[default]
    Ext4Ordered,
    /// ext4 with `data=writeback`.
    Ext4Writeback,
    /// XFS.
    Xfs,
    /// All that POSIX permits.
    PosixWorst,
}

/// What became of one fault of the plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FaultReport {
    /// Its place in the plan.
    pub index: u32,
    /// When it struck, and when it ended.
    pub times: Option<(Nanos, Option<Nanos>)>,
    /// How often it hit something: a packet, a process, a call. A fault that hit nothing disturbed nothing.
    pub hits: u64,
}

impl FaultPlan {
    /// Whether nothing goes wrong, and threads take turns as usual.
    pub fn is_empty(&self) -> bool {
        self.timeline.is_empty() && self.schedule == Schedule::Usual
    }
}

impl Fault {
    /// The kind, as world files, listings and the trace name it.
    pub fn kind(&self) -> &'static str {
        match self {
            Fault::Network(strike) => match strike.verb {
                Verb::Cut | Verb::Heal => "cut",
                Verb::Clog | Verb::Unclog => "clog",
                Verb::Slow(_) | Verb::Unslow => "slow",
                Verb::SlowClose(_) => "slow-close",
                Verb::Reset => "reset",
                Verb::Pause | Verb::Resume => "still",
            },
            Fault::Partition { .. } => "partition",
            Fault::Link { change, .. } => change.kind(),
            Fault::Host { verb, .. } => match verb {
                HostVerb::Kill { .. } => "kill",
                HostVerb::Stop { .. } => "stop",
                HostVerb::PowerLoss { .. } => "power-loss",
                HostVerb::Pause => "pause",
                HostVerb::Slow(_) => "slow-cpu",
                HostVerb::Descriptors(_) => "descriptors",
                HostVerb::Memory { .. } => "memory",
            },
            Fault::Clock { verb, .. } => match verb {
                ClockVerb::Jump(_) => "clock-jump",
                ClockVerb::Drift(_) => "clock-drift",
                ClockVerb::Leap(_) => "leap-second",
                ClockVerb::Strobe { .. } => "clock-strobe",
            },
            Fault::Disk { verb, .. } => match verb {
                DiskVerb::ReadError(_) => "read-error",
                DiskVerb::WriteError(_) => "write-error",
                DiskVerb::SyncError(_) => "sync-error",
                DiskVerb::Short(_) => "short-io",
                DiskVerb::Flip(_) => "bit-flip",
                DiskVerb::Lost(_) => "lost-write",
                DiskVerb::Misdirected(_) => "misdirected-write",
                DiskVerb::Latency(_) => "disk-latency",
                DiskVerb::Stall => "disk-stall",
                DiskVerb::Full => "disk-full",
                DiskVerb::Quota => "quota",
                DiskVerb::ReadOnly => "read-only",
            },
            Fault::Call { verb, .. } => match verb {
                CallVerb::Errno(_) => "errno",
                CallVerb::Delay(_) => "delay",
                CallVerb::Kill => "kill-caller",
            },
            Fault::Starve { .. } => "starve",
        }
    }

    /// Whom it is about, by the names of hosts: `n1, n2`, `n1 -> n2`, `n1 | n2, n3`.
    pub fn whom(&self, names: &dyn Fn(u32) -> String) -> String {
        let list = |hosts: &[u32]| hosts.iter().map(|host| names(*host)).collect::<Vec<_>>().join(", ");
        let way = |from: &[u32], to: &[u32]| match from == to {
            true => format!("between {}", list(from)),
            false => format!("{} -> {}", list(from), list(to)),
        };
        match self {
            Fault::Network(Strike { from, to, .. }) | Fault::Link { from, to, .. } => way(from, to),
            Fault::Partition { groups, .. } => groups.iter().map(|group| list(group)).collect::<Vec<_>>().join(" | "),
            Fault::Host { hosts, .. }
            | Fault::Clock { hosts, .. }
            | Fault::Disk { hosts, .. }
            | Fault::Starve { hosts, .. } => list(hosts),
            Fault::Call { calls, .. } if calls.hosts.is_empty() => String::from("all hosts"),
            Fault::Call { calls, .. } => list(&calls.hosts),
        }
    }

    /// Whether it is of a kind that lasts: without an end it goes on until the quiet time.
    pub fn lasts(&self) -> bool {
        match self {
            Fault::Network(strike) => strike.verb != Verb::Reset,
            Fault::Clock { verb, .. } => !matches!(verb, ClockVerb::Leap(_)),
            _ => true,
        }
    }
}
