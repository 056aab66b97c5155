//! The command line: one definition from which the parser, the help, the completions and the reference come.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum, ValueHint};
use snowglobe_abi::spec::Nanos;
use snowglobe_explore::seeds::{Seeds, Shard};
use snowglobe_world::rundir::Layout;
use snowglobe_world::units;

/// Runs clusters of unmodified Linux programs deterministically: same world, same seed, same run.
#[derive(Debug, Parser)]
#[command(name = "snowglobe", version, max_term_width = 100, subcommand_required = true, arg_required_else_help = true)]
#[command(
    after_help = "Exit status: 0 passed, 1 a check failed, 2 the world could not be judged, 3 determinism is broken,
254 bad arguments or world file, 255 a fault of snowglobe's own. With `run -- PROGRAM`: the program's own status."
)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run a world, or one program in a world of its own
    Run(RunArgs),
    /// Run a world several times with one seed and compare the runs event by event
    Verify(VerifyArgs),
    /// Judge a run's histories, outputs and processes again, or histories by themselves
    Check(CheckArgs),
    /// Run a recorded run again, comparing it with the record as it goes
    Replay(ReplayArgs),
    /// Run a world with many seeds, and tell what failed and how often
    Explore(ExploreArgs),
    /// List what failed in explorations here
    Groups(GroupsArgs),
    /// Find the least world in which a run's failure remains
    Shrink(ShrinkArgs),
    /// Say after a change whether a failure is gone
    Retest(RetestArgs),
    /// Run worlds for an exploration, as they are asked for on standard input
    #[command(hide = true)]
    Worker,
    /// List the runs that are kept here
    Ls(LsArgs),
    /// Summarise a run
    Show(ShowArgs),
    /// Print a run's trace, in the manner of strace
    Trace(TraceArgs),
    /// Print the socket table of a run, as it stood at any virtual time
    Sockets(SocketsArgs),
    /// Write what went over a run's networks as a packet capture
    Export(ExportArgs),
    /// Print the table of system calls with their support level
    Support(JsonArgs),
    /// Say what this machine allows, what degrades without it, and how to mend it
    Doctor(JsonArgs),
    /// Write an example world file
    Init(InitArgs),
    /// Check a world file, and say what it comes to
    Validate(ValidateArgs),
    /// Print a completion script for a shell
    Completions(CompletionsArgs),
    /// Print a chapter of the book that is made from the code
    #[command(hide = true)]
    Reference(ReferenceArgs),
}

/// `snowglobe check`
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// The run: its ID, its number, `latest`, or its directory; the latest without it
    #[arg(value_name = "RUN", conflicts_with = "history")]
    pub run: Option<String>,

    /// A history that is not of a run, in JSON lines; more than one is judged as one
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub history: Vec<PathBuf>,

    /// Its model: register, set, queue, counter, bank, append, monotonic; what its lines say without it
    #[arg(long, value_name = "MODEL", requires = "history")]
    pub model: Option<String>,

    /// An option of the model, such as consistency=serializable
    #[arg(long, value_name = "NAME=VALUE", requires = "history")]
    pub option: Vec<String>,

    /// Print one JSON object on standard output, and nothing else there
    #[arg(long)]
    pub json: bool,
}

/// What to run.
#[derive(Debug, Args)]
pub struct WorldArgs {
    /// The world file: a Compose file, or the world.resolved.yaml of a run
    #[arg(value_name = "WORLD.yaml", value_hint = ValueHint::FilePath, required_unless_present = "program", conflicts_with = "program")]
    pub world: Option<PathBuf>,

    /// A program and its arguments, in a world of one host with this machine's file system
    #[arg(last = true, value_name = "PROGRAM", value_hint = ValueHint::CommandWithArguments)]
    pub program: Vec<String>,

    /// From which all randomness comes; 1 without it, never the clock
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,

    /// Who answers system calls
    #[arg(long, value_enum, default_value_t = LayoutArg::Layer)]
    pub layout: LayoutArg,

    /// Virtual time at which the world ends at the latest, such as 60s or 1h30m
    #[arg(long, value_name = "TIME", value_parser = units::duration)]
    pub until: Option<Nanos>,

    /// A variable for PROGRAM, whose environment is otherwise the same everywhere; NAME alone takes its value from here
    #[arg(long, value_name = "NAME[=VALUE]", conflicts_with = "world")]
    pub env: Vec<String>,

    /// Print one JSON object on standard output, and nothing else there
    #[arg(long)]
    pub json: bool,
}

/// Who answers system calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LayoutArg {
    /// The layer: deterministic, in virtual time
    Layer,
    /// The operating system, each host in namespaces of its own: the baseline
    Traditional,
}

impl From<LayoutArg> for Layout {
    fn from(arg: LayoutArg) -> Layout {
        match arg {
            LayoutArg::Layer => Layout::Layer,
            LayoutArg::Traditional => Layout::Traditional,
        }
    }
}

