//! `snowglobe-composer`: runs test commands as Antithesis' Test Composer lays them out
//! (<https://antithesis.com/docs/test_templates/test_composer_reference/>).
//!
//! Commands are the executables `/opt/antithesis/test/v1/TEMPLATE/PREFIX_*`. One template is drawn. One `first_` runs to its end before
//! any driver. Then, until the time for drivers is over: either one `singleton_driver_` alone, or `parallel_driver_` commands several at a
//! time and `serial_driver_` commands with no other driver beside them. `anytime_` commands run beside all of it. In the end, and not
//! before faults have stopped, either all that runs is left to end and one `finally_` runs, or it is killed and one `eventually_` runs. All
//! choices come from the system's random numbers. A command that ends with another status than 0 fails the run; that each ends with 0 is an
//! assertion, so that a campaign tells which commands never did.

#![forbid(unsafe_code)]

use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode};
use std::time::{Duration, Instant};

use clap::Parser;
use rustix::process::Signal;
use serde_json::json;

const ROOT: &str = "/opt/antithesis/test/v1";

#[derive(Parser)]
#[command(version, about = "Runs test commands as Antithesis' Test Composer lays them out")]
struct Args {
    /// How long drivers are started.
    #[arg(long, default_value = "30s", value_parser = duration)]
    drivers: Duration,
    /// Nothing of what comes last begins before this time from the start: faults have stopped by then.
    #[arg(long, default_value = "0s", value_parser = duration)]
    calm: Duration,
    /// Begin when a program of the world has said by its SDK that the system is set up.
    #[arg(long)]
    after_setup: bool,
    /// Drivers at a time.
    #[arg(long, default_value_t = 4)]
    parallel: usize,
    /// Where the templates are.
    #[arg(long, default_value = ROOT)]
    root: PathBuf,
    /// The container's own command, which runs beside them until they are done.
    #[arg(last = true)]
    command: Vec<String>,
}

fn duration(text: &str) -> Result<Duration, String> {
    let span: jiff::SignedDuration = text.parse().map_err(|e| format!("{e}"))?;
    Duration::try_from(span).map_err(|_| "a time cannot be negative".to_owned())
}

fn below(n: usize) -> usize {
    (getrandom::u64().expect("the system has random numbers") % n.max(1) as u64) as usize
}

/// A template's commands by their prefixes.
struct Template {
    name: String,
    commands: Vec<PathBuf>,
}

impl Template {
    fn of(&self, prefix: &str) -> Vec<&PathBuf> {
        self.commands.iter().filter(|path| base(path).starts_with(prefix)).collect()
    }

    fn one(&self, prefix: &str) -> Option<&PathBuf> {
        let list = self.of(prefix);
        list.get(below(list.len())).copied()
    }
}

