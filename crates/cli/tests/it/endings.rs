//! Runs that are ended from outside, and guests that want more than there is.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Output, Stdio};
use std::time::{Duration, Instant};

use crate::{command, err, json, out, snowglobe, status};

/// Computes and never calls.
const SPIN: &str = "echo under way; while :; do :; done";
/// Calls and never waits.
const BUSY: &str = "echo under way; while :; do cat /dev/null; done";
/// Reads what never comes.
const READ: &str = "echo under way; exec cat";

/// A world that is under way, and who belongs to it. What it says goes to files, so that it can be waited for.
pub struct World {
    child: Child,
    dir: PathBuf,
}

/// A process by its id and the moment at which it started, since ids are used again.
pub type Name = (u32, u64);

/// Parent and moment of the start of a process, unless it has ended.
fn stat(pid: u32) -> Option<(u32, u64)> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let fields: Vec<&str> = text.rsplit(')').next()?.split_whitespace().collect();
    (!matches!(fields[0], "Z" | "X")).then(|| (fields[1].parse().unwrap(), fields[19].parse().unwrap()))
}

fn children(parent: u32) -> Vec<Name> {
    let pids = fs::read_dir("/proc").unwrap().filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    pids.filter_map(|pid: u32| stat(pid).filter(|stat| stat.0 == parent).map(|stat| (pid, stat.1))).collect()
}

fn wait_for(what: &str, mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < Duration::from_secs(30), "{what} did not come");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[track_caller]
fn all_gone(names: &[Name]) {
    let left = || names.iter().filter(|(pid, start)| stat(*pid).is_some_and(|stat| stat.1 == *start)).count();
    let began = Instant::now();
    while left() > 0 {
        assert!(began.elapsed() < Duration::from_secs(5), "{} of {} processes are left", left(), names.len());
        std::thread::sleep(Duration::from_millis(10));
    }
}

impl World {
    /// Starts the first world of a directory; it is under way when a guest has said so.
    pub fn start(dir: &Path, args: &[&str]) -> World {
        let file = |name: &str| fs::File::create(dir.join(name)).unwrap();
        let mut command = command(dir, args);
        let command = command.stdin(Stdio::piped()).stdout(file("said")).stderr(file("noted"));
        let world = World { child: command.spawn().unwrap(), dir: dir.to_owned() };
        wait_for("the guest", || world.has_said("under way"));
        world
    }

    /// Whether a guest of the latest run has written this; some commands do not show it.
    fn has_said(&self, what: &str) -> bool {
        let Ok(hosts) = fs::read_dir(self.dir.join(".snowglobe/runs/latest/hosts")) else { return false };
        let text = |host: std::io::Result<fs::DirEntry>| fs::read_to_string(host.ok()?.path().join("stdout")).ok();
        hosts.filter_map(text).any(|text| text.contains(what))
    }

    /// What it has written to one of its files.
    fn text(&self, name: &str) -> String {
        fs::read_to_string(self.dir.join(name)).unwrap()
    }

    pub fn processes(&self) -> Vec<Name> {
        let mut found = children(self.child.id());
        let mut at = 0;
        while let Some(&(pid, _)) = found.get(at) {
            found.extend(children(pid));
            at += 1;
        }
        found
    }

    /// Whether a signal has been sent to snowglobe and not been delivered.
    fn is_pending(&self, signal: u32) -> bool {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let mask = status.lines().find_map(|line| line.strip_prefix("ShdPnd:")).expect("Linux says so");
        u64::from_str_radix(mask.trim(), 16).unwrap() & 1 << (signal - 1) != 0
    }

    fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(std::process::Command::new("kill").args(["-s", name, &pid]).status().unwrap().success());
    }

    /// Sends a signal and waits for the end: what was said, how long it took, and nobody is left.
    #[track_caller]
    pub fn end(mut self, signal: &str) -> (Output, Duration) {
        // Standard input stays open: its end would be another way to end.
        let _input = self.child.stdin.take();
        let names = self.processes();
        let began = Instant::now();
        self.signal(signal);
        let status = self.child.wait().unwrap();
        let took = began.elapsed();
        all_gone(&names);
        let (stdout, stderr) = (self.text("said").into_bytes(), self.text("noted").into_bytes());
        (Output { status, stdout, stderr }, took)
    }
}

