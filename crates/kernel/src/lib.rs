//! The world's kernel: a pure state machine that answers Linux system calls.
//!
//! | Module | Content |
//! |---|---|
//! | [`table`] | the one table of system calls: number, name, arguments, support level, handler |
//! | [`show`], [`words`] | calls as text, in the manner of strace; names of flags and constants |
//! | [`calls`] | thin handlers by family: decode, check in Linux's order, ask an object |
//! | [`wait`] | what a blocked call waits for, and how it completes |
//! | [`sched`], `turn` | run queue, wait queues, timers; how long a task keeps the baton |
//! | [`task`] | hosts, processes, threads as data |
//! | [`life`] | how they begin and end |
//! | [`signal`], [`deliver`] | signals as data; sending and taking them |
//! | [`core_dump`] | what is left of who is ended by one |
//! | [`mm`], [`elf`], [`exec`] | address spaces, programs |
//! | [`memory`] | memory that hosts have, and what happens when it is short |
//! | [`fs`] | files |
//! | [`sockets`] | the socket table's place in the kernel |
//! | [`fault`] | the plan of faults, carried out |
//! | [`policy`], [`service`] | what a world file says runs on a host: start, health, restart, decided and carried out |
//! | [`time`], [`rng`] | clocks, seeded streams |
//! | `made` | yield points: learning them, and those in code that programs make |
//! | [`machine`] | the one seam to the machine |
//! | [`mem`], [`uapi`] | guest memory in shapes; numbers of the Linux interface |
//!
//! This crate performs no I/O, reads no clock, draws no randomness but the seed's, and keeps nothing unordered.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

pub mod calls;
pub mod core_dump;
pub mod deliver;
pub mod elf;
pub mod exec;
pub mod fault;
pub mod fs;
pub mod futex;
pub mod health;
pub mod io;
pub mod ipc;
pub mod life;
pub mod machine;
mod made;
pub mod mem;
pub mod memory;
pub mod mm;
pub mod policy;
pub mod record;
pub mod rng;
pub mod sched;
pub mod service;
pub mod show;
pub mod signal;
pub mod sockets;
pub mod table;
pub mod task;
pub mod time;
mod turn;
pub mod uapi;
pub mod wait;
pub mod words;

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, VecDeque};
use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cell::RefCell;
use machine::Machine;
use rng::Rng;
use sched::{Sched, TimerAction};
use snowglobe_abi::Errno;
use snowglobe_abi::control::STARTER;
use snowglobe_abi::spec::{Ending, Nanos, ProcessReport, Report, Unsupported, WorldSpec};
use task::{Host, HostId, ProcId, Process, SpaceEntry, SpaceId, State, Task, TaskId};
use wait::Wait;

/// How fast the processors are that hosts have: the time-stamp counter's rate, and what `/proc/cpuinfo` says.
///
/// Programs take it for granted that a counter moves on by a good many ticks from one reading to the next: Go's tracer
/// leaves out the lowest six bits, and has its events in the wrong order where two of them then show the same.
pub const COUNTER_MHZ: u64 = 2000;

/// Why a handler does not simply return a value.
pub enum Stop {
    /// The guest gets an error.
    Errno(Errno),
    /// The task waits.
    Block(Box<Wait>),
    /// The task's registers have been replaced: there is no result to set.
    Replaced,
    /// The task does not go on here: it has ended, or it goes on in another address space.
    Gone,
}

impl From<Errno> for Stop {
    fn from(e: Errno) -> Stop {
        Stop::Errno(e)
    }
}

/// What a handler gives: the value in rax, or why there is none.
pub type Answer = core::result::Result<i64, Stop>;

/// What the layer does after a step of the kernel.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Flow {
    /// Return this value to the guest.
    Return(i64),
    /// Go on in the guest with the registers as they are.
    Go,
    /// The current task does not go on now: pick another.
    Switch,
}

/// Who is to run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Pick {
    /// This task, in the address space of this slot.
    Run(TaskId, u32),
    /// Nobody, ever again: the report has been given to the machine.
    End,
}

