//! The traditional layout (FIG. 45): a world under normal execution. Each host is a set of namespaces with the operating
//! system's own stack; a bridge joins the hosts of a network; time is real and there is no layer.
//!
//! | Module | Content |
//! |---|---|
//! | [`run`] and this one | the side of the `snowglobe` process: start, listen, stop |
//! | `gate` | the process between: makes the namespaces in which all of the world is |
//! | `warden` | process 1 in them: starts and watches services, carries their output, answers names |
//! | `host` | a host's thread: its namespaces, and the processes that are started in them |
//! | `root` | a host's file system |
//! | `links` | bridges, veth pairs, addresses |
//! | `names` | the world's name service behind sockets |
//! | `channel` | what the two sides say to each other |
//!
//! Nothing outlives the run: the warden is process 1 of a process namespace, and whoever dies of those above it takes those
//! below along (`PR_SET_PDEATHSIG`); with the last process go the namespaces, their mounts and their links. All bridges are
//! in a network namespace of the world's own, all mounts in a mount namespace.

mod channel;
mod gate;
mod host;
mod links;
mod names;
mod root;
mod warden;

use channel::{Arrival, Frames, Tag};
use snowglobe_abi::spec::{
    self, HostSpec, InterfaceSpec, Knobs, MountSource, NetworkSpec, Report, RootSpec, WorldSpec,
};
use std::fmt;
use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

/// How long the channel is waited for before the rest of the world is looked at.
const LOOK: Duration = Duration::from_millis(50);

/// What a world asks of the caller while it runs.
pub struct Hooks<'a> {
    /// The standard input of services that want it.
    pub stdin: Stdio,
    /// Takes trace bytes, in order.
    pub trace: &'a mut dyn FnMut(&[u8]) -> io::Result<()>,
    /// Hears nanoseconds, records and hosts with a live process, several times a second.
    pub sample: &'a mut dyn FnMut(u64, u64, u32) -> io::Result<()>,
    /// Hears what the layout cannot do here.
    pub limit: &'a mut dyn FnMut(&str),
    /// Set from outside to end the world in order.
    pub stop: &'a AtomicBool,
}

/// How a world ended.
#[derive(Clone, Debug)]
pub struct Ended {
    /// The report; its times are real.
    pub report: Report,
    /// Trace records.
    pub events: u64,
}

/// Why a world could not be run to its end.
#[derive(Debug)]
pub enum Failure {
    /// The machine gives no namespaces.
    Namespaces(String),
    /// The machine refused something else: what was tried, and its answer.
    System(String),
    /// The processes that hold the world are gone, and have not said why.
    Vanished,
    /// The caller's hook failed.
    Hook(io::Error),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Namespaces(text) => write!(f, "the traditional layout needs namespaces: {text}"),
            Failure::System(text) => write!(f, "{text}"),
            Failure::Vanished => write!(f, "the world's processes were ended from outside"),
            Failure::Hook(e) => write!(f, "{e}"),
        }
    }
}

impl std::error::Error for Failure {}

/// The names under which this program starts itself for its inner parts.
const GATE: &str = "snowglobe-gate";
const WARDEN: &str = "snowglobe-warden";

/// Does the work of an inner part, when this process was started as one. To be called first in `main`: the parts need a
/// process of one thread.
pub fn enter() -> Option<ExitCode> {
    let name = std::env::args_os().next()?;
    match name.to_str()? {
        GATE => Some(gate::main()),
        WARDEN => Some(warden::main()),
        _ => None,
    }
}

fn system(what: &str) -> impl FnOnce(io::Error) -> Failure + '_ {
    move |e| Failure::System(format!("{what}: {e}"))
}

/// The gate, which takes all of the world along when it goes.
struct Gate(Child);

