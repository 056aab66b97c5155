//! What a world file says runs on a host: start in the order of dependencies, health, restart, end.

use crate::Kernel;
use crate::fs::dev::Input;
use crate::fs::file::{FileKind, OpenFile};
use crate::machine::Machine;
use crate::sched::TimerAction;
use crate::signal::Info;
use crate::task::{Cred, HostId, ProcId, State, TaskId};
use crate::uapi::*;
use alloc::rc::Rc;
use alloc::string::String;
use alloc::vec::Vec;
use snowglobe_abi::errno::{Errno, Result};
use snowglobe_abi::spec::{Condition, Nanos, ProcessReport, Restart, ServiceSpec};

/// What a service's timer is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Timer {
    /// Start it, if its dependencies allow.
    Start,
    /// Ask for its health.
    Check,
    /// The health check has taken too long.
    CheckTimeout(u64),
}

/// How healthy a service is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Health {
    /// Not known yet.
    Starting,
    /// The last check passed.
    Healthy,
    /// Too many checks in a row failed.
    Unhealthy,
}

/// The state of a host's service.
pub struct Service {
    /// Its main process while it runs.
    pub main: Option<ProcId>,
    /// Whether it was ever started.
    pub started: bool,
    /// Whether it will not be started again.
    pub finished: bool,
    /// Its last exit status.
    pub status: Option<u32>,
    /// See [`Health`].
    pub health: Health,
    /// Failures in a row.
    failures: u32,
    /// Restarts so far.
    restarts: u32,
    /// Wait before the next restart.
    backoff: Nanos,
    /// The running health check.
    check: Option<ProcId>,
    checks: u64,
    began: Nanos,
}

/// Longest wait between two restarts.
const MAX_BACKOFF: Nanos = 60_000_000_000;

impl Kernel {
    /// Makes ready what is to be started, and starts at time 0 what depends on nothing.
    pub fn start_services(&mut self) {
        for index in 0..self.spec.hosts.len() {
            let none = self.spec.hosts[index].service.is_none();
            self.services.push(Service {
                main: None,
                started: false,
                finished: none,
                status: None,
                health: Health::Starting,
                failures: 0,
                restarts: 0,
                backoff: 100_000_000,
                check: None,
                checks: 0,
                began: 0,
            });
            if !none {
                self.sched.arm(0, TimerAction::Service(index as u32, Timer::Start));
            }
        }
    }

    /// How many lines of the report have a final status.
    pub fn services_done(&self) -> usize {
        let done = self.services.iter().all(|s| s.finished && s.main.is_none());
        if done { self.report.processes.len() } else { usize::MAX }
    }

    fn dependencies_hold(&self, spec: &ServiceSpec) -> bool {
        spec.depends_on.iter().all(|d| {
            let s = &self.services[d.host as usize];
            match d.condition {
                Condition::Started => s.started,
                Condition::Healthy => s.health == Health::Healthy,
                Condition::Completed => s.finished && s.status == Some(0),
            }
        })
    }

    /// Lets services that wait for others be looked at again.
    fn look_at_waiting(&mut self) {
        for index in 0..self.services.len() {
            let s = &self.services[index];
            if !s.started && !s.finished {
                let now = self.sched.now;
                self.sched.arm(now, TimerAction::Service(index as u32, Timer::Start));
            }
        }
    }

    /// A service's timer is due.
    pub fn service_due(&mut self, m: &mut dyn Machine, host: u32, timer: Timer) {
        let index = host as usize;
        let Some(spec) = self.spec.hosts[index].service.clone() else { return };
        match timer {
            Timer::Start => {
                let s = &self.services[index];
                if s.main.is_none() && !s.finished && self.dependencies_hold(&spec) {
                    self.start_service(m, index, &spec);
                }
            }
            Timer::Check => self.start_check(m, index, &spec),
            Timer::CheckTimeout(n) => {
                if self.services[index].checks == n
                    && let Some(check) = self.services[index].check
                {
                    self.doom(check, SIGKILL);
                }
            }
        }
    }

