//! The bug of `examples/redis-sentinel`: found, shrunk, and seen again.

use crate::deps::{self, Part};
use crate::process;
use crate::project;
use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

/// As it is seen from [`folder`].
const WORLD: &str = "../../examples/redis-sentinel/world.yaml";
/// The bug shows in about every second.
const SEEDS: &str = "1..8";
/// How long the demo looks for a smaller world; a user would wait for the least.
const BUDGET: &str = "40s";
/// Longest time that one of the demo's commands may take.
const LIMIT: Duration = Duration::from_secs(300);
/// What snowglobe ends with when all went well, and when a check failed.
const DONE: i32 = 0;
const FOUND: i32 = 1;

/// What `snowglobe replay --json` prints, as far as it is shown.
#[derive(Deserialize)]
struct Run {
    digest: String,
    events: u64,
}

/// Builds, installs, explores, shrinks, and replays.
pub fn run() -> Result<()> {
    deps::ensure(&[Part::Demo])?;
    println!("Building snowglobe ...");
    let snowglobe = project::build_snowglobe()?;
    println!(
        "\nThe world is {WORLD}: three hosts, each with a redis server and a sentinel, two hosts with clients\n\
         that add elements to a set, and a network that falls apart now and then. Every acknowledged element must be there at the end."
    );
    let folder = folder()?;
    let place = Place { snowglobe, folder };
    place.shown(&["explore", "--seeds", SEEDS, WORLD], FOUND)?;
    place.shown(&["shrink", "--budget", BUDGET, "g1"], DONE)?;
    println!("\nThe least world that was found, twice:");
    let (first, second) = (place.replayed()?, place.replayed()?);
    println!("first run   digest {}\nsecond run  digest {}", first.digest, second.digest);
    ensure!(first.digest == second.digest, "one world gave two different runs: determinism is broken");
    println!(
        "\nThe same world gave the same run, to the last of {} events. Next, in target/demo:\n  \
         ../release/snowglobe trace latest --host redis1 | less\n  \
         ../release/snowglobe explore ../../examples/redis-sentinel/world-fixed.yaml --seeds 1..20",
        first.events
    );
    Ok(())
}

/// An empty folder, so that what is shown is not mixed with what was explored before.
fn folder() -> Result<PathBuf> {
    let folder = project::root().join("target/demo");
    match std::fs::remove_dir_all(&folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error).context("target/demo"),
        _ => {}
    }
    std::fs::create_dir_all(&folder)?;
    Ok(folder)
}

/// Where snowglobe is, and where it keeps its runs.
struct Place {
    snowglobe: PathBuf,
    folder: PathBuf,
}

impl Place {
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.snowglobe);
        command.args(arguments).current_dir(&self.folder);
        command
    }

    /// Runs a command that shows what it does, and ends so.
    fn shown(&self, arguments: &[&str], wanted: i32) -> Result<()> {
        let text = format!("snowglobe {}", arguments.join(" "));
        println!("\n$ {text}");
        let mut child = self.command(arguments).spawn().context("cannot start snowglobe")?;
        match process::wait(&mut child, LIMIT)? {
            process::Ending::Exited(status) if status.code() == Some(wanted) => Ok(()),
            process::Ending::Exited(status) => bail!("{text}: {status}, where exit status {wanted} was expected"),
            _ => bail!("{text}: not done after {} s", LIMIT.as_secs()),
        }
    }

    /// Replays the last run, which compares it with what was recorded.
    fn replayed(&self) -> Result<Run> {
        let output = self.command(&["replay", "--json", "latest"]).stderr(Stdio::null()).output()?;
        ensure!(output.status.code() == Some(FOUND), "the replay did not fail as the run did: {}", output.status);
        serde_json::from_slice(&output.stdout).context("what snowglobe printed")
    }
}
