//! A host: a thread with namespaces of its own, in which it starts what the warden asks for.
//!
//! Network, mounts, host name and IPC stay for as long as the world does. Process ids are those of one start of the service:
//! with its first process all others of the host end, as when a container is started again.

use crate::links::{self, LOOPBACK, Links};
use crate::names::Names;
use crate::root::{self, Failed, Tree, at};
use rustix::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use rustix::mount::{MountFlags, UnmountFlags, mount, mount_bind, mount_remount, unmount};
use rustix::process::{Gid, Pid, PidfdFlags, Resource, Rlimit, Uid, pidfd_open};
use rustix::thread::{CapabilitySet, ThreadNameSpaceType, UnshareFlags};
use snowglobe_abi::spec::{CHANNEL_DIR, CHANNELS, Channel, ServiceSpec, WorldSpec};
use snowglobe_net::link::{Interface, ula};
use std::cell::Cell;
use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, mpsc};

/// What all hosts share.
pub struct Shared {
    /// The world.
    pub spec: WorldSpec,
    /// The roots.
    pub tree: Tree,
    /// The network namespace of the bridges.
    pub switch: OwnedFd,
    /// A way to it.
    pub links: Mutex<Links>,
    /// The standard input of services that want it.
    pub stdin: OwnedFd,
    /// Interfaces by host, `lo` first.
    pub interfaces: Vec<Vec<Interface>>,
}

/// What a host that is there gives to the warden.
pub struct Ready {
    /// Sockets of its own name service.
    pub names: Vec<Names>,
    /// What could not be had.
    pub limits: Vec<String>,
}

/// What the warden asks of a host.
pub enum Ask {
    /// The service.
    Service,
    /// Its health check, in the process namespace of a running service.
    Check(OwnedFd),
}

/// A process that was started.
pub struct Started {
    /// The process, of which the warden is the parent.
    pub pid: Pid,
    /// Readable when it has ended.
    pub pidfd: OwnedFd,
    /// Holds the wait status of the service when it has an init over it.
    pub status: Option<OwnedFd>,
    /// Its standard output and error, and the host's channels at the first start, by their streams' numbers.
    pub output: Vec<(u32, OwnedFd)>,
    /// Its id on the host.
    pub inner_pid: u32,
}

/// Why one was not, and the shell's status for it.
pub type NotStarted = (String, u32);

/// The warden's hold of a host.
pub struct Handle {
    asks: mpsc::Sender<Ask>,
    answers: mpsc::Receiver<Result<Started, NotStarted>>,
}

impl Handle {
    /// Starts something. The host's thread does it while the caller waits.
    pub fn start(&self, ask: Ask) -> Result<Started, NotStarted> {
        let gone = || ("the host's thread has ended".to_owned(), 126);
        self.asks.send(ask).map_err(|_| gone())?;
        self.answers.recv().map_err(|_| gone())?
    }
}

/// The index of a bridge, and of the end of a host's pair that is on it.
pub fn bridge_index(network: u32) -> u32 {
    10 + network
}

fn port_index(world: &WorldSpec, host: usize, at: usize) -> u32 {
    let before: usize = world.hosts[..host].iter().map(|h| h.interfaces.len()).sum();
    10 + (world.networks.len() + before + at) as u32
}

/// Makes a host in a thread of its own. What it says first is whether it could be made.
pub fn begin(shared: Arc<Shared>, index: usize) -> io::Result<(Handle, mpsc::Receiver<Result<Ready, Failed>>)> {
    let (asks, to_do) = mpsc::channel();
    let (done, answers) = mpsc::channel();
    let (tell, ready) = mpsc::channel();
    std::thread::Builder::new().name(format!("host{index}")).stack_size(256 << 10).spawn(move || {
        let made = Host::make(&shared, index);
        let host = match made {
            Ok((host, news)) => {
                let _ = tell.send(Ok(news));
                host
            }
            Err(failed) => {
                let name = &shared.spec.hosts[index].name;
                let _ = tell.send(Err(format!("host {name}: {failed}")));
                return;
            }
        };
        drop(tell);
        for ask in to_do {
            if done.send(host.start(ask)).is_err() {
                return;
            }
        }
    })?;
    Ok((Handle { asks, answers }, ready))
}

struct Host<'a> {
    shared: &'a Shared,
    index: usize,
    /// The process namespace of the warden, to which the thread comes back after each start.
    warden: OwnedFd,
    /// Whether the service was started before.
    again: Cell<bool>,
    /// Whether somebody reads the host's channels.
    heard: Cell<bool>,
}

