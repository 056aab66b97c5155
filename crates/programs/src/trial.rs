//! How one variant of one scenario is tried.

use crate::command::{copy, ended_well, limited, snowglobe, target};
use crate::list::{self, Scenario};
use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;
use std::ffi::OsStr;
use std::fs;
use std::path::PathBuf;

/// Runs that `verify` compares.
const RUNS: u64 = 3;
/// Seconds that making ready may take: a compiler may have to build its library first.
const PREPARE_LIMIT: u64 = 180;
/// What `snowglobe run --json` prints, as far as it is judged.
#[derive(Deserialize)]
struct Run {
    run: String,
    virtual_ns: u64,
    unsupported: serde_json::Value,
}

/// Runs the scripts on plain Linux and compares what they print.
pub fn on_linux(scenario: &Scenario) -> Result<()> {
    let host = scenario.linux.as_deref().context("this scenario has no Linux variant")?;
    let place = Place::new(scenario, "linux")?;
    let script = ["linux.sh", "run.sh", "run.py"].into_iter().find(|name| place.scenario.join(name).exists());
    let script = place.scenario.join(script.context("neither linux.sh nor run.sh nor run.py")?);
    let interpreter = if script.extension() == Some(OsStr::new("py")) { "/usr/bin/python3" } else { "/bin/bash" };
    let temporary = Temporary::new(&scenario.name)?;
    let mut command = limited(scenario.limit, interpreter, &place.work);
    command.arg(script).env("TMPDIR", &temporary.0);
    let output = ended_well(command)?;
    compare(&place, host, &output.stdout)
}

/// Runs the world and compares what its hosts print.
pub fn under_layer(scenario: &Scenario) -> Result<()> {
    let place = Place::new(scenario, "layer")?;
    let mut command = limited(scenario.limit, snowglobe()?, &place.work);
    command.args(["run", "--json"]).arg(place.world());
    let output = ended_well(command)?;
    let run: Run = serde_json::from_slice(&output.stdout).context("what snowglobe printed")?;
    let compare_all = || {
        for host in place.expected_hosts()? {
            let stdout = place.work.join(".snowglobe/runs").join(&run.run).join("hosts").join(&host).join("stdout");
            let text = fs::read(&stdout).with_context(|| format!("cannot read {}", stdout.display()))?;
            compare(&place, &host, &text)?;
        }
        ensure!(run.virtual_ns >= scenario.virtual_seconds * 1_000_000_000, "ended after {} ns", run.virtual_ns);
        Ok(())
    };
    compare_all()
        .with_context(|| format!("run {} in {}; unsupported: {}", run.run, place.work.display(), run.unsupported))
}

/// Runs the world several times and has snowglobe compare the runs.
pub fn verified(scenario: &Scenario) -> Result<()> {
    let place = Place::new(scenario, "verify")?;
    let mut command = limited(scenario.limit * RUNS, snowglobe()?, &place.work);
    command.args(["verify", "--runs", &RUNS.to_string()]).arg(place.world());
    ended_well(command).map(drop)
}

/// A copy of the scenario, made ready, and an empty folder to work in, both new for each trial.
struct Place {
    scenario: PathBuf,
    work: PathBuf,
}

impl Place {
    fn new(scenario: &Scenario, variant: &str) -> Result<Place> {
        let trials = target().join("tmp/programs");
        let top = trials.join(format!("{}-{variant}", scenario.name));
        if top.exists() {
            fs::remove_dir_all(&top).with_context(|| format!("cannot empty {}", top.display()))?;
        }
        let place = Place { scenario: top.join("scenario"), work: top.join("work") };
        fs::create_dir_all(&place.work)?;
        copy(&list::folder().join(&scenario.name), &place.scenario)?;
        let prepare = place.scenario.join("prepare.sh");
        if prepare.exists() {
            let mut command = limited(PREPARE_LIMIT, "/bin/bash", &place.work);
            ended_well(command.arg(prepare).env("GOCACHE", trials.join("go-cache"))).context("prepare.sh")?;
        }
        Ok(place)
    }

    fn world(&self) -> PathBuf {
        self.scenario.join("world.yaml")
    }

    fn expected(&self) -> PathBuf {
        self.scenario.join("expected")
    }

    /// The hosts for which there is an expected output.
    fn expected_hosts(&self) -> Result<Vec<String>> {
        let mut hosts = Vec::new();
        for entry in fs::read_dir(self.expected())? {
            let path = entry?.path();
            hosts.push(path.file_stem().context("a file without a name")?.to_string_lossy().into_owned());
        }
        hosts.sort();
        ensure!(!hosts.is_empty(), "no expected output");
        Ok(hosts)
    }
}

/// A folder that is gone at the end. Its path is short: programs put unix sockets into it, whose names have 107 bytes at most.
struct Temporary(PathBuf);

impl Temporary {
    fn new(name: &str) -> Result<Temporary> {
        let path = PathBuf::from(format!("/tmp/{name}.{}", std::process::id()));
        fs::create_dir(&path).with_context(|| format!("cannot create {}", path.display()))?;
        Ok(Temporary(path))
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        // What is left over does no harm.
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn compare(place: &Place, host: &str, got: &[u8]) -> Result<()> {
    let path = place.expected().join(host).with_extension("txt");
    let expected = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let got = String::from_utf8_lossy(got);
    match first_difference(&expected, &got) {
        None => Ok(()),
        Some(difference) => bail!("{host} printed something else than expected: {difference}\n-- all of it\n{got}"),
    }
}

fn first_difference(expected: &str, got: &str) -> Option<String> {
    if expected == got {
        return None;
    }
    let (mut left, mut right) = (expected.split_inclusive('\n'), got.split_inclusive('\n'));
    (1..).find_map(|line| match (left.next(), right.next()) {
        (a, b) if a == b => None,
        (a, b) => Some(format!("line {line}: expected {}, got {}", shown(a), shown(b))),
    })
}

fn shown(line: Option<&str>) -> String {
    line.map_or_else(|| "the end".to_owned(), |text| format!("{text:?}"))
}

#[cfg(test)]
mod tests {
    use super::first_difference;

    #[test]
    fn the_first_line_that_differs_is_named() {
        assert_eq!(first_difference("a\nb\n", "a\nb\n"), None);
        assert_eq!(first_difference("a\nb\n", "a\nc\n").unwrap(), r#"line 2: expected "b\n", got "c\n""#);
        assert_eq!(first_difference("a\n", "a\nb").unwrap(), r#"line 2: expected the end, got "b""#);
        assert_eq!(first_difference("a\n", "a").unwrap(), r#"line 1: expected "a\n", got "a""#);
    }
}