/// `run`.
#[derive(Debug, Args)]
pub struct RunArgs {
    /// What to run.
    #[command(flatten)]
    pub world: WorldArgs,

    /// Keep the run in this new or empty directory instead of .snowglobe/runs
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub out: Option<PathBuf>,
}

/// `verify`.
#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// What to run.
    #[command(flatten)]
    pub world: WorldArgs,

    /// How many runs to compare
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u32).range(2..=10_000))]
    pub runs: u32,
}

/// `replay`.
#[derive(Debug, Args)]
pub struct ReplayArgs {
    /// The run: an ID or its number (see `snowglobe ls`), `latest`, or a run directory
    #[arg(value_name = "RUN")]
    pub run: String,

    /// Print one JSON object on standard output, and nothing else there
    #[arg(long)]
    pub json: bool,
}

/// How much of the machine, and for how long.
#[derive(Debug, Args)]
pub struct Effort {
    /// How many worlds run at once; one for each core without it
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=4096))]
    pub jobs: Option<u16>,

    /// Stop after this time of the machine's clock, such as 10m
    #[arg(long, value_name = "TIME", value_parser = units::duration)]
    pub budget: Option<Nanos>,

    /// Give up a world that has not ended after this time of the machine's clock; it counts as not run
    #[arg(long, value_name = "TIME", default_value = "10m", value_parser = units::duration)]
    pub run_limit: Nanos,

    /// Print one JSON object on standard output, and nothing else there
    #[arg(long)]
    pub json: bool,
}

/// `explore`.
#[derive(Debug, Args)]
pub struct ExploreArgs {
    /// The world file: a Compose file, or the world.resolved.yaml of a run
    #[arg(value_name = "WORLD.yaml", value_hint = ValueHint::FilePath)]
    pub world: PathBuf,

    /// The seeds, both ends included: `1..10000`, `7`, or `1..` without an end
    #[arg(long, value_name = "FIRST..LAST", default_value = "1..1000")]
    pub seeds: Seeds,

    /// Only a part of the seeds, for explorers that share them: `2/4` is the second of four
    #[arg(long, value_name = "I/N", default_value = "1/1")]
    pub shard: Shard,

    /// Stop at the first failure
    #[arg(long)]
    pub until_failure: bool,

    /// Virtual time at which each world ends at the latest, such as 60s or 1h30m
    #[arg(long, value_name = "TIME", value_parser = units::duration)]
    pub until: Option<Nanos>,

    /// How much of the machine.
    #[command(flatten)]
    pub effort: Effort,
}

/// `groups`.
#[derive(Debug, Args)]
pub struct GroupsArgs {
    /// Print one JSON object on standard output, and nothing else there
    #[arg(long)]
    pub json: bool,
}

/// `shrink`.
#[derive(Debug, Args)]
pub struct ShrinkArgs {
    /// The failing run: an ID or its number (see `snowglobe ls`), `latest`, a run directory, or a group such as g1
    #[arg(value_name = "RUN")]
    pub run: String,

    /// The world file to write; `shrunk.yaml` in the last run's directory without it
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub out: Option<PathBuf>,

    /// With how many seeds each candidate is tried: its own, and others
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=1000))]
    pub tries: u64,

    /// How much of the machine.
    #[command(flatten)]
    pub effort: Effort,
}

/// `retest`.
#[derive(Debug, Args)]
pub struct RetestArgs {
    /// The failure, as `snowglobe groups` names it: g1
    #[arg(value_name = "GROUP")]
    pub group: String,

    /// The changed world file; the one that failed, as it is now, without it
    #[arg(value_name = "WORLD.yaml", value_hint = ValueHint::FilePath)]
    pub world: Option<PathBuf>,

    /// How sure "gone" is to be: 0.95, or 99 %
    #[arg(long, value_name = "SHARE", default_value = "0.95", value_parser = confidence)]
    pub confidence: f64,

    /// How much of the machine.
    #[command(flatten)]
    pub effort: Effort,
}

/// A confidence: above a half and below one.
fn confidence(text: &str) -> Result<f64, String> {
    let number = match text.trim().strip_suffix('%') {
        Some(percent) => percent.trim().parse::<f64>().map(|percent| percent / 100.0),
        None => text.trim().parse::<f64>(),
    };
    match number {
        Ok(share) if share > 0.5 && share < 1.0 => Ok(share),
        _ => Err(format!("`{text}` is not a confidence: write a share above 0.5 and below 1, such as 0.95 or 99%")),
    }
}

/// `ls`.
#[derive(Debug, Args)]
pub struct LsArgs {
    /// Print one JSON object on standard output, and nothing else there
    #[arg(long)]
    pub json: bool,
}

/// `show`.
#[derive(Debug, Args)]
pub struct ShowArgs {
    /// The run: an ID or its number (see `snowglobe ls`), `latest`, or a run directory
    #[arg(value_name = "RUN", default_value = "latest")]
    pub run: String,

    /// Print one JSON object on standard output, and nothing else there
    #[arg(long)]
    pub json: bool,
}

