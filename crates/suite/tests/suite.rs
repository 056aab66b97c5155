//! Each guest is a test several times: `linux::FAMILY::NAME` runs it on this machine's own kernel, `layer::` under
//! snowglobe with the same expectation, `digest::` twice at the same moment with equal digests wanted, and `verify::`
//! under `snowglobe verify`. `traditional::` runs it in the traditional layout.
//!
//! A guest of the family `hosts` runs on two hosts, `server` and `client`, and prints what it sees: in the layer that must be
//! what the same world prints in the traditional layout.
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
    let guests = guest::find(&Folders { sources, programs: target.join("guests") }).expect("tests/guests can be read");
    let guests: Vec<Arc<Guest>> = guests.into_iter().map(Arc::new).collect();
    let mut trials = Vec::new();
    let can_be_traditional = with_layer && suite.can_be_traditional();
    for mode in Mode::ALL {
        for guest in guests.iter().filter(|guest| mode.takes(guest) && (with_layer || matches!(mode, Mode::Linux))) {
            let name = format!("{}::{}::{}", mode.name(), guest.family, guest.name);
            let (suite, subject) = (suite.clone(), guest.clone());
            let trial = Trial::test(name, move || suite.run(mode, &subject));
            let is_pending = !matches!(mode, Mode::Linux | Mode::Traditional)
                && pending.contains(&format!("{}::{}", guest.family, guest.name));
            trials.push(match guest.missing_tool() {
                _ if is_pending => trial.with_ignored_flag(true).with_kind("pending"),
                _ if mode.needs_namespaces(guest) && !can_be_traditional => {
                    trial.with_ignored_flag(true).with_kind("needs namespaces")
                }
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

/// Guests that run on two hosts.
const HOSTS: &str = "hosts";

#[derive(Clone, Copy)]
enum Mode {
    Linux,
    Traditional,
    Layer,
    Digest,
    Verify,
}

impl Mode {
    const ALL: [Mode; 5] = [Mode::Linux, Mode::Traditional, Mode::Layer, Mode::Digest, Mode::Verify];

    /// Whether a guest is run this way.
    fn takes(self, guest: &Guest) -> bool {
        match self {
            Mode::Linux => guest.family != HOSTS,
            Mode::Traditional => guest.family == HOSTS || guest.family == "socket",
            Mode::Layer | Mode::Digest | Mode::Verify => true,
        }
    }

    /// Whether it takes the traditional layout.
    fn needs_namespaces(self, guest: &Guest) -> bool {
        matches!(self, Mode::Traditional) || matches!(self, Mode::Layer) && guest.family == HOSTS
    }

    fn name(self) -> &'static str {
        match self {
            Mode::Linux => "linux",
            Mode::Traditional => "traditional",
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
        if guest.family == HOSTS {
            return self.run_hosts(mode, guest, argv);
        }
        let label = format!("{}.{}.{}", mode.name(), guest.family, guest.name);
        match mode {
            Mode::Linux => self.start(&label, plain(argv))?.passed().map(drop),
            Mode::Traditional => {
                self.start(&label, self.snowglobe(&["run", "--layout", "traditional"], argv)?)?.passed().map(drop)
            }
            Mode::Layer => self.start(&label, self.snowglobe(&["run"], argv)?)?.passed().map(drop),
            Mode::Verify => self.start(&label, self.snowglobe(&["verify", "--runs", "2"], argv)?)?.passed().map(drop),
            Mode::Digest => self.digests(&label, &self.folder(&label)?, &|words| self.snowglobe(words, argv)),
        }
    }

    /// Runs the same twice and compares digests. Both at once: each is the other's busy machine. The folder that they work in
    /// is an input of the run: it is the same.
    fn digests(
        &self,
        label: &str,
        place: &Path,
        command: &dyn Fn(&[&str]) -> Result<Command, Failed>,
    ) -> Result<(), Failed> {
        let [first, second] = [1, 2].map(|n| -> Result<Started, Failed> {
            let label = format!("{label}.{n}");
            let out = self.folder(&label)?.join("run");
            let out = out.to_str().ok_or("the target folder's path is not text")?;
            self.start_in(place, &label, command(&["run", "--json", "--out", out])?)
        });
        let (first, second) = (first?, second?);
        let (first, second) = (digest(&first.passed()?)?, digest(&second.passed()?)?);
        if first != second {
            return Err(format!("two runs differ: digests {first} and {second}").into());
        }
        Ok(())
    }

    /// Runs a guest on two hosts.
    fn run_hosts(&self, mode: Mode, guest: &Guest, argv: &[OsString]) -> Result<(), Failed> {
        let label = format!("{}.{}.{}", mode.name(), guest.family, guest.name);
        let place = self.folder(&label)?;
        let world = place.join("world.yaml");
        std::fs::write(&world, world_of_two(argv)?)?;
        let command = |words: &[&str]| {
            let mut command = self.command()?;
            command.args(words).arg("world.yaml");
            Ok(command)
        };
        let seen = |layout: &str| -> Result<[String; 2], Failed> {
            let out = place.join(layout);
            let out = out.to_str().ok_or("the target folder's path is not text")?;
            let words = ["run", "--layout", layout, "--out", out];
            self.start_in(&place, &label, command(&words)?)?.passed()?;
            let of = |host: &str| std::fs::read_to_string(Path::new(out).join("hosts").join(host).join("stdout"));
            Ok(["server", "client"].map(|host| of(host).unwrap_or_default()))
        };
        match mode {
            Mode::Linux => Ok(()),
            Mode::Traditional => seen("traditional").map(drop),
            Mode::Layer => {
                let (wanted, got) = (seen("traditional")?, seen("layer")?);
                if wanted != got {
                    let [server, client] = [0, 1].map(|n| different_lines(&wanted[n], &got[n]));
                    return Err(format!("the layouts differ\n--- server\n{server}--- client\n{client}").into());
                }
                Ok(())
            }
            Mode::Digest => self.digests(&label, &place, &command),
            Mode::Verify => self.start_in(&place, &label, command(&["verify", "--runs", "2"])?)?.passed().map(drop),
        }
    }

    /// Whether this machine gives what the traditional layout needs.
    fn can_be_traditional(&self) -> bool {
        let output = Command::new(&self.snowglobe).args(["doctor", "--json"]).output();
        let Some(found) = output.ok().and_then(|o| serde_json::from_slice::<serde_json::Value>(&o.stdout).ok()) else {
            return false;
        };
        let checks = found["checks"].as_array().into_iter().flatten();
        let mut layout = checks.filter(|check| check["name"] == "traditional layout");
        layout.any(|check| check["state"] == "good")
    }

    fn snowglobe(&self, words: &[&str], argv: &[OsString]) -> Result<Command, Failed> {
        let mut command = self.command()?;
        command.args(words).arg("--").args(argv);
        Ok(command)
    }

    fn command(&self) -> Result<Command, Failed> {
        if !self.snowglobe.exists() {
            let path = self.snowglobe.display();
            return Err(format!("{path} is not there: `cargo build --release`, or SUITE_LAYER=0 to go without").into());
        }
        Ok(Command::new(&self.snowglobe))
    }

    /// A new and empty folder.
    fn folder(&self, label: &str) -> Result<PathBuf, Failed> {
        let folder = self.logs.join(label);
        if folder.exists() {
            std::fs::remove_dir_all(&folder)?;
        }
        std::fs::create_dir_all(&folder)?;
        Ok(folder)
    }

    fn start(&self, label: &str, command: Command) -> Result<Started, Failed> {
        let folder = self.folder(label)?;
        self.start_in(&folder, label, command)
    }

    fn start_in(&self, place: &Path, label: &str, mut command: Command) -> Result<Started, Failed> {
        let folder = self.logs.join(label);
        command.current_dir(place);
        let described = format!("{command:?}");
        let (stdout, stderr) = (folder.join("stdout"), folder.join("stderr"));
        let running = run::start(command, &stdout, &stderr).map_err(|error| format!("{described}: {error}"))?;
        Ok(Started { described, stdout, stderr, running })
    }
}

/// The world file of a guest on two hosts. JSON is YAML.
fn world_of_two(argv: &[OsString]) -> Result<String, Failed> {
    let argv = argv.iter().map(|word| word.to_str().ok_or("the command is not text")).collect::<Result<Vec<_>, _>>()?;
    // Where the program lies may be a place of which hosts have their own.
    let program = format!("{0}:{0}:ro", argv[argv.len() - 1]);
    let service = serde_json::json!({"command": argv, "volumes": [program], "x-snowglobe": {"check": true}});
    let world = serde_json::json!({
        "x-snowglobe": {"until": "60s"},
        "services": {"server": service, "client": service},
    });
    Ok(world.to_string())
}

/// The lines that are not the same.
fn different_lines(wanted: &str, got: &str) -> String {
    let (wanted, got): (Vec<_>, Vec<_>) = (wanted.lines().collect(), got.lines().collect());
    let mut out = String::new();
    for at in 0..wanted.len().max(got.len()) {
        let (wanted, got) =
            (wanted.get(at).copied().unwrap_or("(no line)"), got.get(at).copied().unwrap_or("(no line)"));
        if wanted != got {
            out += &format!("linux: {wanted}\nlayer: {got}\n");
        }
    }
    out
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