/// Facts about the machine that programs may see, fixed by the layer at the world's beginning.
#[derive(Clone, Copy, Debug, Default)]
pub struct MachineInfo {
    /// AT_HWCAP.
    pub hwcap: u64,
    /// AT_MINSIGSTKSZ: bytes of a signal frame.
    pub signal_frame: u64,
    /// The shared object of AT_SYSINFO_EHDR, whole pages; empty for none.
    pub vdso: &'static [u8],
}

/// The world.
pub struct Kernel {
    /// What it was made from.
    pub spec: WorldSpec,
    /// See [`MachineInfo`].
    pub machine_info: MachineInfo,
    /// Run queue and timers.
    pub sched: Sched,
    /// The task that runs.
    pub current: TaskId,
    /// Hosts by index.
    pub hosts: Vec<Host>,
    /// Tasks by id; ids are not used again.
    pub tasks: Vec<Option<Box<Task>>>,
    /// Processes by id; ids are not used again.
    pub procs: Vec<Option<Box<Process>>>,
    /// Address spaces by id; ids are not used again.
    pub spaces: Vec<Option<Box<SpaceEntry>>>,
    /// The program stream: what guests get as random.
    pub random: Rng,
    /// Slots of host processes never given out.
    next_slot: u32,
    /// Slots given back, the longest free first: their host processes take a moment to be gone.
    free_slots: VecDeque<u32>,
    /// Closed descriptions.
    pub graveyard: fs::file::Graveyard,
    /// Next name of an open file description.
    pub next_file: u64,
    /// Futex waiters.
    pub futexes: futex::Futexes,
    /// Sockets.
    pub sockets: sockets::Sockets,
    /// System V objects and POSIX queues by host.
    pub ipc: Vec<ipc::Ipc>,
    /// The world's own file pages.
    pub store: fs::store::Store,
    /// Whom the files of images belong to, by their trees.
    owners: BTreeMap<alloc::string::String, Option<Rc<fs::inode::TreeOwners>>>,
    /// Named volumes.
    pub volumes: BTreeMap<alloc::string::String, fs::inode::InodeRef>,
    /// Disks that go wrong.
    pub disk_faults: fs::disk::faults::Faults,
    /// Services by host.
    pub services: policy::Policy<ProcId>,
    /// Set when the current task may have a signal, must end, or has used up its time.
    pub notice: bool,
    /// The current task's turn.
    turn: turn::Turn,
    /// Whether a service reads the run's standard input.
    pub input_taken: bool,
    /// Whether a program has said by its SDK that the system is set up.
    pub set_up: bool,
    /// Hosts with a live process.
    pub hosts_up: u32,
    /// The trace.
    pub record: record::Recorder,
    /// Calls answered.
    pub calls: u64,
    /// What the wall clock of the host that runs shows at virtual time 0, in nanoseconds since 1970.
    pub zero: Nanos,
    /// What its monotonic clock shows at virtual time 0; less than nothing, round the end of 64 bits, when it has booted since.
    pub up: Nanos,
    /// How processes grow.
    pub health: health::Health,
    /// The plan of faults, and how far it is.
    pub faults: fault::Faults,
    /// Memory of hosts.
    pub memory: memory::Memory,
    /// What is to be reported at the end.
    pub report: Report,
    /// Set by the layer when the supervisor wants the world to end.
    pub stop_asked: bool,
    /// The end has come.
    pub ended: Option<Ending>,
    /// Learned yield points by file.
    pub yields: Rc<BTreeMap<Vec<u8>, Vec<u64>>>,
    /// Those in code that programs make.
    made: made::Made,
    /// Armed `setitimer` timers that count CPU time.
    pub cpu_timers: usize,
    /// Whether a process has ever been given a limit of its CPU time.
    pub cpu_limits: bool,
    /// Inode numbers of anonymous objects (pipes, sockets).
    pub next_anon_ino: u64,
    /// Renames so far, from which inotify's cookies are.
    pub moves: u32,
}

/// A call being answered.
pub struct Cx<'a> {
    /// The kernel.
    pub k: &'a mut Kernel,
    /// The machine.
    pub m: &'a mut dyn Machine,
    /// Who calls.
    pub task: TaskId,
    /// The call's arguments.
    pub args: [u64; 6],
}

