//! What a run leaves behind: `.snowglobe/runs/ID/`.
//!
//! | File | Content |
//! |---|---|
//! | `run.json` | [`RunRecord`]: what ran, how it ended, what identifies it; written at the beginning and again at the end |
//! | `world.resolved.yaml` | the world after defaults, names and addresses were settled |
//! | `trace.lz4` | the trace, see [`crate::trace`] |
//! | `hosts/NAME/stdout`, `hosts/NAME/stderr` | what the host's programs wrote |
//! | `faults.json` | what became of each fault of the plan, if there was one |
//! | `hosts/NAME/history.jsonl`, `hosts/NAME/sdk.jsonl` | what they wrote to their channels, see [`crate::channel`] |
//! | `report.json` | what the world said at its end, from which checks are made again |
//! | `stdin` | what the run read, if anything |
//!
//! `.snowglobe/runs/latest` is a link to the newest run. An ID is a number and a label, `0042-etcd`: it sorts by age, and its number alone names it.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use snowglobe_abi::spec::{CHANNELS, Nanos, Report, WorldSpec, YieldPoint};
use snowglobe_abi::trace::{Kind, Record};

use crate::faults::record::FaultRecord;
use snowglobe_check::Outcome;

use crate::channel::Stamps;
use crate::problem::{Problem, WorldError, suggestion};
use crate::resolved;
use crate::trace::{
    Comparison, Difference, Scanner, TraceCheck, TraceDigest, TraceError, TraceFile, TraceSummary, TraceWriter,
};

/// Version of the run directory's format.
pub const FORMAT: u32 = 1;

/// How a run was judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It has begun and not ended.
    Running,
    /// It has not ended and runs no more. No `run.json` says so: it is seen by those who read one.
    Killed,
    /// It was ended by Ctrl-C or a signal like it.
    Interrupted,
    /// All checks passed.
    Passed,
    /// A check failed.
    Failed,
    /// The world could not be judged.
    Unknown,
    /// Two runs that should be the same were not.
    Nondeterministic,
}

impl Verdict {
    /// In words.
    pub fn name(self) -> &'static str {
        match self {
            Verdict::Running => "running",
            Verdict::Killed => "killed",
            Verdict::Interrupted => "interrupted",
            Verdict::Passed => "passed",
            Verdict::Failed => "failed",
            Verdict::Unknown => "unknown",
            Verdict::Nondeterministic => "nondeterministic",
        }
    }
}

/// How guests' calls are answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Layout {
    /// By the layer.
    #[default]
    Layer,
    /// By the operating system, each host in namespaces of its own: the baseline.
    Traditional,
}

/// `run.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunRecord {
    /// [`FORMAT`].
    pub format: u32,
    /// The run's ID.
    pub run: String,
    /// Snowglobe's version.
    pub snowglobe: String,
    /// When it began, by the machine's clock, RFC 3339.
    pub began: String,
    /// The world file, when there is one.
    pub world: Option<PathBuf>,
    /// The command that made it, with its seed.
    pub command: String,
    /// The command that repeats it exactly.
    pub reproduce: String,
    /// How calls were answered.
    pub layout: Layout,
    /// Its seed.
    pub seed: u64,
    /// How it was judged.
    pub verdict: Verdict,
    /// Why, in one sentence.
    pub reason: String,
    /// What snowglobe exited with.
    pub exit_status: u8,
    /// BLAKE3 of the trace, hex; empty until the end.
    pub digest: String,
    /// Virtual nanoseconds that passed.
    pub virtual_ns: Nanos,
    /// Nanoseconds that passed on the machine.
    pub wall_ns: u64,
    /// Trace records.
    pub events: u64,
    /// System calls.
    pub calls: u64,
    /// Hosts.
    pub hosts: Vec<HostRecord>,
    /// Processes of services.
    pub processes: Vec<ProcessRecord>,
    /// Calls that the table does not know.
    pub unsupported: Vec<UnsupportedRecord>,
    /// Files that were executed.
    pub binaries: Vec<BinaryRecord>,
    /// Yield points that were learned in this run.
    pub learned: Vec<YieldPoint>,
    /// What was checked, what is wrong and what is not known.
    #[serde(default)]
    pub checks: Outcome,
}

