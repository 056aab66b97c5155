//! A run from its world to its record: what `run`, `verify` and `replay` share.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Instant, SystemTime};

use snowglobe_abi::spec::{Report, WorldSpec, YieldPoint};
use snowglobe_check::assertions::Catalogue;
use snowglobe_world::faults::record::{self as faults, FaultRecord};
use snowglobe_world::rundir::{
    self, FORMAT, HostRecord, Layout, Listener, PacketSink, ProcessRecord, Recorder, RunDir, RunRecord, Store,
    UnsupportedRecord, Verdict,
};
use snowglobe_world::trace::{Comparison, Difference, TraceCheck, hex};
use snowglobe_world::{Options, Problem, load, one_program, units};

use crate::args::WorldArgs;
use crate::engine::{self, RunOutcome, RunRequest};
use crate::exit::{self, Failure, fault, usage};
use crate::input::{Source, StandardInput};
use crate::judge::{self, Judgement};
use crate::progress::Progress;
use crate::text::shell_status;

/// Snowglobe's version.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What is to be run, and under which name it is kept.
pub struct Plan {
    /// The world.
    pub spec: WorldSpec,
    /// Its label in run IDs.
    pub label: String,
    /// The world file, where there is one.
    pub world: Option<PathBuf>,
    /// Who answers calls.
    pub layout: Layout,
    /// The command line that repeats it from its sources.
    pub command: String,
}

/// Where runs are kept when nothing else is said.
pub fn store() -> Store {
    Store::of(Path::new("."))
}

/// How a world file is read here.
pub fn options(seed: Option<u64>, until: Option<u64>) -> Options {
    // Variables that are not text can hardly be meant for a file that is.
    let vars =
        std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    Options { vars: vars.collect(), images: store().images(), seed, until }
}

/// Reads what the arguments name.
///
/// # Errors
/// What is wrong with the world, or with the program.
pub fn plan(args: &WorldArgs) -> Result<Plan, Failure> {
    match &args.world {
        Some(path) => {
            let loaded = load(path, &options(args.seed, args.until))?;
            loaded.warnings.iter().for_each(exit::tell);
            let mut spec = loaded.spec;
            if Layout::from(args.layout) == Layout::Traditional && !spec.faults.is_empty() {
                let problem =
                    Problem::new("the traditional layout carries no faults out: its hosts run on the machine itself");
                return Err(usage(problem.help("leave `--layout traditional` out, or `faults` of the world file")));
            }
            add_yield_points(&mut spec)?;
            let label = label(path);
            let target = shell_words_quote(&path.display().to_string());
            let command = command_line(args, spec.seed, &target);
            Ok(Plan { command, spec, label, world: Some(path.clone()), layout: args.layout.into() })
        }
        None => plan_program(args),
    }
}

/// Refuses a layout whose runs cannot be compared.
///
/// # Errors
/// The layout is the traditional one.
pub fn must_repeat(layout: Layout, what: &str) -> Result<(), Failure> {
    match layout {
        Layout::Layer => Ok(()),
        Layout::Traditional => Err(usage(
            Problem::new(format!("a run in the traditional layout cannot be {what}: time and order are the machine's"))
                .help("leave `--layout traditional` out, or use `snowglobe run`"),
        )),
    }
}

fn plan_program(args: &WorldArgs) -> Result<Plan, Failure> {
    let cwd = std::env::current_dir().map_err(|e| {
        usage(Problem::new(format!("there is no working directory: {e}")).help("change to one that exists"))
    })?;
    let cwd = cwd.to_str().ok_or_else(|| {
        usage(Problem::new("the working directory's path is not UTF-8").help("change to another one"))
    })?;
    let env: Vec<(String, String)> = args
        .env
        .iter()
        .filter_map(|item| match item.split_once('=') {
            Some((name, value)) => Some((name.to_owned(), value.to_owned())),
            None => std::env::var(item).ok().map(|value| (item.clone(), value)),
        })
        .collect();
    let mut spec = one_program(&args.program, &env, cwd).map_err(usage)?;
    spec.seed = args.seed.unwrap_or(spec.seed);
    spec.until = args.until;
    add_yield_points(&mut spec)?;
    let label = args.program[0].rsplit('/').next().unwrap_or_default().to_owned();
    let words: Vec<String> = args.program.iter().map(|word| shell_words_quote(word)).collect();
    let target = format!("-- {}", words.join(" "));
    Ok(Plan { command: command_line(args, spec.seed, &target), spec, label, world: None, layout: args.layout.into() })
}

