//! A machine that is nothing but memory, and a driver that makes calls for tasks that run no program.

use snowglobe_abi::errno::{Errno, Result};
use snowglobe_abi::map::{GUEST_MAX, GUEST_MIN, PAGE, RESERVED_END, RESERVED_START, STUB_ZONE_SIZE, STUB_ZONES};
use snowglobe_abi::spec::{DEFAULT_START_S, HostSpec, InterfaceSpec, Knobs, NetworkSpec, RootSpec, WorldSpec};
use snowglobe_kernel::machine::{Backing, LowerFile, LowerStat, Machine, SignalFrame, SignalReturn};
use snowglobe_kernel::task::{Cred, HostId, State, TaskId};
use snowglobe_kernel::{Flow, Kernel, MachineInfo, Pick, table};
use std::collections::BTreeMap;
use std::ops::Range;

/// Where the memory that all tasks share begins.
const BASE: u64 = 0x10_0000;
/// Its length.
const LEN: usize = 8 << 20;
/// An address where there is nothing.
pub const NOWHERE: u64 = 0x10;

/// Memory, a store, and what the kernel said.
pub struct FakeMachine {
    memory: Vec<u8>,
    /// The store's pages that hold something.
    store: BTreeMap<u64, Box<[u8; PAGE as usize]>>,
    /// Who runs.
    current: u32,
    /// Results of calls that had to wait, by task.
    results: BTreeMap<u32, i64>,
    /// Ranges that programs were mapped to.
    mapped: Vec<(u64, u64)>,
    /// Entry and stack pointer of the program that was started last.
    started: Option<(u64, u64)>,
    /// Signal handlers that were entered: task and signal.
    pub handled: Vec<(u32, u32)>,
    /// Bytes that each task's process has made its own, as the machine would count them.
    pub touched: BTreeMap<TaskId, u64>,
    /// How often they were counted.
    pub counts: u64,
    /// The report, when the world is over.
    pub over: Option<Vec<u8>>,
}

impl FakeMachine {
    /// Whether a mapping holds the range; what is in mappings is not kept.
    fn is_mapped(&self, addr: u64, len: usize) -> bool {
        let end = addr.saturating_add(len as u64);
        self.mapped.iter().any(|(start, stop)| *start <= addr && end <= *stop)
    }

    fn at(&self, addr: u64, len: usize) -> Result<usize> {
        let at = addr.checked_sub(BASE).ok_or(Errno::EFAULT)? as usize;
        if at + len <= LEN { Ok(at) } else { Err(Errno::EFAULT) }
    }
}

