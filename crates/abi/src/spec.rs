//! The resolved world that the supervisor hands to the layer, and the report that comes back.
//!
//! Everything here is plain data: what a world file says after defaults, names and addresses are settled.
//! Paths under `/` of the machine are named as the operating system knows them.

use crate::fault::{DiskProfile, FaultPlan, FaultReport};
use alloc::string::String;
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

/// Nanoseconds of virtual time, or of its distance from the world's beginning.
pub type Nanos = u64;

/// 2027-01-01T00:00:00Z: what the wall clock of a world shows at its beginning unless the world file says otherwise.
pub const DEFAULT_START_S: u64 = 1_798_761_600;

/// One world, ready to run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WorldSpec {
    /// From which all random streams come.
    pub seed: u64,
    /// Wall clock at the world's beginning, nanoseconds since 1970.
    pub start_realtime: Nanos,
    /// When the world ends at the latest.
    pub until: Option<Nanos>,
    /// The hosts, in the order of the world file: their order fixes addresses and first process ids.
    pub hosts: Vec<HostSpec>,
    /// The networks.
    pub networks: Vec<NetworkSpec>,
    /// Knobs that are the same for all hosts.
    pub knobs: Knobs,
    /// Loops at which a runner gives up the baton, learned in earlier runs.
    pub yield_points: Vec<YieldPoint>,
    /// What goes wrong.
    pub faults: FaultPlan,
    /// What it is judged by, besides services that check.
    pub checks: Checks,
}

/// World-wide settings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Knobs {
    /// Virtual time that one system call costs.
    pub call_cost: Nanos,
    /// Virtual time after which a runner gives way to others that could run, on average.
    pub quantum: Nanos,
    /// CPUs that each host shows.
    pub cpus: u32,
    /// Bytes of memory that each host shows.
    pub memory: u64,
    /// Bytes of disk that each host has.
    pub disk: u64,
    /// What a crash may leave on it.
    pub disk_profile: DiskProfile,
    /// Whether calls are traced; output and process events always are.
    pub trace_calls: bool,
    /// Whether the end of the first process of a one-host world ends the world (`run -- PROGRAM`).
    pub one_program: bool,
    /// Processes and threads that each host may have.
    pub max_tasks: u32,
    /// What packets are captured; no world file says so, and nothing in the world differs by it.
    pub capture: Capture,
}

/// What packets are captured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Capture {
    /// None.
    #[default]
    Nothing,
    /// Those of networks.
    Networks,
    /// Those that a host sends to itself too.
    Everything,
}

impl Default for Knobs {
    fn default() -> Self {
        Knobs {
            call_cost: 500,
            quantum: 200_000,
            cpus: 2,
            memory: 4 << 30,
            disk: 64 << 30,
            disk_profile: DiskProfile::default(),
            trace_calls: true,
            one_program: false,
            max_tasks: 4096,
            capture: Capture::Nothing,
        }
    }
}

/// One host: a container of processes with a file system and network interfaces of its own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HostSpec {
    /// The service's name, with `-N` behind it where it has replicas.
    pub name: String,
    /// What `gethostname` answers.
    pub hostname: String,
    /// The root file system's origin.
    pub root: RootSpec,
    /// What is mounted over the root, in this order.
    pub mounts: Vec<MountSpec>,
    /// Interfaces besides `lo`, eth0 first.
    pub interfaces: Vec<InterfaceSpec>,
    /// Bytes of memory that it has, and no more. Without it, it shows what all show, and nothing bounds it.
    pub memory: Option<u64>,
    /// What runs on it; a host without a service stays silent.
    pub service: Option<ServiceSpec>,
}

/// Where a root file system comes from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum RootSpec {
    /// The machine's own, read-only underneath; `/tmp`, `/run`, `/dev`, `/proc`, `/sys` and the like are the world's own.
    Machine,
    /// An unpacked tree at this absolute path of the machine, read-only underneath. Beside it may be written down whom its
    /// files belong to ([`crate::owners`]).
    Tree(String),
}

/// One mount.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MountSpec {
    /// Absolute path in the host.
    pub target: String,
    /// What is there.
    pub source: MountSource,
    /// Whether writes fail with EROFS.
    pub read_only: bool,
}

