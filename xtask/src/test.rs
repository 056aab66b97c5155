//! The whole test suite in steps, each with a time limit.
//!
//! A step that fails does not keep later ones from running, unless they need what it makes. The last line
//! of the output counts tests; a step that is one check counts as one test.

use crate::deps::{self, Part};
use crate::process::{self, Ending};
use crate::{docs, licences, project};
use anyhow::{Context, Result, bail};
use clap::ValueEnum;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

/// The whole of it. A clean clone takes a fifth of this on 2 quiet cores; what is slower is not wrong.
const TOTAL_LIMIT: Duration = Duration::from_secs(80 * 60);

/// Crates that `cargo test --workspace` must leave alone: they have steps of their own.
const NOT_UNIT: &[&str] = &["snowglobe-suite", "snowglobe-programs"];

/// `cargo xtask test`
#[derive(clap::Args)]
pub struct Options {
    /// Only these steps, and what they need
    steps: Vec<Step>,
    /// Only the tests of the suites whose name contains this, such as `layer::bash`
    #[arg(long)]
    filter: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum Step {
    /// Packages that the tests need
    Deps,
    /// The release binary
    Build,
    /// Lints, warnings denied
    Clippy,
    /// The licence of every dependency
    Licences,
    /// Unit and property tests of all crates
    Unit,
    /// Small guests, on plain Linux and under the layer
    Suite,
    /// Packaged programs, on plain Linux and under the layer
    Programs,
    /// Small worlds: every fault, check and assertion
    Worlds,
    /// The examples that find bugs
    Examples,
    /// The book's reference pages match the program
    Docs,
}

impl Step {
    fn limit(self) -> Duration {
        Duration::from_secs(match self {
            Step::Deps => 600,
            Step::Build | Step::Clippy | Step::Unit | Step::Suite | Step::Programs => 1800,
            Step::Worlds => 900,
            Step::Examples => 600,
            Step::Docs | Step::Licences => 120,
        })
    }

    fn needs_binary(self) -> bool {
        matches!(self, Step::Suite | Step::Programs | Step::Worlds | Step::Examples | Step::Docs)
    }

    fn needs_packages(self) -> bool {
        matches!(self, Step::Suite | Step::Programs | Step::Worlds | Step::Examples)
    }

    fn name(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }
}

/// How many tests ended how.
#[derive(Clone, Copy, Default, PartialEq, Debug)]
struct Tally {
    passed: u64,
    failed: u64,
    skipped: u64,
}

impl Tally {
    const ONE_PASSED: Tally = Tally { passed: 1, failed: 0, skipped: 0 };
    const ONE_FAILED: Tally = Tally { passed: 0, failed: 1, skipped: 0 };

    fn add(&mut self, other: Tally) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }

    /// Reads the closing line of a test binary.
    fn of_line(line: &str) -> Option<Tally> {
        let counts = line.trim().strip_prefix("test result: ")?.split_once(". ")?.1;
        let count = |what: &str| {
            counts.split(';').find_map(|part| part.trim().strip_suffix(what)?.trim().parse().ok()).unwrap_or(0)
        };
        Some(Tally { passed: count("passed"), failed: count("failed"), skipped: count("ignored") })
    }
}

impl std::fmt::Display for Tally {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)?;
        if self.skipped > 0 {
            write!(f, ", {} skipped", self.skipped)?;
        }
        Ok(())
    }
}

/// What steps made that later ones use.
struct Round<'a> {
    options: &'a Options,
    end: Instant,
    packages: bool,
    binary: Option<PathBuf>,
}

/// Runs the steps, prints a summary and the count, and says whether all passed. Nothing is printed after the count.
pub fn run(options: &Options) -> bool {
    let mut round = Round { options, end: Instant::now() + TOTAL_LIMIT, packages: false, binary: None };
    let mut total = Tally::default();
    let mut summary = Vec::new();
    for step in planned(&options.steps) {
        println!("\n== {}", step.name());
        let began = Instant::now();
        let tally = round.run(step).unwrap_or_else(|error| {
            eprintln!("error: {error:#}");
            Tally::ONE_FAILED
        });
        summary.push(format!("{:<10} {:>4} s   {tally}", step.name(), began.elapsed().as_secs()));
        total.add(tally);
    }
    println!("\n{}\n\n{total}", summary.join("\n"));
    total.failed == 0
}

/// The steps in their order: all, or those asked for and those that make what they use.
fn planned(asked: &[Step]) -> Vec<Step> {
    let wanted = |step: Step| {
        asked.is_empty()
            || asked.contains(&step)
            || (step == Step::Build && asked.iter().any(|other| other.needs_binary()))
            || (step == Step::Deps && asked.iter().any(|other| other.needs_packages()))
    };
    Step::value_variants().iter().copied().filter(|&step| wanted(step)).collect()
}

