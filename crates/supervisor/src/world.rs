//! One world from start to end.

use crate::arena::{Arena, futex, memfd};
use crate::seat::Seat;
use snowglobe_abi::control::{MAX_SLOTS, state};
use snowglobe_abi::map::{PAGE, RING_SIZE, fd};
use snowglobe_abi::spec::{self, Ending, Report, WorldSpec};
use std::fmt;
use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::FileExt;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::time::{Duration, Instant};

/// How long the supervisor sleeps at least and at most. A wake-up takes time from a world on the same core, and what it
/// takes from the ring is better taken at once. A full ring wakes it.
const REST: (Duration, Duration) = (Duration::from_millis(1), Duration::from_millis(16));
/// More bytes than this at once, and the next sleep is shorter.
const MANY: u64 = RING_SIZE / 8;
/// How often a sample is given.
const SAMPLE: Duration = Duration::from_millis(100);
/// How long a world may take to end when it is asked to.
const STOP_GRACE: Duration = Duration::from_secs(2);
/// A runner that has used so much of its processor without a call may be in a loop that waits for another. Time on the
/// wall would say nothing on a busy machine.
const STALL: Duration = Duration::from_millis(500);

/// What a world asks of the caller while it runs.
pub struct Hooks<'a> {
    /// Gives the next part of standard input: [`INPUT_PART`](snowglobe_abi::control::INPUT_PART) bytes, or fewer at its end and
    /// none after it. `None` when that is not there yet: after a moment, so that this may ask again at once.
    pub input: &'a mut dyn FnMut() -> io::Result<Option<Vec<u8>>>,
    /// Takes trace bytes, in order; says whether the world should end now.
    pub trace: &'a mut dyn FnMut(&[u8]) -> io::Result<bool>,
    /// Hears virtual nanoseconds, events and hosts with a live process, several times a second.
    pub sample: &'a mut dyn FnMut(u64, u64, u32) -> io::Result<()>,
    /// Set from outside to end the world.
    pub stop: &'a AtomicBool,
    /// Whether loops that spin are looked for. A run that is run again had none left, however slow this machine is.
    pub learn: bool,
}

/// How a world ended.
#[derive(Clone, Debug)]
pub struct Ended {
    /// The layer's report.
    pub report: Report,
    /// Trace records.
    pub events: u64,
    /// System calls.
    pub calls: u64,
    /// Calls that trapped.
    pub traps: u64,
    /// Sites rewritten.
    pub sites: u64,
}

/// Why a world could not be run to its end.
#[derive(Debug)]
pub enum Failure {
    /// The operating system refused something: what was tried, and its answer.
    System(String, io::Error),
    /// A bug of the layer: its last words.
    Layer(String),
    /// A host process died that should not have: its wait status.
    Died(i32),
    /// All host processes are gone, and none has said why.
    Vanished,
    /// The caller's hook failed.
    Hook(io::Error),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::System(what, e) => write!(f, "{what}: {e}"),
            Failure::Layer(text) => write!(f, "the layer found a bug of its own: {text}"),
            Failure::Died(status) => write!(f, "a guest's process was ended from outside ({})", describe(*status)),
            Failure::Vanished => write!(f, "all guests' processes are gone, and none has said why"),
            Failure::Hook(e) => write!(f, "{e}"),
        }
    }
}

impl std::error::Error for Failure {}

fn describe(status: i32) -> String {
    if libc::WIFSIGNALED(status) {
        let signal = libc::WTERMSIG(status);
        let hint = if signal == libc::SIGKILL { "; the machine may be out of memory" } else { "" };
        return format!("signal {signal}{hint}");
    }
    match libc::WEXITSTATUS(status) {
        120 => "the layer's memory could not be mapped".into(),
        other => format!("status {other}"),
    }
}

fn system(what: &str) -> impl FnOnce(io::Error) -> Failure + '_ {
    move |e| Failure::System(what.into(), e)
}