/// What a mount shows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum MountSource {
    /// A path of the machine, copied on write.
    Bind(String),
    /// A named volume, shared by all hosts that mount it and empty at the beginning.
    Volume(String),
    /// An empty file system of the host's own.
    Tmpfs,
}

/// A network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NetworkSpec {
    /// Its name in the world file.
    pub name: String,
    /// IPv4 subnet: address and prefix length.
    pub subnet: ([u8; 4], u8),
    /// The address on which the world's own resolver answers.
    pub resolver: [u8; 4],
    /// Bytes of an IP packet at most.
    pub mtu: u32,
    /// Whether names have IPv6 addresses, too. Interfaces have them anyway.
    pub ipv6: bool,
    /// What the way from any host to any other is like, unless a rule says otherwise.
    pub link: LinkSpec,
    /// What is different between some hosts; the later rule has the last word.
    pub rules: Vec<LinkRule>,
}

/// The MTU of Ethernet, which a network has unless it says otherwise.
pub const DEFAULT_MTU: u32 = 1500;

impl NetworkSpec {
    /// A network on which every packet takes the same time and nothing else happens to it.
    pub fn plain(name: &str, subnet: ([u8; 4], u8), resolver: [u8; 4], latency: Nanos) -> NetworkSpec {
        let link = LinkSpec { latency: Latency::Constant(latency), ..LinkSpec::default() };
        NetworkSpec { name: name.into(), subnet, resolver, mtu: DEFAULT_MTU, ipv6: false, link, rules: Vec::new() }
    }

    /// Whether its links have a constant latency and nothing else.
    pub fn is_plain(&self) -> bool {
        let constant = Latency::Constant(self.link.latency.typical());
        self.rules.is_empty() && self.link == LinkSpec { latency: constant, ..LinkSpec::default() }
    }
}

/// A chance, in parts of [`Chance::SURE`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default, Serialize, Deserialize)]
pub struct Chance(pub u32);

impl Chance {
    /// It never happens.
    pub const NEVER: Chance = Chance(0);
    /// It always happens.
    pub const SURE: Chance = Chance(1_000_000_000);
}

/// How long a packet is on its way: each draws its own time, in nanoseconds.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Latency {
    /// All the same.
    Constant(Nanos),
    /// Every time from the least to the longest is as likely.
    Uniform {
        /// The least.
        min: Nanos,
        /// The longest.
        max: Nanos,
    },
    /// Normal, cut off at the least.
    Normal {
        /// Mean, before it is cut.
        mean: Nanos,
        /// Standard deviation.
        deviation: Nanos,
        /// The least.
        min: Nanos,
    },
    /// A least time and an exponential one on top.
    Exponential {
        /// The least.
        min: Nanos,
        /// Mean of the whole; not less than `min`.
        mean: Nanos,
    },
    /// Pareto: mostly little more than the least, sometimes very much more.
    Pareto {
        /// The least (the scale).
        min: Nanos,
        /// The shape in thousandths: the smaller, the heavier the tail; at least 1.
        shape: u32,
        /// What longer ones are cut to.
        max: Nanos,
    },
}

impl Latency {
    /// The time around which the draws of a distribution lie: its mean, or for Pareto its least.
    pub fn typical(self) -> Nanos {
        match self {
            Latency::Constant(time) => time,
            Latency::Uniform { min, max } => min.midpoint(max),
            Latency::Normal { mean, .. } | Latency::Exponential { mean, .. } => mean,
            Latency::Pareto { min, .. } => min,
        }
    }
}

/// Which packets a link loses.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Loss {
    /// Each with this chance.
    Independent(Chance),
    /// In bursts (Gilbert and Elliott): the link is in a good or in a bad state, and may change before each packet.
    Bursty {
        /// From good to bad.
        to_bad: Chance,
        /// From bad to good.
        to_good: Chance,
        /// Loss in the good state.
        in_good: Chance,
        /// Loss in the bad state.
        in_bad: Chance,
    },
}