impl Kernel {
    /// A world at time 0; its services start when it is first asked who runs.
    pub fn new(spec: WorldSpec, machine_info: MachineInfo, m: &mut dyn Machine) -> Kernel {
        let seed = spec.seed;
        let store = fs::store::Store::default();
        let record = record::Recorder::new(spec.knobs.trace_calls);
        let mut yields: BTreeMap<Vec<u8>, Vec<u64>> = BTreeMap::new();
        let mut made = Vec::new();
        for point in &spec.yield_points {
            match &point.made {
                Some(moment) => made.push((moment.clone(), point.offset)),
                None => yields.entry(point.file.clone().into_bytes()).or_default().push(point.offset),
            }
        }
        let services = policy::Policy::new(&spec);
        let zero = spec.start_realtime;
        let memory = memory::Memory::new(&spec);
        let mut kernel = Kernel {
            sched: Sched::new(Rng::stream(seed, "schedule")),
            random: Rng::stream(seed, "program"),
            sockets: sockets::Sockets::new(&spec),
            ipc: spec.hosts.iter().map(|_| ipc::Ipc::default()).collect(),
            spec,
            machine_info,
            current: TaskId(0),
            hosts: Vec::new(),
            tasks: alloc::vec![None],
            procs: alloc::vec![None],
            spaces: alloc::vec![None],
            // Slot 0 is the template's.
            next_slot: 1,
            free_slots: VecDeque::new(),
            graveyard: Rc::new(RefCell::new(Vec::new())),
            next_file: 1,
            futexes: futex::Futexes::default(),
            store,
            owners: BTreeMap::new(),
            volumes: BTreeMap::new(),
            disk_faults: Default::default(),
            services,
            notice: false,
            turn: turn::Turn::new(seed),
            input_taken: false,
            set_up: false,
            hosts_up: 0,
            record,
            calls: 0,
            zero,
            up: time::UPTIME,
            health: Default::default(),
            faults: fault::Faults::default(),
            memory,
            report: Report::default(),
            stop_asked: false,
            ended: None,
            yields: Rc::new(yields),
            made: made::Made::new(made),
            cpu_timers: 0,
            cpu_limits: false,
            next_anon_ino: 1000,
            moves: 0,
        };
        for index in 0..kernel.spec.hosts.len() {
            let host = fs::build::host(&mut kernel, index, m);
            kernel.hosts.push(host);
        }
        if let Some(until) = kernel.spec.until {
            kernel.sched.arm(until, TimerAction::Until);
        }
        kernel.arm_services();
        kernel.arm_faults();
        kernel
    }

    /// Wall clock in nanoseconds since 1970.
    pub fn realtime(&self) -> Nanos {
        self.zero + self.sched.now
    }

    /// The monotonic clock of the host that runs.
    pub fn monotonic(&self) -> Nanos {
        self.sched.now.wrapping_add(self.up)
    }

    /// A live task.
    pub fn task(&self, id: TaskId) -> &Task {
        self.tasks[id.0 as usize].as_ref().expect("a live task")
    }

    /// A live task, to change it.
    pub fn task_mut(&mut self, id: TaskId) -> &mut Task {
        self.tasks[id.0 as usize].as_mut().expect("a live task")
    }

    /// A task, if it lives.
    pub fn try_task(&self, id: TaskId) -> Option<&Task> {
        self.tasks.get(id.0 as usize)?.as_deref()
    }

    /// A process that has not been reaped.
    pub fn proc(&self, id: ProcId) -> &Process {
        self.procs[id.0 as usize].as_ref().expect("a process")
    }

    /// A process that has not been reaped, to change it.
    pub fn proc_mut(&mut self, id: ProcId) -> &mut Process {
        self.procs[id.0 as usize].as_mut().expect("a process")
    }

    /// A process, if it has not been reaped.
    pub fn try_proc(&self, id: ProcId) -> Option<&Process> {
        self.procs.get(id.0 as usize)?.as_deref()
    }

    /// The process of a task.
    pub fn proc_of(&self, task: TaskId) -> &Process {
        self.proc(self.task(task).proc)
    }

    /// The process of a task, to change it.
    pub fn proc_of_mut(&mut self, task: TaskId) -> &mut Process {
        let id = self.task(task).proc;
        self.proc_mut(id)
    }

    /// The host of a task.
    pub fn host_of(&self, task: TaskId) -> &Host {
        &self.hosts[self.proc_of(task).host.0 as usize]
    }