/// Runs a world.
///
/// # Errors
/// See [`Failure`]. Whatever happens, no process of the world is left.
pub fn run(spec: &WorldSpec, hooks: &mut Hooks<'_>) -> Result<Ended, Failure> {
    let arena = Arena::new().map_err(system("cannot make the world's shared memory"))?;
    let bytes = spec::encode(spec);
    arena.put_blob(&bytes).map_err(system("cannot hand the world over"))?;
    arena.control().spec_len.store(bytes.len() as u64, Release);
    arena.control().supervisor.store(std::process::id() as i32, Release);
    let image = layer_image().map_err(system("cannot make the layer's image"))?;
    let seat = Seat::take(std::process::id() as usize);
    let template =
        start(&arena, image, seat.as_ref().map(|seat| seat.core)).map_err(system("cannot start the layer"))?;
    let mut world = World { arena, template, stall: Stall::new(), _seat: seat };
    let result = world.watch(hooks);
    world.end_everybody();
    result
}

/// The layer's image as a file that can be executed: made once for all worlds of a process, since writing it takes as long as
/// half of a small world.
fn layer_image() -> io::Result<&'static File> {
    static IMAGE: OnceLock<File> = OnceLock::new();
    if let Some(image) = IMAGE.get() {
        return Ok(image);
    }
    let file = memfd(c"snowglobe-layer", crate::LAYER.len() as u64)?;
    // Before the code there is little: pages of zeros need not be there.
    for (number, page) in crate::LAYER.chunks(PAGE as usize).enumerate() {
        if page.iter().any(|byte| *byte != 0) {
            file.write_all_at(page, number as u64 * PAGE)?;
        }
    }
    Ok(IMAGE.get_or_init(|| file))
}

fn start(arena: &Arena, image: &File, core: Option<usize>) -> io::Result<i32> {
    let (arena_fd, store_fd) = (arena.file.as_raw_fd(), arena.store.as_raw_fd());
    let mut command = Command::new(format!("/proc/self/fd/{}", image.as_raw_fd()));
    command.arg0("snowglobe-layer").env_clear().current_dir("/");
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let prepare = move || {
        // First out of the way of both targets, then into place.
        for (from, to) in [(arena_fd, fd::ARENA), (store_fd, fd::STORE)] {
            // SAFETY: plain calls on descriptors of this process, between fork and exec.
            let copy = unsafe { libc::fcntl(from, libc::F_DUPFD, 100) };
            // SAFETY: as above; the new descriptor is kept over exec.
            if copy < 0 || unsafe { libc::dup2(copy, to) } < 0 {
                return Err(io::Error::last_os_error());
            }
            // SAFETY: as above.
            unsafe { libc::close(copy) };
        }
        // Who passes the baton on goes to sleep at once: to be preempted before that would cost another switch.
        let batch = libc::sched_param { sched_priority: 0 };
        // SAFETY: the parameter outlives the call, which may fail: it only costs time.
        unsafe { libc::sched_setscheduler(0, libc::SCHED_BATCH, &batch) };
        if let Some(core) = core {
            // SAFETY: a zeroed set is an empty one, and the index is one that the system gave.
            unsafe {
                let mut set: libc::cpu_set_t = std::mem::zeroed();
                libc::CPU_SET(core, &mut set);
                libc::sched_setaffinity(0, size_of::<libc::cpu_set_t>(), &set);
            }
        }
        Ok(())
    };
    // SAFETY: the closure makes only calls that are safe between fork and exec.
    unsafe { command.pre_exec(prepare) };
    let child = command.spawn()?;
    Ok(child.id() as i32)
}

struct World {
    arena: Arena,
    template: i32,
    stall: Stall,
    /// Held until the world has ended.
    _seat: Option<Seat>,
}

/// Whether the runner makes progress.
struct Stall {
    calls: u64,
    runner: u32,
    /// Processor time of the runner when it was first seen where it is.
    since: Option<Duration>,
    looked: Instant,
    /// Whether it has been asked for its records.
    asked: bool,
}

impl Stall {
    fn new() -> Stall {
        Stall { calls: 0, runner: 0, since: None, looked: Instant::now(), asked: false }
    }
}