macro_rules! link {
    ($($(#[$doc:meta])* $name:ident: $type:ty = $default:expr,)*) => {
        /// What one direction between two hosts is like.
        #[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
        pub struct LinkSpec { $($(#[$doc])* pub $name: $type,)* }

        impl Default for LinkSpec {
            fn default() -> LinkSpec {
                LinkSpec { $($name: $default,)* }
            }
        }

        /// What is different from another link: the keys that say something.
        #[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
        pub struct LinkChange { $($(#[$doc])* pub $name: Option<$type>,)* }

        impl LinkChange {
            /// Makes the change.
            pub fn apply(&self, link: &mut LinkSpec) {
                $(if let Some(value) = self.$name { link.$name = value; })*
            }

            /// The first key that says something.
            pub fn kind(&self) -> &'static str {
                $(if self.$name.is_some() { return stringify!($name); })*
                "link"
            }

            /// What says something in `self`, and otherwise in `base`.
            #[must_use]
            pub fn over(self, base: LinkChange) -> LinkChange {
                LinkChange { $($name: self.$name.or(base.$name),)* }
            }
        }
    };
}

link! {
    /// How long a packet is on its way, once it has left the sender's interface.
    latency: Latency = Latency::Constant(0),
    /// At most so much is added to that or taken from it, evenly.
    jitter: Nanos = 0,
    /// Bits per second that the sender's interface puts on the wire; 0 is no limit.
    bandwidth: u64 = 0,
    /// Bytes that wait there at most; 0 is [`DEFAULT_QUEUE`] packets of the largest size.
    queue: u64 = 0,
    /// What is lost.
    loss: Loss = Loss::Independent(Chance::NEVER),
    /// What arrives twice.
    duplicate: Chance = Chance::NEVER,
    /// What is held up, so that later packets overtake it.
    reorder: Chance = Chance::NEVER,
    /// For how long that is at most; 0 is as long as the packet takes anyway.
    reorder_by: Nanos = 0,
    /// What arrives with wrong bits, so that the receiver's checksum throws it away.
    corrupt: Chance = Chance::NEVER,
    /// Whether nothing arrives.
    cut: bool = false,
    /// Whether everything waits in the sender's interface.
    clog: bool = false,
}

/// Packets that an interface's queue holds when nothing else is said: `txqueuelen` of Linux's Ethernet devices.
pub const DEFAULT_QUEUE: u64 = 1000;

/// A difference between some hosts.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct LinkRule {
    /// Senders: indices into [`WorldSpec::hosts`].
    pub from: Vec<u32>,
    /// Receivers.
    pub to: Vec<u32>,
    /// What is different on the way from one to another.
    pub change: LinkChange,
}

/// What a fault does to the network between hosts.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Verb {
    /// Nothing that is sent from now on arrives.
    Cut,
    /// Undoes a cut.
    Heal,
    /// Packets wait in the sender's interface.
    Clog,
    /// Undoes a clog: what waited goes on its way.
    Unclog,
    /// The link is slower.
    Slow(Slow),
    /// It is as fast as it was.
    Unslow,
    /// The end of a TCP stream takes so many nanoseconds longer.
    SlowClose(Nanos),
    /// Every TCP connection between them is reset at both ends.
    Reset,
    /// The network of the senders stands still in both directions; who the receivers are does not matter.
    Pause,
    /// It goes on.
    Resume,
}

/// By how much a link is slower.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Slow {
    /// Time that each packet takes longer.
    pub latency: Nanos,
    /// What is left of the bandwidth, where there is a limit.
    pub bandwidth: Chance,
}

/// One fault of the network: who does what to whom.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Strike {
    /// What is done.
    pub verb: Verb,
    /// On which network; on all without it.
    pub network: Option<u32>,
    /// Senders: indices into [`WorldSpec::hosts`].
    pub from: Vec<u32>,
    /// Receivers.
    pub to: Vec<u32>,
}

/// A host's interface on a network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct InterfaceSpec {
    /// Index into [`WorldSpec::networks`].
    pub network: u32,
    /// Its IPv4 address.
    pub address: [u8; 4],
    /// Names by which other hosts on the network find it, besides the service's name and the host name.
    pub aliases: Vec<String>,
}

/// What runs on a host.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ServiceSpec {
    /// The program and its arguments; the program is looked up in the environment's PATH when it has no slash.
    pub argv: Vec<String>,
    /// The whole environment, `NAME=value`, in order.
    pub env: Vec<String>,
    /// Working directory.
    pub cwd: String,
    /// User id.
    pub uid: u32,
    /// Group id.
    pub gid: u32,
    /// What follows its end.
    pub restart: Restart,
    /// What must hold before it starts.
    pub depends_on: Vec<Dependency>,
    /// How its health is asked.
    pub healthcheck: Option<Healthcheck>,
    /// Signal by which it is asked to stop.
    pub stop_signal: u8,
    /// Time from that signal to SIGKILL.
    pub stop_grace: Nanos,
    /// Whether process 1 is an init of the world's own that reaps orphans.
    pub init: bool,
    /// Whether it gets the run's standard input.
    pub stdin: bool,
    /// Whether its exit status judges the run (`x-snowglobe: {check: true}`).
    pub check: bool,
}

/// The restart policy.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Restart {
    /// It stays down.
    No,
    /// It is started again whatever its status was.
    Always,
    /// It is started again when its status was not 0, at most so many times if given.
    OnFailure(Option<u32>),
}

