//! The seam to what runs worlds.

use std::cell::{Cell, RefCell};
use std::io;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use snowglobe_abi::spec::{Nanos, Report, WorldSpec};
use snowglobe_supervisor::{Failure, Hooks};
use snowglobe_world::Problem;
use snowglobe_world::rundir::{Layout, RecordError, Recorded, Recorder};

use crate::input::StandardInput;

/// One run.
pub struct RunRequest<'a> {
    /// The world.
    pub spec: &'a WorldSpec,
    /// How calls are answered.
    pub layout: Layout,
    /// Standard input, in the layer.
    pub input: &'a mut StandardInput,
    /// Whether services read our own standard input, in the traditional layout.
    pub own_input: bool,
    /// Takes the trace as it comes; its `feed` says when the run may stop early.
    pub recorder: Recorder,
    /// Whether loops that spin are looked for.
    pub learn: bool,
    /// Set by Ctrl-C.
    pub stop: Arc<AtomicBool>,
    /// Hears how it goes, several times a second.
    pub on_sample: &'a mut dyn FnMut(Sample),
}

/// How a run goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sample {
    /// Virtual nanoseconds that passed.
    pub virtual_ns: Nanos,
    /// Trace records.
    pub events: u64,
    /// Hosts with a live process.
    pub hosts_up: u32,
}

/// How a run ended.
pub struct RunOutcome {
    /// The layer's report.
    pub report: Report,
    /// Trace records.
    pub events: u64,
    /// System calls.
    pub calls: u64,
    /// The recorder's last word.
    pub recorded: Recorded,
}

/// One row of the support table.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct SupportRow {
    /// The call's number.
    pub number: u32,
    /// Its name.
    pub name: String,
    /// Its support level.
    pub level: String,
    /// What a user should know.
    pub note: String,
}

/// A record that could not be kept, as the operator's problem.
fn record_problem(e: RecordError) -> Problem {
    match e {
        RecordError::Write(problem) => problem,
        RecordError::Trace(e) => Problem::new(format!("the trace cannot be compared: {e}")),
    }
}

/// How often what was recorded is brought to disk, so that a killed run leaves a readable trace.
const FLUSH: Duration = Duration::from_secs(1);

/// All hosts' open files of the machine share one table of descriptors: the user's limit for one program is not theirs.
fn allow_open_files() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let maximum = getrlimit(Resource::Nofile).maximum;
    let _ = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
}

/// Runs a world to its end.
///
/// # Errors
/// The world could not be run: the machine or snowglobe is at fault.
pub fn run(request: RunRequest<'_>) -> Result<RunOutcome, Problem> {
    if request.layout == Layout::Traditional {
        return run_traditional(request);
    }
    allow_open_files();
    let RunRequest { spec, input, recorder, learn, stop, on_sample, .. } = request;
    // Hooks speak in I/O errors; the problem behind one is kept here.
    let problem: RefCell<Option<Problem>> = RefCell::new(None);
    let keep = |p: Problem| {
        *problem.borrow_mut() = Some(p);
        io::Error::other("see the problem that was kept")
    };
    let recorder = RefCell::new(recorder);
    // Bytes that have not been brought to disk, since when.
    let open: Cell<Option<Instant>> = Cell::new(None);
    let result = snowglobe_supervisor::run(
        spec,
        &mut Hooks {
            input: &mut || input.next_part().map_err(keep),
            trace: &mut |bytes| {
                open.set(open.get().or_else(|| Some(Instant::now())));
                recorder.borrow_mut().feed(bytes).map_err(|e| keep(record_problem(e)))
            },
            sample: &mut |virtual_ns, events, hosts_up| {
                on_sample(Sample { virtual_ns, events, hosts_up });
                if open.get().is_some_and(|since| since.elapsed() >= FLUSH) {
                    open.set(None);
                    recorder.borrow_mut().flush().map_err(|e| keep(record_problem(e)))?;
                }
                Ok(())
            },
            stop: &stop,
            learn,
        },
    );
    let recorded = recorder.into_inner().finish().map_err(record_problem);
    match result {
        Ok(ended) => Ok(RunOutcome {
            report: ended.report,
            events: recorded.as_ref().map_or(0, |_| ended.events),
            calls: ended.calls,
            recorded: recorded?,
        }),
        Err(failure) => Err(problem.take().unwrap_or_else(|| explain(&failure))),
    }
}

/// Runs a world under normal execution.
fn run_traditional(request: RunRequest<'_>) -> Result<RunOutcome, Problem> {
    let RunRequest { spec, recorder, stop, on_sample, own_input, .. } = request;
    let problem: RefCell<Option<Problem>> = RefCell::new(None);
    let recorder = RefCell::new(recorder);
    let result = snowglobe_traditional::run(
        spec,
        &mut snowglobe_traditional::Hooks {
            stdin: if own_input { Stdio::inherit() } else { Stdio::null() },
            trace: &mut |bytes| {
                recorder.borrow_mut().feed(bytes).map(drop).map_err(|e| {
                    *problem.borrow_mut() = Some(record_problem(e));
                    io::Error::other("see the problem that was kept")
                })
            },
            sample: &mut |virtual_ns, events, hosts_up| {
                on_sample(Sample { virtual_ns, events, hosts_up });
                Ok(())
            },
            limit: &mut |text| eprintln!("note: {text}"),
            stop: &stop,
        },
    );
    let recorded = recorder.into_inner().finish().map_err(record_problem);
    match result {
        Ok(ended) => Ok(RunOutcome { report: ended.report, events: ended.events, calls: 0, recorded: recorded? }),
        Err(failure) => Err(problem.take().unwrap_or_else(|| explain_traditional(&failure))),
    }
}

/// What the operator can do about a failure of the traditional layout.
fn explain_traditional(failure: &snowglobe_traditional::Failure) -> Problem {
    use snowglobe_traditional::Failure;
    let help = match failure {
        Failure::Namespaces(_) => {
            "run it as root, or allow user namespaces: `sysctl -w user.max_user_namespaces=10000 \
             kernel.unprivileged_userns_clone=1 kernel.apparmor_restrict_unprivileged_userns=0` (those that exist)"
        }
        Failure::System(_) => "`snowglobe doctor` says what this machine allows",
        Failure::Vanished => "look for an out-of-memory kill in the system's log, then run again",
        Failure::Hook(_) => "look at the disk under the run directory",
    };
    Problem::new(failure.to_string()).help(help)
}

/// What the operator can do about a failure.
fn explain(failure: &Failure) -> Problem {
    let help = match failure {
        Failure::System(_, e) if e.kind() == io::ErrorKind::FileTooLarge => {
            "raise the limit of file sizes, which counts for shared memory too: `ulimit -f unlimited`"
        }
        Failure::System(..) => "`snowglobe doctor` says what this machine allows",
        Failure::Layer(_) => "this is a bug of snowglobe: please report it with the run directory",
        Failure::Died(_) | Failure::Vanished => "look for an out-of-memory kill in the system's log, then run again",
        Failure::Hook(_) => "look at the disk under the run directory",
    };
    Problem::new(failure.to_string()).help(help)
}

/// The table of system calls, from which dispatch comes.
///
/// # Errors
/// None.
pub fn support() -> Result<Vec<SupportRow>, Problem> {
    let row = |e: &snowglobe_kernel::table::Entry| SupportRow {
        number: e.nr,
        name: e.name.into(),
        level: format!("{:?}", e.level).to_lowercase(),
        note: e.note.into(),
    };
    Ok(snowglobe_kernel::table::TABLE.iter().map(row).collect())
}
