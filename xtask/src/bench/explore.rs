//! How many worlds a minute are explored, and how long it takes to find the bugs of the examples.

use super::measure::Spread;
use super::place::Place;
use crate::{process, project};
use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;
use std::path::Path;
use std::process::{Command, Stdio};

/// What `snowglobe explore --json` prints, as far as it is measured.
#[derive(Deserialize)]
struct Explored {
    now: Now,
}

#[derive(Deserialize)]
struct Now {
    runs: u64,
    wall_ns: u64,
    first_failure_ns: Option<u64>,
}

/// Worlds of one sample of a rate.
const WORLDS: u64 = 20;
/// Seeds between two samples, so that no two have one in common.
const APART: u64 = 1_000_000;

/// Worlds a minute of one core, of an example with its load and faults.
pub fn worlds_per_minute(place: &Place, example: &str) -> Result<Spread> {
    let folder = place.folder_for("explore")?;
    let samples = (0..place.samples as u64).map(|sample| {
        let first = 1 + sample * APART;
        let seeds = format!("{first}..{}", first + WORLDS - 1);
        let mut command = Command::new("taskset");
        command.args(["-c", &place.cores.number()?.to_string()]).arg(&place.snowglobe);
        command.args(["explore", "-j", "1", "--json", "--seeds", &seeds]).arg(world(example)?).current_dir(&folder);
        let explored = explored(&mut command)?;
        ensure!(explored.now.runs == WORLDS, "{example}: {} of {WORLDS} worlds ran", explored.now.runs);
        Ok(explored.now.runs as f64 * 60e9 / explored.now.wall_ns as f64)
    });
    // Seeds that are known are not run again.
    let _ = std::fs::remove_dir_all(folder.join(".snowglobe"));
    Ok(Spread::of(&samples.collect::<Result<Vec<_>>>()?))
}

/// The examples with a bug in them.
const EXAMPLES: [&str; 7] = [
    "git-power-loss",
    "redis-sentinel",
    "pysyncobj",
    "etcd-compaction",
    "etcd-stale-read",
    "postgres-read-committed",
    "threads",
];

/// Longest search for one bug.
const BUDGET: &str = "30m";

/// Prints how long it takes from the start of `snowglobe explore` to the first failure of each example, on all cores.
pub fn first_failures(place: &Place, wanted: impl Fn(&str) -> bool) -> Result<()> {
    println!("{:<26} {:>8} {:>10} {:>10} {:>10} {:>8}", "example", "found", "median s", "least s", "most s", "seeds");
    let mut missed = 0;
    for example in EXAMPLES.into_iter().filter(|example| wanted(example)) {
        let (times, runs) = searches(place, example)?;
        missed += place.samples - times.len();
        let found = format!("{}/{}", times.len(), place.samples);
        if times.is_empty() {
            println!("{example:<26} {found:>8}");
            continue;
        }
        let (times, runs) = (Spread::of(&times), Spread::of(&runs));
        println!(
            "{example:<26} {found:>8} {:>10.1} {:>10.1} {:>10.1} {:>8.0}",
            times.median, times.low, times.high, runs.median
        );
    }
    if missed > 0 {
        bail!("{missed} searches found nothing in {BUDGET}");
    }
    Ok(())
}

/// Seconds to the first failure, and runs until then, of the searches that found one.
fn searches(place: &Place, example: &str) -> Result<(Vec<f64>, Vec<f64>)> {
    let folder = place.folder_for("explore")?;
    let (mut times, mut runs) = (Vec::new(), Vec::new());
    for sample in 0..place.samples as u64 {
        let _ = std::fs::remove_dir_all(folder.join(".snowglobe"));
        let seeds = format!("{}..", 1 + sample * APART);
        let mut command = Command::new(&place.snowglobe);
        command.args(["explore", "--json", "--until-failure", "--budget", BUDGET, "--seeds", &seeds]);
        let now = explored(command.arg(world(example)?).current_dir(&folder))?.now;
        if let Some(first) = now.first_failure_ns {
            times.push(first as f64 / 1e9);
            runs.push(now.runs as f64);
        }
    }
    Ok((times, runs))
}

fn world(example: &str) -> Result<std::path::PathBuf> {
    let path = project::root().join("examples").join(example).join("world.yaml");
    ensure!(Path::exists(&path), "there is no {}", path.display());
    Ok(path)
}

/// Runs an exploration, which may find something.
fn explored(command: &mut Command) -> Result<Explored> {
    let text = process::shown(command);
    let output = command.stderr(Stdio::inherit()).output().with_context(|| format!("cannot start: {text}"))?;
    serde_json::from_slice(&output.stdout).with_context(|| format!("{text}: {}, and no report", output.status))
}