/// Adds the loops that earlier runs here found to spin, so that they give way from the start.
fn add_yield_points(spec: &mut WorldSpec) -> Result<(), Failure> {
    spec.yield_points.extend(store().yield_points().map_err(fault)?);
    spec.yield_points.sort();
    spec.yield_points.dedup();
    Ok(())
}

/// The command that runs a world file with a seed.
pub fn run_command(world: &Path, seed: u64, until: Option<u64>) -> String {
    let until = until.map_or_else(String::new, |until| format!(" --until {}", units::show_duration(until)));
    format!("snowglobe run --seed {seed}{until} {}", shell_words_quote(&world.display().to_string()))
}

/// The label of runs of a world file.
pub fn label(world: &Path) -> String {
    world.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned())
}

fn command_line(args: &WorldArgs, seed: u64, target: &str) -> String {
    let mut out = format!("snowglobe run --seed {seed}");
    if let Some(until) = args.until {
        out += &format!(" --until {}", units::show_duration(until));
    }
    if Layout::from(args.layout) == Layout::Traditional {
        out += " --layout traditional";
    }
    for variable in &args.env {
        out += &format!(" --env {}", shell_words_quote(variable));
    }
    format!("{out} {target}")
}

/// A word as a shell takes it.
pub fn shell_words_quote(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,+@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

/// How much of a run is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// All of it: it can be replayed and looked at.
    Everything,
    /// What it wrote, until it was judged: of its trace the digest.
    Judgement,
}

/// How a run is made.
pub struct Conduct {
    /// Where its directory is made.
    pub place: RunDir,
    /// Whether guests' output goes to our own.
    pub pass_output: bool,
    /// Whether its progress is shown.
    pub show_progress: bool,
    /// The run whose input it reads; our own standard input without it.
    pub input: Option<RunDir>,
    /// An earlier run's trace, to compare with as it goes.
    pub compare: Option<TraceCheck>,
    /// The command that repeats it exactly.
    pub reproduce: String,
    /// Who takes captured packets: asked once for each time that the world is begun.
    pub capture: Option<CaptureMaker>,
    /// How much of it is kept.
    pub keep: Keep,
    /// Whether loops that spin are looked for, where it is not compared with an earlier run.
    pub learn: bool,
}

/// Makes who takes captured packets.
pub type CaptureMaker = Box<dyn FnMut() -> Result<PacketSink, Problem>>;

/// A run that has ended.
pub struct Finished {
    /// Its directory.
    pub run: RunDir,
    /// What `run.json` says.
    pub record: RunRecord,
    /// Where it differs from the run that it was compared with.
    pub difference: Option<Difference>,
    /// What became of the assertions inside programs.
    pub assertions: Catalogue,
    /// What became of the faults of its plan; nothing of a run that was cut short, whose faults may have been still to come.
    pub faults: Vec<FaultRecord>,
}

/// Whether standard error is a terminal.
pub fn stderr_is_terminal() -> bool {
    rustix::termios::isatty(rustix::stdio::stderr())
}

/// How often a run may be begun again since a loop that spins was found.
const MAX_LEARNING: u32 = 64;