    fn start_service(&mut self, m: &mut dyn Machine, index: usize, spec: &ServiceSpec) {
        let name = self.spec.hosts[index].name.clone();
        self.record.host(self.sched.now, index as u32, true, &name);
        self.services[index].started = true;
        self.services[index].began = self.sched.now;
        match self.start_command(m, index, spec, &spec.argv) {
            Ok((proc, task)) => {
                self.services[index].main = Some(proc);
                let line = ProcessReport {
                    host: index as u32,
                    name: self.task(task).comm.clone(),
                    pid: self.proc(proc).pid,
                    status: None,
                    main: true,
                    check: spec.check,
                };
                let line = self.report_process(line);
                self.proc_mut(proc).report_index = Some(line);
                if let Some(check) = &spec.healthcheck {
                    let at = self.sched.now + check.interval;
                    self.sched.arm(at, TimerAction::Service(index as u32, Timer::Check));
                }
            }
            Err((e, status)) => {
                let program = spec.argv.first().cloned().unwrap_or_default();
                let text = alloc::format!("snowglobe: {name}: cannot start {program}: {e}\n");
                self.record.output(self.sched.now, TaskId(0), index as u32, 2, text.as_bytes(), m);
                let line = ProcessReport {
                    host: index as u32,
                    name: program,
                    pid: 0,
                    status: Some(status << 8),
                    main: true,
                    check: spec.check,
                };
                self.report_process(line);
                self.end_init(HostId(index as u32));
                self.services[index].status = Some(status << 8);
                self.services[index].finished = true;
            }
        }
        self.look_at_waiting();
    }

    /// Starts a command on a host as its service would run it. The error comes with the shell's exit status for it.
    fn start_command(
        &mut self,
        m: &mut dyn Machine,
        index: usize,
        spec: &ServiceSpec,
        argv: &[String],
    ) -> core::result::Result<(ProcId, TaskId), (Errno, u32)> {
        if !self.has_slot() {
            return Err((Errno::EAGAIN, 126));
        }
        let host = HostId(index as u32);
        if spec.init && self.host(host).init.is_none() {
            self.start_init(host);
        }
        let program = argv.first().cloned().unwrap_or_default();
        let (proc, task) = self.new_process(host, Cred::new(spec.uid, spec.gid), &program);
        let result = self.prepare_command(m, task, spec, argv);
        match result {
            Ok(program) => {
                self.launch(m, task, program);
                Ok((proc, task))
            }
            Err(e) => {
                self.abandon(proc, task, 127 << 8);
                Err((e, if e == Errno::ENOENT { 127 } else { 126 }))
            }
        }
    }

    fn prepare_command(
        &mut self,
        m: &mut dyn Machine,
        task: TaskId,
        spec: &ServiceSpec,
        argv: &[String],
    ) -> Result<crate::exec::Program> {
        let cwd = self.walk(m, task, AT_FDCWD, spec.cwd.as_bytes(), true)?.inode()?;
        self.proc_of(task).fs.borrow_mut().cwd = cwd;
        self.standard_streams(task, spec.stdin);
        let bytes = |list: &[String]| list.iter().map(|s| s.clone().into_bytes()).collect::<Vec<_>>();
        let name = argv.first().ok_or(Errno::ENOENT)?.clone().into_bytes();
        let name = self.search_path(m, task, name, &spec.env)?;
        let found = self.find_program(m, task, &name)?;
        self.load_program(m, task, name, found, bytes(argv), bytes(&spec.env))
    }

    /// A program without a slash is looked for in PATH (`execvp(3)`).
    fn search_path(&mut self, m: &mut dyn Machine, task: TaskId, name: Vec<u8>, env: &[String]) -> Result<Vec<u8>> {
        if name.contains(&b'/') {
            return Ok(name);
        }
        let path = env.iter().find_map(|e| e.strip_prefix("PATH=")).unwrap_or("/usr/local/bin:/usr/bin:/bin");
        let mut error = Errno::ENOENT;
        for dir in path.split(':') {
            let mut full = dir.as_bytes().to_vec();
            full.push(b'/');
            full.extend_from_slice(&name);
            match self.walk(m, task, AT_FDCWD, &full, true).and_then(|f| f.inode()) {
                Ok(node) if node.kind() == S_IFREG => {
                    if crate::fs::path::permit(&self.proc_of(task).cred, &node, crate::fs::path::X).is_ok() {
                        return Ok(full);
                    }
                    error = Errno::EACCES;
                }
                _ => {}
            }
        }
        Err(error)
    }

    fn standard_streams(&mut self, task: TaskId, stdin: bool) {
        let input = if stdin {
            FileKind::Input(Rc::new(Input::default()))
        } else {
            FileKind::Device(crate::fs::dev::Device::Null)
        };
        for (kind, flags) in [(input, O_RDONLY), (FileKind::Console(1), O_WRONLY), (FileKind::Console(2), O_WRONLY)] {
            let id = self.next_file;
            self.next_file += 1;
            let file = Rc::new(OpenFile::new(kind, flags, id, &self.graveyard));
            // The first three descriptors of a new process are free.
            let _ = self.proc_of(task).fds.borrow_mut().add(file, false, 0, 1024);
        }
    }

    /// Starts an init of the world's own as process 1: it runs no program and never has the baton. SIGCHLD ignored is
    /// all it needs to reap orphans.
    fn start_init(&mut self, host: HostId) {
        let (init, task) = self.new_process(host, Cred::new(0, 0), "init");
        let proc = self.proc_mut(init);
        proc.cmdline = b"init\0".to_vec();
        proc.actions.borrow_mut().ignore_all();
        self.task_mut(task).state = State::Blocked;
    }