impl Machine for FakeMachine {
    fn read(&mut self, addr: u64, buf: &mut [u8]) -> Result<()> {
        if buf.is_empty() {
            return Ok(());
        }
        if self.is_mapped(addr, buf.len()) {
            buf.fill(0);
            return Ok(());
        }
        let at = self.at(addr, buf.len())?;
        buf.copy_from_slice(&self.memory[at..at + buf.len()]);
        Ok(())
    }
    fn write(&mut self, addr: u64, buf: &[u8]) -> Result<()> {
        if buf.is_empty() {
            return Ok(());
        }
        if self.is_mapped(addr, buf.len()) {
            return Ok(());
        }
        let at = self.at(addr, buf.len())?;
        self.memory[at..at + buf.len()].copy_from_slice(buf);
        Ok(())
    }
    fn compare_exchange(&mut self, addr: u64, old: u32, new: u32) -> Result<u32> {
        let mut word = [0; 4];
        self.read(addr, &mut word)?;
        let was = u32::from_le_bytes(word);
        if was == old {
            self.write(addr, &new.to_le_bytes())?;
        }
        Ok(was)
    }
    fn store_read(&mut self, offset: u64, buf: &mut [u8]) {
        let mut done = 0;
        while done < buf.len() {
            let at = offset + done as u64;
            let (page, inside) = (at / PAGE, (at % PAGE) as usize);
            let n = (PAGE as usize - inside).min(buf.len() - done);
            match self.store.get(&page) {
                Some(bytes) => buf[done..done + n].copy_from_slice(&bytes[inside..inside + n]),
                None => buf[done..done + n].fill(0),
            }
            done += n;
        }
    }
    fn store_write(&mut self, offset: u64, buf: &[u8]) {
        let mut done = 0;
        while done < buf.len() {
            let at = offset + done as u64;
            let (page, inside) = (at / PAGE, (at % PAGE) as usize);
            let n = (PAGE as usize - inside).min(buf.len() - done);
            let bytes = self.store.entry(page).or_insert_with(|| Box::new([0; PAGE as usize]));
            bytes[inside..inside + n].copy_from_slice(&buf[done..done + n]);
            done += n;
        }
    }
    fn store_from_guest(&mut self, offset: u64, addr: u64, len: u64) -> Result<()> {
        let mut buf = vec![0; len as usize];
        self.read(addr, &mut buf)?;
        self.store_write(offset, &buf);
        Ok(())
    }
    fn store_to_guest(&mut self, offset: u64, addr: u64, len: u64) -> Result<()> {
        let mut buf = vec![0; len as usize];
        self.store_read(offset, &mut buf);
        self.write(addr, &buf)
    }
    fn store_discard(&mut self, offset: u64, len: u64) {
        self.store.retain(|page, _| !(offset..offset + len).contains(&(page * PAGE)));
    }
    fn map(&mut self, addr: u64, len: u64, _: u32, _: Backing) -> Result<()> {
        let end = addr.checked_add(len).expect("a range does not wrap");
        assert!(addr.is_multiple_of(PAGE) && len.is_multiple_of(PAGE) && len > 0, "{addr:#x}, {len:#x}");
        assert!(addr >= GUEST_MIN && end <= GUEST_MAX, "{addr:#x}..{end:#x} is no guest's");
        assert!(end <= RESERVED_START || addr >= RESERVED_END, "{addr:#x}..{end:#x} is the layer's");
        for (zone, _) in &STUB_ZONES {
            assert!(end <= *zone || addr >= zone + STUB_ZONE_SIZE, "{addr:#x}..{end:#x} is a stub zone's");
        }
        self.mapped.push((addr, end));
        Ok(())
    }
    fn unmap(&mut self, _: u64, _: u64) -> Result<()> {
        Ok(())
    }
    fn protect(&mut self, _: u64, _: u64, _: u32) -> Result<()> {
        Ok(())
    }
    fn remap(&mut self, _: u64, _: u64, _: u64) -> Result<()> {
        Ok(())
    }
    fn advise(&mut self, _: u64, _: u64, _: u32) {}
    fn count_pages(&mut self) {}
    fn touched(&mut self, _: &[(u64, u64)]) -> u64 {
        self.counts += 1;
        self.touched.get(&TaskId(self.current)).copied().unwrap_or(0)
    }
    fn store_touched(&mut self, offset: u64, len: u64) -> u64 {
        self.store.range(offset / PAGE..(offset + len) / PAGE).count() as u64 * PAGE
    }
    fn clear_space(&mut self) {}
    fn lower_stat(&mut self, _: &str) -> Result<LowerStat> {
        Err(Errno::ENOENT)
    }
    fn lower_list(&mut self, _: &str) -> Result<Vec<Vec<u8>>> {
        Ok(Vec::new())
    }
    fn lower_link(&mut self, _: &str) -> Result<Vec<u8>> {
        Err(Errno::ENOENT)
    }
    fn lower_open(&mut self, _: &str) -> Result<LowerFile> {
        Err(Errno::ENOENT)
    }
    fn lower_close(&mut self, _: LowerFile) {}
    fn lower_read(&mut self, _: LowerFile, _: u64, _: &mut [u8]) -> Result<usize> {
        Err(Errno::EIO)
    }
    fn lower_to_guest(&mut self, _: LowerFile, _: u64, _: u64, _: u64) -> Result<u64> {
        Err(Errno::EIO)
    }
    fn lower_to_store(&mut self, _: LowerFile, _: u64, _: u64, _: u64) -> Result<u64> {
        Err(Errno::EIO)
    }
    fn emit(&mut self, _: &[u8]) {}
    fn input(&mut self) -> Vec<u8> {
        Vec::new()
    }
    fn fs_base(&mut self) -> u64 {
        0
    }
    fn set_fs_base(&mut self, _: u64) {}
    fn registers(&mut self, _: u32) -> [u64; 27] {
        [0; 27]
    }
    fn stack_pointer(&mut self) -> u64 {
        BASE + LEN as u64
    }
    fn call_site(&mut self) -> u64 {
        0
    }
    fn copy_context(&mut self, child: u32, _: u64, _: Option<u64>) {
        self.results.insert(child, 0);
    }
    fn drop_context(&mut self, _: u32) {}
    fn fork_space(&mut self, _: u32) -> Result<()> {
        Ok(())
    }
    fn fresh_space(&mut self, _: u32) {}
    fn end_space(&mut self, _: u32) {}
    fn start_program(&mut self, entry: u64, stack: u64) {
        self.started = Some((entry, stack));
    }
    fn set_result(&mut self, value: i64) {
        self.results.insert(self.current, value);
    }
    fn restart_call(&mut self, _: u64) {}
    fn push_signal(&mut self, frame: &SignalFrame) -> Result<()> {
        self.handled.push((self.current, frame.signal));
        Ok(())
    }
    fn pop_signal(&mut self) -> Result<SignalReturn> {
        Err(Errno::EFAULT)
    }
    fn yield_point(&mut self, _: u64, _: Range<u64>) {}
    fn yield_point_made(&mut self, _: u64) {}
    fn world_ended(&mut self, report: &[u8]) {
        self.over = Some(report.to_vec());
    }
    fn debug(&mut self, text: String) {
        panic!("{text}");
    }
}