/// One `depends_on` entry.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Dependency {
    /// Index into [`WorldSpec::hosts`].
    pub host: u32,
    /// What must hold of it.
    pub condition: Condition,
}

/// What a dependency waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Condition {
    /// Its service was started.
    Started,
    /// Its health check passed.
    Healthy,
    /// Its service ended with status 0.
    Completed,
}

/// A health check.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Healthcheck {
    /// The program and its arguments, run on the host.
    pub argv: Vec<String>,
    /// Time between two checks.
    pub interval: Nanos,
    /// Time after which a check has failed.
    pub timeout: Nanos,
    /// Failures in a row that make it unhealthy.
    pub retries: u32,
    /// Time at the beginning in which failures do not count.
    pub start_period: Nanos,
    /// Time between two checks in it, until one passes.
    pub start_interval: Nanos,
}

/// What a run is judged by. Nothing in the world differs by it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Checks {
    /// Histories that clients write.
    pub histories: Vec<HistoryCheck>,
    /// What outputs must or must not have.
    pub outputs: Vec<OutputCheck>,
    /// In what state services must be at the end.
    pub expect: Vec<Expectation>,
    /// Which of the checks that need no writing are not made, by their names.
    pub off: Vec<String>,
}

/// One history: what the services of some hosts write together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoryCheck {
    /// Its name.
    pub name: String,
    /// Who writes it: indices into [`WorldSpec::hosts`].
    pub hosts: Vec<u32>,
    /// The model that it is judged by; what its lines say without it.
    pub model: Option<String>,
    /// The model's options.
    pub options: Vec<(String, String)>,
}

/// A pattern and an output.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutputCheck {
    /// Whose: indices into [`WorldSpec::hosts`]. Each is judged by itself.
    pub hosts: Vec<u32>,
    /// 1 for standard output, 2 for standard error; both together without it.
    pub stream: Option<u8>,
    /// A regular expression.
    pub pattern: String,
    /// Whether some line must match, or none may.
    pub must: bool,
}

/// The state of a service at the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expectation {
    /// Index into [`WorldSpec::hosts`].
    pub host: u32,
    /// What is expected of its last process.
    pub state: FinalState,
}

/// The state of a process at the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FinalState {
    /// It runs.
    Running,
    /// It has ended, whatever its status was.
    Ended,
    /// It has exited with this status.
    Exit(u8),
    /// It was ended by this signal.
    Signal(u8),
}

/// A file of every host's `/dev/snowglobe` whose lines go to the run directory as they are written, whatever becomes of the host.
pub struct Channel {
    /// Its name in the directory, and in the run directory below the host.
    pub name: &'static str,
    /// By which stream's number its bytes are in the trace: 1 and 2 are standard output and standard error.
    pub stream: u32,
}

/// The channels.
pub const CHANNELS: [Channel; 2] =
    [Channel { name: "history.jsonl", stream: 3 }, Channel { name: "sdk.jsonl", stream: 4 }];

/// Where they are.
pub const CHANNEL_DIR: &str = "/dev/snowglobe";

