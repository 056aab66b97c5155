//! `snowglobe export`: a run's packets as a capture file.
//!
//! A trace holds no payloads. So the run is run again, which gives the same run, with its packets captured; it is compared
//! with the record as it goes, and where it is another run no file is left.

use std::fs::{self, File};
use std::io::{self, BufWriter};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use snowglobe_abi::spec::{Capture, WorldSpec};
use snowglobe_world::Problem;
use snowglobe_world::pcapng::CaptureFile;
use snowglobe_world::rundir::{Layout, PacketSink, RunDir, RunRecord, changed_binaries};
use snowglobe_world::trace::StreamCheck;

use crate::args::ExportArgs;
use crate::commands::replay::is_whole;
use crate::conduct::{self, Conduct, Finished, Keep, Plan, VERSION};
use crate::exit::{self, Failure, fault, usage};
use crate::text;

/// Runs it.
pub fn run(args: &ExportArgs) -> Result<u8, Failure> {
    let recorded = conduct::store().open(&args.run).map_err(usage)?;
    let record = recorded.record().map_err(usage)?;
    may_run_again(&record)?;
    if !args.force && args.pcapng.exists() {
        let problem = Problem::new(format!("{} is there already", args.pcapng.display()));
        return Err(usage(problem.help("name another file, or overwrite it with `--force`")));
    }
    let mut spec = recorded.world().map_err(usage)?;
    spec.knobs.capture = if args.loopback { Capture::Everything } else { Capture::Networks };
    let scratch = Scratch(conduct::store().scratch());
    fs::create_dir_all(&scratch.0).map_err(|error| {
        let problem = Problem::new(format!("cannot make {}: {error}", scratch.0.display()));
        fault(problem.help("run snowglobe in a directory that you may write to"))
    })?;
    let target = Arc::new(Target::new(args, &spec, &scratch)?);
    let names: Vec<String> = spec.hosts.iter().map(|host| host.name.clone()).collect();
    let finished = run_again(&recorded, &record, spec, &target, &scratch)?;
    if let Some(signal) = conduct::interrupted() {
        eprintln!("interrupted by {signal}: no capture is written");
        return Ok(exit::status::UNKNOWN);
    }
    if let Some(difference) = &finished.difference {
        eprint!("{}", text::difference(difference, &names, &format!("recorded, {}", record.run), "now"));
    }
    let same = finished.difference.is_none() && (!is_whole(&record) || finished.record.digest == record.digest);
    if !same {
        exit::tell(
            &Problem::new(format!("{} did not run again as it was recorded: no capture is written", record.run))
                .help("export a run that `snowglobe replay` repeats"),
        );
        return Ok(exit::status::NONDETERMINISTIC);
    }
    let frames = target.finish()?;
    let so_far = if is_whole(&record) { "" } else { ", as far as its trace goes" };
    eprintln!("wrote {} of {}{so_far} to {}", text::many(frames as usize, "packet"), record.run, args.pcapng.display());
    Ok(exit::status::PASSED)
}

/// Refuses what cannot give the same run.
fn may_run_again(record: &RunRecord) -> Result<(), Failure> {
    let refuse = |why: String, help: &str| {
        let problem = Problem::new(format!("{} cannot be run again as it was: {why}", record.run));
        Err(usage(problem.help(help.to_owned())))
    };
    if record.layout == Layout::Traditional {
        return refuse(
            "it ran under normal execution, which no two runs share".to_owned(),
            "capture such a run with tcpdump while it runs",
        );
    }
    if record.snowglobe != VERSION {
        let why = format!("it was recorded by snowglobe {}, and this is {VERSION}", record.snowglobe);
        return refuse(why, "run the world again and export that run, or export this one with that version");
    }
    let changed: Vec<String> = changed_binaries(&record.binaries)
        .into_iter()
        .map(|binary| {
            let path = binary.machine_path.as_deref().unwrap_or(binary.path.as_ref());
            format!("{} (on host {})", path.display(), binary.host)
        })
        .collect();
    if changed.is_empty() {
        return Ok(());
    }
    let why = format!("these files are not those that ran: {}", changed.join(", "));
    refuse(why, "run the world again and export that run")
}

/// Runs it again in a directory that goes when this is done.
fn run_again(
    recorded: &RunDir,
    record: &RunRecord,
    spec: WorldSpec,
    target: &Arc<Target>,
    scratch: &Scratch,
) -> Result<Finished, Failure> {
    let place = RunDir::create_at(&scratch.0.join("run")).map_err(fault)?;
    let check = StreamCheck::new(recorded.trace().map_err(usage)?);
    let label = record.run.clone();
    let plan =
        Plan { spec, label, world: record.world.clone(), layout: record.layout, command: record.command.clone() };
    let target = target.clone();
    let how = Conduct {
        place,
        pass_output: false,
        show_progress: true,
        input: Some(recorded.clone()),
        compare: Some(if is_whole(record) { check } else { check.unfinished() }),
        reproduce: record.reproduce.clone(),
        capture: Some(Box::new(move || target.begin())),
        keep: Keep::Everything,
        learn: true,
    };
    conduct::carry_out(&plan, how)
}

/// A directory that is removed with this.
struct Scratch(PathBuf);

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

type OpenFile = Arc<Mutex<Option<CaptureFile<BufWriter<File>>>>>;

/// The file to be written. Until it is whole it is where no guest looks: one that sees this machine's files would see it grow.
struct Target {
    path: PathBuf,
    fresh: PathBuf,
    spec: WorldSpec,
    arrivals: bool,
    open: OpenFile,
}

impl Target {
    fn new(args: &ExportArgs, spec: &WorldSpec, scratch: &Scratch) -> Result<Target, Failure> {
        let path = args.pcapng.clone();
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
        // What cannot be written is told before the world runs.
        if path.is_dir() || parent.is_some_and(|parent| !parent.is_dir()) {
            let problem = Problem::new(format!("{} cannot be a file", path.display()));
            return Err(usage(problem.help("name a file in a directory that is there")));
        }
        let fresh = scratch.0.join("capture.pcapng");
        Ok(Target { path, fresh, spec: spec.clone(), arrivals: args.arrivals, open: OpenFile::default() })
    }

    /// Begins the file, anew if it was begun before.
    fn begin(&self) -> Result<PacketSink, Problem> {
        let application = format!("snowglobe {VERSION}");
        let file = File::create(&self.fresh)
            .and_then(|file| CaptureFile::new(BufWriter::new(file), &self.spec, self.arrivals, &application))
            .map_err(|error| self.problem(&error))?;
        *self.open.lock().unwrap_or_else(PoisonError::into_inner) = Some(file);
        let open = self.open.clone();
        Ok(Box::new(move |record| match &mut *open.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(file) => file.take(record),
            None => Ok(()),
        }))
    }

    /// Puts it in its place; says how many packets it has.
    fn finish(&self) -> Result<u64, Failure> {
        let file = self.open.lock().unwrap_or_else(PoisonError::into_inner).take();
        let frames = file.map_or(Ok(0), CaptureFile::finish);
        // They may be on different file systems.
        let place = || fs::rename(&self.fresh, &self.path).or_else(|_| fs::copy(&self.fresh, &self.path).map(drop));
        let named = frames.and_then(|frames| place().map(|()| frames));
        named.map_err(|error| fault(self.problem(&error)))
    }

    fn problem(&self, error: &io::Error) -> Problem {
        Problem::new(format!("cannot write {}: {error}", self.path.display())).help("check the path and the disk")
    }
}