/// A world whose tasks make the calls that a test tells them to make.
pub struct World {
    pub k: Kernel,
    pub m: FakeMachine,
    /// Next free address.
    next: u64,
}

fn host(name: &str, address: u8) -> HostSpec {
    let interface = InterfaceSpec { network: 0, address: [10, 0, 0, address], aliases: vec![] };
    HostSpec {
        name: name.into(),
        hostname: name.into(),
        root: RootSpec::Machine,
        mounts: vec![],
        interfaces: vec![interface],
        memory: None,
        service: None,
    }
}

/// How long a packet takes between the two hosts.
pub const LATENCY: u64 = 1_000_000;

impl World {
    /// Hosts `a` (10.0.0.2) and `b` (10.0.0.3) on one network.
    pub fn new() -> World {
        World::of(|_| {})
    }

    /// The same, with something different in its specification.
    pub fn of(change: impl FnOnce(&mut WorldSpec)) -> World {
        let network = NetworkSpec::plain("net", ([10, 0, 0, 0], 24), [10, 0, 0, 1], LATENCY);
        let mut spec = WorldSpec {
            seed: 1,
            start_realtime: DEFAULT_START_S * 1_000_000_000,
            until: None,
            hosts: vec![host("a", 2), host("b", 3)],
            networks: vec![network],
            knobs: Knobs::default(),
            yield_points: vec![],
            faults: Default::default(),
            checks: Default::default(),
        };
        change(&mut spec);
        let mut m = FakeMachine {
            memory: vec![0; LEN],
            store: BTreeMap::new(),
            current: 0,
            results: BTreeMap::new(),
            mapped: Vec::new(),
            started: None,
            handled: Vec::new(),
            touched: BTreeMap::new(),
            counts: 0,
            over: None,
        };
        let k = Kernel::new(spec, MachineInfo::default(), &mut m);
        World { k, m, next: BASE }
    }

    /// A process of root on a host.
    pub fn process(&mut self, host: u32) -> TaskId {
        self.process_of(host, 0)
    }

    /// A process of a user on a host.
    pub fn process_of(&mut self, host: u32, uid: u32) -> TaskId {
        let (_, task) = self.k.new_process(HostId(host), Cred::new(uid, uid), "test");
        self.k.task_mut(task).state = State::Running;
        task
    }

    // Memory.

    /// Room for so many bytes.
    pub fn room(&mut self, len: usize) -> u64 {
        let at = self.next;
        self.next += (len as u64).next_multiple_of(16);
        assert!(self.next < BASE + LEN as u64, "the test's memory is full");
        at
    }

    /// Bytes in memory.
    pub fn put(&mut self, bytes: &[u8]) -> u64 {
        let at = self.room(bytes.len());
        self.m.write(at, bytes).unwrap();
        at
    }

    /// 32-bit words in memory.
    pub fn words(&mut self, words: &[u32]) -> u64 {
        let bytes: Vec<u8> = words.iter().flat_map(|w| w.to_le_bytes()).collect();
        self.put(&bytes)
    }

    /// 64-bit words in memory.
    pub fn longs(&mut self, words: &[u64]) -> u64 {
        let bytes: Vec<u8> = words.iter().flat_map(|w| w.to_le_bytes()).collect();
        self.put(&bytes)
    }

    /// What is in memory.
    pub fn get(&mut self, at: u64, len: usize) -> Vec<u8> {
        let mut out = vec![0; len];
        self.m.read(at, &mut out).unwrap();
        out
    }

    /// A 32-bit word.
    pub fn word(&mut self, at: u64) -> u32 {
        u32::from_le_bytes(self.get(at, 4).try_into().unwrap())
    }

    /// A 64-bit word.
    pub fn long(&mut self, at: u64) -> u64 {
        u64::from_le_bytes(self.get(at, 8).try_into().unwrap())
    }

    // Calls.