#[test]
fn ctrl_c_and_a_termination_end_a_world_in_order() {
    for (program, signal) in
        [(SPIN, "INT"), (BUSY, "INT"), (SPIN, "TERM"), (READ, "TERM"), ("echo under way; sleep 1; exec cat", "HUP")]
    {
        let dir = tempfile::tempdir().unwrap();
        let (output, took) = World::start(dir.path(), &["run", "--", "sh", "-c", program]).end(signal);
        assert_eq!(status(&output), 2, "{program}: {}", err(&output));
        assert!(took < Duration::from_secs(4), "{program}: {took:?}");
        assert!(err(&output).contains(&format!("interrupted by SIG{signal}")), "{program}: {}", err(&output));
        let record = json(&snowglobe(dir.path(), &["show", "--json"]));
        assert_eq!((&record["verdict"], &record["exit_status"]), (&"interrupted".into(), &2.into()), "{program}");
        let trace = snowglobe(dir.path(), &["trace"]);
        assert_eq!((status(&trace), err(&trace).as_str()), (0, ""), "{program}");
        assert!(out(&trace).contains("exec"), "{program}: {}", out(&trace));
        assert!(out(&snowglobe(dir.path(), &["ls"])).contains("interrupted"));
    }
}

#[test]
fn a_second_ctrl_c_ends_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let world = World::start(dir.path(), &["run", "--", "sh", "-c", SPIN]);
    let names = world.processes();
    // Nobody of the world can answer the first.
    for (pid, _) in &names {
        assert!(std::process::Command::new("kill").args(["-s", "STOP", &pid.to_string()]).status().unwrap().success());
    }
    let began = Instant::now();
    world.signal("INT");
    wait_for("the first to be taken", || !world.is_pending(2));
    let (output, _) = world.end("INT");
    assert!(began.elapsed() < Duration::from_millis(1500), "{:?}", began.elapsed());
    assert_eq!(status(&output), 2);
    all_gone(&names);
    assert_eq!(json(&snowglobe(dir.path(), &["show", "--json"]))["verdict"], "killed");
}

#[test]
fn a_world_that_does_not_answer_is_ended_all_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let world = World::start(dir.path(), &["run", "--", "sh", "-c", SPIN]);
    for (pid, _) in world.processes() {
        assert!(std::process::Command::new("kill").args(["-s", "STOP", &pid.to_string()]).status().unwrap().success());
    }
    let (output, took) = world.end("INT");
    assert_eq!(status(&output), 2, "{}", err(&output));
    assert!((Duration::from_secs(2)..Duration::from_secs(6)).contains(&took), "{took:?}");
    assert_eq!(json(&snowglobe(dir.path(), &["show", "--json"]))["verdict"], "interrupted");
}

#[test]
fn an_interrupted_comparison_claims_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let (output, _) = World::start(dir.path(), &["verify", "--", "sh", "-c", BUSY]).end("INT");
    assert_eq!(status(&output), 2, "{}", err(&output));
    assert!(err(&output).contains("nothing was verified"), "{}", err(&output));
    // What was interrupted or killed can be replayed as far as it went; a replay says so and finds no difference.
    let output = snowglobe(dir.path(), &["replay", "latest"]);
    assert_eq!(status(&output), 2, "{}", err(&output));
    assert!(err(&output).contains("the same as far as it goes"), "{}", err(&output));
    let dir = tempfile::tempdir().unwrap();
    let (output, _) = World::start(dir.path(), &["run", "--", "sh", "-c", BUSY]).end("KILL");
    assert_eq!(output.status.code(), None);
    let output = snowglobe(dir.path(), &["replay", "latest"]);
    assert_eq!(status(&output), 2, "{}", err(&output));
    assert!(err(&output).contains("the same as far as it goes"), "{}", err(&output));
}

#[test]
fn a_supervisor_that_is_killed_takes_its_world_along() {
    for program in [SPIN, BUSY, READ] {
        let dir = tempfile::tempdir().unwrap();
        let world = World::start(dir.path(), &["run", "--", "sh", "-c", program]);
        let running = json(&snowglobe(dir.path(), &["show", "--json"]));
        assert_eq!(running["verdict"], "running", "{program}");
        // What is recorded comes to the disk after a second, whatever the guest does.
        wait_for("the trace", || out(&snowglobe(dir.path(), &["trace"])).contains("exec"));
        let (output, _) = world.end("KILL");
        assert_eq!(output.status.code(), None);
        let listed = out(&snowglobe(dir.path(), &["ls"]));
        assert!(listed.contains("killed"), "{program}: {listed}");
        let shown = out(&snowglobe(dir.path(), &["show"]));
        assert!(shown.contains("killed: snowglobe was killed"), "{program}: {shown}");
        let trace = snowglobe(dir.path(), &["trace"]);
        assert_eq!(status(&trace), 0, "{program}");
        assert!(err(&trace).contains("ends early"), "{program}: {}", err(&trace));
        assert!(out(&trace).contains("exec"), "{program}: {}", out(&trace));
    }
}