/// A host in `run.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostRecord {
    /// Its name.
    pub name: String,
    /// Its addresses, eth0 first.
    pub addresses: Vec<String>,
}

/// A process in `run.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessRecord {
    /// Its host's name.
    pub host: String,
    /// The program's name.
    pub name: String,
    /// Its process id on the host.
    pub pid: u32,
    /// Its exit status as a shell has it (128 + N for signal N); nothing while it lives.
    pub exit_status: Option<u32>,
    /// Whether its status judges the run.
    pub check: bool,
}

/// An unknown call in `run.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnsupportedRecord {
    /// Its name.
    pub call: String,
    /// How often it was asked for.
    pub count: u64,
    /// Where first.
    pub first: String,
}

/// A file that was executed, in `run.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BinaryRecord {
    /// Its host's name.
    pub host: String,
    /// Its path in the host.
    pub path: String,
    /// Its path on the machine; nothing when it was made in the world.
    pub machine_path: Option<PathBuf>,
    /// Its BLAKE3, hex, when it is on the machine.
    pub blake3: Option<String>,
}

/// Bytes kept free for the last word of a run whose disk fills up.
const RESERVE: usize = 64 << 10;

/// A run that goes on.
#[derive(Debug)]
pub struct Hold {
    reserve: Option<File>,
    _lock: Option<File>,
}

impl Hold {
    /// Makes room on the disk for the run's last word.
    pub fn make_room(&mut self) {
        self.reserve = None;
    }
}

/// Where runs are kept.
#[derive(Clone, Debug)]
pub struct Store {
    dir: PathBuf,
}

/// One run's directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunDir {
    /// Its ID.
    pub id: String,
    /// Where it is.
    pub path: PathBuf,
}

fn io_problem(what: &str, path: &Path, error: &io::Error) -> Problem {
    let help = match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            "free some disk space, or work in a directory that has more; `run --out DIR` keeps one run elsewhere"
        }
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            "run snowglobe in a directory that you may write to, or choose a place with `--out DIR`"
        }
        io::ErrorKind::FileTooLarge => "raise the limit of file sizes: `ulimit -f unlimited`",
        io::ErrorKind::NotFound => "check the path",
        _ => "check the disk and the directory's permissions",
    };
    Problem::new(format!("cannot {what} {}: {error}", path.display())).help(help)
}

impl Store {
    /// The store of a working directory: its `.snowglobe`.
    pub fn of(cwd: &Path) -> Store {
        Store { dir: cwd.join(".snowglobe") }
    }

    /// Where unpacked images are kept.
    pub fn images(&self) -> PathBuf {
        self.dir.join("images")
    }

    /// Where something is kept for as long as this process does something with it.
    pub fn scratch(&self) -> PathBuf {
        self.dir.join(format!(".scratch-{}", std::process::id()))
    }

    /// Removes what a process kept there that has ended.
    pub fn forget_scratch(&self, pid: u32) {
        // What cannot be removed is in nobody's way.
        let _ = fs::remove_dir_all(self.dir.join(format!(".scratch-{pid}")));
    }

    /// Removes what processes kept there that are gone: one that was killed could not.
    pub fn sweep_scratch(&self) {
        let Ok(list) = fs::read_dir(&self.dir) else { return };
        for entry in list.flatten() {
            let name = entry.file_name();
            let pid = name.to_str().and_then(|name| name.strip_prefix(".scratch-")).and_then(|pid| pid.parse().ok());
            if let Some(pid) = pid.filter(|pid: &u32| !Path::new("/proc").join(pid.to_string()).exists()) {
                self.forget_scratch(pid);
            }
        }
    }