/// A loop at which a runner gives up the baton.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct YieldPoint {
    /// Path of the mapped file in the guest; empty for code that the program has made.
    pub file: String,
    /// Offset of the backward branch in that file; its address in code that the program has made.
    pub offset: u64,
    /// Of code that the program has made: from when on. Such a point holds for one world and seed alone.
    pub made: Option<Moment>,
}

/// A moment of a run at which a task goes back to its program.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Moment {
    /// How often the layer has been entered until then.
    pub entries: u64,
    /// Which task, in the order in which the world's tasks began.
    pub task: u32,
    /// The bytes that are there then.
    pub code: Vec<u8>,
}

/// What the layer says at the end.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Virtual time at the end.
    pub virtual_ns: Nanos,
    /// Why the world ended.
    pub ending: Ending,
    /// Processes of services, health checks left out, in the order of their start.
    pub processes: Vec<ProcessReport>,
    /// Calls that the table does not know, in the order of their first use.
    pub unsupported: Vec<Unsupported>,
    /// Yield points that were learned in this run.
    pub learned: Vec<YieldPoint>,
    /// Files that were executed, in the order of first use: (host, path in the host, path on the machine if any).
    pub executed: Vec<(u32, String, Option<String>)>,
    /// What became of the faults, by their place in the plan.
    pub faults: Vec<FaultReport>,
    /// Processes that were ended by a signal of those that dump core.
    pub crashes: Vec<Crash>,
    /// Hosts, or processes of them, all of whose threads wait for each other.
    pub stuck: Vec<Stuck>,
    /// How processes that live at the end have grown.
    pub growth: Vec<Growth>,
    /// Hosts whose service never started, each with the host of the first dependency that did not hold at the end.
    pub waiting: Vec<(u32, u32)>,
}

/// A process that was ended by a signal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Crash {
    /// Index into [`WorldSpec::hosts`].
    pub host: u32,
    /// The program's name.
    pub name: String,
    /// Its process id on the host.
    pub pid: u32,
    /// The signal.
    pub signal: u32,
    /// When.
    pub at: Nanos,
}

/// Threads that wait for each other for ever.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stuck {
    /// Index into [`WorldSpec::hosts`].
    pub host: u32,
    /// Process id, thread id, name and what it waits for.
    pub threads: Vec<(u32, u32, String, String)>,
}

/// How a process has grown: the least that it had in each of so many windows of time, oldest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Growth {
    /// Index into [`WorldSpec::hosts`].
    pub host: u32,
    /// The program's name.
    pub name: String,
    /// Its process id on the host.
    pub pid: u32,
    /// Length of a window.
    pub window: Nanos,
    /// Open descriptors.
    pub descriptors: Vec<u64>,
    /// Bytes of writable memory of its own.
    pub memory: Vec<u64>,
}

/// Why a world ended.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub enum Ending {
    /// Nothing runs any more and nothing will be started.
    #[default]
    Completed,
    /// Its time was up.
    Until,
    /// Every thread waits for something that cannot come.
    Deadlock,
    /// The supervisor asked for it.
    Stopped,
}

/// One process of a service.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ProcessReport {
    /// Index into [`WorldSpec::hosts`].
    pub host: u32,
    /// The program's name.
    pub name: String,
    /// Its process id on the host.
    pub pid: u32,
    /// Wait status as `wait(2)` gives it; `None` while it lives.
    pub status: Option<u32>,
    /// Whether it was the service's own process (not a child of it).
    pub main: bool,
    /// Whether its status judges the run.
    pub check: bool,
}

/// A call that the table does not know.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Unsupported {
    /// The call's number; arguments of `ioctl` and the like have numbers of their own in `name`.
    pub nr: u32,
    /// What was asked for.
    pub name: String,
    /// How often.
    pub count: u64,
    /// Where first: host, program, address as text.
    pub first: String,
}

/// The bytes in which specification and report cross between supervisor and layer.
pub fn encode<T: Serialize>(value: &T) -> Vec<u8> {
    postcard::to_allocvec(value).expect("plain data always encodes")
}

/// The inverse of [`encode`]; `None` for bytes that are not of this type.
pub fn decode<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Option<T> {
    postcard::from_bytes(bytes).ok()
}