impl<'a> Host<'a> {
    fn make(shared: &'a Shared, index: usize) -> Result<(Host<'a>, Ready), Failed> {
        let spec = &shared.spec.hosts[index];
        let warden = rustix::fs::open(
            "/proc/thread-self/ns/pid",
            rustix::fs::OFlags::RDONLY | rustix::fs::OFlags::CLOEXEC,
            rustix::fs::Mode::empty(),
        )
        .map_err(at("open", "/proc/thread-self/ns/pid"))?;
        let apart = UnshareFlags::NEWNS | UnshareFlags::NEWNET | UnshareFlags::NEWUTS | UnshareFlags::NEWIPC;
        // SAFETY: descriptors stay shared.
        unsafe { rustix::thread::unshare_unsafe(apart) }.map_err(|e| format!("no namespaces: {e}"))?;
        rustix::system::sethostname(spec.hostname.as_bytes()).map_err(|e| format!("no host name: {e}"))?;
        let mut limits = Vec::new();
        links::settle().map_err(|e| format!("network settings: {e}"))?;
        join_networks(shared, index, &mut limits)?;
        let names = own_names(shared, index).map_err(|e| format!("name service: {e}"))?;
        limits.extend(root::enter(&shared.tree, &shared.spec, index)?);
        Ok((Host { shared, index, warden, again: Cell::new(false), heard: Cell::new(false) }, Ready { names, limits }))
    }

    fn start(&self, ask: Ask) -> Result<Started, NotStarted> {
        let Some(spec) = &self.shared.spec.hosts[self.index].service else {
            return Err(("the host has no service".into(), 127));
        };
        if matches!(ask, Ask::Service) && self.again.replace(true) {
            // The `/proc` of a process namespace that has ended.
            let _ = unmount("/proc", UnmountFlags::DETACH);
        }
        let no_namespace = |e: rustix::io::Errno| (format!("no process namespace: {e}"), 126);
        let into = match &ask {
            // SAFETY: descriptors stay shared.
            Ask::Service => unsafe { rustix::thread::unshare_unsafe(UnshareFlags::NEWPID) },
            Ask::Check(of) => rustix::thread::move_into_thread_name_spaces(of.as_fd(), ThreadNameSpaceType::PROCESS_ID),
        };
        into.map_err(no_namespace)?;
        let started = self.spawn(spec, matches!(ask, Ask::Service));
        rustix::thread::move_into_thread_name_spaces(self.warden.as_fd(), ThreadNameSpaceType::PROCESS_ID)
            .map_err(no_namespace)?;
        started
    }

    fn spawn(&self, spec: &ServiceSpec, is_main: bool) -> Result<Started, NotStarted> {
        let argv = match &spec.healthcheck {
            Some(check) if !is_main => &check.argv,
            _ => &spec.argv,
        };
        let failed = |e: io::Error| {
            let text = rustix::io::Errno::from_io_error(&e).map_or_else(|| e.to_string(), |e| e.to_string());
            (text, if e.kind() == io::ErrorKind::NotFound { 127 } else { 126 })
        };
        let (first, rest) = argv.split_first().ok_or_else(|| ("there is no command".to_owned(), 127))?;
        let program = find_program(first, spec).map_err(failed)?;
        let mut command = Command::new(&program);
        command.arg0(first).args(rest).env_clear().envs(spec.env.iter().filter_map(|v| v.split_once('=')));
        let (out, err, status) = (pipe().map_err(failed)?, pipe().map_err(failed)?, pipe().map_err(failed)?);
        command.stdout(Stdio::from(out.1)).stderr(Stdio::from(err.1));
        command.stdin(match spec.stdin && is_main {
            true => Stdio::from(self.shared.stdin.try_clone().map_err(failed)?),
            false => Stdio::null(),
        });
        let begin = Begin::new(spec, is_main, status.1.as_raw_fd());
        // SAFETY: what it does is safe in a child of a process with threads: plain calls, and no memory is taken.
        unsafe { command.pre_exec(move || begin.go()) };
        let child = command.spawn().map_err(failed)?;
        let pid = Pid::from_child(&child);
        let pidfd = pidfd_open(pid, PidfdFlags::empty()).map_err(|e| failed(e.into()))?;
        let has_init = is_main && spec.init;
        let mut output = vec![(1, out.0), (2, err.0)];
        if is_main && !self.heard.replace(true) {
            output.extend(channels().map_err(failed)?);
        }
        Ok(Started {
            pid,
            pidfd,
            status: has_init.then_some(status.0),
            output,
            inner_pid: if has_init { 2 } else { 1 },
        })
    }
}

/// The reading ends of the host's channels. They are open for writing too: so no writer waits, and none finds nobody there.
fn channels() -> io::Result<Vec<(u32, OwnedFd)>> {
    use rustix::fs::{Mode, OFlags};
    let flags = OFlags::RDWR | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let open = |channel: &Channel| {
        let path = format!("{CHANNEL_DIR}/{}", channel.name);
        Ok((channel.stream, rustix::fs::open(path, flags, Mode::empty())?))
    };
    CHANNELS.iter().map(open).collect()
}