    /// The directory of all that is kept.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    fn runs(&self) -> PathBuf {
        self.dir.join("runs")
    }

    /// Makes the directory of a new run and points `latest` at it.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn create(&self, label: &str) -> Result<RunDir, Problem> {
        let runs = self.runs();
        fs::create_dir_all(&runs).map_err(|e| io_problem("make", &runs, &e))?;
        let mut number = self.numbers()?.last().map_or(1, |(n, _)| n + 1);
        loop {
            let id = format!("{number:04}-{}", clean_label(label));
            let path = runs.join(&id);
            match fs::create_dir(&path) {
                Ok(()) => {
                    let run = RunDir { id, path };
                    run.prepare()?;
                    self.point_latest(&run)?;
                    return Ok(run);
                }
                // Another snowglobe took the number at the same moment.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => number += 1,
                Err(error) => return Err(io_problem("make", &path, &error)),
            }
        }
    }

    fn point_latest(&self, run: &RunDir) -> Result<(), Problem> {
        let latest = self.runs().join("latest");
        let fresh = self.runs().join(format!(".latest-{}", run.id));
        let _ = fs::remove_file(&fresh);
        std::os::unix::fs::symlink(&run.id, &fresh)
            .and_then(|()| fs::rename(&fresh, &latest))
            .map_err(|e| io_problem("make the link", &latest, &e))
    }

    /// All runs with their numbers, oldest first.
    fn numbers(&self) -> Result<Vec<(u64, String)>, Problem> {
        let runs = self.runs();
        let list = match fs::read_dir(&runs) {
            Ok(list) => list,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(io_problem("list", &runs, &error)),
        };
        let mut out: Vec<(u64, String)> = list
            .flatten()
            .filter_map(|entry| entry.file_name().into_string().ok())
            .filter_map(|name| Some((name.split('-').next()?.parse().ok()?, name)))
            .collect();
        out.sort();
        Ok(out)
    }

    /// All runs, oldest first.
    ///
    /// # Errors
    /// The directory cannot be read.
    pub fn list(&self) -> Result<Vec<RunDir>, Problem> {
        let runs = self.runs();
        Ok(self.numbers()?.into_iter().map(|(_, id)| RunDir { path: runs.join(&id), id }).collect())
    }

    /// The loops that runs here found to spin, by file and offset.
    ///
    /// # Errors
    /// They are kept and cannot be read.
    pub fn yield_points(&self) -> Result<Vec<YieldPoint>, Problem> {
        let path = self.dir.join("yield-points.json");
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(io_problem("read", &path, &error)),
        };
        serde_json::from_str(&text).map_err(|error| {
            Problem::new(format!("{} is not understood: {error}", path.display()))
                .help("remove it: it is learned again")
        })
    }

    /// Adds to them.
    ///
    /// # Errors
    /// They cannot be kept.
    pub fn learn(&self, learned: &[YieldPoint]) -> Result<(), Problem> {
        // Code that no file holds is elsewhere in the next run.
        let learned = learned.iter().filter(|point| !point.file.is_empty());
        let mut all = self.yield_points()?;
        let before = all.len();
        all.extend(learned.cloned());
        all.sort();
        all.dedup();
        if all.len() == before {
            return Ok(());
        }
        let text = serde_json::to_string_pretty(&all).expect("plain data can always be written");
        fs::create_dir_all(&self.dir).map_err(|e| io_problem("make", &self.dir, &e))?;
        put_file(&self.dir, "yield-points.json", text.as_bytes())
    }

    /// The run that a user names: an ID, its number, `latest`, or a run directory's path.
    ///
    /// # Errors
    /// There is none, or more than one.
    pub fn open(&self, name: &str) -> Result<RunDir, Problem> {
        if name.contains('/') || name == "." {
            return RunDir::at(Path::new(name));
        }
        let runs = self.list()?;
        if name == "latest" {
            let latest = self.runs().join("latest");
            if let Ok(target) = fs::read_link(&latest)
                && let Some(run) = runs.iter().find(|run| Path::new(&run.id) == target)
            {
                return Ok(run.clone());
            }
            return runs
                .last()
                .cloned()
                .ok_or_else(|| Problem::new("there is no run yet").help("`snowglobe run WORLD.yaml` makes one"));
        }
        let number = name.parse::<u64>().ok();
        let matches = |run: &&RunDir| {
            run.id == name || number.is_some() && run.id.split('-').next().and_then(|n| n.parse().ok()) == number
        };
        let found: Vec<&RunDir> = runs.iter().filter(matches).collect();
        match found[..] {
            [run] => Ok(run.clone()),
            [] if Path::new(name).join("run.json").exists() => RunDir::at(Path::new(name)),
            [] => {
                let near = suggestion(name, runs.iter().rev().take(5).map(|run| run.id.as_str()));
                let help = if runs.is_empty() { "`snowglobe run WORLD.yaml` makes one".to_owned() } else { near };
                Err(Problem::new(format!("there is no run `{name}` in {}", self.runs().display())).help(help))
            }
            _ => Err(Problem::new(format!("`{name}` names more than one run"))
                .help("write its whole ID, see `snowglobe ls`")),
        }
    }
}