#[test]
fn a_supervisor_that_is_killed_among_forks_leaves_nobody() {
    for wait in [0, 7, 23, 61, 113] {
        let dir = tempfile::tempdir().unwrap();
        let mut world = World::start(dir.path(), &["run", "--", "sh", "-c", "echo under way; while :; do (:) & done"]);
        // Nothing is waited for: these are moments at which to strike.
        std::thread::sleep(Duration::from_millis(wait));
        let arena = arena_of(world.processes()[0].0);
        world.signal("KILL");
        world.child.wait().unwrap();
        // Also those that were being made at that moment: nobody has the world's memory any more.
        wait_for("the end of all", || users_of(&arena).is_empty());
    }
}

/// The inode of the memory that all processes of a world share.
fn arena_of(pid: u32) -> String {
    let maps = fs::read_to_string(format!("/proc/{pid}/maps")).unwrap();
    let line = maps.lines().find(|line| line.contains("snowglobe-arena")).expect("it is mapped");
    line.split_whitespace().nth(4).unwrap().to_owned()
}

fn users_of(arena: &str) -> Vec<u32> {
    let pids = fs::read_dir("/proc").unwrap().filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    let has = |line: &str| line.contains("snowglobe-arena") && line.split_whitespace().nth(4) == Some(arena);
    pids.filter(|pid| fs::read_to_string(format!("/proc/{pid}/maps")).is_ok_and(|maps| maps.lines().any(has))).collect()
}

/// Runs a world file to its end.
fn run_file(dir: &Path, text: &str) -> (Output, String) {
    fs::write(dir.join("w.yaml"), text).unwrap();
    let output = snowglobe(dir, &["run", "w.yaml"]);
    let shown = out(&snowglobe(dir, &["show"]));
    (output, shown)
}

#[test]
fn a_guest_that_forks_without_end_meets_its_limit() {
    let dir = tempfile::tempdir().unwrap();
    let world = r#"
services:
  bomb: {command: ["sh", "-c", "f() { f & f; }; f"]}
  other: {command: sh -c "sleep 1; echo fine", x-snowglobe: {check: true}}
x-snowglobe: {max_tasks: 50, until: 5s}
"#;
    let (output, shown) = run_file(dir.path(), world);
    assert_eq!(status(&output), 0, "{}", err(&output));
    assert!(shown.contains("passed"), "{shown}");
    assert!(err(&output).contains("annot fork"), "{}", err(&output));
    assert!(out(&output).contains("other | fine"), "{}", out(&output));
}

#[test]
fn a_guest_that_fills_memory_meets_its_limit() {
    let dir = tempfile::tempdir().unwrap();
    let output = snowglobe(dir.path(), &["run", "--", "sh", "-c", "ulimit -v 300000; exec tail /dev/zero"]);
    assert_eq!(status(&output), 1, "{}", err(&output));
    assert!(err(&output).contains("memory exhausted"), "{}", err(&output));
    assert!(out(&snowglobe(dir.path(), &["show"])).contains("failed: sh ended with status 1"));
}

#[test]
fn progress_counts_the_hosts_that_are_up() {
    let dir = tempfile::tempdir().unwrap();
    let world = format!(
        "services:\n  busy: {{command: [sh, -c, '{BUSY}']}}\n  brief: {{command: 'true'}}\n  late: {{command: sleep 1, depends_on: {{busy: {{condition: service_started}}}}}}\n"
    );
    fs::write(dir.path().join("w.yaml"), world).unwrap();
    let world = World::start(dir.path(), &["run", "w.yaml"]);
    wait_for("a line of progress", || world.text("noted").contains("hosts up"));
    let (output, _) = world.end("INT");
    assert!(err(&output).contains(" 2/3 hosts up") || err(&output).contains(" 1/3 hosts up"), "{}", err(&output));
}
