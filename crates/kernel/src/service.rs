//! What a world file says runs on a host, carried out: processes start, are checked, end. [`policy`](crate::policy) decides.

use crate::Kernel;
use crate::fs::dev::Input;
use crate::fs::file::{FileKind, OpenFile};
use crate::machine::Machine;
use crate::policy::{Ended, Order, Timer};
use crate::sched::TimerAction;
use crate::signal::Info;
use crate::task::{Cred, HostId, ProcId, State, TaskId};
use crate::uapi::*;
use alloc::rc::Rc;
use alloc::string::String;
use alloc::vec::Vec;
use snowglobe_abi::errno::{Errno, Result};
use snowglobe_abi::spec::{ProcessReport, ServiceSpec};

impl Kernel {
    /// Sets the timers that the services ask for.
    pub fn arm_services(&mut self) {
        for (at, host, timer) in self.services.take_timers() {
            self.sched.arm(at, TimerAction::Service(host, timer));
        }
    }

    /// How many lines of the report have a final status.
    pub fn services_done(&self) -> usize {
        if self.services.all_done() { self.report.processes.len() } else { usize::MAX }
    }

    /// A service's timer is due.
    pub fn service_due(&mut self, m: &mut dyn Machine, host: u32, timer: Timer) {
        let Some(spec) = self.spec.hosts[host as usize].service.clone() else { return };
        match self.services.timer(&spec, host, timer) {
            Some(Order::Start) => self.start_service(m, host as usize, &spec),
            Some(Order::Check) => self.start_check(m, host as usize, &spec),
            Some(Order::Kill(check)) => self.doom(check, SIGKILL),
            None => {}
        }
        self.arm_services();
    }

    fn start_service(&mut self, m: &mut dyn Machine, index: usize, spec: &ServiceSpec) {
        let name = self.spec.hosts[index].name.clone();
        self.record.host(self.sched.now, index as u32, true, &name);
        let now = self.sched.now;
        match self.start_command(m, index, spec, &spec.argv) {
            Ok((proc, task)) => {
                self.services.started(spec, index as u32, now, proc);
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
                self.services.not_started(index as u32, now, status << 8);
            }
        }
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
        match self.services.service(self.proc(init).host.0).main {
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
        let started = self.start_command(m, index, spec, &check.argv);
        let now = self.sched.now;
        match started {
            Ok((proc, _)) => {
                self.services.check_started(spec, index as u32, now, proc);
                // Its end is the world's to see, not the service's.
                if let Some(parent) = self.proc_mut(proc).parent.take() {
                    self.proc_mut(parent).children.retain(|c| *c != proc);
                }
            }
            Err(_) => self.services.check_ended(spec, index as u32, now, 127 << 8),
        }
    }

    /// A process has ended: was it a service's main process or a health check?
    pub fn service_ended(&mut self, _m: &mut dyn Machine, host: HostId, proc: ProcId, status: u32) {
        let Some(spec) = self.spec.hosts[host.0 as usize].service.clone() else { return };
        let now = self.sched.now;
        match self.services.which(host.0, proc) {
            Ended::Check => self.services.check_ended(&spec, host.0, now, status),
            Ended::Main => {
                let name = self.spec.hosts[host.0 as usize].name.clone();
                self.record.host(now, host.0, false, &name);
                self.end_init(host);
                self.services.main_ended(&spec, host.0, now, status);
                if self.services.all_done() && self.spec.knobs.one_program {
                    self.ended = Some(snowglobe_abi::spec::Ending::Completed);
                }
            }
            Ended::Other => return,
        }
        self.arm_services();
    }
}