/// Writes a file whole or not at all.
fn put_file(dir: &Path, name: &str, content: &[u8]) -> Result<(), Problem> {
    let path = dir.join(name);
    let fresh = dir.join(format!(".{name}.{}", std::process::id()));
    fs::write(&fresh, content).and_then(|()| fs::rename(&fresh, &path)).map_err(|e| {
        let _ = fs::remove_file(&fresh);
        io_problem("write", &path, &e)
    })
}

/// A host's name as the name of its directory. A resolved world may have been edited: no name leads out of the run directory.
fn file_name(host: &str) -> String {
    let name = host.replace(['/', '\0'], "_");
    if name.is_empty() || name.starts_with('.') { format!("_{name}") } else { name }
}

/// What of a label can stand in an ID.
fn clean_label(label: &str) -> String {
    let label: String = label
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || matches!(c, '.' | '_') { c } else { '-' })
        .take(40)
        .collect();
    let label = label.trim_matches(|c| matches!(c, '-' | '.')).to_owned();
    if label.is_empty() { "world".to_owned() } else { label }
}

impl RunDir {
    /// Makes a run directory at a place that the user chose: new, or empty.
    ///
    /// # Errors
    /// It cannot be made, or holds something.
    pub fn create_at(path: &Path) -> Result<RunDir, Problem> {
        fs::create_dir_all(path).map_err(|e| io_problem("make", path, &e))?;
        let mut entries = fs::read_dir(path).map_err(|e| io_problem("list", path, &e))?;
        if entries.next().is_some() {
            return Err(Problem::new(format!("{} is not empty", path.display()))
                .help("name a new or empty directory with `--out`"));
        }
        let id = path.file_name().map_or_else(|| "run".to_owned(), |name| clean_label(&name.to_string_lossy()));
        let run = RunDir { id, path: path.to_owned() };
        run.prepare()?;
        Ok(run)
    }

    /// The run directory at a path.
    ///
    /// # Errors
    /// There is none.
    pub fn at(path: &Path) -> Result<RunDir, Problem> {
        let real = fs::canonicalize(path).map_err(|e| io_problem("open", path, &e))?;
        if !real.join("run.json").exists() {
            return Err(Problem::new(format!("{} is not a run directory: it has no run.json", path.display()))
                .help("name a run of `snowglobe ls`, or a directory made with `--out`"));
        }
        let id = real.file_name().map_or_else(|| "run".to_owned(), |name| name.to_string_lossy().into_owned());
        Ok(RunDir { id, path: real })
    }

    fn prepare(&self) -> Result<(), Problem> {
        let hosts = self.path.join("hosts");
        fs::create_dir(&hosts).map_err(|e| io_problem("make", &hosts, &e))
    }

    /// The trace file.
    pub fn trace_path(&self) -> PathBuf {
        self.path.join("trace.lz4")
    }

    /// The resolved world's file.
    pub fn world_path(&self) -> PathBuf {
        self.path.join("world.resolved.yaml")
    }

    /// A host's directory.
    pub fn host_path(&self, host: &str) -> PathBuf {
        self.path.join("hosts").join(file_name(host))
    }

    fn put(&self, name: &str, content: &[u8]) -> Result<(), Problem> {
        put_file(&self.path, name, content)
    }