/// A pipe whose reading end does not wait.
fn pipe() -> io::Result<(OwnedFd, OwnedFd)> {
    let (read, write) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)?;
    rustix::io::ioctl_fionbio(&read, true)?;
    Ok((read, write))
}

/// A program without a slash is looked for in PATH (`execvp(3)`), where the service will see it.
fn find_program(name: &str, spec: &ServiceSpec) -> io::Result<PathBuf> {
    if name.contains('/') {
        return Ok(Path::new(&spec.cwd).join(name));
    }
    let path = spec.env.iter().find_map(|e| e.strip_prefix("PATH=")).unwrap_or("/usr/local/bin:/usr/bin:/bin");
    let found = path.split(':').map(|dir| Path::new(dir).join(name)).find(|path| root::is_program(path));
    found.ok_or_else(|| rustix::io::Errno::NOENT.into())
}

fn join_networks(shared: &Shared, index: usize, limits: &mut Vec<String>) -> Result<(), Failed> {
    let own = Links::here().map_err(|e| format!("rtnetlink: {e}"))?;
    let said = |what: &'static str| move |e: io::Error| format!("{what}: {e}");
    own.up(LOOPBACK).map_err(said("lo"))?;
    for (at, interface) in shared.interfaces[index].iter().skip(1).enumerate() {
        let Some(network) = interface.network else { continue };
        let port = port_index(&shared.spec, index, at);
        let peer = format!("h{index}e{at}");
        own.veth(interface, (port, &peer), shared.switch.as_fd()).map_err(said("a veth pair"))?;
        let switch = shared.links.lock().map_err(|e| e.to_string())?;
        switch.join(port, bridge_index(network)).map_err(said("the bridge"))?;
        drop(switch);
        own.up(interface.index).map_err(said("an interface"))?;
        own.address(interface.index, interface.v4.into(), interface.prefix).map_err(said("an address"))?;
        if let Some((v6, prefix)) = interface.v6.first()
            && own.address(interface.index, IpAddr::V6(*v6), *prefix).is_err()
        {
            limits.push("IPv6: this kernel has none".into());
        }
        let network = &shared.spec.networks[network as usize];
        let latency = network.link.latency.typical();
        if latency > 0 && own.delay(interface.index, latency).is_err() {
            limits.push("links have no latency of the world's: this kernel has no netem (CONFIG_NET_SCH_NETEM)".into());
        }
        if !network.is_plain() {
            limits.push(
                "links have a constant latency only: bandwidth, jitter, loss and the like are the layer's".into(),
            );
        }
    }
    Ok(())
}

/// The name service at 127.0.0.11 of a host, for all its networks.
fn own_names(shared: &Shared, index: usize) -> io::Result<Vec<Names>> {
    let networks: Vec<u32> = shared.interfaces[index].iter().filter_map(|i| i.network).collect();
    Ok(Names::at(IpAddr::V4(Ipv4Addr::new(127, 0, 0, 11)), &networks)?.into())
}

/// The name service of a network, at its address on the bridge, in the network namespace of the calling thread.
pub fn network_names(links: &Links, spec: &WorldSpec, network: u32) -> io::Result<Vec<Names>> {
    let net = &spec.networks[network as usize];
    let v4 = Ipv4Addr::from(net.resolver);
    let index = bridge_index(network);
    links.address(index, v4.into(), net.subnet.1)?;
    let mut names: Vec<Names> = Names::at(v4.into(), &[network])?.into();
    let v6 = IpAddr::V6(ula(v4));
    if links.address(index, v6, 96 + net.subnet.1).is_ok() {
        names.extend(Names::at(v6, &[network])?);
    }
    Ok(names)
}

/// Privileges over the namespaces that a service's root must not have, so that it cannot leave them: as with a container.
const KEPT_BACK: [CapabilitySet; 16] = [
    CapabilitySet::SYS_ADMIN,
    CapabilitySet::SYS_MODULE,
    CapabilitySet::SYS_RAWIO,
    CapabilitySet::SYS_BOOT,
    CapabilitySet::SYS_TIME,
    CapabilitySet::SYS_PACCT,
    CapabilitySet::SYS_TTY_CONFIG,
    CapabilitySet::LINUX_IMMUTABLE,
    CapabilitySet::MAC_ADMIN,
    CapabilitySet::MAC_OVERRIDE,
    CapabilitySet::SYSLOG,
    CapabilitySet::WAKE_ALARM,
    CapabilitySet::BLOCK_SUSPEND,
    CapabilitySet::PERFMON,
    CapabilitySet::BPF,
    CapabilitySet::CHECKPOINT_RESTORE,
];