    /// A host.
    pub fn host(&self, id: HostId) -> &Host {
        &self.hosts[id.0 as usize]
    }

    /// A host, to change it.
    pub fn host_mut(&mut self, id: HostId) -> &mut Host {
        &mut self.hosts[id.0 as usize]
    }

    /// The address space of a task.
    pub fn space_of(&self, task: TaskId) -> &mm::Space {
        &self.spaces[self.proc_of(task).space.0 as usize].as_ref().expect("a live process has a space").space
    }

    /// The address space of a task, to change it.
    pub fn space_of_mut(&mut self, task: TaskId) -> &mut mm::Space {
        let id = self.proc_of(task).space;
        &mut self.spaces[id.0 as usize].as_mut().expect("a live process has a space").space
    }

    /// Answers a call of the current task.
    pub fn syscall(&mut self, m: &mut dyn Machine, nr: u64, args: [u64; 6]) -> Flow {
        let task = self.current;
        // Only the lower half of the number counts.
        let nr = nr & 0xffff_ffff;
        self.calls += 1;
        self.sched.now += self.spec.knobs.call_cost;
        if self.sched.next_timer <= self.sched.now {
            self.run_timers(m);
        }
        if self.calls == self.made.at_call {
            self.notice = true;
        }
        let cost = self.spec.knobs.call_cost;
        let t = self.task_mut(task);
        // A call that was put off has begun before.
        let begun = core::mem::take(&mut t.begun) && t.call == nr as u32;
        t.call = nr as u32;
        self.charge(task, cost);
        let entry = table::entry(nr);
        if !begun {
            self.record.begin(self.sched.now, task, nr, entry, &args, m);
        }
        let struck = if self.faults.odd { self.odd_call(m, task, &args) } else { None };
        let answer = {
            let forbidden = if self.task(task).seccomp.is_some() { self.forbidden(m, nr, &args) } else { None };
            let mut cx = Cx { k: self, m, task, args };
            match (forbidden.or(struck), entry) {
                (Some(answer), _) => answer,
                (None, Some(entry)) => (entry.handler)(&mut cx),
                (None, None) => cx.unsupported_call(nr),
            }
        };
        if !self.graveyard.borrow().is_empty() {
            self.bury(m);
        }
        if !self.sched.owed.is_empty() {
            self.pay_owners();
        }
        let flow = match answer {
            Ok(value) => Flow::Return(value),
            Err(Stop::Errno(e)) => Flow::Return(e.to_ret()),
            Err(Stop::Replaced) => Flow::Go,
            Err(Stop::Gone) => {
                self.trace_network();
                return Flow::Switch;
            }
            Err(Stop::Block(wait)) => {
                self.block(task, wait);
                self.trace_network();
                return Flow::Switch;
            }
        };
        if let Flow::Return(value) = flow {
            self.record.end(self.sched.now, task, nr, value, entry, &args, m);
        }
        self.trace_network();
        if self.notice || self.turn.has_passed(self.sched.now) {
            if let Flow::Return(value) = flow {
                m.set_result(value);
            }
            return self.before_return(m);
        }
        flow
    }

    /// Puts the current task to sleep on a wait.
    pub fn block(&mut self, task: TaskId, wait: Box<Wait>) {
        let t = self.task_mut(task);
        t.ticket += 1;
        let ticket = t.ticket;
        t.state = State::Blocked;
        let deadline = wait.deadline;
        let call = u64::from(t.call);
        self.sched.block(task, ticket);
        self.record.block(self.sched.now, task, call, deadline);
        self.register(task, ticket, &wait);
        let key = deadline.map(|at| self.sched.arm(at, TimerAction::Task(task, ticket)));
        let t = self.task_mut(task);
        t.timer = key;
        t.wait = Some(wait);
    }