    /// Writes `run.json`.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn write_record(&self, record: &RunRecord) -> Result<(), Problem> {
        let mut text = serde_json::to_string_pretty(record).expect("a record has no maps with odd keys");
        text.push('\n');
        self.put("run.json", text.as_bytes())
    }

    /// Reads `run.json`.
    ///
    /// # Errors
    /// It cannot be read, or is of another version.
    pub fn record(&self) -> Result<RunRecord, Problem> {
        let path = self.path.join("run.json");
        let bytes = fs::read(&path).map_err(|e| io_problem("read", &path, &e))?;
        let not_ours = |why: &dyn std::fmt::Display| {
            Problem::new(format!("{} is not understood: {why}", path.display()))
                .help("it was written by another version of snowglobe, or damaged: run the world again")
        };
        // What the fields of another format mean is not known, and it may have others.
        #[derive(Deserialize)]
        struct Format {
            format: u32,
        }
        match serde_json::from_slice(&bytes) {
            Ok(Format { format: FORMAT }) => {}
            Ok(Format { format }) => {
                return Err(not_ours(&format!("its format is {format}, and this one knows {FORMAT}")));
            }
            Err(error) => return Err(not_ours(&error)),
        }
        let mut record: RunRecord = serde_json::from_slice(&bytes).map_err(|error| not_ours(&error))?;
        if record.verdict == Verdict::Running && !self.is_held() {
            record.verdict = Verdict::Killed;
            record.reason = "snowglobe was killed before the run had ended".to_owned();
        }
        Ok(record)
    }

    /// Marks the run as one that goes on, for as long as the result lives and this process does.
    ///
    /// # Errors
    /// There is no room on the disk.
    pub fn hold(&self) -> Result<Hold, Problem> {
        // A file system without locks makes a run that was killed look like one that runs: no reason not to run.
        let lock = File::open(&self.path).and_then(|dir| dir.lock().map(|()| dir)).ok();
        let path = self.path.join(".reserve");
        // Without a name it goes when this process does, however that ends.
        let reserve = File::create(&path)
            .and_then(|mut file| fs::remove_file(&path).and_then(|()| file.write_all(&[0; RESERVE])).map(|()| file))
            .map_err(|e| io_problem("write", &path, &e))?;
        Ok(Hold { reserve: Some(reserve), _lock: lock })
    }

    /// Whether somebody has it marked.
    fn is_held(&self) -> bool {
        // What cannot be asked is not known to have ended.
        File::open(&self.path).is_ok_and(|dir| dir.try_lock_shared().is_err())
    }

    /// Writes `report.json`.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn write_report(&self, report: &Report) -> Result<(), Problem> {
        let mut text = serde_json::to_string(report).expect("plain data can always be written");
        text.push('\n');
        self.put("report.json", text.as_bytes())
    }

    /// Reads `report.json`; nothing when the run did not come to its end.
    ///
    /// # Errors
    /// It is there and cannot be read or understood.
    pub fn report(&self) -> Result<Option<Report>, Problem> {
        let path = self.path.join("report.json");
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(io_problem("read", &path, &error)),
        };
        serde_json::from_slice(&text).map(Some).map_err(|error| {
            Problem::new(format!("{} is not understood: {error}", path.display()))
                .help("it was written by another version of snowglobe, or damaged: run the world again")
        })
    }

    /// Writes the resolved world.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn write_world(&self, spec: &WorldSpec) -> Result<(), Problem> {
        self.put("world.resolved.yaml", resolved::to_yaml(spec).as_bytes())
    }

    /// Writes `faults.json`.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn write_faults(&self, faults: &[FaultRecord]) -> Result<(), Problem> {
        let text = serde_json::to_string_pretty(faults).expect("plain data can always be written");
        self.put("faults.json", text.as_bytes())
    }

    /// What became of the run's faults; none where there were none, or as long as it runs.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn faults(&self) -> Result<Vec<FaultRecord>, Problem> {
        let path = self.path.join("faults.json");
        match fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes)
                .map_err(|e| Problem::new(format!("{} is not understood: {e}", path.display()))),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(e) => Err(io_problem("read", &path, &e)),
        }
    }

    /// Reads the resolved world.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn world(&self) -> Result<WorldSpec, Problem> {
        let path = self.world_path();
        let text = fs::read_to_string(&path).map_err(|e| io_problem("read", &path, &e))?;
        // The first problem is enough of a file that nobody writes by hand.
        let first = |error: WorldError| error.problems.into_iter().next();
        resolved::from_yaml(&path.display().to_string(), &text)
            .map_err(|error| first(error).unwrap_or_else(|| Problem::new("the world cannot be read")))
    }

    /// Where the run's standard input is kept.
    pub fn stdin_path(&self) -> PathBuf {
        self.path.join("stdin")
    }

    /// The file in which the run's standard input is to be kept as it is read.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn keep_stdin(&self) -> Result<File, Problem> {
        let path = self.stdin_path();
        let file = OpenOptions::new().create(true).append(true).read(true).open(&path);
        file.map_err(|e| io_problem("make", &path, &e))
    }

    /// Why standard input could not be kept.
    pub fn stdin_problem(&self, error: &io::Error) -> Problem {
        io_problem("write", &self.stdin_path(), error)
    }

    /// Takes away trace and output of a run that is to be begun again.
    ///
    /// # Errors
    /// They cannot be removed.
    pub fn forget_recording(&self) -> Result<(), Problem> {
        let gone = |path: &Path, result: io::Result<()>| match result {
            Err(e) if e.kind() != io::ErrorKind::NotFound => Err(io_problem("remove", path, &e)),
            _ => Ok(()),
        };
        let (trace, hosts) = (self.trace_path(), self.path.join("hosts"));
        gone(&trace, fs::remove_file(&trace))?;
        gone(&hosts, fs::remove_dir_all(&hosts))
    }

    /// The run's standard input, if it had any.
    ///
    /// # Errors
    /// It is there and cannot be read.
    pub fn stdin(&self) -> Result<Option<File>, Problem> {
        let path = self.stdin_path();
        match File::open(&path) {
            Ok(file) => Ok(Some(file)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(io_problem("read", &path, &error)),
        }
    }

    /// Opens the trace.
    ///
    /// # Errors
    /// It is not there or cannot be read.
    pub fn trace(&self) -> Result<TraceFile, Problem> {
        let path = self.trace_path();
        let trace = crate::trace::open(&path).map_err(|e| io_problem("read", &path, &e))?;
        // Only in the layer do runs that ended have a digest.
        let is_open = |verdict| matches!(verdict, Verdict::Running | Verdict::Killed);
        let unfinished = self.record().is_ok_and(|record| match record.layout {
            Layout::Layer => record.digest.is_empty(),
            Layout::Traditional => is_open(record.verdict),
        });
        Ok(if unfinished { trace.of_unfinished_run() } else { trace })
    }
}