/// Processor time that a process has used.
fn processor_time(pid: i32) -> Option<Duration> {
    // The clock of a process is its id, inverted, with 2 (scheduled time) in the low bits (clock_getcpuclockid(3)).
    let clock = !pid << 3 | 2;
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the time outlives the call.
    let ret = unsafe { libc::clock_gettime(clock, &mut time) };
    (ret == 0).then(|| Duration::new(time.tv_sec as u64, time.tv_nsec as u32))
}

impl World {
    fn watch(&mut self, hooks: &mut Hooks<'_>) -> Result<Ended, Failure> {
        let mut sampled = Instant::now();
        let mut failed = None;
        let mut stopping = None;
        let mut rest = REST.0;
        loop {
            // The state is read before the ring: what was written before the end is then seen.
            let now = self.arena.control().state.load(Acquire);
            let mut enough = false;
            let drained = self.arena.drain(|bytes| match (hooks.trace)(bytes) {
                Ok(stop) => enough |= stop,
                Err(e) => failed = Some(e),
            });
            if let Some(e) = failed {
                return Err(Failure::Hook(e));
            }
            let c = self.arena.control();
            if (enough || hooks.stop.load(Relaxed)) && stopping.is_none() {
                c.stop.store(1, Relaxed);
                stopping = Some(Instant::now());
            }
            match now {
                state::ENDED if drained == 0 => return self.ended(),
                state::PANICKED if drained == 0 => return Err(Failure::Layer(self.arena.panic_text())),
                // More may be in the ring.
                state::ENDED | state::PANICKED => continue,
                _ if stopping.is_some_and(|since: Instant| since.elapsed() >= STOP_GRACE) => {
                    return Ok(self.cut_short());
                }
                // It would take what is not there for the end.
                state::WANT_INPUT if stopping.is_some() => return Ok(self.cut_short()),
                state::WANT_INPUT => {
                    if let Some(part) = (hooks.input)().map_err(Failure::Hook)? {
                        self.give_input(&part)?;
                    }
                }
                // A runner that does not call does not see that it should stop.
                _ if stopping.is_some() => self.interrupt_runner(),
                _ => {}
            }
            self.reap(now)?;
            self.look_for_stall(hooks.learn);
            if sampled.elapsed() >= SAMPLE {
                sampled = Instant::now();
                let c = self.arena.control();
                let now = (c.virtual_ns.load(Relaxed), c.events.load(Relaxed), c.hosts_up.load(Relaxed));
                (hooks.sample)(now.0, now.1, now.2).map_err(Failure::Hook)?;
            }
            rest = if drained > MANY { rest / 2 } else { rest * 2 }.clamp(REST.0, REST.1);
            futex(&self.arena.control().state, libc::FUTEX_WAIT, now, Some(rest));
        }
    }

    /// What is known of a world that did not end when it was asked to.
    fn cut_short(&self) -> Ended {
        let c = self.arena.control();
        let virtual_ns = c.virtual_ns.load(Relaxed);
        Ended {
            report: Report { virtual_ns, ending: Ending::Stopped, ..Report::default() },
            events: c.events.load(Relaxed),
            calls: c.calls.load(Relaxed),
            traps: c.traps.load(Relaxed),
            sites: c.sites.load(Relaxed),
        }
    }

    fn ended(&self) -> Result<Ended, Failure> {
        let c = self.arena.control();
        let bytes = self.arena.blob(c.report_len.load(Acquire) as usize);
        let report = spec::decode(&bytes).ok_or_else(|| Failure::Layer("the report does not decode".into()))?;
        Ok(Ended {
            report,
            events: c.events.load(Relaxed),
            calls: c.calls.load(Relaxed),
            traps: c.traps.load(Relaxed),
            sites: c.sites.load(Relaxed),
        })
    }

    fn give_input(&self, part: &[u8]) -> Result<(), Failure> {
        self.arena.put_blob(part).map_err(system("cannot hand standard input over"))?;
        let c = self.arena.control();
        c.input_len.store(part.len() as u64, Release);
        c.state.store(state::RUNNING, Release);
        futex(&c.state, libc::FUTEX_WAKE, i32::MAX as u32, None);
        Ok(())
    }

