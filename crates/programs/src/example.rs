//! The examples that find bugs, as tests: each still finds its bug, and what is mended is clean.
//!
//! `examples/found.toml` lists them, with a seed that is known to fail. A run depends on the packages of the machine to the last byte, so another
//! machine may need another seed: the test goes on from the known one, and fails when none of so many finds the bug.

use crate::command::{self, ended_well, limited, snowglobe, target};
use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;
use std::fs;
use std::path::{Path, PathBuf};

/// Seconds that `make` may take: it may fetch a package.
const MAKE_LIMIT: u64 = 120;

/// One example as the list has it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Example {
    /// The folder's name.
    pub name: String,
    /// A seed with which the world is known to fail, on Debian 12 as it was when this was written.
    pub seed: u64,
    /// How many seeds, from that one, are tried until one fails.
    pub seeds: u64,
    /// With how many seeds, from the known one, the mended world must pass.
    pub mended: u64,
    /// What the verdict's reason must contain, so that it is this bug and no other.
    pub finds: String,
    /// Seconds of the wall clock that one run may take.
    pub limit: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    example: Vec<Example>,
}

/// What `snowglobe run --json` prints, as far as it is judged.
#[derive(Deserialize)]
struct Run {
    digest: String,
    verdict: String,
    reason: String,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples")
}

/// Reads the list.
pub fn read() -> Result<Vec<Example>> {
    let text = fs::read_to_string(folder().join("found.toml")).context("cannot read examples/found.toml")?;
    let List { example } = toml::from_str(&text).context("examples/found.toml")?;
    Ok(example)
}

impl Example {
    /// A seed fails, with the finding that is expected, and fails so again with the same digest; the mended world passes with it.
    pub fn finds_and_is_mended(&self) -> Result<()> {
        let place = self.ready("finds")?;
        let Some((seed, run)) = self.hunt(&place)? else {
            bail!("none of the {} seeds from {} fails", self.seeds, self.seed);
        };
        let again = self.run("world.yaml", seed, &place)?;
        ensure!(again.digest == run.digest, "seed {seed} fails, and gives another digest when it is run again");
        self.is_clean("world-fixed.yaml", seed, &place)
    }

    /// The first seed that fails.
    fn hunt(&self, place: &Path) -> Result<Option<(u64, Run)>> {
        for seed in self.seed..self.seed + self.seeds {
            let run = self.run("world.yaml", seed, place)?;
            match run.verdict.as_str() {
                "passed" => continue,
                "failed" if run.reason.contains(&self.finds) => return Ok(Some((seed, run))),
                verdict => bail!("seed {seed}: {verdict}: {}; expected was: {}", run.reason, self.finds),
            }
        }
        Ok(None)
    }

    fn is_clean(&self, world: &str, first: u64, place: &Path) -> Result<()> {
        for seed in first..first + self.mended {
            let run = self.run(world, seed, place)?;
            ensure!(run.verdict == "passed", "{world}, seed {seed}: {}: {}", run.verdict, run.reason);
        }
        Ok(())
    }

    /// An empty folder to work in; what the example needs is made in its own.
    fn ready(&self, variant: &str) -> Result<PathBuf> {
        let place = target().join("tmp/examples").join(format!("{}-{variant}", self.name));
        if place.exists() {
            fs::remove_dir_all(&place).with_context(|| format!("cannot empty {}", place.display()))?;
        }
        fs::create_dir_all(&place)?;
        let example = folder().join(&self.name);
        if example.join("Makefile").exists() {
            ended_well(limited(MAKE_LIMIT, "make", &example).arg("--silent"))?;
        }
        Ok(place)
    }

    fn run(&self, world: &str, seed: u64, place: &Path) -> Result<Run> {
        let mut command = limited(self.limit, snowglobe()?, place);
        command.args(["run", "--json", "--seed", &seed.to_string(), "--out", "run"]);
        command.arg(folder().join(&self.name).join(world));
        let output = command.output().context("cannot start timeout(1)")?;
        let run = serde_json::from_slice(&output.stdout);
        // A run is large, and one folder is enough.
        let _ = fs::remove_dir_all(place.join("run"));
        run.with_context(|| format!("{command:?}: {}\n{}", output.status, command::tail(&output.stderr)))
    }
}