/// `trace`.
#[derive(Debug, Args)]
pub struct TraceArgs {
    /// The run: an ID or its number (see `snowglobe ls`), `latest`, or a run directory
    #[arg(value_name = "RUN", default_value = "latest")]
    pub run: String,

    /// Only events of these hosts
    #[arg(long, value_name = "HOST", value_delimiter = ',')]
    pub host: Vec<String>,

    /// Only events of these process ids, as the hosts number them
    #[arg(long, value_name = "PID", value_delimiter = ',')]
    pub pid: Vec<u32>,

    /// Only these system calls
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub call: Vec<String>,

    /// Only events of these sockets, by the unique ID that `snowglobe sockets` shows
    #[arg(long, value_name = "ID", value_delimiter = ',')]
    pub socket: Vec<u64>,

    /// Only from this virtual time on, such as 1.5s
    #[arg(long, value_name = "TIME", value_parser = units::duration)]
    pub from: Option<Nanos>,

    /// Only up to this virtual time
    #[arg(long, value_name = "TIME", value_parser = units::duration)]
    pub to: Option<Nanos>,

    /// Print a line for each event: the two ends of a call, waits and wake-ups too
    #[arg(long)]
    pub events: bool,

    /// Print one JSON object for each event, a line each
    #[arg(long, conflicts_with = "events")]
    pub json: bool,
}

/// `sockets`.
#[derive(Debug, Args)]
pub struct SocketsArgs {
    /// The run: an ID or its number (see `snowglobe ls`), `latest`, or a run directory
    #[arg(value_name = "RUN", default_value = "latest")]
    pub run: String,

    /// The virtual time, such as 1.5s: the table after all that happened at it; the end of the run without it
    #[arg(long, value_name = "TIME", value_parser = units::duration)]
    pub at: Option<Nanos>,

    /// Only sockets of these hosts
    #[arg(long, value_name = "HOST", value_delimiter = ',')]
    pub host: Vec<String>,

    /// Print one JSON object on standard output, and nothing else there
    #[arg(long)]
    pub json: bool,
}

/// `export`.
#[derive(Debug, Args)]
pub struct ExportArgs {
    /// The run: an ID or its number (see `snowglobe ls`), `latest`, or a run directory
    #[arg(value_name = "RUN", default_value = "latest")]
    pub run: String,

    /// The pcapng file to write: an interface for each host and network, times in virtual nanoseconds
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub pcapng: PathBuf,

    /// Capture what hosts send to themselves too, on an interface `lo` of each
    #[arg(long)]
    pub loopback: bool,

    /// Show each packet at its receiver's interface too, when it arrives
    #[arg(long)]
    pub arrivals: bool,

    /// Overwrite the file if it is there
    #[arg(long)]
    pub force: bool,
}

/// Commands that only choose their form.
#[derive(Debug, Args)]
pub struct JsonArgs {
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `init`.
#[derive(Debug, Args)]
pub struct InitArgs {
    /// The file to write
    #[arg(value_name = "FILE", default_value = "world.yaml", value_hint = ValueHint::FilePath)]
    pub file: PathBuf,

    /// Overwrite it if it is there
    #[arg(long)]
    pub force: bool,
}

/// `validate`.
#[derive(Debug, Args)]
pub struct ValidateArgs {
    /// The world file
    #[arg(value_name = "WORLD.yaml", value_hint = ValueHint::FilePath)]
    pub world: PathBuf,

    /// Print the world after defaults, names and addresses were settled, as YAML
    #[arg(long, conflicts_with = "json")]
    pub resolved: bool,

    /// Print one JSON object on standard output, and nothing else there
    #[arg(long)]
    pub json: bool,
}

/// `completions`.
#[derive(Debug, Args)]
pub struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    pub shell: clap_complete::Shell,
}

/// `reference`.
#[derive(Debug, Args)]
pub struct ReferenceArgs {
    /// The chapter
    #[arg(value_enum)]
    pub chapter: Chapter,
}

/// What of the book is made from the code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Chapter {
    /// The command line
    Cli,
    /// The world file
    World,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_definition_holds_together() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_program_keeps_its_own_flags() {
        let cli = Cli::try_parse_from(["snowglobe", "run", "--seed", "7", "--", "ls", "--json", "-l"]).unwrap();
        let Command::Run(run) = cli.command else { panic!() };
        assert_eq!(run.world.program, ["ls", "--json", "-l"]);
        assert_eq!((run.world.seed, run.world.json), (Some(7), false));
    }

    #[test]
    fn a_world_or_a_program_must_be_named_and_not_both() {
        for args in [
            &["run"][..],
            &["run", "w.yaml", "--", "ls"],
            &["run", "--env", "A=1", "w.yaml"],
            &["verify", "--runs", "1", "w.yaml"],
        ] {
            let args = [&["snowglobe"], args].concat();
            assert!(Cli::try_parse_from(&args).is_err(), "{args:?}");
        }
    }
}
