//! The cluster of `examples/cluster`, run twice with one seed.

use crate::deps::{self, Part};
use crate::process;
use crate::project;
use anyhow::{Context, Result, bail};
use serde::Deserialize;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

const WORLD: &str = "examples/cluster/world.yaml";
const SEED: &str = "1";

/// What each client of the cluster does, by its host's name in the world file.
const CLIENTS: &[(&str, &str)] =
    &[("watcher", "watches a key of the etcd cluster"), ("writer", "writes and reads it"), ("cache", "uses redis")];

/// What `snowglobe run --json` prints, as far as it is shown.
#[derive(Deserialize)]
struct Run {
    run: String,
    digest: String,
    virtual_ns: u64,
    wall_ns: u64,
    events: u64,
    hosts: serde_json::Value,
    verdict: serde_json::Value,
}

/// Builds, installs, runs, and shows.
pub fn run() -> Result<()> {
    deps::ensure(&[Part::Demo])?;
    println!("Building snowglobe ...");
    let snowglobe = project::build_snowglobe()?;
    println!("\nThe world is {WORLD}: three etcd nodes, a redis server and three clients, each on a host of its own.");
    let first = run_world(&snowglobe, "first run")?;
    for (host, what) in CLIENTS {
        println!("\n{host} {what}:");
        show_output(&first, host)?;
    }
    println!();
    let second = run_world(&snowglobe, "second run")?;
    println!("\nfirst run   digest {}\nsecond run  digest {}", first.digest, second.digest);
    if first.digest != second.digest {
        bail!("one seed gave two different runs; `snowglobe verify {WORLD}` names the first event that differs");
    }
    println!(
        "\nThe same seed gave the same run, to the last of {} events. Next:\n  \
         target/release/snowglobe trace {} --host etcd1 | less\n  \
         target/release/snowglobe run --seed 2 {WORLD}",
        first.events, first.run
    );
    Ok(())
}

fn run_world(snowglobe: &Path, name: &str) -> Result<Run> {
    let mut command = Command::new(snowglobe);
    command.args(["run", "--seed", SEED, "--json", WORLD]).current_dir(project::root());
    println!("{name}: snowglobe run --seed {SEED} {WORLD}");
    let mut child = command.stdout(Stdio::piped()).spawn().context("cannot start snowglobe")?;
    let pipe = child.stdout.take().context("no output pipe")?;
    let reader = std::thread::spawn(move || std::io::read_to_string(pipe));
    let ending = process::wait(&mut child, Duration::from_secs(120))?;
    let process::Ending::Exited(status) = ending else { bail!("the world was not done after 120 s") };
    let text = reader.join().expect("the reader does not panic")?;
    if !status.success() {
        bail!("the world failed ({status}): {text}");
    }
    let run: Run = serde_json::from_str(&text).context("what snowglobe printed")?;
    println!("  verdict {}, {} hosts, {}", plain(&run.verdict), count(&run.hosts), times(&run));
    Ok(run)
}

fn times(run: &Run) -> String {
    let seconds = |ns: u64| ns as f64 / 1e9;
    format!("{:.1} s of virtual time in {:.1} s", seconds(run.virtual_ns), seconds(run.wall_ns))
}

fn plain(value: &serde_json::Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn count(hosts: &serde_json::Value) -> String {
    hosts.as_array().map_or_else(|| hosts.to_string(), |list| list.len().to_string())
}

fn show_output(run: &Run, host: &str) -> Result<()> {
    let path: PathBuf = [".snowglobe/runs", &run.run, "hosts", host, "stdout"].iter().collect();
    let path = project::root().join(path);
    let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    text.lines().for_each(|line| println!("  {line}"));
    Ok(())
}