/// Hashes of files that are known, for as long as the files are as they were.
#[derive(Debug, Default)]
pub struct Hashes(BTreeMap<PathBuf, (Stamp, Option<String>)>);

/// What changes when a file does: device, inode, size, times of change of content and of metadata.
type Stamp = (u64, u64, u64, (i64, i64), (i64, i64));

impl Hashes {
    /// No hashes yet.
    pub const fn new() -> Hashes {
        Hashes(BTreeMap::new())
    }

    fn of(&mut self, path: &Path) -> Option<String> {
        let meta = fs::metadata(path).ok()?;
        let changed = ((meta.mtime(), meta.mtime_nsec()), (meta.ctime(), meta.ctime_nsec()));
        let stamp = (meta.dev(), meta.ino(), meta.size(), changed.0, changed.1);
        match self.0.get(path) {
            Some((known, hash)) if *known == stamp => hash.clone(),
            _ => {
                let hash = hash_file(path);
                self.0.insert(path.to_owned(), (stamp, hash.clone()));
                hash
            }
        }
    }
}

/// Hashes the files that a run executed.
pub fn hash_binaries(
    executed: &[(u32, String, Option<String>)],
    host_names: &[String],
    known: &mut Hashes,
) -> Vec<BinaryRecord> {
    executed
        .iter()
        .map(|(host, path, machine_path)| BinaryRecord {
            host: host_names.get(*host as usize).cloned().unwrap_or_else(|| host.to_string()),
            path: path.clone(),
            blake3: machine_path.as_deref().and_then(|file| known.of(Path::new(file))),
            machine_path: machine_path.as_ref().map(PathBuf::from),
        })
        .collect()
}