/// What a new process does before it runs its program. It is made before the fork: after it no memory can be taken.
struct Begin {
    is_main: bool,
    init: bool,
    status: RawFd,
    uid: Uid,
    gid: Gid,
    cwd: std::ffi::CString,
}

impl Begin {
    fn new(spec: &ServiceSpec, is_main: bool, status: RawFd) -> Begin {
        let cwd = std::ffi::CString::new(spec.cwd.as_str()).unwrap_or_else(|_| c"/".into());
        let init = is_main && spec.init;
        Begin { is_main, init, status, uid: Uid::from_raw(spec.uid), gid: Gid::from_raw(spec.gid), cwd }
    }

    fn go(&self) -> io::Result<()> {
        rustix::process::setsid()?;
        default_signals();
        if self.is_main {
            mount_proc()?;
        }
        if self.init {
            // SAFETY: as fork(2), without the handlers that other threads' locks would stop: the child goes on here alone.
            let child = unsafe { libc::syscall(libc::SYS_clone, libc::SIGCHLD, 0, 0, 0, 0) };
            match child {
                -1 => return Err(io::Error::last_os_error()),
                0 => {
                    rustix::process::setsid()?;
                }
                child => init(child as i32, self.status),
            }
        }
        for capability in KEPT_BACK {
            // An older kernel does not know them all.
            let _ = rustix::thread::remove_capability_from_bounding_set(capability);
        }
        limit(Resource::Nofile, 20_000);
        limit(Resource::Core, 0);
        rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o022));
        rustix::process::chdir(self.cwd.as_c_str())?;
        // Where only one user is mapped, groups cannot be set.
        let _ = rustix::thread::set_thread_groups(&[self.gid]);
        if !self.gid.is_root() {
            rustix::thread::set_thread_gid(self.gid)?;
        }
        if !self.uid.is_root() {
            rustix::thread::set_thread_uid(self.uid)?;
        }
        Ok(())
    }
}

/// A host begins with no signal ignored or blocked, whatever is so where it was started.
fn default_signals() {
    // SAFETY: only this process's dispositions and mask change, and no handler of Rust's own is needed any more. The numbers
    // that cannot be set are refused. The set is filled before it is read.
    unsafe {
        for signal in 1..=libc::SIGRTMAX() {
            libc::signal(signal, libc::SIG_DFL);
        }
        let mut none = std::mem::zeroed();
        libc::sigemptyset(&mut none);
        libc::sigprocmask(libc::SIG_SETMASK, &none, std::ptr::null_mut());
    }
}

/// The `/proc` of a new process namespace. Settings of the whole machine are read-only.
fn mount_proc() -> io::Result<()> {
    let hidden = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
    mount(c"proc", c"/proc", c"proc", hidden, None)?;
    for path in [c"/proc/sys", c"/proc/sysrq-trigger"] {
        if mount_bind(path, path).is_ok() {
            mount_remount(path, hidden | MountFlags::BIND | MountFlags::RDONLY, c"")?;
        }
    }
    Ok(())
}

/// Sets a soft limit, and leaves the hard one as it is.
fn limit(resource: Resource, soft: u64) {
    let maximum = rustix::process::getrlimit(resource).maximum;
    let soft = maximum.map_or(soft, |most| soft.min(most));
    let _ = rustix::process::setrlimit(resource, Rlimit { current: Some(soft), maximum });
}

/// Process 1 of a host: passes signals on to the service, reaps what is orphaned, and ends with the service, whose wait
/// status it leaves in a pipe.
fn init(service: i32, status: RawFd) -> ! {
    let _ = rustix::thread::set_name(c"init");
    // SAFETY: plain calls on memory of this frame. This process is a copy with one thread, and never returns from here.
    unsafe {
        libc::syscall(libc::SYS_close_range, 0, (status - 1).max(0), 0);
        libc::syscall(libc::SYS_close_range, status + 1, i32::MAX, 0);
        let mut all: libc::sigset_t = std::mem::zeroed();
        libc::sigfillset(&mut all);
        libc::sigprocmask(libc::SIG_BLOCK, &all, std::ptr::null_mut());
        loop {
            let mut ended = 0;
            loop {
                match libc::waitpid(-1, &mut ended, libc::WNOHANG) {
                    pid if pid == service => {
                        let pipe = BorrowedFd::borrow_raw(status);
                        let _ = rustix::io::write(pipe, &ended.to_ne_bytes());
                        libc::_exit(0);
                    }
                    pid if pid > 0 => {}
                    _ => break,
                }
            }
            let signal = libc::sigwaitinfo(&all, std::ptr::null_mut());
            if signal > 0 && signal != libc::SIGCHLD {
                libc::kill(service, signal);
            }
        }
    }
}
