//! Small worlds whose runs are judged whole: what programs saw, which faults struck and what they hit, what the command says.
//!
//! A folder of `tests/worlds` is a family: its worlds, its scripts, and `cases.toml`. A case is a world file with the text between
//! `@` signs filled in, and what must come of it. Unless it says otherwise, each case is run, and then verified: two more runs are
//! the same event by event, and the same as the first.

use crate::command::{copy, ended_well, limited, snowglobe, tail, target};
use anyhow::{Context, Result, anyhow, bail, ensure};
use regex::Regex;
use serde::Deserialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::sync::{Mutex, PoisonError};

/// Seconds of the wall clock that one run may take, and that making a family ready may.
const LIMIT: u64 = 60;
const PREPARE_LIMIT: u64 = 600;

/// What a family's list says.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    /// The world of cases that name none.
    #[serde(default = "usual_world")]
    world: String,
    case: Vec<Case>,
}

fn usual_world() -> String {
    "world.yaml".to_owned()
}

/// One case as a list has it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// The family's name; from its folder.
    #[serde(skip)]
    pub family: String,
    /// Its own name.
    pub name: String,
    /// The world file, in the family's folder.
    #[serde(default)]
    world: String,
    /// Entries of the timeline: what `@FAULTS@` in the world stands for. All of them must strike.
    #[serde(default)]
    faults: Vec<String>,
    /// What else stands between `@` signs in the world.
    #[serde(default, rename = "with")]
    filled: BTreeMap<String, String>,
    /// Arguments of `snowglobe run` beside the world.
    #[serde(default)]
    args: Vec<String>,
    /// What it exits with.
    #[serde(default)]
    exit: i32,
    /// What the verdict's reason must contain.
    #[serde(default)]
    reason: String,
    /// By host: regular expressions, each of which a line of what it printed must match.
    #[serde(default)]
    prints: BTreeMap<String, Vec<String>>,
    /// By host: regular expressions that no line may match.
    #[serde(default)]
    prints_no: BTreeMap<String, Vec<String>>,
    /// Kinds of faults that hit nothing. All others must hit something, and the run says which did not.
    #[serde(default)]
    idle: BTreeSet<String>,
    /// What the command must say on standard error.
    #[serde(default)]
    says: Vec<String>,
    /// What it must not say.
    #[serde(default)]
    says_no: Vec<String>,
    /// By host: what lines that its programs' SDKs wrote must contain.
    #[serde(default)]
    tells: BTreeMap<String, Vec<String>>,
    /// Whether runs are compared with each other.
    #[serde(default = "yes")]
    verify: bool,
}

fn yes() -> bool {
    true
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/worlds")
}

/// Reads all lists.
pub fn read() -> Result<Vec<Case>> {
    let mut families: Vec<PathBuf> = fs::read_dir(folder())?.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
    families.sort();
    let mut cases = Vec::new();
    for family in families {
        let path = family.join("cases.toml");
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let list: List = toml::from_str(&text).with_context(|| path.display().to_string())?;
        let name = family.file_name().context("a family has a name")?.to_string_lossy().into_owned();
        for mut case in list.case {
            case.family.clone_from(&name);
            if case.world.is_empty() {
                case.world.clone_from(&list.world);
            }
            cases.push(case);
        }
    }
    Ok(cases)
}

/// A run that has ended.
struct Run {
    output: Output,
    /// What `--json` printed.
    record: Value,
    folder: PathBuf,
}

impl Case {
    /// Runs it and judges what came of it.
    pub fn try_it(&self) -> Result<()> {
        let place = target().join("tmp/worlds").join(&self.family).join(&self.name);
        if place.exists() {
            fs::remove_dir_all(&place).with_context(|| format!("cannot empty {}", place.display()))?;
        }
        fs::create_dir_all(&place)?;
        let world = self.write_world(&place)?;
        let run = self.run(&world, &place)?;
        self.judge(&run).with_context(|| {
            format!("{}\n{}\n{}", run.folder.display(), tail(&run.output.stdout), tail(&run.output.stderr))
        })?;
        if self.verify {
            self.compare(&world, &place, &run)?;
        }
        Ok(())
    }