    /// Begins a call; `None` when it waits.
    pub fn start<const N: usize>(&mut self, task: TaskId, name: &str, args: [u64; N]) -> Option<i64> {
        let nr = table::TABLE.iter().find(|e| e.name == name).unwrap_or_else(|| panic!("no call {name}")).nr;
        let mut all = [0; 6];
        all[..N].copy_from_slice(&args);
        self.start_number(task, u64::from(nr), all)
    }

    /// Begins the call with a number; `None` when it waits.
    pub fn start_number(&mut self, task: TaskId, nr: u64, args: [u64; 6]) -> Option<i64> {
        assert!(self.k.task(task).state == State::Running, "{task:?} is in a call already");
        self.k.current = task;
        self.m.current = task.0;
        self.m.results.remove(&task.0);
        match self.k.syscall(&mut self.m, nr, args) {
            Flow::Return(value) => Some(value),
            Flow::Go => Some(self.m.results.remove(&task.0).expect("a result")),
            Flow::Switch => {
                let state = self.k.try_task(task).map(|t| t.state)?;
                if state == State::Runnable {
                    // Its turn is over, its call is not: the driver has turns of its own.
                    self.k.sched.remove(task);
                    self.k.task_mut(task).state = State::Running;
                    return self.m.results.remove(&task.0);
                }
                None
            }
        }
    }

    /// `execve`: its error, or nothing when the program has begun or the process is dead.
    pub fn exec(&mut self, task: TaskId, args: [u64; 3]) -> Option<i64> {
        let nr = table::TABLE.iter().find(|e| e.name == "execve").expect("it is there").nr;
        self.k.current = task;
        self.m.current = task.0;
        let flow = self.k.syscall(&mut self.m, u64::from(nr), [args[0], args[1], args[2], 0, 0, 0]);
        match flow {
            Flow::Return(value) => Some(value),
            Flow::Go => {
                let (_, stack) = self.m.started.expect("it was started");
                assert!(stack.is_multiple_of(16) && self.m.is_mapped(stack, 8), "{stack:#x} is no stack");
                None
            }
            Flow::Switch => {
                assert!(self.k.try_task(task).is_none_or(|t| t.state == State::Runnable));
                None
            }
        }
    }

    /// A call that does not wait.
    #[track_caller]
    pub fn call<const N: usize>(&mut self, task: TaskId, name: &str, args: [u64; N]) -> i64 {
        self.start(task, name, args).unwrap_or_else(|| panic!("{name} waits"))
    }

    /// A call that does not wait and succeeds.
    #[track_caller]
    pub fn ok<const N: usize>(&mut self, task: TaskId, name: &str, args: [u64; N]) -> u64 {
        let value = self.call(task, name, args);
        u64::try_from(value).unwrap_or_else(|_| panic!("{name} gave {:?}", Errno(-value as u16)))
    }

    /// A call that does not wait and fails.
    #[track_caller]
    pub fn err<const N: usize>(&mut self, task: TaskId, name: &str, args: [u64; N]) -> Errno {
        let value = self.call(task, name, args);
        assert!(value < 0, "{name} gave {value}");
        Errno(-value as u16)
    }

    /// A call that waits.
    #[track_caller]
    pub fn waits<const N: usize>(&mut self, task: TaskId, name: &str, args: [u64; N]) {
        let value = self.start(task, name, args);
        assert_eq!(value, None, "{name} does not wait");
    }

    /// Lets tasks run whose wait may be over, without letting time pass.
    pub fn run(&mut self) {
        while self.k.sched.anyone() {
            self.step();
        }
    }

    /// Gives the next task its turn; `None` when the world has ended.
    pub fn step(&mut self) -> Option<TaskId> {
        match self.k.pick(&mut self.m) {
            Pick::End => None,
            Pick::Run(task, _) => {
                self.m.current = task.0;
                self.k.resume(&mut self.m);
                if self.k.try_task(task).is_some_and(|t| t.state == State::Runnable) {
                    self.k.sched.remove(task);
                    self.k.task_mut(task).state = State::Running;
                }
                Some(task)
            }
        }
    }

    /// Whether a task's call still waits.
    pub fn is_waiting(&mut self, task: TaskId) -> bool {
        self.run();
        self.k.task(task).state == State::Blocked
    }

    /// The result of a call that waited, as soon as it is there; time passes.
    #[track_caller]
    pub fn finish(&mut self, task: TaskId) -> i64 {
        loop {
            if let Some(value) = self.m.results.remove(&task.0) {
                return value;
            }
            assert!(self.step().is_some(), "the world ended before {task:?} went on: {:?}", self.k.report.ending);
        }
    }

    /// Virtual nanoseconds.
    pub fn now(&self) -> u64 {
        self.k.sched.now
    }

