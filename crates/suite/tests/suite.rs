//! Each guest is a test several times: `linux::FAMILY::NAME` runs it on this machine's own kernel, `layer::` under
//! snowglobe with the same expectation, `digest::` twice at the same moment with equal digests wanted, and `verify::`
//! under `snowglobe verify`.
//!
//! `SNOWGLOBE_BIN` names the binary (target/release/snowglobe when unset); `SUITE_LAYER=0` leaves only `linux::`.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::Arc;

use libtest_mimic::{Arguments, Failed, Trial};
use snowglobe_suite::guest::{self, Folders, Guest};
use snowglobe_suite::run::{self, TIME_LIMIT};

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("cargo's folder has a parent").to_path_buf();
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/guests");
    let sources = sources.canonicalize().expect("tests/guests is in the repository");
    let suite = Arc::new(Suite {
        logs: target.join("guests/.logs"),
        snowglobe: std::env::var_os("SNOWGLOBE_BIN").map_or(target.join("release/snowglobe"), |path| {
            // Commands start in folders of their own, so a relative path would not be found.
            std::path::absolute(path).expect("the working directory is known")
        }),
    });

    // Guests that the layer does not run as Linux does yet: listed, shown as ignored, run with --include-ignored.
    let list = std::fs::read_to_string(sources.join("pending.txt")).expect("tests/guests/pending.txt can be read");
    let pending: Vec<String> = list
        .lines()
        .filter_map(|line| line.split_whitespace().next())
        .filter(|n| !n.starts_with('#'))
        .map(String::from)
        .collect();
    let with_layer = std::env::var_os("SUITE_LAYER").is_none_or(|value| value != "0");
    let modes: &[Mode] = if with_layer { &Mode::ALL } else { &[Mode::Linux] };
    let guests = guest::find(&Folders { sources, programs: target.join("guests") }).expect("tests/guests can be read");
    let guests: Vec<Arc<Guest>> = guests.into_iter().map(Arc::new).collect();
    let mut trials = Vec::new();
    for &mode in modes {
        for guest in &guests {
            let name = format!("{}::{}::{}", mode.name(), guest.family, guest.name);
            let (suite, subject) = (suite.clone(), guest.clone());
            let trial = Trial::test(name, move || suite.run(mode, &subject));
            let is_pending =
                !matches!(mode, Mode::Linux) && pending.contains(&format!("{}::{}", guest.family, guest.name));
            trials.push(match guest.missing_tool() {
                _ if is_pending => trial.with_ignored_flag(true).with_kind("pending"),
                Some(tool) => trial.with_ignored_flag(true).with_kind(format!("needs {tool}")),
                None => trial,
            });
        }
    }
    run::adopt_orphans().expect("orphans can be adopted");
    let conclusion = libtest_mimic::run(&arguments, trials);
    let left_behind = run::left_behind().expect("/proc can be read");
    for process in &left_behind {
        eprintln!("left behind and killed: {process}");
    }
    if left_behind.is_empty() { conclusion.exit_code() } else { ExitCode::FAILURE }
}

#[derive(Clone, Copy)]
enum Mode {
    Linux,
    Layer,
    Digest,
    Verify,
}

impl Mode {
    const ALL: [Mode; 4] = [Mode::Linux, Mode::Layer, Mode::Digest, Mode::Verify];

    fn name(self) -> &'static str {
        match self {
            Mode::Linux => "linux",
            Mode::Layer => "layer",
            Mode::Digest => "digest",
            Mode::Verify => "verify",
        }
    }
}

struct Suite {
    /// A folder in here for each test: what it printed last, and the run directories of the layer's modes.
    logs: PathBuf,
    snowglobe: PathBuf,
}

impl Suite {
    fn run(&self, mode: Mode, guest: &Guest) -> Result<(), Failed> {
        let argv = guest.argv()?;
        let label = format!("{}.{}.{}", mode.name(), guest.family, guest.name);
        match mode {
            Mode::Linux => self.start(&label, plain(argv))?.passed().map(drop),
            Mode::Layer => self.start(&label, self.snowglobe(&["run"], argv)?)?.passed().map(drop),
            Mode::Verify => self.start(&label, self.snowglobe(&["verify", "--runs", "2"], argv)?)?.passed().map(drop),
            Mode::Digest => {
                // Both at once: each is the other's busy machine.
                let first = self.start(&format!("{label}.1"), self.snowglobe(&["run", "--json"], argv)?)?;
                // A guest sees its working directory: it is the same for both.
                let (place, out) =
                    (self.logs.join(format!("{label}.1")), self.logs.join(format!("{label}.2")).join("run"));
                let out = out.to_str().ok_or("the target folder's path is not text")?.to_owned();
                let second = self.snowglobe(&["run", "--json", "--out", &out], argv)?;
                let second = self.start_in(&place, &format!("{label}.2"), second)?;
                let (first, second) = (digest(&first.passed()?)?, digest(&second.passed()?)?);
                if first != second {
                    return Err(format!("two runs differ: digests {first} and {second}").into());
                }
                Ok(())
            }
        }
    }

    fn snowglobe(&self, words: &[&str], argv: &[OsString]) -> Result<Command, Failed> {
        if !self.snowglobe.exists() {
            let path = self.snowglobe.display();
            return Err(format!("{path} is not there: `cargo build --release`, or SUITE_LAYER=0 to go without").into());
        }
        let mut command = Command::new(&self.snowglobe);
        command.args(words).arg("--").args(argv);
        Ok(command)
    }

    fn start(&self, label: &str, command: Command) -> Result<Started, Failed> {
        self.start_in(&self.logs.join(label), label, command)
    }

    /// Starts a command in a folder; its output goes to the folder of the label.
    fn start_in(&self, place: &Path, label: &str, mut command: Command) -> Result<Started, Failed> {
        let folder = self.logs.join(label);
        if folder.exists() {
            std::fs::remove_dir_all(&folder)?;
        }
        std::fs::create_dir_all(&folder)?;
        command.current_dir(place);
        let described = format!("{command:?}");
        let (stdout, stderr) = (folder.join("stdout"), folder.join("stderr"));
        let running = run::start(command, &stdout, &stderr).map_err(|error| format!("{described}: {error}"))?;
        Ok(Started { described, stdout, stderr, running })
    }
}

fn plain(argv: &[OsString]) -> Command {
    let mut command = Command::new(&argv[0]);
    command.args(&argv[1..]);
    command
}

/// A command under way, and where its output goes.
struct Started {
    described: String,
    stdout: PathBuf,
    stderr: PathBuf,
    running: run::Running,
}

impl Started {
    /// What it printed, when it exited 0 in time; else a failure that shows all of it.
    fn passed(self) -> Result<String, Failed> {
        let status = self.running.finish(TIME_LIMIT)?;
        let read = |path: &Path| std::fs::read(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        let (stdout, stderr) = (read(&self.stdout)?, read(&self.stderr)?);
        let how = match status {
            Some(status) if status.success() => return Ok(stdout),
            Some(status) => status.to_string(),
            None => format!("not done after {} s: killed", TIME_LIMIT.as_secs()),
        };
        Err(format!("{how}\n$ {}\n--- stdout\n{stdout}--- stderr\n{stderr}", self.described).into())
    }
}

fn digest(json: &str) -> Result<String, Failed> {
    let report: serde_json::Value = serde_json::from_str(json).map_err(|error| format!("{error}: {json}"))?;
    let digest = report["digest"].as_str().ok_or_else(|| format!("no digest in {json}"))?;
    Ok(digest.to_owned())
}