    /// Takes ended host processes away; one that ended otherwise than by its own will is the world's end.
    fn reap(&mut self, now: u32) -> Result<(), Failure> {
        loop {
            let mut status = 0;
            // SAFETY: the status outlives the call.
            let pid = unsafe { libc::waitpid(-1, &mut status, libc::WNOHANG | libc::__WALL) };
            if pid == 0 {
                return Ok(());
            }
            if pid < 0 {
                // Nobody is left, so nobody can end the world in order.
                let over = matches!(self.arena.control().state.load(Acquire), state::ENDED | state::PANICKED);
                return if over { Ok(()) } else { Err(Failure::Vanished) };
            }
            let by_itself = libc::WIFEXITED(status) && libc::WEXITSTATUS(status) == 0;
            if by_itself || now == state::ENDED || now == state::PANICKED || !self.has(pid) {
                continue;
            }
            // It may have said why.
            if self.arena.control().state.load(Acquire) == state::PANICKED {
                return Err(Failure::Layer(self.arena.panic_text()));
            }
            return Err(Failure::Died(status));
        }
    }

    /// Whether a host process is of this world: one of the world before it may have been long in dying.
    fn has(&self, pid: i32) -> bool {
        pid == self.template || self.arena.control().slots.iter().any(|slot| slot.host_pid.load(Acquire) == pid)
    }

    /// Interrupts a runner that has not called for long, so that the layer can look at what it does.
    fn look_for_stall(&mut self, learn: bool) {
        let c = self.arena.control();
        let (calls, runner) = (c.ring_head.load(Relaxed) ^ c.calls.load(Relaxed), c.runner.load(Relaxed));
        if calls != self.stall.calls || runner != self.stall.runner {
            self.stall = Stall { calls, runner, since: None, looked: Instant::now(), asked: false };
            return;
        }
        if !self.stall.asked && self.stall.looked.elapsed() >= SAMPLE {
            self.stall.asked = true;
            self.interrupt_runner();
        }
        if !learn || self.stall.looked.elapsed() < STALL {
            return;
        }
        self.stall.looked = Instant::now();
        let pid = c.slots[runner as usize % MAX_SLOTS].host_pid.load(Acquire);
        let Some(used) = (pid > 0).then(|| processor_time(pid)).flatten() else { return };
        match self.stall.since {
            Some(since) if used.saturating_sub(since) >= STALL => {
                self.stall.since = Some(used);
                c.stalled.store(1, Release);
                self.interrupt_runner();
            }
            Some(_) => {}
            None => self.stall.since = Some(used),
        }
    }

    /// Lets the layer hand over its records, and look at what the runner does when it is stalled.
    fn interrupt_runner(&self) {
        let c = self.arena.control();
        let pid = c.slots[c.runner.load(Relaxed) as usize % MAX_SLOTS].host_pid.load(Acquire);
        if pid > 0 {
            // SAFETY: a child of this process that has not been reaped, or a signal that nobody gets.
            unsafe { libc::kill(pid, libc::SIGURG) };
        }
    }

    /// Ends and reaps every process of the world.
    fn end_everybody(&mut self) {
        let kill = |pid: i32| {
            if pid > 0 {
                // SAFETY: a process id that this world's control page or start gave.
                unsafe { libc::kill(pid, libc::SIGKILL) };
            }
        };
        // On a busy machine a large process takes its time to die.
        const TRIES: u32 = 10_000;
        // The template first: it makes others.
        kill(self.template);
        for _ in 0..TRIES {
            for slot in &self.arena.control().slots {
                kill(slot.host_pid.load(Acquire));
            }
            loop {
                // SAFETY: no status is asked for.
                let pid = unsafe { libc::waitpid(-1, std::ptr::null_mut(), libc::WNOHANG | libc::__WALL) };
                match pid {
                    0 => break,
                    p if p > 0 => {}
                    _ => return,
                }
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}