    /// The world, filled in, beside links to the family's files: paths of a world file are taken from its folder.
    fn write_world(&self, place: &Path) -> Result<PathBuf> {
        let family = prepared(&self.family)?;
        let source = family.join(&self.world);
        let mut text = fs::read_to_string(&source).with_context(|| format!("cannot read {}", source.display()))?;
        for (key, value) in &self.filled {
            text = text.replace(&format!("@{key}@"), value);
        }
        text = text.replace("@FAULTS@", &format!("[{}]", self.faults.join(", ")));
        text = text.replace("@FAMILY@", &family.display().to_string());
        let world = place.join("world.yaml");
        fs::write(&world, text)?;
        Ok(world)
    }

    fn run(&self, world: &Path, place: &Path) -> Result<Run> {
        let mut command = limited(LIMIT, snowglobe()?, place);
        let output = command.args(["run", "--json"]).args(&self.args).arg(world).output().context("timeout(1)")?;
        let record: Value = serde_json::from_slice(&output.stdout)
            .with_context(|| format!("{command:?}: {}\n{}", output.status, tail(&output.stderr)))?;
        let id = record["run"].as_str().context("a run has a name")?;
        let folder = place.join(".snowglobe/runs").join(id);
        Ok(Run { output, record, folder })
    }

    fn judge(&self, run: &Run) -> Result<()> {
        let (status, reason) = (run.output.status, run.record["reason"].as_str().unwrap_or_default());
        ensure!(status.code() == Some(self.exit), "{status} where {} is expected: {reason}", self.exit);
        ensure!(reason.contains(&self.reason), "the reason is: {reason}; expected was: {}", self.reason);
        let said = String::from_utf8_lossy(&run.output.stderr);
        for text in &self.says {
            ensure!(said.contains(text), "it does not say: {text}");
        }
        for text in &self.says_no {
            ensure!(!said.contains(text), "it says: {text}");
        }
        self.judge_outputs(run)?;
        self.judge_told(run)?;
        self.judge_again(run)?;
        if self.faults.is_empty() { Ok(()) } else { self.judge_faults(run, &said) }
    }

    /// `snowglobe check` says of what the run left what the run said.
    fn judge_again(&self, run: &Run) -> Result<()> {
        let mut command = limited(LIMIT, snowglobe()?, &run.folder);
        let output = command.args(["check", "--json"]).arg(&run.folder).output().context("timeout(1)")?;
        let again: Value = serde_json::from_slice(&output.stdout).context("what check printed")?;
        ensure!(output.status.code() == Some(self.exit), "check: {}", output.status);
        for part in ["verdict", "reason", "findings", "unknown", "checked"] {
            ensure!(again[part] == run.record[part], "check has another {part}: {}", again[part]);
        }
        Ok(())
    }

    fn judge_outputs(&self, run: &Run) -> Result<()> {
        let matched = |host: &str, pattern: &str| -> Result<(bool, String)> {
            let host = run.folder.join("hosts").join(host);
            let text =
                ["stdout", "stderr"].map(|name| fs::read_to_string(host.join(name)).unwrap_or_default()).concat();
            let pattern = Regex::new(pattern)?;
            Ok((text.lines().any(|line| pattern.is_match(line)), text))
        };
        for (host, patterns) in &self.prints {
            for pattern in patterns {
                let (is_there, text) = matched(host, pattern)?;
                ensure!(is_there, "{host} prints no `{pattern}`, but:\n{}", tail(text.as_bytes()));
            }
        }
        for (host, patterns) in &self.prints_no {
            for pattern in patterns {
                let (is_there, text) = matched(host, pattern)?;
                ensure!(!is_there, "{host} prints `{pattern}`:\n{}", tail(text.as_bytes()));
            }
        }
        Ok(())
    }

    /// What SDKs wrote is in the run.
    fn judge_told(&self, run: &Run) -> Result<()> {
        for (host, wanted) in &self.tells {
            let path = run.folder.join("hosts").join(host).join("sdk.jsonl");
            let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
            for want in wanted {
                ensure!(text.contains(want), "{host} does not tell `{want}`, but:\n{}", tail(text.as_bytes()));
            }
        }
        Ok(())
    }