    /// Whether a process is its host's init, and the world's own.
    pub fn is_own_init(&self, proc: ProcId) -> bool {
        let p = self.proc(proc);
        p.pid == 1 && self.spec.hosts[p.host.0 as usize].service.as_ref().is_some_and(|s| s.init)
    }

    /// A signal to an init of the world's own is for its service, as with `docker run --init`.
    pub fn pass_on(&mut self, init: ProcId, info: Info) -> Result<()> {
        match self.services[self.proc(init).host.0 as usize].main {
            Some(main) if info.signal != SIGCHLD => self.signal_process(main, info),
            _ => Ok(()),
        }
    }

    /// An init of the world's own ends with its service, and takes all other processes along.
    fn end_init(&mut self, host: HostId) {
        let Some(init) = self.host(host).init.filter(|id| self.is_own_init(*id)) else { return };
        let children = core::mem::take(&mut self.proc_mut(init).children);
        self.orphan(host, init, children);
        let task = self.proc(init).threads[0];
        self.abandon(init, task, 0);
    }

    /// Takes back a process that never ran.
    fn abandon(&mut self, proc: ProcId, task: TaskId, status: u32) {
        let host = self.proc(proc).host;
        let space = self.proc(proc).space;
        let tid = self.task(task).tid;
        self.record.exit(self.sched.now, task, status);
        if let Some(entry) = self.spaces[space.0 as usize].take() {
            self.free_slot(entry.slot);
        }
        self.forget_task(task, host, tid);
        let h = self.host_mut(host);
        if h.init == Some(proc) {
            h.init = None;
        }
        self.reap(proc);
    }

    fn start_check(&mut self, m: &mut dyn Machine, index: usize, spec: &ServiceSpec) {
        let Some(check) = &spec.healthcheck else { return };
        if self.services[index].main.is_none() || self.services[index].check.is_some() {
            return;
        }
        self.services[index].checks += 1;
        let n = self.services[index].checks;
        match self.start_command(m, index, spec, &check.argv) {
            Ok((proc, _)) => {
                self.services[index].check = Some(proc);
                // Its end is the world's to see, not the service's.
                if let Some(parent) = self.proc_mut(proc).parent.take() {
                    self.proc_mut(parent).children.retain(|c| *c != proc);
                }
                let at = self.sched.now + check.timeout;
                self.sched.arm(at, TimerAction::Service(index as u32, Timer::CheckTimeout(n)));
            }
            Err(_) => self.check_ended(index, 127 << 8),
        }
    }

    fn check_ended(&mut self, index: usize, status: u32) {
        let Some(check) = self.spec.hosts[index].service.as_ref().and_then(|s| s.healthcheck.clone()) else { return };
        let now = self.sched.now;
        let s = &mut self.services[index];
        s.check = None;
        if status == 0 {
            s.failures = 0;
            s.health = Health::Healthy;
        } else if now >= s.began + check.start_period || s.health == Health::Healthy {
            s.failures += 1;
            if s.failures >= check.retries {
                s.health = Health::Unhealthy;
            }
        }
        self.sched.arm(now + check.interval, TimerAction::Service(index as u32, Timer::Check));
        self.look_at_waiting();
    }

    /// A process has ended: was it a service's main process or a health check?
    pub fn service_ended(&mut self, _m: &mut dyn Machine, host: HostId, proc: ProcId, status: u32) {
        let index = host.0 as usize;
        if self.services[index].check == Some(proc) {
            self.check_ended(index, status);
            return;
        }
        if self.services[index].main != Some(proc) {
            return;
        }
        let Some(spec) = self.spec.hosts[index].service.clone() else { return };
        let name = self.spec.hosts[index].name.clone();
        self.record.host(self.sched.now, host.0, false, &name);
        self.end_init(host);
        let s = &mut self.services[index];
        s.main = None;
        s.status = Some(status);
        s.health = Health::Starting;
        let again = match spec.restart {
            Restart::No => false,
            Restart::Always => true,
            Restart::OnFailure(max) => status != 0 && max.is_none_or(|m| s.restarts < m),
        };
        if again {
            s.restarts += 1;
            let at = self.sched.now + s.backoff;
            s.backoff = (s.backoff * 2).min(MAX_BACKOFF);
            self.sched.arm(at, TimerAction::Service(host.0, Timer::Start));
        } else {
            s.finished = true;
        }
        if self.services.iter().all(|s| s.finished && s.main.is_none()) && self.spec.knobs.one_program {
            self.ended = Some(snowglobe_abi::spec::Ending::Completed);
        }
        self.look_at_waiting();
    }
}