fn base(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn sorted(dir: &Path) -> Vec<PathBuf> {
    let mut list: Vec<PathBuf> = std::fs::read_dir(dir).into_iter().flatten().flatten().map(|e| e.path()).collect();
    list.sort();
    list
}

const PREFIXES: [&str; 7] =
    ["first_", "parallel_driver_", "serial_driver_", "singleton_driver_", "anytime_", "eventually_", "finally_"];

/// What may stand beside commands and is none.
const HELPER: &str = "helper_";

/// Those without which there is nothing to do: the others come before or after them.
const NEEDED: [&str; 4] = ["parallel_driver_", "serial_driver_", "singleton_driver_", "anytime_"];

fn templates(root: &Path) -> Vec<Template> {
    let is_command = |path: &PathBuf| {
        let name = base(path);
        let Ok(meta) = std::fs::metadata(path) else { return false };
        let (is_named, is_executable) =
            (PREFIXES.iter().any(|prefix| name.starts_with(prefix)), meta.permissions().mode() & 0o111 != 0);
        if meta.is_file() && is_named != is_executable && !name.starts_with(HELPER) {
            let why = if is_named { "cannot be executed" } else { "has none of the prefixes of test commands" };
            eprintln!("snowglobe-composer: {} {why} and is left out", path.display());
        }
        meta.is_file() && is_named && is_executable
    };
    let read =
        |dir: PathBuf| Template { name: base(&dir), commands: sorted(&dir).into_iter().filter(is_command).collect() };
    let is_whole = |template: &Template| {
        let is_whole = NEEDED.iter().any(|prefix| !template.of(prefix).is_empty());
        if !is_whole && !template.commands.is_empty() {
            eprintln!(
                "snowglobe-composer: template {} has neither drivers nor anytime_ and is left out",
                template.name
            );
        }
        is_whole
    };
    sorted(root)
        .into_iter()
        .filter(|dir| dir.is_dir() && !base(dir).starts_with(HELPER))
        .map(read)
        .filter(is_whole)
        .collect()
}

/// Tells that a command ends with status 0: whether it did, or, as the catalogue of assertions has it, that it should.
fn assert(template: &str, path: &Path, result: Option<Result<(), String>>) {
    let message = format!("test command {template}/{} ends with status 0", base(path));
    let holds = result.as_ref().is_some_and(Result::is_ok);
    let record = json!({"antithesis_assert": {
        "assert_type": "always", "display_type": "Always", "hit": result.is_some(), "must_hit": true, "condition": holds,
        "message": message, "id": message, "location": {"file": path, "begin_line": 0, "function": ""},
        "details": {"error": result.and_then(Result::err)},
    }});
    if let Ok(channel) = std::env::var("ANTITHESIS_SDK_LOCAL_OUTPUT")
        && let Ok(mut file) = std::fs::OpenOptions::new().append(true).create(true).open(channel)
    {
        let _ = std::io::Write::write_all(&mut file, format!("{record}\n").as_bytes());
    }
}

/// What runs, and what has failed.
struct Runner {
    template: String,
    running: Vec<(PathBuf, Child)>,
    failed: bool,
}

impl Runner {
    fn start(&mut self, path: &Path) {
        // A group of its own, so that what it has started can be killed with it.
        match Command::new(path).process_group(0).spawn() {
            Ok(child) => self.running.push((path.to_owned(), child)),
            Err(error) => self.ended(path, Err(error.to_string())),
        }
    }

    fn ended(&mut self, path: &Path, result: Result<(), String>) {
        if let Err(why) = &result {
            eprintln!("snowglobe-composer: {}/{}: {why}", self.template, base(path));
            self.failed = true;
        }
        assert(&self.template, path, Some(result));
    }

    /// Takes note of those that have ended.
    fn reap(&mut self) {
        let mut at = 0;
        while at < self.running.len() {
            match self.running[at].1.try_wait() {
                Ok(None) => at += 1,
                result => {
                    let (path, _) = self.running.remove(at);
                    let result = result.map_err(|e| e.to_string()).and_then(|status| match status {
                        Some(status) if !status.success() => Err(status.to_string()),
                        _ => Ok(()),
                    });
                    self.ended(&path, result);
                }
            }
        }
    }

    fn is_running(&self, prefix: &str) -> bool {
        self.running.iter().any(|(path, _)| base(path).starts_with(prefix))
    }

    fn wait(&mut self, prefix: &str) {
        while self.is_running(prefix) {
            std::thread::sleep(Duration::from_millis(10));
            self.reap();
        }
    }

    /// Kills all that runs, with what it has started.
    fn kill_all(&mut self) {
        for (_, mut child) in std::mem::take(&mut self.running) {
            // One that has just ended needs no more.
            let _ = rustix::process::kill_process_group(rustix::process::Pid::from_child(&child), Signal::KILL);
            let _ = child.wait();
        }
    }
}

/// Starts drivers and commands for any time until the time is over.
fn drive(template: &Template, runner: &mut Runner, args: &Args) {
    let end = Instant::now() + args.drivers;
    let (parallel, serial) = (template.of("parallel_driver_"), template.of("serial_driver_"));
    let singles = template.of("singleton_driver_");
    let others = parallel.len() + serial.len();
    let single =
        (!singles.is_empty() && below(singles.len() + others) < singles.len()).then(|| singles[below(singles.len())]);
    if let Some(single) = single {
        runner.start(single);
    }
    while Instant::now() < end && (single.is_none() || runner.is_running("singleton_driver_")) {
        if let Some(anytime) = template.one("anytime_").filter(|_| below(50) == 0 && !runner.is_running("anytime_")) {
            runner.start(anytime);
        }
        let drivers = runner.running.iter().filter(|(path, _)| base(path).contains("_driver_")).count();
        let room = drivers < args.parallel.max(1) && !runner.is_running("serial_driver_");
        if single.is_none() && others > 0 && room && below(4) == 0 {
            let pick = below(others);
            match parallel.get(pick) {
                Some(path) => runner.start(path),
                None => {
                    runner.wait("parallel_driver_");
                    runner.start(serial[pick - parallel.len()]);
                }
            }
        }
        std::thread::sleep(Duration::from_millis(10));
        runner.reap();
    }
}

/// Waits until somebody has said so: then the channel of SDKs, of which nothing else can be read, has a line.
fn wait_for_setup() -> Result<(), String> {
    let path = std::env::var_os("ANTITHESIS_SDK_LOCAL_OUTPUT").ok_or("ANTITHESIS_SDK_LOCAL_OUTPUT names no channel")?;
    let meta = std::fs::metadata(&path).map_err(|e| e.to_string())?;
    if !meta.file_type().is_char_device() {
        return Err("this layout has no such channel".to_owned());
    }
    while std::fs::read(&path).map_err(|e| e.to_string())?.is_empty() {
        std::thread::sleep(Duration::from_millis(10));
    }
    Ok(())
}

fn main() -> ExitCode {
    let args = Args::parse();
    let mut own = match args.command.split_first().map(|(program, rest)| Command::new(program).args(rest).spawn()) {
        Some(Err(error)) => {
            eprintln!("snowglobe-composer: {}: {error}", args.command[0]);
            return ExitCode::from(127);
        }
        own => own.and_then(Result::ok),
    };
    let mut templates = templates(&args.root);
    if templates.is_empty() {
        eprintln!("snowglobe-composer: no test commands in {}", args.root.display());
        return ExitCode::from(2);
    }
    let began = Instant::now();
    for template in &templates {
        template.commands.iter().for_each(|path| assert(&template.name, path, None));
    }
    if args.after_setup
        && let Err(why) = wait_for_setup()
    {
        eprintln!("snowglobe-composer: it cannot be told when the system is set up: {why}");
        return ExitCode::from(2);
    }
    let template = templates.swap_remove(below(templates.len()));
    let mut runner = Runner { template: template.name.clone(), running: Vec::new(), failed: false };
    if let Some(first) = template.one("first_") {
        runner.start(first);
        runner.wait("first_");
    }
    drive(&template, &mut runner, &args);
    let (eventually, finally) = (template.one("eventually_"), template.one("finally_"));
    let last = match (eventually, finally) {
        (Some(eventually), Some(finally)) => [eventually, finally].get(below(2)).copied(),
        (one, other) => one.or(other),
    };
    while last.is_some() && began.elapsed() < args.calm {
        std::thread::sleep(Duration::from_millis(10));
        runner.reap();
    }
    match last {
        Some(path) if base(path).starts_with("eventually_") => runner.kill_all(),
        _ => runner.wait(""),
    }
    if let Some(path) = last {
        runner.start(path);
        runner.wait("");
    }
    if let Some(own) = &mut own {
        let _ = own.kill();
        let _ = own.wait();
    }
    ExitCode::from(u8::from(runner.failed))
}
