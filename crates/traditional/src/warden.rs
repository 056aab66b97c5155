//! Process 1 of a world: makes the switch and the hosts, then does what the [policy](snowglobe_kernel::policy) of services
//! says, carries what they write into the trace, answers names, and ends the world.

use crate::channel::{self, Arrival, Frames, Tag};
use crate::gate;
use crate::host::{self, Ask, Handle, Shared, Started};
use crate::links::{self, LOOPBACK, Links};
use crate::names::Names;
use crate::root::{Failed, Tree};
use rustix::event::{Timespec, epoll};
use rustix::fd::{AsFd, OwnedFd};
use rustix::process::{
    Pid, Resource, Rlimit, Signal, WaitOptions, getrlimit, pidfd_send_signal, set_parent_process_death_signal,
    setrlimit, waitpid,
};
use snowglobe_abi::spec::{self, Ending, Nanos, ProcessReport, Report, ServiceSpec, WorldSpec};
use snowglobe_abi::trace::{Encoder, Kind};
use snowglobe_kernel::policy::{Ended, Order, Policy, Timer};
use snowglobe_net::resolver::Resolver;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read};
use std::os::unix::net::UnixStream;
use std::process::ExitCode;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// How often a sample is given.
const SAMPLE: Duration = Duration::from_millis(100);
/// Bytes of output in one record.
const CHUNK: usize = 3072;
/// Trace bytes that are sent at once.
const BATCH: usize = 64 << 10;

/// See the module.
pub fn main() -> ExitCode {
    let Ok(mut channel) = gate::channel() else { return ExitCode::FAILURE };
    let done = set_parent_process_death_signal(Some(Signal::KILL)).map_err(|e| e.to_string()).and_then(|()| {
        run(&mut channel)
            .and_then(|report| channel::send(&mut channel, Tag::Report, &report).map_err(|e| e.to_string()))
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(text) => {
            let _ = channel::send(&mut channel, Tag::Failure, text.as_bytes());
            ExitCode::FAILURE
        }
    }
}

fn run(channel: &mut UnixStream) -> Result<Vec<u8>, Failed> {
    let mut frames = Frames::default();
    let Ok(Some((Tag::World, bytes))) = frames.wait(channel) else { return Err("there is no world".into()) };
    let spec: WorldSpec = spec::decode(&bytes).ok_or("the world does not decode")?;
    let mut limits = BTreeSet::new();
    let spec = mapped(spec, &mut limits);
    many_descriptors();
    // What services inherit is only what they are given.
    let text = |e: io::Error| e.to_string();
    let stdin = rustix::stdio::stdin().try_clone_to_owned().map_err(text)?;
    let tree = Tree::leave_machine(&spec)?;
    let (links, mut names) = switch(&spec)?;
    let resolver = Resolver::new(&spec.networks, &spec.hosts);
    let namespace = std::fs::File::open("/proc/self/ns/net").map_err(text)?;
    let interfaces = resolver.hosts().iter().map(|host| host.interfaces.clone()).collect();
    let shared = Arc::new(Shared { spec, tree, switch: namespace.into(), links: Mutex::new(links), stdin, interfaces });
    let hosts = make_hosts(&shared, &mut names, &mut limits)?;
    for limit in &limits {
        channel::send(channel, Tag::Limit, limit.as_bytes()).map_err(text)?;
    }
    let channel = channel.try_clone().map_err(text)?;
    channel.set_nonblocking(false).map_err(text)?;
    let mut world = Warden::new(&shared.spec, hosts, channel, frames, resolver).map_err(text)?;
    for socket in names {
        world.watch(Source::Names(socket)).map_err(text)?;
    }
    world.live().map_err(text)
}

/// Where only one user is mapped, all services run as that one.
fn mapped(mut spec: WorldSpec, limits: &mut BTreeSet<String>) -> WorldSpec {
    let map = std::fs::read_to_string("/proc/self/uid_map").unwrap_or_default();
    let is_single = map.split_whitespace().nth(2) == Some("1") && map.lines().count() == 1;
    if is_single {
        limits.insert("without root, files of other users cannot be written, in copies either".into());
    }
    for host in spec.hosts.iter_mut().filter(|_| is_single) {
        if let Some(service) = host.service.as_mut().filter(|service| service.uid != 0 || service.gid != 0) {
            limits.insert(format!("user {} of {}: without root all services run as one user", service.uid, host.name));
            (service.uid, service.gid) = (0, 0);
        }
    }
    spec
}

/// Each host takes a handful of descriptors here.
fn many_descriptors() {
    let maximum = getrlimit(Resource::Nofile).maximum;
    let _ = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
}

/// The namespace of the bridges, with the name service of each network.
fn switch(spec: &WorldSpec) -> Result<(Links, Vec<Names>), Failed> {
    let links = Links::here().map_err(|e| format!("rtnetlink: {e}"))?;
    links::settle().map_err(|e| format!("network settings: {e}"))?;
    links.up(LOOPBACK).map_err(|e| format!("lo: {e}"))?;
    let mut names = Vec::new();
    for (network, net) in spec.networks.iter().enumerate() {
        let index = host::bridge_index(network as u32);
        let made = links.bridge(index, &format!("net{network}")).and_then(|()| links.up(index));
        made.map_err(|e| format!("network {}: no bridge: {e}", net.name))?;
        let service = host::network_names(&links, spec, network as u32);
        names.extend(service.map_err(|e| format!("network {}: no name service: {e}", net.name))?);
    }
    Ok((links, names))
}

fn make_hosts(
    shared: &Arc<Shared>,
    names: &mut Vec<Names>,
    limits: &mut BTreeSet<String>,
) -> Result<Vec<Handle>, Failed> {
    let mut begun = Vec::new();
    for index in 0..shared.spec.hosts.len() {
        begun.push(host::begin(shared.clone(), index).map_err(|e| format!("no thread for a host: {e}"))?);
    }
    let mut hosts = Vec::new();
    for (handle, ready) in begun {
        let news = ready.recv().map_err(|_| "a host's thread has ended".to_owned())??;
        names.extend(news.names);
        limits.extend(news.limits);
        hosts.push(handle);
    }
    Ok(hosts)
}

/// What the warden waits on.
enum Source {
    /// The way to snowglobe.
    Channel,
    /// A service's standard output or error.
    Output { host: u32, stream: u32, task: u32, pipe: OwnedFd },
    /// A process: readable when it has ended.
    Process(OwnedFd, Life),
    /// A socket of the name service.
    Names(Names),
}

/// A process of a service.
struct Life {
    host: u32,
    task: u32,
    pid: Pid,
    /// The pipe in which its init leaves its wait status.
    status: Option<OwnedFd>,
    /// Its line in the report.
    line: Option<usize>,
}

/// How a world is being ended.
struct Stopping {
    ending: Ending,
    /// When each host is killed.
    patience: Vec<Nanos>,
}

struct Warden<'a> {
    spec: &'a WorldSpec,
    hosts: Vec<Handle>,
    policy: Policy<u32>,
    timers: BTreeMap<(Nanos, u64), (u32, Timer)>,
    timer_count: u64,
    epoll: OwnedFd,
    sources: BTreeMap<u64, Source>,
    source_count: u64,
    channel: UnixStream,
    frames: Frames,
    resolver: Resolver,
    began: Instant,
    encoder: Encoder,
    recorded: Nanos,
    events: u64,
    tasks: u32,
    report: Report,
    stopping: Option<Stopping>,
}