impl Round<'_> {
    fn run(&mut self, step: Step) -> Result<Tally> {
        if step.needs_packages() && !self.packages {
            bail!("not run: the packages that it needs are not there");
        }
        match step {
            Step::Deps => {
                deps::ensure(&[Part::Test])?;
                self.packages = true;
            }
            Step::Build => self.binary = Some(project::build_snowglobe()?),
            Step::Clippy => {
                let all = ["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"];
                process::must(&mut project::cargo(&all), self.limit(step)?)?;
                let layer = ["clippy", "--package", "snowglobe-layer", "--features", "image", "--", "-D", "warnings"];
                process::must(&mut project::cargo(&layer), self.limit(step)?)?;
            }
            Step::Licences => licences::run()?,
            Step::Docs => docs::check(self.binary()?)?,
            Step::Unit => return self.unit(),
            Step::Suite => return self.package("snowglobe-suite", &["--lib", "--test", "suite"], step),
            Step::Programs => return self.package("snowglobe-programs", &["--lib", "--test", "programs"], step),
            Step::Worlds => return self.package("snowglobe-programs", &["--test", "worlds"], step),
            Step::Examples => return self.package("snowglobe-programs", &["--test", "examples"], step),
        }
        Ok(Tally::ONE_PASSED)
    }

    fn binary(&self) -> Result<&Path> {
        self.binary.as_deref().context("not run: snowglobe was not built")
    }

    /// A step's own limit, or what is left of the whole.
    fn limit(&self, step: Step) -> Result<Duration> {
        let left = self.end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            bail!("not run: all of it may take {} s, and they are over", TOTAL_LIMIT.as_secs());
        }
        Ok(left.min(step.limit()))
    }

    fn unit(&self) -> Result<Tally> {
        let mut command = project::cargo(&["test", "--no-fail-fast", "--workspace"]);
        for package in project::metadata(false)?.packages {
            if NOT_UNIT.contains(&package.name.as_str()) {
                command.args(["--exclude", &package.name]);
            }
        }
        counted(&mut command, self.limit(Step::Unit)?)
    }

    fn package(&self, name: &str, targets: &[&str], step: Step) -> Result<Tally> {
        let mut command = project::cargo(&["test", "--no-fail-fast", "-p", name]);
        command.args(targets);
        command.env("SNOWGLOBE_BIN", self.binary()?);
        if let Some(filter) = &self.options.filter {
            command.args(["--", filter]);
        }
        counted(&mut command, self.limit(step)?)
    }
}

/// Runs test binaries, shows what they print, and adds up what their closing lines say.
fn counted(command: &mut Command, limit: Duration) -> Result<Tally> {
    let text = process::shown(command);
    let mut child = command.stdout(Stdio::piped()).spawn().with_context(|| format!("cannot start: {text}"))?;
    let lines = shown_lines(child.stdout.take().context("no output pipe")?);
    let ending = process::wait(&mut child, limit)?;
    let mut tally = Tally::default();
    // An orphan may hold the pipe open after the end.
    while let Ok(line) = lines.recv_timeout(Duration::from_secs(2)) {
        tally.add(Tally::of_line(&line).unwrap_or_default());
    }
    match ending {
        Ending::OutOfTime => {
            eprintln!("error: {text}: not done after {} s", limit.as_secs());
            tally.add(Tally::ONE_FAILED);
        }
        // A binary that crashed or did not compile has no closing line.
        Ending::Exited(status) if !status.success() && tally.failed == 0 => {
            eprintln!("error: {text}: {status}");
            tally.add(Tally::ONE_FAILED);
        }
        Ending::Exited(_) => {}
    }
    Ok(tally)
}

fn shown_lines(pipe: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        for line in BufReader::new(pipe).lines().map_while(Result::ok) {
            println!("{line}");
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    receiver
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_closing_line_is_counted() {
        let line = "test result: FAILED. 12 passed; 1 failed; 3 ignored; 0 measured; 4 filtered out; finished in 0.02s";
        assert_eq!(Tally::of_line(line), Some(Tally { passed: 12, failed: 1, skipped: 3 }));
        assert_eq!(Tally::of_line("test result_is_kept ... ok"), None);
    }

    #[test]
    fn the_last_line_leaves_out_what_was_not_skipped() {
        assert_eq!(Tally { passed: 2, failed: 0, skipped: 0 }.to_string(), "2 passed, 0 failed");
        assert_eq!(Tally { passed: 2, failed: 1, skipped: 4 }.to_string(), "2 passed, 1 failed, 4 skipped");
    }

    #[test]
    fn a_step_brings_what_it_uses() {
        assert_eq!(planned(&[Step::Programs]), [Step::Deps, Step::Build, Step::Programs]);
        assert_eq!(planned(&[Step::Docs]), [Step::Build, Step::Docs]);
        assert_eq!(planned(&[]).len(), Step::value_variants().len());
    }

    #[test]
    fn a_crash_counts_as_a_failure() {
        let mut command = Command::new("sh");
        command.args(["-c", "echo 'test result: ok. 5 passed; 0 failed; 0 ignored'; exit 3"]);
        let tally = counted(&mut command, Duration::from_secs(30)).unwrap();
        assert_eq!(tally, Tally { passed: 5, failed: 1, skipped: 0 });
    }
}