fn hash_file(path: &Path) -> Option<String> {
    let mut file = File::open(path).ok()?;
    let mut hasher = blake3::Hasher::new();
    let mut chunk = vec![0; 64 << 10];
    loop {
        match file.read(&mut chunk) {
            Ok(0) => return Some(hasher.finalize().to_hex().to_string()),
            Ok(n) => hasher.update(&chunk[..n]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(_) => return None,
        };
    }
}

/// The recorded files that are not on the machine as they were.
pub fn changed_binaries(recorded: &[BinaryRecord]) -> Vec<&BinaryRecord> {
    let changed = |binary: &&BinaryRecord| {
        binary.machine_path.as_deref().is_some_and(|path| binary.blake3.is_some() && hash_file(path) != binary.blake3)
    };
    recorded.iter().filter(changed).collect()
}

/// Who hears what guests write: host, stream (1 or 2), bytes.
pub type Listener = Box<dyn FnMut(u32, u8, &[u8]) + Send>;

/// Who takes records of captured packets.
pub type PacketSink = Box<dyn FnMut(&Record) -> io::Result<()> + Send>;

/// Takes captured packets out of a stream, of which they are no part.
struct Sieve {
    scanner: Scanner,
    sink: PacketSink,
}

impl Sieve {
    /// What of these bytes is the trace's.
    fn pass(&mut self, bytes: &[u8]) -> Result<Vec<u8>, RecordError> {
        let (mut rest, mut result) = (Vec::with_capacity(bytes.len()), Ok(()));
        let Sieve { scanner, sink } = self;
        scanner
            .feed(bytes, |kind, record| match Record::decode(record) {
                Ok((record, ..)) if kind == Kind::Packet => {
                    if result.is_ok() {
                        result = sink(&record);
                    }
                }
                _ => rest.extend_from_slice(record),
            })
            .map_err(RecordError::Trace)?;
        result.map_err(|e| RecordError::Write(io_problem("write", Path::new("the capture"), &e)))?;
        Ok(rest)
    }
}

/// Takes a run's trace as it comes: keeps it, cuts out what guests wrote, and compares it with an earlier run's.
pub struct Recorder {
    sink: Sink,
    scanner: Scanner,
    outputs: Outputs,
    stamps: Stamps,
    check: Option<TraceCheck>,
    difference: Option<Difference>,
    listener: Option<Listener>,
    sieve: Option<Sieve>,
}

/// What becomes of a trace.
enum Sink {
    /// It is kept.
    File(TraceWriter),
    /// Its digest is.
    Digest(Box<TraceDigest>),
}

/// Why a run could not be recorded on.
#[derive(Debug)]
pub enum RecordError {
    /// The run directory cannot be written.
    Write(Problem),
    /// The stream is no trace, or the trace to compare with cannot be read.
    Trace(TraceError),
}

impl std::fmt::Display for RecordError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            RecordError::Write(problem) => problem.fmt(f),
            RecordError::Trace(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for RecordError {}

/// What a recorder says at the end.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// The trace.
    pub trace: TraceSummary,
    /// What the comparison found, where there was one.
    pub comparison: Option<Comparison>,
}

impl Recorder {
    /// Begins to record into a run directory.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn new(run: &RunDir, host_names: Vec<String>) -> Result<Recorder, Problem> {
        let path = run.trace_path();
        let writer = TraceWriter::create(&path).map_err(|e| io_problem("make", &path, &e))?;
        Ok(Recorder::into_sink(run, host_names, Sink::File(writer)))
    }

    /// Begins to record a run of whose trace only the digest is wanted: what guests write is kept as ever.
    pub fn digest_only(run: &RunDir, host_names: Vec<String>) -> Recorder {
        Recorder::into_sink(run, host_names, Sink::Digest(Box::default()))
    }

    fn into_sink(run: &RunDir, host_names: Vec<String>, sink: Sink) -> Recorder {
        let outputs = Outputs { dir: run.path.join("hosts"), host_names, open: BTreeMap::new() };
        let scanner = Scanner::default();
        let stamps = Stamps::default();
        Recorder { sink, scanner, outputs, stamps, check: None, difference: None, listener: None, sieve: None }
    }

    /// Compares with an earlier run's trace as it goes.
    #[must_use]
    pub fn compare_with(mut self, recorded: TraceCheck) -> Recorder {
        self.check = Some(recorded);
        self
    }

    /// Passes what guests write on.
    #[must_use]
    pub fn listen(mut self, listener: Listener) -> Recorder {
        self.listener = Some(listener);
        self
    }

    /// Passes captured packets on.
    #[must_use]
    pub fn capture(mut self, sink: PacketSink) -> Recorder {
        self.sieve = Some(Sieve { scanner: Scanner::default(), sink });
        self
    }

    /// Takes bytes of the stream. True when the run may stop: it differs from the one that it is compared with, or that one
    /// has no more.
    ///
    /// # Errors
    /// They cannot be kept or understood.
    pub fn feed(&mut self, bytes: &[u8]) -> Result<bool, RecordError> {
        match &mut self.sieve {
            None => self.feed_trace(bytes),
            Some(sieve) => {
                let trace = sieve.pass(bytes)?;
                self.feed_trace(&trace)
            }
        }
    }

    fn feed_trace(&mut self, bytes: &[u8]) -> Result<bool, RecordError> {
        match &mut self.sink {
            Sink::File(writer) => writer.write(bytes).map_err(|e| RecordError::Write(trace_problem(&e)))?,
            Sink::Digest(digest) => digest.write(bytes),
        }
        let mut failed = None;
        let (outputs, listener, stamps) = (&mut self.outputs, &mut self.listener, &mut self.stamps);
        self.scanner
            .feed(bytes, |kind, record| {
                if kind == Kind::Output
                    && let Ok((record, ..)) = Record::decode(record)
                    && let ([host, stream, now, ..], Some(bytes)) = (&record.nums[..], record.blobs.first())
                {
                    let (host, stream, now) = (*host as u32, *stream as u32, *now);
                    let is_channel = stream > 2;
                    let result = match is_channel {
                        true => outputs.put(host, stream, &stamps.put(host, stream, now, bytes)),
                        false => outputs.put(host, stream, bytes),
                    };
                    if let Err(problem) = result {
                        failed.get_or_insert(problem);
                    }
                    if let Some(listener) = listener.as_mut().filter(|_| !is_channel) {
                        listener(host, stream as u8, bytes);
                    }
                }
            })
            .map_err(RecordError::Trace)?;
        if let Some(problem) = failed {
            return Err(RecordError::Write(problem));
        }
        if self.difference.is_none()
            && let Some(check) = &mut self.check
        {
            self.difference = check.feed(bytes).map_err(RecordError::Trace)?;
        }
        Ok(self.difference.is_some() || self.check.as_ref().is_some_and(TraceCheck::past_end))
    }

    /// Brings what was taken so far to the disk.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn flush(&mut self) -> Result<(), RecordError> {
        match &mut self.sink {
            Sink::File(writer) => writer.flush().map_err(|e| RecordError::Write(trace_problem(&e))),
            Sink::Digest(_) => Ok(()),
        }
    }

    /// Ends the recording.
    ///
    /// # Errors
    /// Something could not be written.
    pub fn finish(mut self) -> Result<Recorded, RecordError> {
        for ((host, stream), rest) in self.stamps.rest() {
            self.outputs.put(host, stream, &rest).map_err(RecordError::Write)?;
        }
        let trace = match self.sink {
            Sink::File(writer) => writer.finish().map_err(|e| RecordError::Write(trace_problem(&e)))?,
            Sink::Digest(digest) => digest.finish(),
        };
        let comparison = match (self.difference, self.check) {
            (Some(difference), _) => {
                Some(Comparison { equal: difference.index, difference: Some(difference), past_end: false })
            }
            (None, Some(mut check)) => Some(check.finish().map_err(RecordError::Trace)?),
            (None, None) => None,
        };
        Ok(Recorded { trace, comparison })
    }
}