impl<'a> Warden<'a> {
    fn new(
        spec: &'a WorldSpec,
        hosts: Vec<Handle>,
        channel: UnixStream,
        frames: Frames,
        resolver: Resolver,
    ) -> io::Result<Warden<'a>> {
        let mut warden = Warden {
            spec,
            hosts,
            policy: Policy::new(spec),
            timers: BTreeMap::new(),
            timer_count: 0,
            epoll: epoll::create(epoll::CreateFlags::CLOEXEC)?,
            sources: BTreeMap::new(),
            source_count: 0,
            channel,
            frames,
            resolver,
            began: Instant::now(),
            encoder: Encoder::new(),
            recorded: 0,
            events: 0,
            tasks: 0,
            report: Report::default(),
            stopping: None,
        };
        warden.watch(Source::Channel)?;
        Ok(warden)
    }

    fn now(&self) -> Nanos {
        self.began.elapsed().as_nanos() as Nanos
    }

    fn watch(&mut self, source: Source) -> io::Result<u64> {
        self.source_count += 1;
        let fd = match &source {
            Source::Channel => self.channel.as_fd(),
            Source::Output { pipe, .. } => pipe.as_fd(),
            Source::Process(fd, _) => fd.as_fd(),
            Source::Names(names) => names.as_fd(),
        };
        epoll::add(&self.epoll, fd, epoll::EventData::new_u64(self.source_count), epoll::EventFlags::IN)?;
        self.sources.insert(self.source_count, source);
        Ok(self.source_count)
    }

    /// Lives until the end of the world, and gives its report.
    fn live(mut self) -> io::Result<Vec<u8>> {
        let mut sampled = Instant::now();
        loop {
            self.timers_due()?;
            if self.is_over() {
                break;
            }
            let mut ready = Vec::with_capacity(64);
            let wait = self.patience().min(SAMPLE);
            let wait = Timespec { tv_sec: wait.as_secs() as i64, tv_nsec: wait.subsec_nanos().into() };
            match epoll::wait(&self.epoll, rustix::buffer::spare_capacity(&mut ready), Some(&wait)) {
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(e) => return Err(e.into()),
            }
            // What was written before an end is told before it.
            let tokens: Vec<u64> = ready.iter().map(|event: &epoll::Event| event.data.u64()).collect();
            let (ends, others): (Vec<u64>, Vec<u64>) =
                tokens.into_iter().partition(|token| matches!(self.sources.get(token), Some(Source::Process(..))));
            for token in others.into_iter().chain(ends) {
                self.serve(token)?;
            }
            if sampled.elapsed() >= SAMPLE {
                sampled = Instant::now();
                self.sample()?;
            }
            self.flush()?;
        }
        self.end()
    }

    /// Time to the next thing that is due.
    fn patience(&self) -> Duration {
        let timer = self.timers.first_key_value().map(|((at, _), _)| *at);
        let grace = self.stopping.iter().flat_map(|s| &s.patience).copied().min();
        let next = [timer, self.spec.until, grace].into_iter().flatten().min().unwrap_or(Nanos::MAX);
        Duration::from_nanos(next.saturating_sub(self.now()))
    }

    fn timers_due(&mut self) -> io::Result<()> {
        loop {
            for (at, host, timer) in self.policy.take_timers() {
                self.timer_count += 1;
                self.timers.insert((at, self.timer_count), (host, timer));
            }
            let now = self.now();
            let Some(entry) = self.timers.first_entry().filter(|entry| entry.key().0 <= now) else { return Ok(()) };
            let (host, timer) = entry.remove();
            let Some(spec) = &self.spec.hosts[host as usize].service else { continue };
            if self.stopping.is_some() {
                continue;
            }
            match self.policy.timer(spec, host, timer) {
                Some(Order::Start) => self.start(host, spec)?,
                Some(Order::Check) => self.check(host, spec)?,
                Some(Order::Kill(task)) => self.signal(|life| life.task == task, Signal::KILL),
                None => {}
            }
        }
    }

    /// Whether the world has ended; begins to end it when its time has come.
    fn is_over(&mut self) -> bool {
        let now = self.now();
        if self.spec.until.is_some_and(|until| now >= until) && self.stopping.is_none() {
            self.report.ending = Ending::Until;
            return true;
        }
        let nothing_left = self.policy.all_done();
        if let Some(stopping) = &self.stopping {
            let late: Vec<u32> =
                (0..self.hosts.len() as u32).filter(|host| stopping.patience[*host as usize] <= now).collect();
            let over = nothing_left || !self.anyone_lives();
            if over {
                self.report.ending = stopping.ending.clone();
                return true;
            }
            self.signal(|life| late.contains(&life.host), Signal::KILL);
            if let Some(stopping) = &mut self.stopping {
                late.iter().for_each(|host| stopping.patience[*host as usize] = Nanos::MAX);
            }
            return false;
        }
        if nothing_left {
            return true;
        }
        if self.checks_are_done() {
            self.stop(Ending::Completed);
        }
        false
    }

    fn anyone_lives(&self) -> bool {
        self.sources.values().any(|source| matches!(source, Source::Process(_, life) if life.line.is_some()))
    }

    /// Whether the services that judge the run have all ended: nothing that others do counts any more. In the layer such a
    /// world ends when all wait; here nobody can say that they do.
    fn checks_are_done(&self) -> bool {
        let mut checks = self
            .spec
            .hosts
            .iter()
            .enumerate()
            .filter(|(_, host)| host.service.as_ref().is_some_and(|service| service.check))
            .map(|(index, _)| self.policy.service(index as u32))
            .peekable();
        checks.peek().is_some() && checks.all(|service| service.finished && service.main.is_none())
    }

    /// Asks all services to stop, each in its way.
    fn stop(&mut self, ending: Ending) {
        let now = self.now();
        let grace = |host: &spec::HostSpec| host.service.as_ref().map_or(0, |service| service.stop_grace);
        let patience = self.spec.hosts.iter().map(|host| now.saturating_add(grace(host))).collect();
        self.stopping = Some(Stopping { ending, patience });
        for (index, host) in self.spec.hosts.iter().enumerate() {
            let number = host.service.as_ref().map_or(15, |service| i32::from(service.stop_signal));
            let signal = Signal::from_named_raw(number).unwrap_or(Signal::TERM);
            self.signal(|life| life.host == index as u32 && life.line.is_some(), signal);
        }
    }

    /// Sends a signal to processes of services.
    fn signal(&self, who: impl Fn(&Life) -> bool, signal: Signal) {
        for source in self.sources.values() {
            if let Source::Process(pidfd, life) = source
                && who(life)
            {
                // One that has just ended needs none.
                let _ = pidfd_send_signal(pidfd, signal);
            }
        }
    }

    fn start(&mut self, host: u32, spec: &ServiceSpec) -> io::Result<()> {
        let name = &self.spec.hosts[host as usize].name;
        self.record(Kind::Host, 0, &[u64::from(host), 1], Some(name.as_bytes()));
        let program = spec.argv.first().cloned().unwrap_or_default();
        let base = program.rsplit('/').next().unwrap_or_default();
        let short: String = base.chars().take(15).collect();
        let line = |name, pid, status| ProcessReport { host, name, pid, status, main: true, check: spec.check };
        match self.hosts[host as usize].start(Ask::Service) {
            Ok(started) => {
                self.report.processes.push(line(short.clone(), started.inner_pid, None));
                let index = self.report.processes.len() - 1;
                let task = self.adopt(host, &short, started, Some(index))?;
                self.policy.started(spec, host, self.now(), task);
            }
            Err((why, status)) => {
                let text = format!("snowglobe: {name}: cannot start {program}: {why}\n");
                self.output(host, 2, 0, text.as_bytes());
                self.report.processes.push(line(program, 0, Some(status << 8)));
                self.policy.not_started(host, self.now(), status << 8);
            }
        }
        Ok(())
    }

    fn check(&mut self, host: u32, spec: &ServiceSpec) -> io::Result<()> {
        let main = self.policy.service(host).main;
        let pidfd = self.sources.values().find_map(|source| match source {
            Source::Process(pidfd, life) if Some(life.task) == main => Some(pidfd),
            _ => None,
        });
        let Some(pidfd) = pidfd else { return Ok(()) };
        let of = pidfd.try_clone()?;
        match self.hosts[host as usize].start(Ask::Check(of)) {
            Ok(started) => {
                let task = self.adopt(host, "healthcheck", started, None)?;
                self.policy.check_started(spec, host, self.now(), task);
            }
            Err(_) => self.policy.check_ended(spec, host, self.now(), 127 << 8),
        }
        Ok(())
    }

    /// Watches a new process and what it writes.
    fn adopt(&mut self, host: u32, name: &str, started: Started, line: Option<usize>) -> io::Result<u32> {
        self.tasks += 1;
        let task = self.tasks;
        let pid = u64::from(started.inner_pid);
        self.record(Kind::Spawn, task, &[u64::from(host), pid, pid, 0], Some(name.as_bytes()));
        for (stream, pipe) in started.output {
            self.watch(Source::Output { host, stream, task, pipe })?;
        }
        self.watch(Source::Process(
            started.pidfd,
            Life { host, task, pid: started.pid, status: started.status, line },
        ))?;
        Ok(task)
    }

    fn serve(&mut self, token: u64) -> io::Result<()> {
        // Sources that stay are put back.
        let Some(source) = self.sources.remove(&token) else { return Ok(()) };
        match source {
            Source::Channel => {
                self.sources.insert(token, Source::Channel);
                self.hear()
            }
            Source::Output { host, stream, task, pipe } => {
                if self.copy_output(host, stream, task, &pipe) {
                    self.sources.insert(token, Source::Output { host, stream, task, pipe });
                }
                Ok(())
            }
            Source::Process(_, life) => self.ended(life),
            Source::Names(mut names) => {
                let (new, goes_on) = names.serve(&mut self.resolver);
                if goes_on {
                    self.sources.insert(token, Source::Names(names));
                }
                new.map_or(Ok(()), |new| self.watch(Source::Names(new)).map(drop))
            }
        }
    }

    /// Hears what snowglobe says. When it is gone so is the world.
    fn hear(&mut self) -> io::Result<()> {
        if let Arrival::End = self.frames.read(&mut self.channel)? {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        while let Some((tag, _)) = self.frames.next() {
            if tag == Tag::Stop && self.stopping.is_none() {
                self.stop(Ending::Stopped);
            }
        }
        Ok(())
    }

    /// Copies what a pipe holds into the trace. False at its end.
    fn copy_output(&mut self, host: u32, stream: u32, task: u32, pipe: &OwnedFd) -> bool {
        let mut chunk = vec![0; 64 << 10];
        // Others have their turn after a while.
        for _ in 0..16 {
            match rustix::io::read(pipe, &mut chunk) {
                Ok(0) => return false,
                Ok(n) => self.output(host, stream, task, &chunk[..n]),
                Err(rustix::io::Errno::AGAIN | rustix::io::Errno::INTR) => return true,
                Err(_) => return false,
            }
        }
        true
    }

    /// All that the processes of a host, or one of them, have written.
    fn drain(&mut self, which: impl Fn(u32, u32) -> bool) {
        let tokens: Vec<u64> = self
            .sources
            .iter()
            .filter(|(_, source)| matches!(source, Source::Output { host, task, .. } if which(*host, *task)))
            .map(|(token, _)| *token)
            .collect();
        for token in tokens {
            let Some(Source::Output { host, stream, task, pipe }) = self.sources.remove(&token) else { continue };
            let mut left = rustix::io::ioctl_fionread(&pipe).unwrap_or(0);
            let mut open = true;
            while open && left > 0 {
                open = self.copy_output(host, stream, task, &pipe);
                left = rustix::io::ioctl_fionread(&pipe).unwrap_or(0);
            }
            if open {
                self.sources.insert(token, Source::Output { host, stream, task, pipe });
            }
        }
    }

    fn ended(&mut self, life: Life) -> io::Result<()> {
        let raw = waitpid(Some(life.pid), WaitOptions::empty())?.map_or(0, |(_, status)| status.as_raw());
        let status = life.status.and_then(|pipe| {
            let mut bytes = [0; 4];
            std::fs::File::from(pipe).read_exact(&mut bytes).ok().map(|()| i32::from_ne_bytes(bytes))
        });
        let status = status.unwrap_or(raw) as u32;
        self.drain(|_, task| task == life.task);
        self.record(Kind::Exit, life.task, &[u64::from(status)], None);
        let host = &self.spec.hosts[life.host as usize];
        let Some(spec) = &host.service else { return Ok(()) };
        let now = self.now();
        match self.policy.which(life.host, life.task) {
            Ended::Check => self.policy.check_ended(spec, life.host, now, status),
            Ended::Main => {
                self.record(Kind::Host, 0, &[u64::from(life.host), 0], Some(host.name.as_bytes()));
                // What was stopped at the world's end had not ended by itself.
                if let Some(line) = life.line.filter(|_| self.stopping.is_none()) {
                    self.report.processes[line].status = Some(status);
                }
                self.policy.main_ended(spec, life.host, now, status);
            }
            Ended::Other => {}
        }
        Ok(())
    }

    fn output(&mut self, host: u32, stream: u32, task: u32, bytes: &[u8]) {
        let now = self.now();
        for chunk in bytes.chunks(CHUNK) {
            self.record(Kind::Output, task, &[u64::from(host), u64::from(stream), now], Some(chunk));
        }
    }

    fn record(&mut self, kind: Kind, task: u32, nums: &[u64], blob: Option<&[u8]>) {
        let now = self.now();
        let since = now - self.recorded;
        (self.recorded, self.events) = (now, self.events + 1);
        let record = self.encoder.begin_with(kind, since, task, nums);
        if let Some(blob) = blob {
            record.blob(blob);
        }
        self.encoder.finish();
        if self.encoder.records().len() >= BATCH {
            // When nobody listens any more, the next look at the channel says so.
            let _ = self.flush();
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        if !self.encoder.records().is_empty() {
            channel::send(&mut self.channel, Tag::Trace, self.encoder.records())?;
            self.encoder.clear();
        }
        Ok(())
    }

    fn sample(&mut self) -> io::Result<()> {
        let up = (0..self.hosts.len() as u32).filter(|host| self.policy.service(*host).main.is_some()).count();
        let numbers = [self.now(), self.events, up as u64];
        let bytes: Vec<u8> = numbers.iter().flat_map(|n| n.to_le_bytes()).collect();
        channel::send(&mut self.channel, Tag::Sample, &bytes)
    }

    fn end(mut self) -> io::Result<Vec<u8>> {
        self.drain(|_, _| true);
        self.report.virtual_ns = self.now();
        self.report.waiting = self.policy.waiting(self.spec);
        self.flush()?;
        self.sample()?;
        Ok(spec::encode(&self.report))
    }
}