    /// Lets so much time pass, and what happens in it happen.
    pub fn sleep(&mut self, task: TaskId, ns: u64) {
        let time = self.longs(&[ns / 1_000_000_000, ns % 1_000_000_000]);
        self.waits(task, "nanosleep", [time, 0]);
        assert_eq!(self.finish(task), 0);
    }

    // Short ways to say what is said often.

    /// Sends bytes with flags.
    pub fn send(&mut self, task: TaskId, fd: u64, bytes: &[u8], flags: u64) -> i64 {
        let buf = self.put(bytes);
        self.call(task, "sendto", [fd, buf, bytes.len() as u64, flags, 0, 0])
    }

    /// Receives bytes without waiting.
    pub fn recv(&mut self, task: TaskId, fd: u64, len: usize, flags: u64) -> Result<Vec<u8>> {
        let buf = self.room(len);
        let n = self.call(task, "recvfrom", [fd, buf, len as u64, flags, 0, 0]);
        if n < 0 { Err(Errno(-n as u16)) } else { Ok(self.get(buf, n as usize)) }
    }

    /// `struct sockaddr_in` in memory.
    pub fn inet(&mut self, ip: [u8; 4], port: u16) -> u64 {
        let mut raw = vec![2, 0];
        raw.extend(port.to_be_bytes());
        raw.extend(ip);
        raw.extend([0; 8]);
        self.put(&raw)
    }

    /// `struct sockaddr_un` in memory, and its length.
    pub fn unix(&mut self, path: &str) -> (u64, u64) {
        let mut raw = vec![1, 0];
        raw.extend(path.as_bytes());
        raw.push(0);
        (self.put(&raw), raw.len() as u64)
    }

    /// A pair of connected sockets.
    pub fn pair(&mut self, task: TaskId, kind: u64) -> (u64, u64) {
        let fds = self.room(8);
        self.ok(task, "socketpair", [AF_UNIX, kind, 0, fds]);
        (u64::from(self.word(fds)), u64::from(self.word(fds + 4)))
    }

    /// A TCP socket that listens on any address.
    pub fn listener(&mut self, task: TaskId, port: u16) -> u64 {
        let fd = self.ok(task, "socket", [AF_INET, STREAM, 0]);
        let addr = self.inet([0; 4], port);
        self.ok(task, "bind", [fd, addr, 16]);
        self.ok(task, "listen", [fd, 8]);
        fd
    }

    /// What `poll` says of a descriptor now.
    pub fn poll(&mut self, task: TaskId, fd: u64, events: u32) -> u32 {
        let fds = self.words(&[fd as u32, events]);
        self.call(task, "poll", [fds, 1, 0]);
        self.word(fds + 4) >> 16
    }

    /// An epoll instance that watches descriptors; their numbers are their data.
    pub fn epoll(&mut self, task: TaskId, watched: &[(u64, u32)]) -> u64 {
        let epfd = self.ok(task, "epoll_create1", [0]);
        for (fd, events) in watched {
            let event = self.words(&[*events, *fd as u32, 0]);
            self.ok(task, "epoll_ctl", [epfd, 1, *fd, event]);
        }
        epfd
    }

    /// What an epoll instance has now: descriptors and events.
    pub fn ready(&mut self, task: TaskId, epfd: u64) -> Vec<(u64, u32)> {
        let events = self.room(12 * 8);
        let n = self.ok(task, "epoll_wait", [epfd, events, 8, 0]);
        (0..n).map(|i| (u64::from(self.word(events + i * 12 + 4)), self.word(events + i * 12))).collect()
    }

    /// Sets SO_RCVTIMEO (20) or SO_SNDTIMEO (21) in microseconds.
    pub fn timeout(&mut self, task: TaskId, fd: u64, option: u64, micros: u64) {
        let value = self.longs(&[micros / 1_000_000, micros % 1_000_000]);
        self.ok(task, "setsockopt", [fd, 1, option, value, 16]);
    }

    /// Catches a signal, with SA_RESTART or without.
    pub fn catch(&mut self, task: TaskId, signal: u64, restart: bool) {
        let flags = 0x0400_0000 | if restart { 0x1000_0000 } else { 0 };
        let action = self.longs(&[0x1234, flags, 0x5678, 0]);
        self.ok(task, "rt_sigaction", [signal, action, 0, 8]);
    }
}

pub const AF_UNIX: u64 = 1;
pub const AF_INET: u64 = 2;
pub const STREAM: u64 = 1;
pub const DGRAM: u64 = 2;
pub const NONBLOCK: u64 = 0x800;
pub const IN: u32 = 1;
pub const OUT: u32 = 4;
pub const ET: u32 = 1 << 31;