    /// The next task to run; time passes until there is one.
    pub fn pick(&mut self, m: &mut dyn Machine) -> Pick {
        loop {
            if self.stop_asked && self.ended.is_none() {
                self.ended = Some(Ending::Stopped);
            }
            if self.ended.is_some() {
                self.finish(m);
                return Pick::End;
            }
            if !self.sched.owed.is_empty() {
                self.pay_owners();
            }
            if !self.faults.due.is_empty() {
                self.strike_due(m);
                continue;
            }
            self.note_woken();
            if self.sched.now >= self.health.next {
                self.look_at_health();
            }
            if let Some(task) = self.sched.take() {
                self.current = task;
                self.begin_turn();
                self.notice = true;
                self.task_mut(task).state = State::Running;
                self.settle_clock(self.proc_of(task).host.0);
                let space = self.proc_of(task).space;
                let slot = self.spaces[space.0 as usize].as_ref().expect("a live process has a space").slot;
                return Pick::Run(task, slot);
            }
            if self.sched.next_timer == Nanos::MAX || self.only_until_is_left() {
                let alive = self.procs.iter().flatten().any(|p| p.status.is_none());
                self.ended = Some(if alive { Ending::Deadlock } else { Ending::Completed });
                continue;
            }
            self.sched.now = self.sched.next_timer.max(self.sched.now);
            self.run_timers(m);
        }
    }

    /// Whether the only timer is the world's end and nobody lives to see it.
    fn only_until_is_left(&self) -> bool {
        self.report.processes.len() == self.services_done() && self.procs.iter().flatten().all(|p| p.status.is_some())
    }

    /// Goes on with the current task, whose address space is now the current one.
    pub fn resume(&mut self, m: &mut dyn Machine) -> Flow {
        let task = self.current;
        let space = self.space_of_mut(task);
        if !space.stale.is_empty() {
            space.catch_up(m);
        }
        for (addr, len, stays) in core::mem::take(&mut self.task_mut(task).lost) {
            match stays {
                true => m.advise(addr, len, uapi::MADV_DONTNEED),
                // A whole mapping can always go.
                false => m.unmap(addr, len).unwrap_or(()),
            }
        }
        if let Some(addr) = self.task_mut(task).child_tid_to_set.take() {
            let tid = self.task(task).tid;
            // A bad pointer is ignored, as Linux ignores it.
            let _ = m.write(addr, &tid.to_le_bytes());
        }
        if let Some(program) = self.task_mut(task).exec.take() {
            if let Err(e) = self.start_program(m, task, &program) {
                self.exec_failed(m, task, e);
                return Flow::Switch;
            }
        } else if self.task(task).wait.is_some() && !self.complete(m, task) {
            return Flow::Switch;
        }
        if !self.graveyard.borrow().is_empty() {
            self.bury(m);
        }
        if !self.sched.owed.is_empty() {
            self.pay_owners();
        }
        self.before_return(m)
    }

    /// Before the current task returns to its program: death, signals, the end of its turn.
    pub fn before_return(&mut self, m: &mut dyn Machine) -> Flow {
        let task = self.current;
        self.notice = false;
        if self.sched.next_timer <= self.sched.now {
            self.run_timers(m);
        }
        if !self.take_signals(m, task) {
            return Flow::Switch;
        }
        if self.calls >= self.made.at_call {
            self.apply_made(m);
        }
        // A fault strikes while nobody runs: it may take away whoever does.
        if !self.faults.due.is_empty() {
            self.task_mut(task).state = State::Runnable;
            self.sched.enqueue_first(task);
            return Flow::Switch;
        }
        if self.turn.is_over(self.sched.now) {
            self.begin_turn();
            if self.sched.anyone() {
                self.task_mut(task).state = State::Runnable;
                self.sched.enqueue(task);
                return Flow::Switch;
            }
        }
        Flow::Go
    }

    /// Ends the current task's turn: others who could run go first.
    pub fn end_turn(&mut self) {
        self.notice = true;
        self.turn.give_up();
    }

    fn begin_turn(&mut self) {
        self.turn.begin(self.sched.now, self.spec.knobs.quantum, self.calls);
    }

    /// What reading a clock without a call takes.
    pub fn clock_step(&self) -> Nanos {
        (self.spec.knobs.call_cost / 10).max(1)
    }

    /// What the time-stamp counter shows. Reading it takes time, so that loops on it end.
    pub fn counter(&mut self) -> u64 {
        self.sched.now += self.clock_step();
        self.notice |= self.turn.has_passed(self.sched.now) || self.sched.next_timer <= self.sched.now;
        self.monotonic().wrapping_mul(COUNTER_MHZ / 1000)
    }