/// Runs a plan, and keeps what came of it.
///
/// # Errors
/// The world could not be run, or its record not kept.
pub fn carry_out(plan: &Plan, how: Conduct) -> Result<Finished, Failure> {
    let stop = catch_signals().map_err(fault)?;
    let run = how.place.clone();
    let keeps = how.keep == Keep::Everything;
    let mut hold = keeps.then(|| run.hold()).transpose().map_err(fault)?;
    let mut record = begin_record(plan, &run, &how.reproduce);
    if keeps {
        run.write_record(&record).map_err(fault)?;
    }
    let began = Instant::now();
    let result = run_world(plan, how, began, &stop, &mut record.learned);
    record.wall_ns = u64::try_from(began.elapsed().as_nanos()).unwrap_or(u64::MAX);
    if let Some(hold) = &mut hold {
        hold.make_room();
    }
    let outcome = match result {
        Ok(outcome) => outcome,
        Err(problem) => {
            record.verdict = Verdict::Unknown;
            record.reason = problem.to_string();
            record.exit_status = exit::status::FAULT;
            // What was first is what the operator has to mend.
            if keeps && let Err(second) = run.write_record(&record) {
                exit::tell(&second);
            }
            return Err(fault(problem));
        }
    };
    run.write_report(&outcome.report).map_err(fault)?;
    let mut judgement = judge::judge(&plan.spec, Some(&outcome.report), Some(&run));
    if judgement.verdict == Verdict::Interrupted
        && let Some(signal) = interrupted()
    {
        judgement.reason = format!("it was interrupted by {signal}");
    }
    let difference = outcome.recorded.comparison.and_then(|comparison| compared(comparison, &mut judgement));
    let names: Vec<String> = plan.spec.hosts.iter().map(|host| host.name.clone()).collect();
    // A run under normal execution is like no other: it has nothing to compare.
    if plan.layout == Layout::Layer {
        record.digest = hex(&outcome.recorded.trace.digest);
    }
    record.events = outcome.events;
    record.calls = outcome.calls;
    let assertions = std::mem::take(&mut judgement.assertions);
    let mut faults = keep_faults(&run, &plan.spec, &outcome.report)?;
    if judgement.verdict == Verdict::Interrupted {
        faults.clear();
    }
    end_record(&mut record, outcome.report, &names, judgement);
    run.write_record(&record).map_err(fault)?;
    Ok(Finished { run, record, difference, assertions, faults })
}

/// Runs the world, and runs it again when the layer finds a loop that spins: it ends the world then, and the loop is a yield
/// point of the next from its beginning. What counts is a run that learned nothing on its way. Output that was shown
/// already is not shown again. A run that is compared with an earlier one has that one's yield points and no others.
fn run_world(
    plan: &Plan,
    how: Conduct,
    began: Instant,
    stop: &Arc<AtomicBool>,
    learned: &mut Vec<YieldPoint>,
) -> Result<RunOutcome, Problem> {
    let run = how.place;
    let mut spec = plan.spec.clone();
    let names: Vec<String> = spec.hosts.iter().map(|host| host.name.clone()).collect();
    let hosts = u32::try_from(names.len()).unwrap_or(u32::MAX);
    let mut progress = if how.show_progress { Progress::new(hosts, stderr_is_terminal()) } else { Progress::silent() };
    let mut shown = how.pass_output.then(|| Once::new(listener(&spec, &progress)));
    let (mut compare, mut capture) = (how.compare, how.capture);
    let compares = compare.is_some();
    let learn = how.learn && compare.as_ref().is_none_or(TraceCheck::is_unfinished);
    let source = source(&spec, how.input);
    let own_input = matches!(source, Source::Own);
    let mut input = StandardInput::new(&run, source)?;
    let outcome = loop {
        let mut recorder = match how.keep {
            Keep::Everything => {
                run.write_world(&spec)?;
                Recorder::new(&run, names.clone())?
            }
            Keep::Judgement => Recorder::digest_only(&run, names.clone()),
        };
        if let Some(shown) = &mut shown {
            recorder = recorder.listen(shown.begin_again());
        }
        if let Some(recorded) = compare.take() {
            recorder = recorder.compare_with(recorded);
        }
        if let Some(capture) = &mut capture {
            recorder = recorder.capture(capture()?);
        }
        let outcome = engine::run(RunRequest {
            spec: &spec,
            layout: plan.layout,
            input: &mut input,
            own_input,
            recorder,
            learn,
            stop: stop.clone(),
            on_sample: &mut |sample| progress.feed(began.elapsed(), sample),
        });
        let new = outcome.as_ref().map_or(&[][..], |outcome| &outcome.report.learned);
        if new.is_empty() || compares || learned.len() >= MAX_LEARNING as usize || interrupted().is_some() {
            break outcome;
        }
        learned.extend(new.iter().cloned());
        spec.yield_points.extend(new.iter().cloned());
        spec.yield_points.sort();
        input.begin_again();
        run.forget_recording()?;
    };
    drop(shown);
    progress.finish();
    outcome
}