fn trace_problem(error: &io::Error) -> Problem {
    io_problem("write", Path::new("the trace"), error)
}

/// The files of what guests write.
struct Outputs {
    dir: PathBuf,
    host_names: Vec<String>,
    open: BTreeMap<(u32, u32), File>,
}

/// Most files of guests' output that are open at once.
const MAX_OPEN: usize = 128;

impl Outputs {
    fn put(&mut self, host: u32, stream: u32, bytes: &[u8]) -> Result<(), Problem> {
        if bytes.is_empty() {
            return Ok(());
        }
        if !self.open.contains_key(&(host, stream)) {
            if self.open.len() >= MAX_OPEN {
                self.open.clear();
            }
            let name = self.host_names.get(host as usize).cloned().unwrap_or_else(|| format!("host-{host}"));
            let dir = self.dir.join(file_name(&name));
            let channel = CHANNELS.iter().find(|channel| channel.stream == stream).map(|channel| channel.name);
            let path = dir.join(channel.unwrap_or(if stream == 2 { "stderr" } else { "stdout" }));
            let file = fs::create_dir_all(&dir)
                .and_then(|()| OpenOptions::new().create(true).append(true).open(&path))
                .map_err(|e| io_problem("write", &path, &e))?;
            self.open.insert((host, stream), file);
        }
        let file = self.open.get_mut(&(host, stream)).expect("it was opened above");
        file.write_all(bytes).map_err(|e| io_problem("write the output of a host below", &self.dir, &e))
    }
}
