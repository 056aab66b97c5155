//! How many worlds a minute are explored, and how long it takes to find the bugs of the examples.

use super::measure::Spread;
use super::place::Place;
use super::report::Origin;
use crate::{process, project};
use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

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
        let explored: Explored = reported(&mut command)?;
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

/// Longest time for fetching and compiling what an example needs.
const MAKE_LIMIT: Duration = Duration::from_secs(120);
/// Longest search for one bug, and longest time for shrinking one world.
const BUDGET: &str = "30m";
const SHRINK_BUDGET: &str = "2m";

/// What `snowglobe shrink --json` prints, as far as it is reported.
#[derive(Deserialize)]
struct Shrunk {
    runs: u64,
    hosts: Vec<String>,
    timeline: Vec<String>,
    before: Size,
    after: Size,
}

#[derive(Deserialize)]
struct Size {
    faults: usize,
    hosts: usize,
    virtual_ns: u64,
}

/// The searches for one bug.
struct Searches {
    example: &'static str,
    /// How many searches there were.
    all: usize,
    /// Seconds from the start to the first failure, and runs until then, of those that found one.
    times: Vec<f64>,
    runs: Vec<f64>,
    /// What was left of the first failure of the last of them, and the seconds that this took.
    least: Option<(Shrunk, f64)>,
}

impl Searches {
    /// The example, how many searches found its bug, the seeds and the seconds that they took, and what shrinking leaves.
    fn cells(&self) -> [String; 5] {
        let spread = |samples: &[f64], digits: usize| match samples {
            [] => String::new(),
            _ => {
                let Spread { median, low, high } = Spread::of(samples);
                format!("{median:.digits$} ({low:.digits$} to {high:.digits$})")
            }
        };
        let found = format!("{} of {}", self.times.len(), self.all);
        let least = self.least.as_ref().map_or_else(String::new, |(least, seconds)| least.told(*seconds));
        [self.example.to_owned(), found, spread(&self.runs, 0), spread(&self.times, 1), least]
    }
}

impl Shrunk {
    fn told(&self, seconds: f64) -> String {
        let size = |size: &Size| {
            let seconds = size.virtual_ns as f64 / 1e9;
            format!("{}, {}, {seconds:.1} s", many(size.hosts, "host"), many(size.faults, "fault"))
        };
        let faults =
            self.timeline.iter().map(|line| format!("<br>`{}`", line.trim_start_matches("- "))).collect::<String>();
        let Shrunk { runs, hosts, before, after, .. } = self;
        format!("{} of {}: {}, in {runs} runs and {seconds:.0} s{faults}", size(after), size(before), hosts.join(", "))
    }
}

fn many(n: usize, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}

/// How long it takes from the start of `snowglobe explore` to the first failure of each example, on all cores, and what
/// `snowglobe shrink` leaves of one of them: a Markdown table, and how many searches found nothing.
///
/// # Errors
/// An example cannot be explored.
pub fn first_failures(place: &Place, wanted: impl Fn(&str) -> bool) -> Result<(String, usize)> {
    let line = |cells: &[String; 5]| format!("| {} |\n", cells.join(" | "));
    let titles = ["Example", "Found", "Seeds until then", "Seconds until then", "What shrinking leaves"];
    let mut table = line(&titles.map(str::to_owned)) + "|---|---|---|---|---|\n";
    print!("{table}");
    let mut missed = 0;
    for example in EXAMPLES.into_iter().filter(|example| wanted(example)) {
        let searches = searches(place, example)?;
        missed += searches.all - searches.times.len();
        let row = line(&searches.cells());
        print!("{row}");
        table += &row;
    }
    Ok((table, missed))
}

/// The page of the book about the searches.
pub fn page(table: &str, measured: &Origin) -> String {
    format!(
        "<!-- Written by `cargo xtask bench --explore --book`. -->\n\n# Finding the bugs of the examples\n\n{measured}. Each \
         search is `snowglobe explore --until-failure` in an empty folder, one world a core, and begins with other seeds; \
         each row has the medians, and in brackets the least and the greatest. Of the failure that the last search found, \
         `snowglobe shrink` made the least world that it found within {SHRINK_BUDGET}.\n\n{table}\n\
         `cargo xtask bench --explore` measures it on your machine.\n"
    )
}

fn searches(place: &Place, example: &'static str) -> Result<Searches> {
    let folder = place.folder_for("explore")?;
    let world = world(example)?;
    if world.with_file_name("Makefile").exists() {
        let mut make = Command::new("/usr/bin/make");
        process::must(make.args(["--silent", "-C"]).arg(world.with_file_name("")), MAKE_LIMIT)?;
    }
    let mut searches = Searches { example, all: place.samples, times: Vec::new(), runs: Vec::new(), least: None };
    for sample in 0..place.samples as u64 {
        let _ = std::fs::remove_dir_all(folder.join(".snowglobe"));
        let seeds = format!("{}..", 1 + sample * APART);
        let mut command = Command::new(&place.snowglobe);
        command.args(["explore", "--json", "--until-failure", "--budget", BUDGET, "--seeds", &seeds]);
        let Explored { now } = reported(command.arg(&world).current_dir(&folder))?;
        let Some(first) = now.first_failure_ns else { continue };
        searches.times.push(first as f64 / 1e9);
        searches.runs.push(now.runs as f64);
        if sample + 1 == place.samples as u64 {
            let mut command = Command::new(&place.snowglobe);
            command.args(["shrink", "--json", "--budget", SHRINK_BUDGET, "g1"]).current_dir(&folder);
            let began = Instant::now();
            let shrunk = reported(&mut command)?;
            searches.least = Some((shrunk, began.elapsed().as_secs_f64()));
        }
    }
    Ok(searches)
}

fn world(example: &str) -> Result<std::path::PathBuf> {
    let path = project::root().join("examples").join(example).join("world.yaml");
    ensure!(Path::exists(&path), "there is no {}", path.display());
    Ok(path)
}

/// What a command prints as JSON; its status may say that something failed.
fn reported<T: DeserializeOwned>(command: &mut Command) -> Result<T> {
    let text = process::shown(command);
    let output = command.stderr(Stdio::inherit()).output().with_context(|| format!("cannot start: {text}"))?;
    serde_json::from_slice(&output.stdout).with_context(|| format!("{text}: {}, and no report", output.status))
}