impl Drop for Gate {
    fn drop(&mut self) {
        // It may have ended by itself; its id is ours until it is waited for.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Runs a world. This program's `main` must call [`enter`].
///
/// # Errors
/// See [`Failure`]. Whatever happens, nothing of the world is left.
pub fn run(spec: &WorldSpec, hooks: &mut Hooks<'_>) -> Result<Ended, Failure> {
    let (mut channel, theirs) = UnixStream::pair().map_err(system("cannot make a channel"))?;
    let gate = start_gate(std::mem::replace(&mut hooks.stdin, Stdio::null()), theirs)?;
    let mut frames = Frames::default();
    admit(&gate, &mut channel, &mut frames)?;
    let world = spec::encode(&real_paths(spec)?);
    channel::send(&mut channel, Tag::World, &world).map_err(|_| Failure::Vanished)?;
    channel.set_read_timeout(Some(LOOK)).map_err(system("cannot wait for the world"))?;
    let mut stopping = false;
    let mut events = 0;
    loop {
        if hooks.stop.load(Relaxed) && !stopping {
            stopping = true;
            channel::send(&mut channel, Tag::Stop, &[]).map_err(|_| Failure::Vanished)?;
        }
        let arrival = frames.read(&mut channel).map_err(system("cannot hear of the world"))?;
        while let Some((tag, bytes)) = frames.next() {
            match tag {
                Tag::Trace => (hooks.trace)(&bytes).map_err(Failure::Hook)?,
                Tag::Sample => {
                    let number = |at: usize| bytes[at..at + 8].try_into().map_or(0, u64::from_le_bytes);
                    events = number(8);
                    (hooks.sample)(number(0), events, number(16) as u32).map_err(Failure::Hook)?;
                }
                Tag::Limit => (hooks.limit)(&String::from_utf8_lossy(&bytes)),
                Tag::Report => {
                    return spec::decode(&bytes).map(|report| Ended { report, events }).ok_or(Failure::Vanished);
                }
                Tag::Failure => return Err(Failure::System(String::from_utf8_lossy(&bytes).into_owned())),
                _ => return Err(Failure::Vanished),
            }
        }
        if let Arrival::End = arrival {
            return Err(Failure::Vanished);
        }
    }
}

/// Tries the layout with a world of one host that runs nothing. Gives what it cannot do here.
///
/// # Errors
/// See [`Failure`].
pub fn probe() -> Result<Vec<String>, Failure> {
    let network = NetworkSpec::plain("probe", ([10, 0, 1, 0], 24), [10, 0, 1, 1], 1_000_000);
    let host = HostSpec {
        name: "probe".into(),
        hostname: "probe".into(),
        root: RootSpec::Machine,
        mounts: Vec::new(),
        interfaces: vec![InterfaceSpec { network: 0, address: [10, 0, 1, 2], aliases: Vec::new() }],
        memory: None,
        service: None,
    };
    let spec = WorldSpec {
        checks: Default::default(),
        seed: 1,
        start_realtime: 0,
        until: None,
        hosts: vec![host],
        networks: vec![network],
        knobs: Knobs::default(),
        yield_points: Vec::new(),
        faults: Default::default(),
    };
    let mut limits = Vec::new();
    let mut hooks = Hooks {
        stdin: Stdio::null(),
        trace: &mut |_| Ok(()),
        sample: &mut |_, _, _| Ok(()),
        limit: &mut |text| limits.push(text.to_owned()),
        stop: &AtomicBool::new(false),
    };
    run(&spec, &mut hooks)?;
    Ok(limits)
}

fn start_gate(stdin: Stdio, channel: UnixStream) -> Result<Gate, Failure> {
    let mut command = Command::new("/proc/self/exe");
    // A group of its own: Ctrl-C on the terminal is for us, who end the world in order.
    command.arg0(GATE).env_clear().process_group(0).stdin(stdin).stdout(Stdio::from(OwnedFd::from(channel)));
    command.spawn().map(Gate).map_err(system("cannot start the world's gate"))
}

/// Gives the gate its ids and lets it go on.
fn admit(gate: &Gate, channel: &mut UnixStream, frames: &mut Frames) -> Result<(), Failure> {
    match frames.wait(channel).map_err(system("cannot hear of the gate"))? {
        Some((Tag::Mapped, _)) => {}
        Some((Tag::Mapless, _)) => map_ids(gate.0.id()).map_err(|e| Failure::Namespaces(e.to_string()))?,
        Some((Tag::Failure, text)) => return Err(Failure::Namespaces(String::from_utf8_lossy(&text).into_owned())),
        _ => return Err(Failure::Vanished),
    }
    channel::send(channel, Tag::Go, &[]).map_err(|_| Failure::Vanished)
}

/// Maps the ids of a process in a new user namespace: all of ours to themselves where that is allowed, or our own to 0.
fn map_ids(pid: u32) -> io::Result<()> {
    let write = |file: &str, text: &str| fs::write(format!("/proc/{pid}/{file}"), text);
    let all = |file: &str| -> io::Result<String> {
        let known = fs::read_to_string(format!("/proc/self/{file}"))?;
        let line = |line: &str| {
            let mut words = line.split_whitespace();
            Some(format!("{0} {0} {1}\n", words.next()?, words.nth(1)?))
        };
        Ok(known.lines().filter_map(line).collect())
    };
    if write("uid_map", &all("uid_map")?).is_ok() {
        return write("gid_map", &all("gid_map")?);
    }
    let (uid, gid) = (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw());
    write("setgroups", "deny")?;
    write("uid_map", &format!("0 {uid} 1\n"))?;
    write("gid_map", &format!("0 {gid} 1\n"))
}

/// The world with the machine's paths as they are without symbolic links: in a host these would lead elsewhere.
fn real_paths(spec: &WorldSpec) -> Result<WorldSpec, Failure> {
    let real = |path: &mut String| -> Result<(), Failure> {
        let found = fs::canonicalize(&*path).map_err(|e| Failure::System(format!("cannot find {path}: {e}")))?;
        *path = found.into_os_string().into_string().map_err(|_| Failure::System(format!("{path} is not UTF-8")))?;
        Ok(())
    };
    let mut spec = spec.clone();
    for host in &mut spec.hosts {
        if let RootSpec::Tree(path) = &mut host.root {
            real(path)?;
        }
        for mount in &mut host.mounts {
            if let MountSource::Bind(path) = &mut mount.source {
                real(path)?;
            }
        }
    }
    Ok(spec)
}