/// What a comparison means for a run's verdict.
fn compared(comparison: Comparison, judgement: &mut Judgement) -> Option<Difference> {
    if comparison.past_end {
        judgement.verdict = Verdict::Unknown;
        judgement.reason =
            format!("the recorded run did not end: the same as far as it goes, {} events", comparison.equal);
        judgement.exit = exit::status::UNKNOWN;
    }
    // A run that was interrupted has less than what was recorded, which says nothing of either.
    let was_interrupted = judgement.verdict == Verdict::Interrupted && interrupted().is_some();
    let difference = comparison.difference.filter(|difference| !was_interrupted || difference.right.is_some())?;
    judgement.verdict = Verdict::Nondeterministic;
    judgement.reason = format!("event {} differs from the recorded run's", difference.index);
    judgement.exit = exit::status::NONDETERMINISTIC;
    Some(difference)
}

/// Shows what guests write once, however often the world is begun again.
struct Once {
    listener: Arc<Mutex<Listener>>,
    /// Bytes shown by host and stream.
    shown: Arc<Mutex<BTreeMap<(u32, u8), usize>>>,
}

impl Once {
    fn new(listener: Listener) -> Once {
        Once { listener: Arc::new(Mutex::new(listener)), shown: Arc::default() }
    }

    /// A listener for a world that begins (again): it passes on what goes beyond what was shown.
    fn begin_again(&self) -> Listener {
        let (listener, shown) = (self.listener.clone(), self.shown.clone());
        let mut seen: BTreeMap<(u32, u8), usize> = BTreeMap::new();
        Box::new(move |host, stream, bytes| {
            let (Ok(mut listener), Ok(mut shown)) = (listener.lock(), shown.lock()) else { return };
            let seen = seen.entry((host, stream)).or_default();
            let shown = shown.entry((host, stream)).or_default();
            *seen += bytes.len();
            let new = seen.saturating_sub(*shown).min(bytes.len());
            if new > 0 {
                *shown = *seen;
                listener(host, stream, &bytes[bytes.len() - new..]);
            }
        })
    }
}

fn begin_record(plan: &Plan, run: &RunDir, reproduce: &str) -> RunRecord {
    let hosts = plan.spec.hosts.iter().map(|host| HostRecord {
        name: host.name.clone(),
        addresses: host.interfaces.iter().map(|i| std::net::Ipv4Addr::from(i.address).to_string()).collect(),
    });
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
    RunRecord {
        format: FORMAT,
        run: run.id.clone(),
        snowglobe: VERSION.to_owned(),
        began: units::show_time(now.saturating_mul(1_000_000_000)),
        world: plan.world.clone(),
        command: plan.command.clone(),
        reproduce: match plan.layout {
            Layout::Layer => reproduce.to_owned(),
            Layout::Traditional => plan.command.clone(),
        },
        layout: plan.layout,
        seed: plan.spec.seed,
        verdict: Verdict::Running,
        reason: "it has not ended".to_owned(),
        exit_status: exit::status::FAULT,
        digest: String::new(),
        virtual_ns: 0,
        wall_ns: 0,
        events: 0,
        calls: 0,
        hosts: hosts.collect(),
        processes: Vec::new(),
        unsupported: Vec::new(),
        binaries: Vec::new(),
        learned: Vec::new(),
        checks: Default::default(),
    }
}