    /// The current task has read clocks by itself: time has come to this.
    #[inline]
    pub fn has_become(&mut self, now: Nanos) {
        let passed = now - self.sched.now;
        if passed > 0 {
            self.sched.now = now;
            self.charge(self.current, passed);
        }
    }

    /// How far time may go before the current task must call.
    #[inline]
    pub fn time_limit(&self) -> Nanos {
        if self.clock_drifts() {
            // Every reading is a call.
            return 0;
        }
        self.sched.next_timer.min(self.turn.ends())
    }

    /// Gives up the baton at a yield point. The loop's passes count as a little time, so that who waits for a timer gets it. They
    /// were `few` if they took long.
    pub fn yield_now(&mut self, m: &mut dyn Machine, at: u64, few: bool) -> Flow {
        let task = self.current;
        // With nobody else to run, only a timer can change what the loop sees: it comes sooner.
        let calls = if self.sched.anyone() { 2 } else { 20 };
        let cost = calls * self.spec.knobs.call_cost;
        self.sched.now += cost;
        self.charge(task, cost);
        self.turn.passes(self.calls, few);
        if self.faults.odd {
            self.step_schedule(task);
            self.give_way(task);
        }
        self.made.entered();
        self.record.yielded(self.sched.now, task, at, m);
        self.before_return(m)
    }

    /// Puts the current task back into the queue.
    pub fn give_up(&mut self) {
        let task = self.current;
        self.task_mut(task).state = State::Runnable;
        self.sched.enqueue(task);
    }

    /// Whether somebody may wait for the current task to give up the baton: another that could run, or a timer.
    pub fn is_waited_for(&self) -> bool {
        self.sched.anyone() || self.sched.next_timer != Nanos::MAX
    }

    /// Does what timers that are due ask for.
    fn run_timers(&mut self, m: &mut dyn Machine) {
        while let Some(action) = self.sched.due() {
            self.fire(action, m);
        }
    }

    /// Tells the trace who was woken.
    fn note_woken(&mut self) {
        let woken = core::mem::take(&mut self.sched.woken);
        for task in &woken {
            self.record.wake(self.sched.now, *task);
        }
        self.sched.woken = woken;
        self.sched.woken.clear();
    }

    fn finish(&mut self, m: &mut dyn Machine) {
        self.report.virtual_ns = self.sched.now;
        self.report.ending = self.ended.clone().unwrap_or_default();
        self.report_health();
        self.report.faults = self.fault_reports();
        self.report.waiting = self.services.waiting(&self.spec);
        self.record.flush(m);
        let bytes = record::encode_report(&self.report);
        m.world_ended(&bytes);
    }

    /// Notes a call, or a part of one, that is not there.
    pub fn note_unsupported(&mut self, nr: u32, name: &str, site: u64) {
        let known = self.report.unsupported.iter_mut().find(|u| u.nr == nr && u.name == name);
        if let Some(u) = known {
            u.count += 1;
            return;
        }
        let task = self.task(self.current);
        let first = alloc::format!("{}: {} at {:#x}", self.host_of(task.id).name, task.comm, site);
        self.record.unsupported(self.sched.now, task.id, nr, name);
        self.report.unsupported.push(Unsupported { nr, name: name.into(), count: 1, first });
    }

    /// A line of the report.
    pub fn report_process(&mut self, line: ProcessReport) -> usize {
        self.report.processes.push(line);
        self.report.processes.len() - 1
    }

    /// Whether there is a slot for one more address space.
    pub fn has_slot(&self) -> bool {
        !self.free_slots.is_empty() || self.next_slot < STARTER
    }

    /// Names a space for a new host process.
    pub fn new_space(&mut self, space: mm::Space) -> (SpaceId, u32) {
        let reuse = self.free_slots.len() > 64 || self.next_slot >= STARTER;
        let slot = match if reuse { self.free_slots.pop_front() } else { None } {
            Some(slot) => slot,
            None => {
                self.next_slot += 1;
                self.next_slot - 1
            }
        };
        let id = SpaceId(self.spaces.len() as u32);
        self.spaces.push(Some(Box::new(SpaceEntry { space, slot, users: 1 })));
        (id, slot)
    }

    /// Gives a slot back.
    pub fn free_slot(&mut self, slot: u32) {
        self.free_slots.push_back(slot);
    }
}