    /// Each fault began, and is in the trace; each kind hit something or is known not to, and the run says so.
    fn judge_faults(&self, run: &Run, said: &str) -> Result<()> {
        let text = fs::read_to_string(run.folder.join("faults.json")).context("faults.json")?;
        let records: Vec<Value> = serde_json::from_str(&text)?;
        ensure!(records.len() == self.faults.len(), "{} faults in faults.json", records.len());
        let trace = fault_events(&run.folder)?;
        for record in &records {
            let (kind, index) = (record["kind"].as_str().unwrap_or_default(), record["index"].as_u64());
            let begun = record["begin_ns"].as_u64();
            let hits = record["hits"].as_u64().unwrap_or(0);
            let is_idle = self.idle.contains(kind);
            ensure!(is_idle || begun.is_some(), "{kind} never began: {record}");
            ensure!((hits == 0) == is_idle, "{kind} has {hits} hits: {record}");
            ensure!(record["disturbed"] == (hits > 0), "{record}");
            if let (Some(begun), Some(index)) = (begun, index) {
                let want = format!("fault {index}: {kind}");
                let is_there = trace.iter().any(|(at, text)| *at == begun && text.starts_with(&want));
                ensure!(is_there, "no event of the trace at {begun} begins with `{want}`: {trace:?}");
            }
        }
        for kind in records.iter().filter_map(|record| record["kind"].as_str()) {
            let is_told = said.contains(&format!("of kind `{kind}` disturbed nothing"));
            ensure!(is_told == self.idle.contains(kind), "whether {kind} disturbed nothing: {said}");
        }
        Ok(())
    }

    /// Two more runs, which must be the same as each other and as the first.
    fn compare(&self, world: &Path, place: &Path, run: &Run) -> Result<()> {
        let mut command = limited(3 * LIMIT, snowglobe()?, place);
        command.args(["verify", "--json", "--runs", "2"]).args(&self.args).arg(world);
        let output = ended_well(&mut command).context("verify")?;
        let verified: Value = serde_json::from_slice(&output.stdout)?;
        // A run that learned a loop is not the one that is verified.
        let has_learned = run.record["learned"].as_array().is_some_and(|list| !list.is_empty());
        if verified["digest"] != run.record["digest"] && !has_learned {
            bail!("run and verify have other digests: {} and {}", run.record["digest"], verified["digest"]);
        }
        fs::remove_dir_all(place.join(".snowglobe")).context("cannot remove the runs")
    }
}

/// Times and texts of the faults in a run's trace.
fn fault_events(folder: &Path) -> Result<Vec<(u64, String)>> {
    let mut command = limited(LIMIT, snowglobe()?, folder);
    let output = ended_well(command.args(["trace", "--json"]).arg(folder))?;
    let mut events = Vec::new();
    for line in output.stdout.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        let event: Value = serde_json::from_slice(line)?;
        if event["kind"] == "fault" {
            let text = event["text"].as_str().unwrap_or_default().to_owned();
            events.push((event["time_ns"].as_u64().unwrap_or(0), text));
        }
    }
    Ok(events)
}

/// A copy of a family, made ready once for all its cases by its `prepare.sh`, if it has one.
fn prepared(family: &str) -> Result<PathBuf> {
    static READY: Mutex<BTreeMap<String, Result<PathBuf, String>>> = Mutex::new(BTreeMap::new());
    let mut ready = READY.lock().unwrap_or_else(PoisonError::into_inner);
    let known = ready.entry(family.to_owned()).or_insert_with(|| prepare(family).map_err(|error| format!("{error:#}")));
    known.clone().map_err(|why| anyhow!("{family}: {why}"))
}

fn prepare(family: &str) -> Result<PathBuf> {
    let place = target().join("tmp/worlds.ready").join(family);
    if place.exists() {
        fs::remove_dir_all(&place).with_context(|| format!("cannot empty {}", place.display()))?;
    }
    copy(&folder().join(family), &place)?;
    let script = place.join("prepare.sh");
    if script.exists() {
        let mut command = limited(PREPARE_LIMIT, "/bin/bash", &place);
        ended_well(command.arg(script).env("KEEP", target().join("tmp/worlds.kept"))).context("prepare.sh")?;
    }
    Ok(place)
}