/// Many runs of one process execute the same files.
static HASHES: Mutex<rundir::Hashes> = Mutex::new(rundir::Hashes::new());

/// Keeps what became of the plan of faults.
fn keep_faults(run: &RunDir, spec: &WorldSpec, report: &Report) -> Result<Vec<FaultRecord>, Failure> {
    if spec.faults.timeline.is_empty() {
        return Ok(Vec::new());
    }
    let records = faults::records(spec, &report.faults);
    run.write_faults(&records).map_err(fault)?;
    Ok(records)
}

/// Says which kinds of faults disturbed nothing in a run: a test that was disturbed by nothing must not look like one that was.
pub fn tell_idle_faults(finished: &Finished) {
    for kind in faults::by_kind(&finished.faults).into_iter().filter(|kind| kind.hits == 0) {
        let problem = Problem::new(format!("{} disturbed nothing", kind.name()));
        exit::tell(&problem.help(format!("see `snowglobe show {}`", finished.run.id)).warning());
    }
}

fn end_record(record: &mut RunRecord, report: Report, names: &[String], judgement: Judgement) {
    let host = |index: u32| names.get(index as usize).cloned().unwrap_or_else(|| index.to_string());
    record.verdict = judgement.verdict;
    record.reason = judgement.reason;
    record.exit_status = judgement.exit;
    record.checks = judgement.outcome;
    record.virtual_ns = report.virtual_ns;
    let mut hashes = HASHES.lock().unwrap_or_else(PoisonError::into_inner);
    record.binaries = rundir::hash_binaries(&report.executed, names, &mut hashes);
    record.processes = report
        .processes
        .into_iter()
        .map(|process| ProcessRecord {
            host: host(process.host),
            name: process.name,
            pid: process.pid,
            exit_status: process.status.map(shell_status),
            check: process.check,
        })
        .collect();
    record.unsupported = report
        .unsupported
        .into_iter()
        .map(|call| UnsupportedRecord { call: call.name, count: call.count, first: call.first })
        .collect();
}

/// Which signal asked for the end; 0 while none has.
static INTERRUPTED: OnceLock<(Arc<AtomicBool>, Arc<AtomicUsize>)> = OnceLock::new();

/// The signals that end a world in order.
const ENDING: [(i32, &str); 3] = [
    (signal_hook::consts::SIGINT, "SIGINT"),
    (signal_hook::consts::SIGTERM, "SIGTERM"),
    (signal_hook::consts::SIGHUP, "SIGHUP"),
];

/// The signal that ended the world, if one did.
pub fn interrupted() -> Option<&'static str> {
    let number = INTERRUPTED.get()?.1.load(Relaxed);
    ENDING.iter().find(|(signal, _)| *signal as usize == number).map(|(_, name)| *name)
}

/// Ctrl-C and SIGTERM end the world in order; a second one ends snowglobe at once. A limit of file sizes is told like a full
/// disk, where it would end us. All worlds of a command have the same flag.
///
/// # Errors
/// They cannot be caught.
pub fn catch_signals() -> Result<Arc<AtomicBool>, Problem> {
    if let Some((stop, _)) = INTERRUPTED.get() {
        return Ok(stop.clone());
    }
    let (stop, number) = INTERRUPTED.get_or_init(Default::default);
    let catch = || {
        for (signal, _) in ENDING {
            signal_hook::flag::register_conditional_shutdown(signal, i32::from(exit::status::UNKNOWN), stop.clone())?;
            signal_hook::flag::register_usize(signal, number.clone(), signal as usize)?;
            signal_hook::flag::register(signal, stop.clone())?;
        }
        signal_hook::flag::register(signal_hook::consts::SIGXFSZ, Arc::default())
    };
    catch().map_err(|e: std::io::Error| {
        Problem::new(format!("signals cannot be caught: {e}")).help("this is a fault of the machine")
    })?;
    Ok(stop.clone())
}

/// Where a run's standard input comes from.
fn source(spec: &WorldSpec, earlier: Option<RunDir>) -> Source {
    let is_wanted = spec.hosts.iter().any(|host| host.service.as_ref().is_some_and(|service| service.stdin));
    match earlier {
        Some(run) => Source::Earlier(run),
        None if !is_wanted || rustix::termios::isatty(rustix::stdio::stdin()) => Source::Nothing,
        None => Source::Own,
    }
}

/// Passes guests' output on: as it is for one program, line by line with the host's name for a world.
fn listener(spec: &WorldSpec, progress: &Progress) -> Listener {
    let bar = progress.bar();
    let write = move |stream: u8, bytes: &[u8]| {
        let put = || {
            // Nobody may be listening any more; the run directory has it all the same.
            let _ = if stream == 2 {
                std::io::stderr().write_all(bytes)
            } else {
                std::io::stdout().write_all(bytes).and_then(|()| std::io::stdout().flush())
            };
        };
        match &bar {
            Some(bar) => bar.suspend(put),
            None => put(),
        }
    };
    if spec.knobs.one_program {
        return Box::new(move |_, stream, bytes| write(stream, bytes));
    }
    let mut lines = Lines::new(spec.hosts.iter().map(|host| host.name.clone()).collect(), write);
    Box::new(move |host, stream, bytes| lines.put(host, stream, bytes))
}

/// Puts whole lines together, each behind its host's name.
struct Lines<W: FnMut(u8, &[u8])> {
    names: Vec<String>,
    width: usize,
    open: std::collections::BTreeMap<(u32, u8), Vec<u8>>,
    write: W,
}

/// Longest line that is waited for.
const MAX_LINE: usize = 8 << 10;

impl<W: FnMut(u8, &[u8])> Lines<W> {
    fn new(names: Vec<String>, write: W) -> Lines<W> {
        let width = names.iter().map(|name| name.chars().count()).max().unwrap_or(0);
        Lines { names, width, open: Default::default(), write }
    }

    fn put(&mut self, host: u32, stream: u8, bytes: &[u8]) {
        let mut open = self.open.remove(&(host, stream)).unwrap_or_default();
        open.extend_from_slice(bytes);
        let mut rest = &open[..];
        while let Some(end) = rest.iter().position(|b| *b == b'\n').or((rest.len() > MAX_LINE).then_some(MAX_LINE)) {
            self.line(host, stream, &rest[..end]);
            rest = rest[end..].strip_prefix(b"\n").unwrap_or(&rest[end..]);
        }
        if !rest.is_empty() {
            self.open.insert((host, stream), rest.to_vec());
        }
    }

    fn line(&mut self, host: u32, stream: u8, line: &[u8]) {
        let name = self.names.get(host as usize).map_or("?", String::as_str);
        let mut out = format!("{name:width$} | ", width = self.width).into_bytes();
        out.extend_from_slice(line);
        out.push(b'\n');
        (self.write)(stream, &out);
    }
}

impl<W: FnMut(u8, &[u8])> Drop for Lines<W> {
    fn drop(&mut self) {
        for ((host, stream), rest) in std::mem::take(&mut self.open) {
            self.line(host, stream, &rest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guests_lines_come_whole_and_behind_their_hosts_names() {
        let mut out = Vec::new();
        let mut lines = Lines::new(vec!["db".into(), "client".into()], |_, line: &[u8]| out.extend_from_slice(line));
        for (host, bytes) in [(0, &b"hel"[..]), (1, b"a\nb\nc"), (0, b"lo\n")] {
            lines.put(host, 1, bytes);
        }
        drop(lines);
        assert_eq!(String::from_utf8(out).unwrap(), "client | a\nclient | b\ndb     | hello\nclient | c\n");
    }

    #[test]
    fn the_command_that_repeats_a_run_can_be_pasted_into_a_shell() {
        assert_eq!(shell_words_quote("a b'c"), "'a b'\\''c'");
        assert_eq!(shell_words_quote("./w.yaml"), "./w.yaml");
        assert_eq!(shell_words_quote(""), "''");
    }
}
